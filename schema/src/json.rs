//! JSON documents: the original text with an index.
//!
//! Parsing makes a flat list of nodes with the range of each value; strings and numbers stay in
//! the text and are decoded on access. Documents are immutable; computed values are [`Value`]s.
//!
//! Invariant: every node's range lies in the text, on character boundaries, and the text is UTF-8.

use std::fmt;

use bytes::Bytes;

pub use self::number::canonical_number;
pub use self::object::{Object, Values};
pub use self::parse::{JsonError, MAX_DEPTH};
pub use self::recall::Recall;
use self::tape::{Entry, Key, Tag};
pub use self::text::Str;
use self::text::utf8;
pub use self::value::Value;
pub use self::view::{Fields, List, View};

pub(crate) mod number;
mod object;
mod parse;
mod recall;
mod tape;
mod text;
mod value;
mod view;

/// A parsed document: strict RFC 8259, UTF-8, below 4 GiB, nested at most [`MAX_DEPTH`] deep.
pub struct Json {
    text: Bytes,
    nodes: Vec<Entry>,
}

impl Json {
    /// Parses `text`: one value with optional white space around it.
    ///
    /// Takes time linear in the length of the text, and does not copy it.
    pub fn parse(text: Bytes) -> Result<Self, JsonError> {
        let nodes = parse::parse(&text)?;
        Ok(Self { text, nodes })
    }

    /// Parses `text` with U+FFFD in place of each lone surrogate, which JSON can escape and UTF-8
    /// cannot hold (RFC 8259 §8.2).
    pub fn parse_with_replacements(text: Bytes) -> Result<Self, JsonError> {
        match parse::parse(&text) {
            Ok(nodes) => Ok(Self { text, nodes }),
            Err(error) if error.is_lone_surrogate() => {
                Self::parse(text::replace_lone_surrogates(&text).into())
            }
            Err(error) => Err(error),
        }
    }

    /// Maximum bytes that a document holds for each byte of its text.
    pub const MAX_BYTES_PER_BYTE: usize = 1 + size_of::<Entry>();

    /// Maximum bytes that the document of `text` holds, counted without parsing it.
    pub fn max_size(text: &[u8]) -> usize {
        let starts_node = |byte: &&u8| matches!(**byte, b',' | b'[' | b'{');
        let nodes = 1 + text.iter().filter(starts_node).count();
        text.len() + nodes * size_of::<Entry>()
    }

    /// Bytes that the document holds: its text and its nodes.
    pub fn size(&self) -> usize {
        self.text.len() + self.nodes.len() * size_of::<Entry>()
    }

    /// The document's value.
    pub fn root(&self) -> Node<'_> {
        Node {
            json: self,
            index: 0,
        }
    }

    /// The original text; [`Node::span`] is a range of it.
    pub fn text(&self) -> &Bytes {
        &self.text
    }

    fn entry(&self, index: u32) -> Entry {
        // The index of a `Node` is below the length, so the default is never used.
        self.nodes.get(index as usize).copied().unwrap_or_default()
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.root().raw())
    }
}

/// A value of a document: a reference to the document and an index.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    json: &'a Json,
    index: u32,
}

