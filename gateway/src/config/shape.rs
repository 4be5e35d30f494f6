//! Checks the keys and the nesting of a file.
//!
//! Compares the YAML with the JSON Schema of the configuration types, so that the types are the
//! only list of keys. Reports every unknown key, where serde would stop at the first one, and warns
//! about deprecated keys. Does not check scalar values: each section parses its own.

use schema::diagnostic::{Code, Diagnostic, nearest};
use serde_json::{Map, Value};
use serde_saphyr::{Location, Spanned};

use super::node::Node;
use super::reader::Reader;

/// Whether sections can be parsed; unknown keys do not prevent that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Readable,
    Broken,
}

/// Reports every key that is not in `schema` and every value of the wrong kind.
pub(super) fn check(node: &Spanned<Node>, schema: &Value, reader: &mut Reader<'_>) -> Shape {
    let mut checker = ShapeChecker {
        reader,
        shape: Shape::Readable,
        path: Vec::new(),
        names: Vec::new(),
    };
    checker.check_value(node, schema);
    checker.shape
}

/// Keys of other gateways, and the corresponding keys of Weir.
const FOREIGN_KEYS: [(&str, &str); 2] = [("supergraph", "graph"), ("server", "listen")];

struct ShapeChecker<'r, 'a> {
    reader: &'r mut Reader<'a>,
    shape: Shape,
    path: Vec<String>,
    /// The keys of `path` that are names of subgraphs, sources or headers.
    names: Vec<String>,
}

impl ShapeChecker<'_, '_> {
    fn check_value(&mut self, node: &Spanned<Node>, schema: &Value) {
        // `true` is the schema of arbitrary values, such as `$config`.
        let Some(schema) = schema.as_object() else {
            return;
        };
        match &node.value {
            Node::Map(entries) if accepts(schema, "object") => self.check_entries(entries, schema),
            Node::List(items) if accepts(schema, "array") => self.check_items(items, schema),
            Node::Bool(_) | Node::Number(_) | Node::Text(_) if accepts_scalar(schema) => {}
            // In an empty section every key has its default.
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
                // Items of lists have no default.
                (Node::Null, Some(inner)) => {
                    self.report_wrong_kind(item.referenced, &item.value, inner);
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
            let property = known.and_then(|known| known.get(&key.value));
            let Some(inner) = property.or(entry_schema).filter(|inner| **inner != false) else {
                self.report_unknown_key(key, known);
                continue;
            };
            self.warn_deprecated(key, inner);
            self.path.push(key.value.clone());
            if property.is_none() {
                self.names.push(key.value.clone());
            }
            self.check_value(value, inner);
            if property.is_none() {
                self.names.pop();
            }
            self.path.pop();
        }
    }

    fn warn_deprecated(&mut self, key: &Spanned<String>, schema: &Value) {
        let Some(instead) = schema.get("x-instead").and_then(Value::as_str) else {
            return;
        };
        let span = self.reader.span(key.referenced);
        let message = format!("`{}` is deprecated", key.value);
        let help = format!("write `{}`", with_names(instead, &self.names));
        let diagnostic = Diagnostic::warning(Code::ConfigOldSpelling, span, message);
        self.reader.push(diagnostic.help(help));
    }

    fn report_unknown_key(&mut self, key: &Spanned<String>, known: Option<&Map<String, Value>>) {
        let known = || {
            let keys = known.into_iter().flatten();
            keys.filter(|(_, schema)| !is_deprecated(schema))
                .map(|(key, _)| key.as_str())
        };
        let foreign = FOREIGN_KEYS.iter().find(|(other, _)| *other == key.value);
        let suggestion = foreign
            .map(|(_, name)| *name)
            .filter(|name| known().any(|known| known == *name))
            .or_else(|| nearest(&key.value, known()));
        let help = match suggestion {
            Some(name) => format!("write `{name}`"),
            None => format!("use one of {}", quoted_list(known())),
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
            "{} must be {expected}, not {}",
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

/// Whether the key with this schema is deprecated.
pub(super) fn is_deprecated(schema: &Value) -> bool {
    schema.get("deprecated").is_some_and(|value| *value == true)
}

/// `instead` with its `<…>` replaced by the names in the file.
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
