//! Parses text into nodes, in one pass, without recursion.
//!
//! Strict RFC 8259; a lone surrogate is an error too, because a Rust string cannot hold it.
//! Duplicate keys are not detected.

#![expect(
    clippy::inline_always,
    reason = "not inlined, these return results through memory, a fifth of the parse time"
)]

use std::fmt;

use wide::u8x16;

use super::tape::{Entry, Key, MAX_COUNT, Span, Tag};
use super::text::{self, Escape};

/// Maximum nesting of lists and objects, in levels.
pub const MAX_DEPTH: usize = 128;

/// A syntax error in a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// The byte where parsing failed.
    pub offset: usize,
    /// The problem, without a full stop.
    pub message: &'static str,
}

impl JsonError {
    /// Whether a surrogate is not part of a pair.
    pub(super) fn is_lone_surrogate(self) -> bool {
        self.message == LONE_SURROGATE
    }
}

const LONE_SURROGATE: &str = "a lone surrogate";

impl fmt::Display for JsonError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at byte {}", self.message, self.offset)
    }
}

impl std::error::Error for JsonError {}

pub(super) fn parse(text: &[u8]) -> Result<Vec<Entry>, JsonError> {
    if u32::try_from(text.len()).is_err() {
        return Err(JsonError {
            offset: 0,
            message: "a document of 4 GiB or more",
        });
    }
    // Most texts are ASCII, and checking that takes half the time of a UTF-8 check.
    if !text.is_ascii() {
        std::str::from_utf8(text).map_err(|error| JsonError {
            offset: error.valid_up_to(),
            message: "bytes that are not UTF-8",
        })?;
    }
    let mut parser = Parser {
        text,
        nodes: Vec::with_capacity(text.len() / BYTES_PER_NODE + 1),
        open: Vec::with_capacity(16),
    };
    let end = parser.document()?;
    let end = parser.space(end);
    if end < text.len() {
        return Err(error(end, "unexpected text after the value"));
    }
    Ok(parser.nodes)
}

/// Estimated bytes of text per node, below the typical number; the initial capacity for nodes.
const BYTES_PER_NODE: usize = 16;

/// The position is passed as a parameter and returned, so that it stays in registers.
struct Parser<'t> {
    text: &'t [u8],
    nodes: Vec<Entry>,
    /// The containers around the innermost one.
    open: Vec<Open>,
}

/// A container whose end is not yet parsed.
struct Open {
    is_object: bool,
    index: u32,
    count: u32,
    /// The node whose key the next member probably has.
    like: u32,
}

/// No expected key; an invalid index, because each node takes at least one byte of the text.
const NO_GUESS: u32 = u32::MAX;

/// The end of a run of scalars.
enum Stop {
    /// A container starts at `at` with this key; its members are probably like those of `like`.
    Container { key: Key, like: u32, at: usize },
    /// The surrounding container ended before this position.
    End(usize),
}

