//! Whether a file has the keys and the nesting that the configuration has.
//!
//! Compares the YAML with the JSON Schema of the configuration types, so that the types stay the
//! only list of keys. Reports every unknown key, where serde would stop at the first, and warns of
//! those that have another name now. Says nothing of values: those are read by their sections.

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
    let mut walk = ShapeChecker {
        reader,
        shape: Shape::Readable,
        path: Vec::new(),
        chosen_keys: Vec::new(),
    };
    walk.check_value(node, schema);
    walk.shape
}

/// Keys of other gateways, and what they are called here.
const FOREIGN_KEYS: [(&str, &str); 2] = [("supergraph", "graph"), ("server", "listen")];

struct ShapeChecker<'r, 'a> {
    reader: &'r mut Reader<'a>,
    shape: Shape,
    path: Vec<String>,
    /// The keys of `path` that were chosen by who wrote the file.
    chosen_keys: Vec<String>,
}

impl ShapeChecker<'_, '_> {
    fn check_value(&mut self, node: &Spanned<Node>, schema: &Value) {
        // `true` is the schema of anything at all, as `$config` is.
        let Some(schema) = schema.as_object() else {
            return;
        };
        match &node.value {
            Node::Map(entries) if accepts(schema, "object") => self.check_entries(entries, schema),
            Node::List(items) if accepts(schema, "array") => self.check_items(items, schema),
            Node::Bool(_) | Node::Number(_) | Node::Text(_) if accepts_scalar(schema) => {}
            // An empty section is a section with nothing decided.
            Node::Null => {}
            other => self.report_wrong_kind(node.referenced, other, schema),
        }
    }

    fn check_items(&mut self, items: &[Spanned<Node>], schema: &Map<String, Value>) {
        let Some(inner) = schema.get("items") else {
            return;
        };
        for (index, item) in items.iter().enumerate() {
            self.path.push(index.to_string());
            match (&item.value, inner.as_object()) {
                // Where an item should be, nothing is not a default.
                (Node::Null, Some(inner)) => {
                    self.report_wrong_kind(item.referenced, &item.value, inner)
                }
                _ => self.check_value(item, inner),
            }
            self.path.pop();
        }
    }

    fn check_entries(
        &mut self,
        entries: &[(Spanned<String>, Spanned<Node>)],
        schema: &Map<String, Value>,
    ) {
        let known = schema.get("properties").and_then(Value::as_object);
        let entry_schema = schema.get("additionalProperties");
        for (key, value) in entries {
            let fixed = known.and_then(|known| known.get(&key.value));
            let Some(inner) = fixed.or(entry_schema).filter(|inner| **inner != false) else {
                self.report_unknown_key(key, known);
                continue;
            };
            self.warn_deprecated(key, inner);
            self.path.push(key.value.clone());
            if fixed.is_none() {
                self.chosen_keys.push(key.value.clone());
            }
            self.check_value(value, inner);
            if fixed.is_none() {
                self.chosen_keys.pop();
            }
            self.path.pop();
        }
    }

    fn warn_deprecated(&mut self, key: &Spanned<String>, schema: &Value) {
        let Some(instead) = schema.get("x-instead").and_then(Value::as_str) else {
            return;
        };
        let span = self.reader.span(key.referenced);
        let message = format!("`{}` is an older spelling", key.value);
        let help = format!("write `{}`", with_names(instead, &self.chosen_keys));
        let diagnostic = Diagnostic::warning(Code::ConfigOldSpelling, span, message);
        self.reader.push(diagnostic.help(help));
    }

    fn report_unknown_key(&mut self, key: &Spanned<String>, known: Option<&Map<String, Value>>) {
        let known = || {
            let keys = known.into_iter().flatten();
            keys.filter(|(_, schema)| !is_deprecated(schema))
                .map(|(key, _)| key.as_str())
        };
        let renamed = FOREIGN_KEYS.iter().find(|(other, _)| *other == key.value);
        let suggestion = renamed
            .map(|(_, name)| *name)
            .filter(|name| known().any(|known| known == *name))
            .or_else(|| nearest(&key.value, known()));
        let help = match suggestion {
            Some(name) => format!("write `{name}`"),
            None => format!("its keys are {}", quoted_list(known())),
        };
        let span = self.reader.span(key.referenced);
        let message = format!("{} has no key `{}`", self.path_text(), key.value);
        let diagnostic = Diagnostic::error(Code::ConfigUnknownKey, span, message);
        self.reader.push(diagnostic.help(help));
    }

    fn report_wrong_kind(&mut self, at: Location, found: &Node, schema: &Map<String, Value>) {
        self.shape = Shape::Broken;
        let expected = if accepts(schema, "object") {
            "a mapping"
        } else if accepts(schema, "array") {
            "a list"
        } else {
            "a single value"
        };
        let message = format!(
            "{} is {expected}, and this is {}",
            self.path_text(),
            found.kind()
        );
        let span = self.reader.span(at);
        self.reader
            .push(Diagnostic::error(Code::ConfigSyntax, span, message));
    }

    fn path_text(&self) -> String {
        if self.path.is_empty() {
            "the configuration".to_owned()
        } else {
            format!("`{}`", self.path.join("."))
        }
    }
}

/// Whether a key is only read for graphs that were written before it got its name of today.
pub(super) fn is_deprecated(schema: &Value) -> bool {
    schema.get("deprecated").is_some_and(|older| *older == true)
}

/// `instead` with what the file has in the places of its `<…>`.
fn with_names(instead: &str, names: &[String]) -> String {
    let mut text = String::new();
    let mut rest = instead;
    for name in names {
        let Some((before, (_, after))) = rest
            .split_once('<')
            .and_then(|(before, inside)| Some((before, inside.split_once('>')?)))
        else {
            break;
        };
        text.push_str(before);
        text.push_str(name);
        rest = after;
    }
    text + rest
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

fn quoted_list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