/// A value by its JSON type.
#[derive(Clone, Debug)]
pub enum Kind<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as its JSON text.
    Number(&'a str),
    /// A string, not yet decoded.
    String(Str<'a>),
    /// A list.
    List(Elements<'a>),
    /// An object; members in document order, duplicate keys included.
    Object(Members<'a>),
}

impl<'a> Node<'a> {
    /// The value by its type, in constant time: nothing is decoded or traversed.
    #[inline]
    pub fn kind(self) -> Kind<'a> {
        let entry = self.entry();
        match entry.tag() {
            Tag::Null => Kind::Null,
            Tag::False => Kind::Bool(false),
            Tag::True => Kind::Bool(true),
            Tag::Number => Kind::Number(self.raw()),
            Tag::String => Kind::String(self.string(false)),
            Tag::EscapedString => Kind::String(self.string(true)),
            Tag::List => Kind::List(self.elements()),
            Tag::Object => Kind::Object(self.members()),
        }
    }

    /// The text of the value, quotes and inner white space included.
    #[inline]
    pub fn raw(self) -> &'a str {
        utf8(self.raw_bytes())
    }

    /// The bytes of [`Self::raw`], without the cost of a UTF-8 check.
    #[inline]
    pub fn raw_bytes(self) -> &'a [u8] {
        let entry = self.entry();
        slice(&self.json.text, entry.start, entry.len)
    }

    /// The position in the text: the first byte and the length in bytes.
    #[inline]
    pub fn span(self) -> (u32, u32) {
        let entry = self.entry();
        (entry.start, entry.len)
    }

    /// The member called `key`; the last one of duplicates. `None` for other kinds.
    ///
    /// Takes time linear in the number of members.
    pub fn get(self, key: &str) -> Option<Self> {
        let mut last = None;
        for (name, value) in self.members() {
            if name.is(key) {
                last = Some(value);
            }
        }
        last
    }

    /// The number of elements or members; 0 for other kinds.
    #[inline]
    pub fn len(self) -> usize {
        self.entry().count() as usize
    }

    /// Whether it has no elements or members; true for other kinds.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether it is `null`.
    #[inline]
    pub fn is_null(self) -> bool {
        self.entry().tag() == Tag::Null
    }

    /// Whether it is a list.
    #[inline]
    pub fn is_list(self) -> bool {
        self.entry().tag() == Tag::List
    }

    /// Whether it is an object.
    #[inline]
    pub fn is_object(self) -> bool {
        self.entry().tag() == Tag::Object
    }

    /// The elements of a list; empty for other kinds.
    #[inline]
    pub fn elements(self) -> Elements<'a> {
        Elements(self.inside(Tag::List))
    }

    /// The members of an object; empty for other kinds.
    #[inline]
    pub fn members(self) -> Members<'a> {
        Members(self.inside(Tag::Object))
    }

    #[inline]
    fn entry(self) -> Entry {
        self.json.entry(self.index)
    }

    #[inline]
    fn string(self, escaped: bool) -> Str<'a> {
        Str::new(self.raw_bytes(), escaped)
    }

    #[inline]
    fn key(self, key: Key) -> Str<'a> {
        let raw = slice(&self.json.text, key.span.start, key.span.len);
        Str::new(raw, key.escaped)
    }

    #[inline]
    fn inside(self, tag: Tag) -> Children<'a> {
        let entry = self.entry();
        let is_empty = entry.tag() != tag;
        Children {
            json: self.json,
            next: self.index + 1,
            end: if is_empty { 0 } else { entry.next },
            left: if is_empty { 0 } else { entry.count() },
        }
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.raw())
    }
}

/// The elements of a list, in order. Advancing takes constant time.
#[derive(Clone, Debug)]
pub struct Elements<'a>(Children<'a>);

impl<'a> Iterator for Elements<'a> {
    type Item = Node<'a>;

    #[inline]
    fn next(&mut self) -> Option<Node<'a>> {
        self.0.value()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.left as usize, Some(self.0.left as usize))
    }
}

impl ExactSizeIterator for Elements<'_> {}

/// The members of an object, in order, duplicate keys included.
#[derive(Clone, Debug)]
pub struct Members<'a>(Children<'a>);

impl<'a> Iterator for Members<'a> {
    type Item = (Str<'a>, Node<'a>);

    #[inline]
    fn next(&mut self) -> Option<(Str<'a>, Node<'a>)> {
        let value = self.0.value()?;
        Some((value.key(value.entry().key()), value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.left as usize, Some(self.0.left as usize))
    }
}

impl ExactSizeIterator for Members<'_> {}

#[derive(Clone, Debug)]
struct Children<'a> {
    json: &'a Json,
    next: u32,
    end: u32,
    left: u32,
}

impl<'a> Children<'a> {
    #[inline]
    fn value(&mut self) -> Option<Node<'a>> {
        if self.next >= self.end {
            return None;
        }
        let node = Node {
            json: self.json,
            index: self.next,
        };
        self.next = node.entry().next;
        self.left = self.left.saturating_sub(1);
        Some(node)
    }
}

#[inline]
fn slice(text: &Bytes, start: u32, len: u32) -> &[u8] {
    let start = start as usize;
    text.get(start..start + len as usize).unwrap_or_default()
}

#[cfg(test)]
mod tests;
