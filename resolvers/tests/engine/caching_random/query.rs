//! Random queries over the random graph.

use fastrand::Rng;

/// A field of a query.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) key: String,
    pub(crate) name: &'static str,
    /// The argument `kind` of `things`.
    pub(crate) kind: Option<Kind>,
    pub(crate) fields: Vec<Self>,
}

/// How the argument `kind` is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Absent,
    Literal(&'static str),
    /// The variable `$kind`.
    Variable,
}

/// A query with the value of its variable.
#[derive(Clone, Debug)]
pub(crate) struct RandomQuery {
    pub(crate) fields: Vec<Field>,
    pub(crate) variable: &'static str,
    seed: u64,
}

impl RandomQuery {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let count = rng.usize(1..=2);
        let fields = (0..count).map(|index| root(index, rng)).collect();
        Self {
            fields,
            variable: KINDS[rng.usize(..2)],
            seed: rng.u64(..),
        }
    }

    /// The value of the argument `kind` of a field.
    pub(crate) fn kind(&self, field: &Field) -> &'static str {
        match field.kind {
            Some(Kind::Literal(kind)) => kind,
            Some(Kind::Variable) => self.variable,
            Some(Kind::Absent) | None => KINDS[0],
        }
    }

    pub(crate) fn text(&self) -> String {
        let mut rng = Rng::with_seed(self.seed);
        let selections = selections(&self.fields, None, &mut rng);
        let uses_variable = selections.contains("$kind");
        let head = if uses_variable {
            "query($kind: Kind)"
        } else {
            "query"
        };
        format!("{head} {selections}")
    }
}

const KINDS: [&str; 2] = ["TOY", "BOOK"];

fn root(index: usize, rng: &mut Rng) -> Field {
    let name = *rng
        .choice(&[
            "user", "user", "someone", "someone", "first", "things", "things", "posts",
        ])
        .unwrap();
    let kind = (name == "things").then(|| match rng.u8(..4) {
        0 => Kind::Absent,
        1 => Kind::Variable,
        _ => Kind::Literal(KINDS[rng.usize(..2)]),
    });
    let fields = match name {
        "user" => some(&["id", "note", "favourites", "favourites", "best"], rng),
        "someone" => some(&["note", "favourites", "favourites", "best"], rng),
        "posts" => some(&["id", "text"], rng),
        _ => thing(rng),
    };
    Field {
        key: format!("{name}{index}"),
        name,
        kind,
        fields,
    }
}

/// One or more of these fields.
fn some(names: &[&'static str], rng: &mut Rng) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for _ in 0..rng.usize(1..=3) {
        let name = *rng.choice(names).unwrap();
        if fields.iter().all(|field| field.name != name) {
            let is_list = matches!(name, "favourites" | "best");
            fields.push(Field {
                key: name.to_owned(),
                name,
                kind: None,
                fields: if is_list { thing(rng) } else { Vec::new() },
            });
        }
    }
    fields
}

fn thing(rng: &mut Rng) -> Vec<Field> {
    some(
        &["id", "label", "stock", "stock", "price", "__typename"],
        rng,
    )
}

/// The text of some selections, in one of several forms; `ty` is their object type.
fn selections(fields: &[Field], ty: Option<&str>, rng: &mut Rng) -> String {
    let texts: Vec<String> = fields.iter().map(|field| text(field, rng)).collect();
    let texts = texts.join(" ");
    match (rng.u8(..6), ty) {
        (0, Some(ty)) => format!("{{ ... on {ty} {{ {texts} }} }}"),
        (1, _) => format!("{{ ... @include(if: true) {{ {texts} }} }}"),
        (2, Some("Thing")) => format!("{{ {texts} ... @skip(if: true) {{ stock label }} }}"),
        (3, _) => format!("{{ {texts} __typename {texts} }}"),
        _ => format!("{{ {texts} }}"),
    }
}

fn text(field: &Field, rng: &mut Rng) -> String {
    let argument = match field.kind {
        Some(Kind::Literal(kind)) => format!("(kind: {kind})"),
        Some(Kind::Variable) => "(kind: $kind)".to_owned(),
        Some(Kind::Absent) | None => String::new(),
    };
    let inner = if field.fields.is_empty() {
        String::new()
    } else {
        let ty = match field.name {
            "user" => Some("User"),
            "posts" => Some("Post"),
            "someone" => None,
            _ => Some("Thing"),
        };
        selections(&field.fields, ty, rng)
    };
    format!("{}: {}{argument} {inner}", field.key, field.name)
}
