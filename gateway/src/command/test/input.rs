//! Reads the values of a test file: keys, texts, JSON, headers, and referenced files.
//!
//! Collects a diagnostic with a position for each problem, so that one run reports all of them.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use schema::diagnostic::{Code, Diagnostic, nearest};
use schema::json::Json;
use serde_saphyr::{Location, Spanned};

use crate::config::node::Node;
use crate::config::reader::Reader;

/// Reads one test file.
pub(super) struct Input<'a> {
    pub(super) reader: Reader<'a>,
    /// The folder of the test file; paths are relative to it.
    folder: &'a Path,
    /// All referenced files.
    pub(super) files: Vec<PathBuf>,
}

/// The entries of a YAML mapping.
#[derive(Clone, Copy, Default)]
pub(super) struct Map<'n>(&'n [(Spanned<String>, Spanned<Node>)]);

impl<'n> Map<'n> {
    /// The value of `key`, which may be null.
    pub(super) fn get(self, key: &str) -> Option<&'n Spanned<Node>> {
        let entry = self.0.iter().find(|(known, _)| known.value == key);
        entry.map(|(_, value)| value)
    }

    /// The value of `key`, unless it is null.
    pub(super) fn non_null(self, key: &str) -> Option<&'n Spanned<Node>> {
        self.get(key)
            .filter(|node| !matches!(node.value, Node::Null))
    }

    /// The first of `keys` that has a value.
    pub(super) fn first_non_null(self, keys: &[&str]) -> Option<&'n Spanned<Node>> {
        keys.iter().find_map(|key| self.non_null(key))
    }

    /// Every entry, in the order of the file.
    pub(super) fn entries(self) -> impl Iterator<Item = &'n (Spanned<String>, Spanned<Node>)> {
        self.0.iter()
    }
}

impl<'a> Input<'a> {
    pub(super) fn new(reader: Reader<'a>, folder: &'a Path) -> Self {
        Self {
            reader,
            folder,
            files: Vec::new(),
        }
    }

    /// Reports the value at `at` as invalid.
    pub(super) fn report_invalid(&mut self, at: Location, message: impl Into<String>) {
        self.reader.report_invalid(at, message, None);
    }

