//! Whether a file has the keys and the nesting that the configuration has.
//!
//! Compares the YAML with the JSON Schema of the configuration types, so that the types stay the
//! only list of keys. Reports every unknown key, where serde would stop at the first. Says
//! nothing of values: those are read by their sections.

use schema::diagnostic::{Code, Diagnostic, nearest};
use serde_json::{Map, Value};
use serde_saphyr::{Location, Spanned};

use super::node::Node;
use super::reader::Reader;

/// Whether sections can be read from the file, though perhaps not all of it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Readable,
    Broken,
}

/// Reports every key that `schema` does not have and every value of the wrong kind.
pub(super) fn check(node: &Spanned<Node>, schema: &Value, reader: &mut Reader<'_>) -> Shape {
    let mut walk = Walk {
        reader,
        shape: Shape::Readable,
        path: Vec::new(),
    };
    walk.value(node, schema);
    walk.shape
}

/// Keys of other gateways, and what they are called here.
const OTHER_NAMES: [(&str, &str); 3] = [
    ("override_url", "url"),
    ("supergraph", "graph"),
    ("server", "listen"),
];

struct Walk<'r, 'a> {
    reader: &'r mut Reader<'a>,
    shape: Shape,
    path: Vec<String>,
}

impl Walk<'_, '_> {
    fn value(&mut self, node: &Spanned<Node>, schema: &Value) {
        // `true` is the schema of anything at all, as `$config` is.
        let Some(schema) = schema.as_object() else {
            return;
        };
        match &node.value {
            Node::Map(entries) if accepts(schema, "object") => self.entries(entries, schema),
            Node::Bool(_) | Node::Number(_) | Node::Text(_) if accepts_scalar(schema) => {}
            // An empty section is a section with nothing decided.
            Node::Null => {}
            other => self.wrong_kind(node.referenced, other, schema),
        }
    }

    fn entries(
        &mut self,
        entries: &[(Spanned<String>, Spanned<Node>)],
        schema: &Map<String, Value>,
    ) {
        let known = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties");
        for (key, value) in entries {
            let inner = known.and_then(|known| known.get(&key.value)).or(others);
            match inner {
                None | Some(Value::Bool(false)) => self.unknown_key(key, known),
                Some(inner) => {
                    self.path.push(key.value.clone());
                    self.value(value, inner);
                    self.path.pop();
                }
            }
        }
    }

    fn unknown_key(&mut self, key: &Spanned<String>, known: Option<&Map<String, Value>>) {
        let known = || known.into_iter().flat_map(Map::keys).map(String::as_str);
        let renamed = OTHER_NAMES.iter().find(|(other, _)| *other == key.value);
        let meant = renamed
            .map(|(_, name)| *name)
            .filter(|name| known().any(|known| known == *name))
            .or_else(|| nearest(&key.value, known()));
        let help = match meant {
            Some(name) => format!("write `{name}`"),
            None => format!("its keys are {}", listed(known())),
        };
        let span = self.reader.span(key.referenced);
        let message = format!("{} has no key `{}`", self.place(), key.value);
        let diagnostic = Diagnostic::error(Code::ConfigUnknownKey, span, message);
        self.reader.push(diagnostic.help(help));
    }

    fn wrong_kind(&mut self, at: Location, found: &Node, schema: &Map<String, Value>) {
        self.shape = Shape::Broken;
        let expected = if accepts(schema, "object") {
            "a mapping"
        } else {
            "a single value"
        };
        let message = format!(
            "{} is {expected}, and this is {}",
            self.place(),
            found.kind()
        );
        let span = self.reader.span(at);
        self.reader
            .push(Diagnostic::error(Code::ConfigSyntax, span, message));
    }

    fn place(&self) -> String {
        if self.path.is_empty() {
            "the configuration".to_owned()
        } else {
            format!("`{}`", self.path.join("."))
        }
    }
}

fn accepts(schema: &Map<String, Value>, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(name)) => name == kind,
        Some(Value::Array(names)) => names.iter().any(|name| name == kind),
        _ => false,
    }
}

fn accepts_scalar(schema: &Map<String, Value>) -> bool {
    ["string", "integer", "number", "boolean"]
        .iter()
        .any(|kind| accepts(schema, kind))
        || schema.contains_key("enum")
}

fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
