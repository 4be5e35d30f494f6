//! Reads the values of a test file: keys, texts, JSON, headers, and files beside it.
//!
//! Everything wrong is remembered with its place, so that one run tells all of it.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use schema::diagnostic::{Code, Diagnostic, nearest};
use schema::json::Json;
use serde_saphyr::{Location, Spanned};

use crate::config::node::Node;
use crate::config::reader::Reader;

/// A test file that is being read.
pub(super) struct Input<'a> {
    pub(super) reader: Reader<'a>,
    /// Of the file; paths in it are relative to this.
    folder: &'a Path,
    /// Every other file that it names.
    pub(super) files: Vec<PathBuf>,
}

/// A mapping whose keys are known.
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

    /// Reports that the value at `at` cannot be used.
    pub(super) fn report_invalid(&mut self, at: Location, message: impl Into<String>) {
        self.reader.report_invalid(at, message, None);
    }

    /// A mapping, `what`, with none but these keys; empty where there is nothing.
    pub(super) fn map<'n>(
        &mut self,
        what: &str,
        node: Option<&'n Spanned<Node>>,
        keys: &[&str],
    ) -> Map<'n> {
        let map = self.open_map(what, node);
        for (key, _) in map.entries() {
            if keys.contains(&key.value.as_str()) {
                continue;
            }
            let help = match nearest(&key.value, keys.iter().copied()) {
                Some(near) => format!("write `{near}`"),
                None => format!("its keys are {}", quoted_list(keys)),
            };
            let span = self.reader.span(key.referenced);
            let message = format!("{what} has no key `{}`", key.value);
            self.reader
                .push(Diagnostic::error(Code::ConfigUnknownKey, span, message).help(help));
        }
        map
    }

    /// A mapping, `what`, with any keys; empty where there is nothing.
    pub(super) fn open_map<'n>(&mut self, what: &str, node: Option<&'n Spanned<Node>>) -> Map<'n> {
        match node.map(|node| (&node.value, node.referenced)) {
            None | Some((Node::Null, _)) => Map::default(),
            Some((Node::Map(entries), _)) => Map(entries),
            Some((other, at)) => {
                self.report_wrong_kind(at, &format!("{what} is a mapping"), other);
                Map::default()
            }
        }
    }

    /// The elements of a list, `what`; none where there is nothing.
    pub(super) fn list<'n>(
        &mut self,
        what: &str,
        node: Option<&'n Spanned<Node>>,
    ) -> &'n [Spanned<Node>] {
        match node.map(|node| (&node.value, node.referenced)) {
            None | Some((Node::Null, _)) => &[],
            Some((Node::List(items), _)) => items,
            Some((other, at)) => {
                self.report_wrong_kind(at, &format!("{what} is a list"), other);
                &[]
            }
        }
    }

    /// One value as text.
    pub(super) fn text(&mut self, what: &str, node: Option<&Spanned<Node>>) -> Option<String> {
        let node = node?;
        let text = scalar(&node.value);
        if text.is_none() {
            self.report_wrong_kind(node.referenced, &format!("{what} is text"), &node.value);
        }
        text
    }

    /// The values of a header or of a query parameter: one or several.
    pub(super) fn texts(&mut self, what: &str, node: &Spanned<Node>) -> Vec<String> {
        match &node.value {
            Node::List(items) => {
                let texts = items.iter().map(|item| self.text(what, Some(item)));
                texts.collect::<Vec<_>>().into_iter().flatten().collect()
            }
            _ => self.text(what, Some(node)).into_iter().collect(),
        }
    }

    /// `true` or `false`; false where there is nothing.
    pub(super) fn boolean(&mut self, what: &str, node: Option<&Spanned<Node>>) -> bool {
        match node.map(|node| (&node.value, node.referenced)) {
            None => false,
            Some((Node::Bool(value), _)) => *value,
            Some((other, at)) => {
                self.report_wrong_kind(at, &format!("{what} is `true` or `false`"), other);
                false
            }
        }
    }

    /// A value as it stands in the YAML.
    pub(super) fn json(&mut self, node: &Spanned<Node>) -> Option<Json> {
        let json = Json::parse(Bytes::from(json_text(&node.value)));
        if json.is_err() {
            self.report_invalid(node.referenced, "this cannot be written as JSON");
        }
        json.ok()
    }

    /// The same, where text may be JSON; text that is none means itself.
    pub(super) fn json_or_text(&mut self, node: &Spanned<Node>) -> Option<Json> {
        if let Node::Text(text) = &node.value
            && let Ok(json) = Json::parse(Bytes::from(text.clone()))
        {
            return Some(json);
        }
        self.json(node)
    }

    /// Headers as HTTP has them.
    pub(super) fn headers(&mut self, what: &str, node: Option<&Spanned<Node>>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, node) in self.open_map(what, node).entries() {
            let Some(header) = self.header_name(name) else {
                continue;
            };
            for text in self.texts("a header", node) {
                match HeaderValue::from_str(&text) {
                    Ok(value) => {
                        headers.append(header.clone(), value);
                    }
                    Err(_) => {
                        self.report_invalid(node.referenced, "a header has no control characters")
                    }
                }
            }
        }
        headers
    }

    pub(super) fn header_name(&mut self, name: &Spanned<String>) -> Option<HeaderName> {
        let header = name.value.parse().ok();
        if header.is_none() {
            let message = format!("`{}` cannot be the name of a header", name.value);
            self.report_invalid(name.referenced, message);
        }
        header
    }

    /// The text of a file that is named at `node`.
    pub(super) fn file(&mut self, node: &Spanned<Node>) -> Option<String> {
        let name = self.text("a path", Some(node))?;
        let path = self.path(&name);
        let read = fs::read_to_string(&path);
        if let Err(error) = &read {
            let message = format!("cannot read `{}`: {error}", path.display());
            let span = self.reader.span(node.referenced);
            self.reader
                .push(Diagnostic::error(Code::FileUnreadable, span, message));
        }
        self.files.push(path);
        read.ok()
    }

    /// Where a file is: relative to the test file or, as others have it, to the working folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        let beside = self.folder.join(name);
        let here = PathBuf::from(name);
        if !beside.exists() && here.exists() {
            return here;
        }
        beside
    }

    fn report_wrong_kind(&mut self, at: Location, expected: &str, found: &Node) {
        let message = format!("{expected}, and this is {}", found.kind());
        self.report_invalid(at, message);
    }
}

/// A single value as text.
pub(super) fn scalar(node: &Node) -> Option<String> {
    match node {
        Node::Bool(value) => Some(value.to_string()),
        Node::Number(number) => Some(number.to_string()),
        Node::Text(text) => Some(text.clone()),
        Node::Null | Node::List(_) | Node::Map(_) => None,
    }
}

/// The value as JSON, members in the order of the file.
pub(super) fn json_text(node: &Node) -> String {
    let mut text = String::new();
    write_json(node, &mut text);
    text
}

/// As deep as the reader lets YAML be.
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
        Node::Map(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                write_comma(index, out);
                write_quoted(&key.value, out);
                out.push(':');
                write_json(&value.value, out);
            }
            out.push('}');
        }
    }
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