    /// The mapping `name`, empty if missing; reports keys that are not in `keys`.
    pub(super) fn map<'n>(
        &mut self,
        name: &str,
        node: Option<&'n Spanned<Node>>,
        keys: &[&str],
    ) -> Map<'n> {
        let map = self.open_map(name, node);
        for (key, _) in map.entries() {
            if keys.contains(&key.value.as_str()) {
                continue;
            }
            let help = match nearest(&key.value, keys.iter().copied()) {
                Some(near) => format!("write `{near}`"),
                None => format!("use one of {}", quoted_list(keys)),
            };
            let span = self.reader.span(key.referenced);
            let message = format!("{name} has no key `{}`", key.value);
            self.reader
                .push(Diagnostic::error(Code::ConfigUnknownKey, span, message).help(help));
        }
        map
    }

    /// The mapping `name` with arbitrary keys; empty if missing.
    pub(super) fn open_map<'n>(&mut self, name: &str, node: Option<&'n Spanned<Node>>) -> Map<'n> {
        match node.map(|node| (&node.value, node.referenced)) {
            None | Some((Node::Null, _)) => Map::default(),
            Some((Node::Map(entries), _)) => Map(entries),
            Some((other, at)) => {
                self.report_wrong_kind(at, &format!("{name} must be a mapping"), other);
                Map::default()
            }
        }
    }

    /// The items of the list `name`; empty if missing.
    pub(super) fn list<'n>(
        &mut self,
        name: &str,
        node: Option<&'n Spanned<Node>>,
    ) -> &'n [Spanned<Node>] {
        match node.map(|node| (&node.value, node.referenced)) {
            None | Some((Node::Null, _)) => &[],
            Some((Node::List(items), _)) => items,
            Some((other, at)) => {
                self.report_wrong_kind(at, &format!("{name} must be a list"), other);
                &[]
            }
        }
    }

    /// The scalar `name` as text.
    pub(super) fn text(&mut self, name: &str, node: Option<&Spanned<Node>>) -> Option<String> {
        let node = node?;
        let text = scalar(&node.value);
        if text.is_none() {
            let expected = format!("{name} must be text");
            self.report_wrong_kind(node.referenced, &expected, &node.value);
        }
        text
    }

    /// One or several values of a header or a query parameter.
    pub(super) fn texts(&mut self, name: &str, node: &Spanned<Node>) -> Vec<String> {
        match &node.value {
            Node::List(items) => {
                let texts = items.iter().map(|item| self.text(name, Some(item)));
                texts.collect::<Vec<_>>().into_iter().flatten().collect()
            }
            _ => self.text(name, Some(node)).into_iter().collect(),
        }
    }

    /// The boolean `name`; `false` if missing.
    pub(super) fn boolean(&mut self, name: &str, node: Option<&Spanned<Node>>) -> bool {
        match node.map(|node| (&node.value, node.referenced)) {
            None => false,
            Some((Node::Bool(value), _)) => *value,
            Some((other, at)) => {
                self.report_wrong_kind(at, &format!("{name} must be `true` or `false`"), other);
                false
            }
        }
    }

    /// Converts a YAML value to JSON.
    pub(super) fn json(&mut self, node: &Spanned<Node>) -> Option<Json> {
        let json = Json::parse(Bytes::from(json_text(&node.value)));
        if json.is_err() {
            self.report_invalid(node.referenced, "this value cannot be converted to JSON");
        }
        json.ok()
    }

    /// Converts a YAML value to JSON, and parses text that is JSON.
    pub(super) fn json_or_text(&mut self, node: &Spanned<Node>) -> Option<Json> {
        if let Node::Text(text) = &node.value
            && let Ok(json) = Json::parse(Bytes::from(text.clone()))
        {
            return Some(json);
        }
        self.json(node)
    }

    /// The headers in the mapping `name`.
    pub(super) fn headers(&mut self, name: &str, node: Option<&Spanned<Node>>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (key, node) in self.open_map(name, node).entries() {
            let Some(header) = self.header_name(key) else {
                continue;
            };
            for text in self.texts("a header", node) {
                if let Ok(value) = HeaderValue::from_str(&text) {
                    headers.append(header.clone(), value);
                } else {
                    let message = "header values must not contain control characters";
                    self.report_invalid(node.referenced, message);
                }
            }
        }
        headers
    }

    pub(super) fn header_name(&mut self, name: &Spanned<String>) -> Option<HeaderName> {
        let header = name.value.parse().ok();
        if header.is_none() {
            let message = format!("`{}` is not a valid header name", name.value);
            self.report_invalid(name.referenced, message);
        }
        header
    }

    /// Reads the file whose path is at `node`.
    pub(super) fn file(&mut self, node: &Spanned<Node>) -> Option<String> {
        let name = self.text("a path", Some(node))?;
        let path = self.path(&name);
        let content = fs::read_to_string(&path);
        if let Err(error) = &content {
            let message = format!("cannot read `{}`: {error}", path.display());
            let span = self.reader.span(node.referenced);
            self.reader
                .push(Diagnostic::error(Code::FileUnreadable, span, message));
        }
        self.files.push(path);
        content.ok()
    }

    /// A path relative to the test file or, as in other implementations, to the current folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        let from_test_file = self.folder.join(name);
        let from_current_folder = PathBuf::from(name);
        if !from_test_file.exists() && from_current_folder.exists() {
            return from_current_folder;
        }
        from_test_file
    }

    fn report_wrong_kind(&mut self, at: Location, expected: &str, found: &Node) {
        let message = format!("{expected}, not {}", found.kind());
        self.report_invalid(at, message);
    }
}

/// A scalar as text; `None` for other values.
pub(super) fn scalar(node: &Node) -> Option<String> {
    match node {
        Node::Bool(value) => Some(value.to_string()),
        Node::Number(number) => Some(number.to_string()),
        Node::Text(text) => Some(text.clone()),
        Node::Null | Node::List(_) | Node::Map(_) => None,
    }
}

/// A YAML value as JSON text, with members in the order of the file.
pub(super) fn json_text(node: &Node) -> String {
    let mut text = String::new();
    write_json(node, &mut text);
    text
}

/// Recursive: the reader limits the depth of YAML.
fn write_json(node: &Node, out: &mut String) {
    match node {
        Node::Null => out.push_str("null"),
        Node::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Node::Number(number) => out.push_str(&number.to_string()),
        Node::Text(text) => write_quoted(text, out),
        Node::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                write_comma(index, out);
                write_json(&item.value, out);
            }
            out.push(']');
        }
        Node::Map(entries) => write_object(entries, out),
    }
}

fn write_object(entries: &[(Spanned<String>, Spanned<Node>)], out: &mut String) {
    out.push('{');
    for (index, (key, value)) in entries.iter().enumerate() {
        write_comma(index, out);
        write_quoted(&key.value, out);
        out.push(':');
        write_json(&value.value, out);
    }
    out.push('}');
}

fn write_comma(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}

fn write_quoted(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

fn quoted_list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
