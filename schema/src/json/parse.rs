//! Text → nodes, in one pass, without recursion.
//!
//! Strict: what RFC 8259 does not allow is an error, and so is a surrogate without its partner,
//! which no string could hold. Does not look for keys that occur twice.

#![expect(
    clippy::inline_always,
    reason = "kept apart, these give their results through memory: a fifth of the time"
)]

use std::fmt;

use wide::u8x16;

use super::tape::{Entry, Key, MAX_COUNT, Span, Tag};
use super::text::{self, Escape};

/// How deep lists and objects may stand inside each other.
pub const MAX_DEPTH: usize = 128;

/// Why a text is not a JSON document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// The byte at which it was noticed.
    pub offset: usize,
    /// What was expected or is not allowed there; no full stop.
    pub message: &'static str,
}

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
    // Most texts are, and it takes half the time to see.
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
        return Err(error(end, "something behind the value"));
    }
    Ok(parser.nodes)
}

/// Less than is typical; only a first guess of how much memory the nodes take.
const BYTES_PER_NODE: usize = 16;

/// Where it stands is passed from hand to hand: that stays out of memory.
struct Parser<'t> {
    text: &'t [u8],
    nodes: Vec<Entry>,
    /// The containers around the innermost one.
    open: Vec<Open>,
}

/// A container whose end has not come yet.
struct Open {
    is_object: bool,
    index: u32,
    count: u32,
    /// A guess: the next member has the key of this node.
    like: u32,
}

/// There are never so many nodes: each takes a byte of the text at least.
const NO_GUESS: u32 = u32::MAX;

/// Where a run of scalars ended.
enum Stop {
    /// A container begins here, with this key; its members may be like those of this node.
    Container { key: Key, like: u32, at: usize },
    /// The container around them ended before this.
    End(usize),
}

impl Parser<'_> {
    /// Reads one value with all that is inside of it; gives where it ends.
    fn document(&mut self) -> Result<usize, JsonError> {
        let at = self.space(0);
        if let Some(end) = self.scalar(Key::default(), at)? {
            return Ok(end);
        }
        let mut inner = self.begin(Key::default(), NO_GUESS, at);
        let mut stop = self.first(&mut inner, at + 1)?;
        loop {
            match stop {
                Stop::Container { key, like, at } => {
                    if self.open.len() == MAX_DEPTH - 1 {
                        return Err(error(at, "nested too deep"));
                    }
                    let within = self.begin(key, like, at);
                    self.open.push(std::mem::replace(&mut inner, within));
                    stop = self.first(&mut inner, at + 1)?;
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
                    stop = self.behind(&mut inner, end)?;
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

    /// Goes on behind the bracket that opens a container.
    fn first(&mut self, inner: &mut Open, at: usize) -> Result<Stop, JsonError> {
        let at = self.space(at);
        match (inner.is_object, self.byte(at)) {
            (true, b'}') | (false, b']') => Ok(Stop::End(at + 1)),
            (true, _) => self.members(inner, at),
            (false, _) => self.elements(inner, at),
        }
    }

    /// Goes on behind a container that ended in another.
    fn behind(&mut self, inner: &mut Open, at: usize) -> Result<Stop, JsonError> {
        let at = self.space(at);
        match (inner.is_object, self.byte(at)) {
            (true, b'}') | (false, b']') => Ok(Stop::End(at + 1)),
            (true, b',') => self.members(inner, self.space(at + 1)),
            (false, b',') => self.elements(inner, self.space(at + 1)),
            (true, _) => Err(error(at, "expected `,` or `}`")),
            (false, _) => Err(error(at, "expected `,` or `]`")),
        }
    }

    /// Members up to the first that is a container, or to the end.
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

    /// Elements up to the first that is a container, or to the end.
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

    /// A member's key and its colon; gives where its value stands.
    #[inline(always)]
    fn key(&self, inner: &mut Open, at: usize) -> Result<(Key, usize), JsonError> {
        let (key, end) = match self.known_key(inner, at) {
            Some(known) => known,
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

    /// The key that stands here if it is the guessed one, and where it ends.
    ///
    /// Objects of a list mostly have their members in one order. A guess that is right costs less
    /// than looking for the end, above all because what follows need not wait for it. Equal keys
    /// get one place in the text, so that they are recognised by it later.
    #[inline(always)]
    fn known_key(&self, inner: &mut Open, at: usize) -> Option<(Key, usize)> {
        let like = self.nodes.get(inner.like as usize)?;
        let key = like.key();
        let len = key.span.len as usize;
        let new = self.text.get(at..)?;
        let old = self.text.get(key.span.start as usize..)?;
        let is_known = if len <= 16 {
            let (new, old) = (new.first_chunk()?, old.first_chunk()?);
            let same = u8x16::new(*new).simd_eq(u8x16::new(*old)).to_bitmask();
            let wanted = (1 << len) - 1;
            len > 0 && same & wanted == wanted
        } else {
            new.get(..len).is_some_and(|new| old.starts_with(new))
        };
        if !is_known {
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

    /// Reads the value at `at`, unless it is a container; gives where it ends.
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

    /// Where the string at `start` ends, and whether it has escapes.
    #[inline(always)]
    fn string_end(&self, start: usize) -> Result<(usize, bool), JsonError> {
        let at = text::special(self.text, start + 1);
        if self.byte(at) == b'"' {
            return Ok((at + 1, false));
        }
        Ok((self.escapes(at)?, true))
    }

    /// Stands on the first byte of a string that is neither its end nor plain.
    #[cold]
    fn escapes(&self, mut at: usize) -> Result<usize, JsonError> {
        loop {
            match self.text.get(at) {
                Some(b'"') => return Ok(at + 1),
                Some(b'\\') => at = text::special(self.text, at + self.escape(at)?),
                Some(_) => return Err(error(at, "a control character inside a string")),
                None => return Err(error(at, "a string without its end")),
            }
        }
    }

    fn escape(&self, at: usize) -> Result<usize, JsonError> {
        match text::escape(self.from(at)) {
            Escape::Char(_, len) => Ok(len),
            Escape::LoneSurrogate => Err(error(at, "a surrogate without its partner")),
            Escape::Unknown => Err(error(at, "an escape that JSON does not have")),
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

    /// One digit or more.
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
            text::behind_space(self.text, at)
        }
    }

    #[inline(always)]
    fn leaf(&mut self, tag: Tag, key: Key, start: usize, end: usize) {
        let index = offset(self.nodes.len()); // Each takes at least one byte of the text.
        self.nodes
            .push(Entry::leaf(tag, key, span(start, end), index));
    }

    #[inline(always)]
    fn from(&self, at: usize) -> &[u8] {
        self.text.get(at..).unwrap_or_default()
    }

    /// The byte there; 0, which stands nowhere in a document, at the end.
    #[inline(always)]
    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }
}

#[cold]
fn error(offset: usize, what: &'static str) -> JsonError {
    JsonError {
        offset,
        message: what,
    }
}

#[inline(always)]
fn span(start: usize, end: usize) -> Span {
    Span {
        start: offset(start),
        len: offset(end - start),
    }
}

/// An offset of a text whose length was checked to fit.
#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "`parse` refuses texts of 4 GiB"
)]
fn offset(at: usize) -> u32 {
    at as u32
}
