//! Random selections of connectors, random bodies, and random selections of clients.

use fastrand::Rng;

/// The types of the graph: each has leaves, and objects of the next type.
pub(crate) const TYPES: [&str; 3] = ["T", "U", "V"];

/// The fields of the type at a level, with whether they are lists, and objects.
pub(crate) fn fields(level: usize) -> &'static [(&'static str, bool, bool)] {
    const ALL: [(&str, bool, bool); 5] = [
        ("a", false, false),
        ("b", false, false),
        ("s", true, false),
        ("o", false, true),
        ("l", true, true),
    ];
    if level + 1 < TYPES.len() {
        &ALL
    } else {
        &ALL[..3]
    }
}

/// Generates mappings of objects.
pub(crate) struct Mappings<'r>(pub(crate) &'r mut Rng);

/// A mapping, and a client's selection of some of its fields.
pub(crate) struct Mapped {
    pub(crate) mapping: String,
    pub(crate) query: String,
}

impl Mappings<'_> {
    /// The selection of a connector whose field returns `T`, or a list of it.
    pub(crate) fn selection(&mut self) -> Mapped {
        let Mapped { mapping, query } = self.group(0);
        let mapping = match self.0.u32(..8) {
            0 | 1 => format!("{} {{ {mapping} }}", self.long_path()),
            2 => format!("$ {{ {mapping} }}"),
            3 => {
                let more = self.group(0).mapping;
                format!("{mapping} {} {{ {more} }}", self.long_path())
            }
            _ => mapping,
        };
        Mapped { mapping, query }
    }

    fn group(&mut self, level: usize) -> Mapped {
        let (mut members, mut selected) = (Vec::new(), Vec::new());
        for (name, _, is_object) in fields(level) {
            let is_last = members.is_empty() && *name == "s";
            if !is_last && self.0.u32(..3) == 0 {
                continue;
            }
            let (member, field) = if *is_object {
                let Mapped { mapping, query } = self.group(level + 1);
                (self.object(name, &mapping), format!("{name} {{ {query} }}"))
            } else {
                (self.leaf(name), (*name).to_owned())
            };
            if selected.is_empty() || self.0.u32(..3) > 0 {
                selected.push(field);
            }
            members.push(member);
        }
        // What comes first in the type is not always selected.
        if selected.len() > 1 && self.0.bool() {
            selected.remove(0);
        }
        Mapped {
            mapping: members.join(" "),
            query: selected.join(" "),
        }
    }

    fn leaf(&mut self, name: &str) -> String {
        let value = match self.0.u32(..16) {
            0 => return name.to_owned(),
            1 => return format!("{name}: {}?", self.path()),
            2 => "$(true)".to_owned(),
            3 => "$(null)".to_owned(),
            4 => "$args.n".to_owned(),
            5 => "$args.left".to_owned(),
            6 => "$status".to_owned(),
            7 => "$".to_owned(),
            8 => "@".to_owned(),
            9 => format!("$([{}, 1])", self.path()),
            10 => format!("$({{ x: {} }})", self.path()),
            11 => format!("{}->first", self.path()),
            12 => format!("{}->map(@.y)", self.path()),
            13 => format!("{}->match([null, 1], [@, @])", self.path()),
            14 => format!("{} {{ x y: $(2) }}", self.path()),
            _ => self.path(),
        };
        format!("{name}: {value}")
    }

    fn object(&mut self, name: &str, group: &str) -> String {
        let value = match self.0.u32(..12) {
            0 => return format!("{name} {{ {group} }}"),
            1 => String::new(),
            2 => "$ ".to_owned(),
            3 => "@ ".to_owned(),
            4 => format!("{}? ", self.path()),
            5 => format!("{}->first ", self.path()),
            6 => format!("{}->echo(@) ", self.path()),
            7 => format!("{}->as($v) ", self.path()),
            8 => format!("$({}) ", self.literal()),
            _ => self.path() + " ",
        };
        format!("{name}: {value}{{ {group} }}")
    }

    fn literal(&mut self) -> &'static str {
        let literals = ["null", "1", "[null, 1]", "{ a: 1, x: null }", "[{ x: 1 }]"];
        self.pick(&literals)
    }

    /// A path that is no field, which would be a member.
    fn long_path(&mut self) -> String {
        let path = self.path();
        if path.starts_with(['$', '@']) {
            return path;
        }
        format!("$.{path}")
    }

    /// A path to a key, or to a key of a key.
    fn path(&mut self) -> String {
        let keys = ["x", "y", "a", "o", "l"];
        let head = self.pick(&["", "", "$.", "@."]);
        let mut path = format!("{head}{}", self.pick(&keys));
        if self.0.u32(..3) == 0 {
            let guard = self.pick(&["", "", "?"]);
            path = format!("{path}{guard}.{}", self.pick(&keys));
        }
        path
    }

    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.0.usize(..of.len())]
    }
}

/// A body: nothing, or JSON of any kind.
pub(crate) fn body(rng: &mut Rng) -> String {
    match rng.u32(..10) {
        0 => String::new(),
        _ => json(rng, 4),
    }
}

fn json(rng: &mut Rng, depth: usize) -> String {
    let inner = |rng: &mut Rng| json(rng, depth - 1);
    match rng.u32(..if depth == 0 { 4 } else { 12 }) {
        0 => "null".to_owned(),
        1 => "true".to_owned(),
        2 => rng.u32(..9).to_string(),
        3 => "\"text\"".to_owned(),
        4 | 5 => {
            let elements: Vec<String> = (0..rng.usize(..4)).map(|_| inner(rng)).collect();
            format!("[{}]", elements.join(","))
        }
        _ => {
            let mut members = Vec::new();
            // Of a key that is there twice, the last counts.
            for key in ["x", "y", "a", "b", "s", "o", "l", "a"] {
                if rng.bool() {
                    members.push(format!("\"{key}\":{}", inner(rng)));
                }
            }
            format!("{{{}}}", members.join(","))
        }
    }
}