impl Parser<'_> {
    /// Parses one value with its descendants; returns its end.
    fn document(&mut self) -> Result<usize, JsonError> {
        let at = self.space(0);
        if let Some(end) = self.scalar(Key::default(), at)? {
            return Ok(end);
        }
        let mut inner = self.begin(Key::default(), NO_GUESS, at);
        let mut stop = self.after_open(&mut inner, at + 1)?;
        loop {
            match stop {
                Stop::Container { key, like, at } => {
                    if self.open.len() == MAX_DEPTH - 1 {
                        return Err(error(at, "nested too deep"));
                    }
                    let child = self.begin(key, like, at);
                    self.open.push(std::mem::replace(&mut inner, child));
                    stop = self.after_open(&mut inner, at + 1)?;
                }
                Stop::End(end) => {
                    self.end(&inner, end)?;
                    let Some(mut outer) = self.open.pop() else {
                        return Ok(end);
                    };
                    if !outer.is_object {
                        outer.like = inner.index;
                    }
                    inner = outer;
                    stop = self.after_child(&mut inner, end)?;
                }
            }
        }
    }

    fn begin(&mut self, key: Key, like: u32, at: usize) -> Open {
        let is_object = self.byte(at) == b'{';
        let index = offset(self.nodes.len());
        let tag = if is_object { Tag::Object } else { Tag::List };
        self.leaf(tag, key, at, at);
        Open {
            is_object,
            index,
            count: 0,
            like: like.saturating_add(1),
        }
    }

    fn end(&mut self, inner: &Open, end: usize) -> Result<(), JsonError> {
        if inner.count > MAX_COUNT {
            return Err(error(end, "too many elements in one list or object"));
        }
        let next = offset(self.nodes.len());
        if let Some(entry) = self.nodes.get_mut(inner.index as usize) {
            entry.close(offset(end), next, inner.count);
        }
        Ok(())
    }

    /// Continues after the opening bracket of a container.
    fn after_open(&mut self, inner: &mut Open, at: usize) -> Result<Stop, JsonError> {
        let at = self.space(at);
        match (inner.is_object, self.byte(at)) {
            (true, b'}') | (false, b']') => Ok(Stop::End(at + 1)),
            (true, _) => self.members(inner, at),
            (false, _) => self.elements(inner, at),
        }
    }

    /// Continues after the end of a nested container.
    fn after_child(&mut self, inner: &mut Open, at: usize) -> Result<Stop, JsonError> {
        let at = self.space(at);
        match (inner.is_object, self.byte(at)) {
            (true, b'}') | (false, b']') => Ok(Stop::End(at + 1)),
            (true, b',') => self.members(inner, self.space(at + 1)),
            (false, b',') => self.elements(inner, self.space(at + 1)),
            (true, _) => Err(error(at, "expected `,` or `}`")),
            (false, _) => Err(error(at, "expected `,` or `]`")),
        }
    }

    /// Parses members up to the first that is a container, or to the end.
    #[inline(never)]
    fn members(&mut self, inner: &mut Open, mut at: usize) -> Result<Stop, JsonError> {
        loop {
            inner.count += 1;
            let like = inner.like;
            let (key, start) = self.key(inner, at)?;
            let Some(end) = self.scalar(key, start)? else {
                let at = start;
                return Ok(Stop::Container { key, like, at });
            };
            if let Some([b',', b'"', ..]) = self.text.get(end..) {
                at = end + 1;
                continue;
            }
            at = self.space(end);
            match self.byte(at) {
                b',' => at = self.space(at + 1),
                b'}' => return Ok(Stop::End(at + 1)),
                _ => return Err(error(at, "expected `,` or `}`")),
            }
        }
    }

    /// Parses elements up to the first that is a container, or to the end.
    #[inline(never)]
    fn elements(&mut self, inner: &mut Open, mut at: usize) -> Result<Stop, JsonError> {
        loop {
            inner.count += 1;
            let key = Key::default();
            let Some(end) = self.scalar(key, at)? else {
                let like = inner.like;
                return Ok(Stop::Container { key, like, at });
            };
            if let Some([b',', b'!'..=0xff, ..]) = self.text.get(end..) {
                at = end + 1;
                continue;
            }
            at = self.space(end);
            match self.byte(at) {
                b',' => at = self.space(at + 1),
                b']' => return Ok(Stop::End(at + 1)),
                _ => return Err(error(at, "expected `,` or `]`")),
            }
        }
    }

    /// Parses a member's key and its colon; returns the key and the start of the value.
    #[inline(always)]
    fn key(&self, inner: &mut Open, at: usize) -> Result<(Key, usize), JsonError> {
        let (key, end) = match self.expected_key(inner, at) {
            Some(expected) => expected,
            None => self.new_key(at)?,
        };
        if let Some([b':', b'!'..=0xff, ..]) = self.text.get(end..) {
            return Ok((key, end + 1));
        }
        let colon = self.space(end);
        if self.byte(colon) != b':' {
            return Err(error(colon, "expected `:`"));
        }
        Ok((key, self.space(colon + 1)))
    }

    /// The expected key, if it is at `at`, and its end.
    ///
    /// The objects of a list mostly have their members in one order. A correct guess is cheaper
    /// than scanning for the end, above all because the CPU can continue speculatively. Equal
    /// keys share one range in the text, by which `Recall` recognises them.
    #[inline(always)]
    fn expected_key(&self, inner: &mut Open, at: usize) -> Option<(Key, usize)> {
        let like = self.nodes.get(inner.like as usize)?;
        let key = like.key();
        let len = key.span.len as usize;
        let new = self.text.get(at..)?;
        let old = self.text.get(key.span.start as usize..)?;
        let is_equal = if len <= 16 {
            let (new, old) = (new.first_chunk()?, old.first_chunk()?);
            let same = u8x16::new(*new).simd_eq(u8x16::new(*old)).to_bitmask();
            let mask = (1 << len) - 1;
            len > 0 && same & mask == mask
        } else {
            new.get(..len).is_some_and(|new| old.starts_with(new))
        };
        if !is_equal {
            return None;
        }
        inner.like = like.next;
        Some((key, at + len))
    }

    #[inline(always)]
    fn new_key(&self, at: usize) -> Result<(Key, usize), JsonError> {
        if self.byte(at) != b'"' {
            return Err(error(at, "expected a key in double quotes"));
        }
        let (end, escaped) = self.string_end(at)?;
        let key = Key {
            span: span(at, end),
            escaped,
        };
        Ok((key, end))
    }

    /// Parses the value at `at` and returns its end; `None` for a container.
    #[inline(always)]
    fn scalar(&mut self, key: Key, at: usize) -> Result<Option<usize>, JsonError> {
        match self.byte(at) {
            b'"' => self.string(key, at).map(Some),
            b'-' | b'0'..=b'9' => self.number(key, at).map(Some),
            b'{' | b'[' => Ok(None),
            b't' => self.word(key, at, b"true", Tag::True).map(Some),
            b'f' => self.word(key, at, b"false", Tag::False).map(Some),
            b'n' => self.word(key, at, b"null", Tag::Null).map(Some),
            _ => Err(error(at, "expected a value")),
        }
    }

    #[inline(always)]
    fn string(&mut self, key: Key, start: usize) -> Result<usize, JsonError> {
        let (end, escaped) = self.string_end(start)?;
        let tag = if escaped {
            Tag::EscapedString
        } else {
            Tag::String
        };
        self.leaf(tag, key, start, end);
        Ok(end)
    }

    /// The end of the string at `start`, and whether it has escapes.
    #[inline(always)]
    fn string_end(&self, start: usize) -> Result<(usize, bool), JsonError> {
        let at = text::special(self.text, start + 1);
        if self.byte(at) == b'"' {
            return Ok((at + 1, false));
        }
        Ok((self.escapes(at)?, true))
    }

    /// The end of a string whose first special byte is at `at`.
    #[cold]
    fn escapes(&self, mut at: usize) -> Result<usize, JsonError> {
        loop {
            match self.text.get(at) {
                Some(b'"') => return Ok(at + 1),
                Some(b'\\') => at = text::special(self.text, at + self.escape(at)?),
                Some(_) => return Err(error(at, "a control character inside a string")),
                None => return Err(error(at, "unclosed string")),
            }
        }
    }

    fn escape(&self, at: usize) -> Result<usize, JsonError> {
        match text::escape(self.from(at)) {
            Escape::Char(_, len) => Ok(len),
            Escape::LoneSurrogate => Err(error(at, LONE_SURROGATE)),
            Escape::Unknown => Err(error(at, "an invalid escape sequence")),
        }
    }

    #[inline(always)]
    fn number(&mut self, key: Key, start: usize) -> Result<usize, JsonError> {
        let mut at = start + usize::from(self.byte(start) == b'-');
        at = match self.byte(at) {
            b'0' => at + 1,
            _ => self.digits(at)?,
        };
        if self.byte(at) == b'.' {
            at = self.digits(at + 1)?;
        }
        if matches!(self.byte(at), b'e' | b'E') {
            at += 1;
            at = self.digits(at + usize::from(matches!(self.byte(at), b'+' | b'-')))?;
        }
        self.leaf(Tag::Number, key, start, at);
        Ok(at)
    }

    /// The end of one or more digits.
    #[inline(always)]
    fn digits(&self, start: usize) -> Result<usize, JsonError> {
        let rest = self.from(start);
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
        match digits.count() {
            0 => Err(error(start, "expected a digit")),
            count => Ok(start + count),
        }
    }

    #[inline(always)]
    fn word(&mut self, key: Key, at: usize, word: &[u8], tag: Tag) -> Result<usize, JsonError> {
        if !self.from(at).starts_with(word) {
            return Err(error(at, "expected a value"));
        }
        self.leaf(tag, key, at, at + word.len());
        Ok(at + word.len())
    }

    #[inline(always)]
    fn space(&self, at: usize) -> usize {
        if self.byte(at) > b' ' {
            at
        } else if self.byte(at) == b' ' && self.byte(at + 1) > b' ' {
            at + 1
        } else {
            text::skip_space(self.text, at)
        }
    }

    #[inline(always)]
    fn leaf(&mut self, tag: Tag, key: Key, start: usize, end: usize) {
        let index = offset(self.nodes.len()); // Each node takes at least one byte of the text.
        self.nodes
            .push(Entry::leaf(tag, key, span(start, end), index));
    }

    #[inline(always)]
    fn from(&self, at: usize) -> &[u8] {
        self.text.get(at..).unwrap_or_default()
    }

    /// The byte at `at`; at the end 0, which no valid document contains.
    #[inline(always)]
    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }
}

#[cold]
fn error(offset: usize, message: &'static str) -> JsonError {
    JsonError { offset, message }
}

#[inline(always)]
fn span(start: usize, end: usize) -> Span {
    Span {
        start: offset(start),
        len: offset(end - start),
    }
}

/// Converts an offset in a text whose length fits into 32 bits.
#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "`parse` rejects texts of 4 GiB"
)]
fn offset(at: usize) -> u32 {
    at as u32
}
