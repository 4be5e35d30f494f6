//! JSON strings: scanning, decoding and encoding.
//!
//! Works on bytes and `str`, independent of documents.

use std::borrow::Cow;
use std::fmt;

use wide::u8x16;

/// A string of a document, not yet decoded.
#[derive(Clone, Copy)]
pub struct Str<'a> {
    raw: &'a [u8],
    escaped: bool,
}

impl<'a> Str<'a> {
    #[inline]
    pub(super) fn new(raw: &'a [u8], escaped: bool) -> Self {
        Self { raw, escaped }
    }

    /// The JSON text with quotes and escapes; can be copied into another document.
    #[inline]
    pub fn raw(self) -> &'a str {
        utf8(self.raw)
    }

    /// The bytes of [`Self::raw`], without the cost of a UTF-8 check.
    #[inline]
    pub fn raw_bytes(self) -> &'a [u8] {
        self.raw
    }

    /// The decoded string; borrowed unless it has escapes.
    #[inline]
    pub fn decode(self) -> Cow<'a, str> {
        if self.escaped {
            Cow::Owned(unescape(utf8(self.inner())))
        } else {
            Cow::Borrowed(utf8(self.inner()))
        }
    }

    /// Whether the decoded string equals `text`.
    #[inline]
    pub fn is(self, text: &str) -> bool {
        if self.escaped {
            self.decode() == text
        } else {
            self.inner() == text.as_bytes()
        }
    }

    /// The JSON text between the quotes, escapes included.
    #[inline]
    pub fn inner(self) -> &'a [u8] {
        self.raw
            .get(1..self.raw.len().saturating_sub(1))
            .unwrap_or_default()
    }
}

impl fmt::Debug for Str<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.raw())
    }
}

/// A part of a document as `str`. The whole text is UTF-8 and parts are on character boundaries,
/// so this cannot fail.
#[inline]
pub(super) fn utf8(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// The position of the first quote, backslash or control character from `at` on; the length of
/// the text if there is none.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as in `parse`")]
pub(super) fn special(text: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = text.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        let chunk = u8x16::new(*chunk);
        let matches = chunk.simd_eq(b'"') | chunk.simd_eq(b'\\') | chunk.simd_le(0x1f);
        let matches = matches.to_bitmask();
        if matches != 0 {
            return at + matches.trailing_zeros() as usize;
        }
        at += 16;
    }
    special_near_end(text, at)
}

/// The position of the first byte from `at` on that is not white space.
#[cold]
pub(super) fn skip_space(text: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = text.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        let chunk = u8x16::new(*chunk);
        let space = chunk.simd_eq(b' ') | chunk.simd_eq(b'\n');
        let space = space | chunk.simd_eq(b'\r') | chunk.simd_eq(b'\t');
        let other = !space.to_bitmask();
        if other.trailing_zeros() < 16 {
            return at + other.trailing_zeros() as usize;
        }
        at += 16;
    }
    let rest = text.get(at..).unwrap_or_default();
    at + rest
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))
        .unwrap_or(rest.len())
}

fn special_near_end(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))
        .unwrap_or(rest.len())
}

/// An escape sequence.
pub(super) enum Escape {
    /// The escaped character and the length of the sequence in bytes.
    Char(char, usize),
    /// A surrogate that is not part of a pair.
    LoneSurrogate,
    /// A sequence that JSON does not define.
    Unknown,
}

/// The text with `\ufffd` in place of each escaped surrogate that is not part of a pair.
pub(super) fn replace_lone_surrogates(text: &[u8]) -> Vec<u8> {
    const REPLACEMENT: &[u8] = b"\\ufffd";
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let (before, escaped) = rest.split_at(at);
        replaced.extend_from_slice(before);
        let len = match escape(escaped) {
            Escape::LoneSurrogate => {
                replaced.extend_from_slice(REPLACEMENT);
                rest = escaped.get(REPLACEMENT.len()..).unwrap_or_default();
                continue;
            }
            Escape::Char(_, len) => len,
            Escape::Unknown => 1,
        };
        let (sequence, after) = escaped.split_at(len);
        replaced.extend_from_slice(sequence);
        rest = after;
    }
    replaced.extend_from_slice(rest);
    replaced
}

/// Parses the escape sequence at the start of `text`.
pub(super) fn escape(text: &[u8]) -> Escape {
    let character = match text.get(1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode(text),
        _ => return Escape::Unknown,
    };
    Escape::Char(character, 2)
}

/// Decodes the text between the quotes. Parsing has checked the escapes.
pub(super) fn unescape(inner: &str) -> String {
    let mut decoded = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((before, _)) = rest.split_once('\\') {
        decoded.push_str(before);
        let escaped = rest.get(before.len()..).unwrap_or_default();
        let Escape::Char(character, len) = escape(escaped.as_bytes()) else {
            break;
        };
        decoded.push(character);
        rest = escaped.get(len..).unwrap_or_default();
    }
    decoded.push_str(rest);
    decoded
}

/// Writes `text` as a JSON string, quotes included.
pub(crate) fn write(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.push(b'"');
    let mut from = 0;
    loop {
        let at = special(bytes, from);
        out.extend_from_slice(bytes.get(from..at).unwrap_or_default());
        let Some(byte) = bytes.get(at) else { break };
        write_escape(*byte, out);
        from = at + 1;
    }
    out.push(b'"');
}

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        0x8 => b'b',
        0xc => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            let digit =
                |value: u8| char::from_digit(u32::from(value), 16).map_or(b'0', |c| c as u8);
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[digit(byte >> 4), digit(byte & 0xf)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

fn unicode(text: &[u8]) -> Escape {
    let Some(first) = hex(text, 2) else {
        return Escape::Unknown;
    };
    if let Some(character) = char::from_u32(first) {
        return Escape::Char(character, 6);
    }
    if text.get(6..8) != Some(b"\\u") {
        return Escape::LoneSurrogate;
    }
    let Some(second) = hex(text, 8) else {
        return Escape::Unknown;
    };
    match (first, second) {
        (0xd800..=0xdbff, 0xdc00..=0xdfff) => {
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            char::from_u32(code).map_or(Escape::Unknown, |character| Escape::Char(character, 12))
        }
        _ => Escape::LoneSurrogate,
    }
}

fn hex(text: &[u8], at: usize) -> Option<u32> {
    text.get(at..at + 4)?.iter().try_fold(0, |value, byte| {
        Some(value * 16 + char::from(*byte).to_digit(16)?)
    })
}
