//! Text → nodes, in one pass, without recursion.
//!
//! Strict: what RFC 8259 does not allow is an error, and so is a surrogate without its partner,
//! which no string could hold. Does not look for keys that occur twice.

use std::fmt;

use super::tape::{Entry, MAX_COUNT, Tag};
use super::text::{self, Escape};

/// How deep lists and objects may stand inside each other.
pub const MAX_DEPTH: usize = 128;

/// Why a text is not a JSON document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// The byte at which it was noticed.
    pub offset: usize,
    /// What was expected or is not allowed there; no full stop.
    pub what: &'static str,
}

impl fmt::Display for JsonError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at byte {}", self.what, self.offset)
    }
}

impl std::error::Error for JsonError {}

pub(super) fn parse(text: &[u8]) -> Result<Vec<Entry>, JsonError> {
    if u32::try_from(text.len()).is_err() {
        return Err(JsonError {
            offset: 0,
            what: "a document of 4 GiB or more",
        });
    }
    std::str::from_utf8(text).map_err(|error| JsonError {
        offset: error.valid_up_to(),
        what: "bytes that are not UTF-8",
    })?;
    let mut parser = Parser {
        text,
        at: 0,
        nodes: Vec::with_capacity(text.len() / BYTES_A_NODE + 1),
        open: Vec::with_capacity(16),
    };
    parser.document()?;
    Ok(parser.nodes)
}

/// Typical of lists of objects; only a first guess of how much memory the nodes take.
const BYTES_A_NODE: usize = 8;

struct Parser<'t> {
    text: &'t [u8],
    at: usize,
    nodes: Vec<Entry>,
    open: Vec<Open>,
}

/// A container whose end has not come yet.
struct Open {
    index: u32,
    count: u32,
    is_object: bool,
}

impl Parser<'_> {
    fn document(&mut self) -> Result<(), JsonError> {
        loop {
            self.space();
            let complete = self.value()?;
            if complete && self.behind_value()? {
                break;
            }
        }
        self.space();
        if self.at == self.text.len() {
            Ok(())
        } else {
            Err(self.error("something behind the value"))
        }
    }

    /// Reads a scalar or an empty container (true), or opens one and stands before its first value.
    #[inline]
    fn value(&mut self) -> Result<bool, JsonError> {
        match self.peek() {
            b'"' => self.string().map(|()| true),
            b'-' | b'0'..=b'9' => self.number().map(|()| true),
            b'{' => self.open(Tag::Object),
            b'[' => self.open(Tag::List),
            b't' => self.word(b"true", Tag::True),
            b'f' => self.word(b"false", Tag::False),
            b'n' => self.word(b"null", Tag::Null),
            _ => Err(self.error("expected a value")),
        }
    }

    #[inline]
    fn open(&mut self, tag: Tag) -> Result<bool, JsonError> {
        if self.open.len() == MAX_DEPTH {
            return Err(self.error("nested too deep"));
        }
        let is_object = tag == Tag::Object;
        let index = self.index();
        self.leaf(tag, self.at, 0);
        self.open.push(Open {
            index,
            count: 1,
            is_object,
        });
        self.at += 1;
        self.space();
        match (is_object, self.peek()) {
            (true, b'}') | (false, b']') => {
                self.close(0);
                Ok(true)
            }
            (true, _) => self.key().map(|()| false),
            (false, _) => Ok(false),
        }
    }

    /// Goes on to the next value; true when there is none because everything is closed.
    #[inline]
    fn behind_value(&mut self) -> Result<bool, JsonError> {
        loop {
            let Some(open) = self.open.last_mut() else {
                return Ok(true);
            };
            let is_object = open.is_object;
            let count = open.count;
            self.space();
            match (self.peek(), is_object) {
                (b',', _) => {
                    self.at += 1;
                    self.another()?;
                    if is_object {
                        self.space();
                        self.key()?;
                    }
                    return Ok(false);
                }
                (b'}', true) | (b']', false) => self.close(count),
                (_, true) => return Err(self.error("expected `,` or `}`")),
                (_, false) => return Err(self.error("expected `,` or `]`")),
            }
        }
    }

    #[inline]
    fn another(&mut self) -> Result<(), JsonError> {
        match self.open.last_mut() {
            Some(open) if open.count < MAX_COUNT => {
                open.count += 1;
                Ok(())
            }
            _ => Err(self.error("too many elements in one list or object")),
        }
    }

    /// Stands on the closing bracket of the innermost container.
    #[inline]
    fn close(&mut self, count: u32) {
        self.at += 1;
        let next = self.index();
        let end = offset(self.at);
        if let Some(open) = self.open.pop()
            && let Some(entry) = self.nodes.get_mut(open.index as usize)
        {
            entry.close(end, next, count);
        }
    }

    /// A member's key and its colon.
    #[inline]
    fn key(&mut self) -> Result<(), JsonError> {
        if self.peek() != b'"' {
            return Err(self.error("expected a key in double quotes"));
        }
        self.string()?;
        self.space();
        if self.peek() != b':' {
            return Err(self.error("expected `:`"));
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn string(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        let mut tag = Tag::String;
        self.at += 1;
        loop {
            self.at = text::special(self.text, self.at);
            match self.text.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    tag = Tag::EscapedString;
                    self.escape()?;
                }
                Some(_) => return Err(self.error("a control character inside a string")),
                None => return Err(self.error("a string without its end")),
            }
        }
        self.at += 1;
        self.leaf(tag, start, self.at - start);
        Ok(())
    }

    /// Stands on the backslash.
    #[cold]
    fn escape(&mut self) -> Result<(), JsonError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        match text::escape(rest) {
            Escape::Char(_, len) => {
                self.at += len;
                Ok(())
            }
            Escape::LoneSurrogate => Err(self.error("a surrogate without its partner")),
            Escape::Unknown => Err(self.error("an escape that JSON does not have")),
        }
    }

    #[inline]
    fn number(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        if self.peek() == b'-' {
            self.at += 1;
        }
        match self.peek() {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits(),
            _ => return Err(self.error("expected a digit")),
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.some_digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.some_digits()?;
        }
        self.leaf(Tag::Number, start, self.at - start);
        Ok(())
    }

    #[inline]
    fn some_digits(&mut self) -> Result<(), JsonError> {
        if !self.peek().is_ascii_digit() {
            return Err(self.error("expected a digit"));
        }
        self.digits();
        Ok(())
    }

    #[inline]
    fn digits(&mut self) {
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
    }

    #[inline]
    fn word(&mut self, word: &[u8], tag: Tag) -> Result<bool, JsonError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(self.error("expected a value"));
        }
        self.leaf(tag, self.at, word.len());
        self.at += word.len();
        Ok(true)
    }

    #[inline]
    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    #[inline]
    fn leaf(&mut self, tag: Tag, start: usize, len: usize) {
        let entry = Entry::leaf(tag, offset(start), offset(len), self.index());
        self.nodes.push(entry);
    }

    #[inline]
    fn index(&self) -> u32 {
        // Each node takes at least one byte of the text.
        offset(self.nodes.len())
    }

    /// The byte here; 0, which stands nowhere in a document, at the end.
    #[inline]
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    #[cold]
    fn error(&self, what: &'static str) -> JsonError {
        JsonError {
            offset: self.at,
            what,
        }
    }
}

/// An offset of a text whose length was checked to fit.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "`parse` refuses texts of 4 GiB"
)]
fn offset(at: usize) -> u32 {
    at as u32
}
