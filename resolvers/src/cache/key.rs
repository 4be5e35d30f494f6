//! What a kept value is known by.
//!
//! The text of a key says everything that the value depends on, each part escaped, in one order, so
//! that two different things never have one text. It does not depend on the graph: a reload that
//! leaves a type as it was finds what was kept before. The text is hashed (SHA-256, 160 bits of it)
//! because callers choose parts of it; it is written out only for people.

use std::fmt;
use std::fmt::Write as _;

use schema::json::{Json, Kind, Node};
use sha2::{Digest, Sha256};

/// The short, fixed form of a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; 20]);

/// Everything that a value depends on.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyParts<'a> {
    /// What was asked: a subgraph's name, or a connector's coordinate.
    pub source: &'a str,
    /// The type of the entity, or the root type.
    pub type_name: &'a str,
    /// What was selected, where the source's answer depends on it.
    pub selection: &'a str,
    /// A JSON object of the arguments.
    pub arguments: Option<&'a str>,
    /// The client's headers that were sent on: lower-case names, values as sent.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// Who asked, for private data.
    pub caller: Option<&'a str>,
    /// JSON of the entity's key values; for root fields nothing.
    pub entity: Option<&'a str>,
}

/// What the values of one lookup have in common: all parts of a key but the entity.
#[derive(Clone)]
pub struct KeyPrefix {
    shared: Sha256,
    private: Option<Sha256>,
}

/// The keys of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopedKeys {
    /// For everybody.
    pub shared: Key,
    /// For the caller, where it is known.
    pub private: Option<Key>,
}

/// How much of a key's text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFormat {
    /// All of it: for hashing.
    Full,
    /// Callers and values of headers as short hashes: for people.
    Redacted,
}

impl Key {
    /// The key of what `parts` name; `None` when the entity or the arguments are not JSON.
    pub fn from_parts(parts: &KeyParts<'_>) -> Option<Self> {
        Some(Self(hash(parts.text(KeyFormat::Full)?.as_bytes())))
    }

    /// A number that spreads keys evenly.
    pub(super) fn shard(&self) -> usize {
        usize::from(self.0[0])
    }
}

impl KeyPrefix {
    /// Of all parts but the entity; `None` when the arguments are not JSON.
    pub fn from_parts(parts: &KeyParts<'_>) -> Option<Self> {
        let prefix = |caller| {
            let parts = KeyParts { caller, ..*parts };
            let text = parts.prefix_text(KeyFormat::Full)?;
            Some(Sha256::new_with_prefix(text))
        };
        let private = match parts.caller {
            Some(_) => Some(prefix(parts.caller)?),
            None => None,
        };
        Some(Self {
            shared: prefix(None)?,
            private,
        })
    }

    /// The key of one entity for everybody, and for the caller where that is known; `entity` is
    /// canonical.
    pub fn keys(&self, entity: Option<&str>) -> ScopedKeys {
        let mut text = String::with_capacity(64);
        write_optional(entity, &mut text);
        let key = |base: &Sha256| {
            let mut hash = base.clone();
            hash.update(text.as_bytes());
            Key(truncated(hash.finalize().into()))
        };
        ScopedKeys {
            shared: key(&self.shared),
            private: self.private.as_ref().map(key),
        }
    }
}

impl fmt::Debug for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPrefix")
            .field("is_private", &self.private.is_some())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 40];
        f.write_str(hex(&self.0, &mut text))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl KeyParts<'_> {
    /// The key as text: `2|source|type|selection|arguments|headers|caller|entity`.
    pub fn text(&self, format: KeyFormat) -> Option<String> {
        let mut text = self.prefix_text(format)?;
        write_optional(optional_canonical_json(self.entity)?.as_deref(), &mut text);
        Some(text)
    }

    fn prefix_text(&self, format: KeyFormat) -> Option<String> {
        let mut text = String::with_capacity(128);
        text.push_str(KEY_VERSION);
        for part in [self.source, self.type_name] {
            text.push('|');
            escape(part.as_bytes(), &mut text);
        }
        text.push('|');
        escape(self.selection.as_bytes(), &mut text);
        write_optional(
            optional_canonical_json(self.arguments)?.as_deref(),
            &mut text,
        );
        text.push('|');
        self.write_headers(format, &mut text);
        match (self.caller, format) {
            (Some(caller), KeyFormat::Redacted) => {
                write_optional(Some(&short_hash(caller.as_bytes())), &mut text)
            }
            (caller, _) => write_optional(caller, &mut text),
        }
        Some(text)
    }

    fn write_headers(&self, format: KeyFormat, text: &mut String) {
        // The order among headers of one name has a meaning; among others it has none.
        let mut headers: Vec<_> = self.headers.to_vec();
        headers.sort_by_key(|(name, _)| *name);
        for (name, value) in headers {
            escape(name.as_bytes(), text);
            text.push('=');
            match format {
                KeyFormat::Full => escape(value, text),
                KeyFormat::Redacted => text.push_str(&short_hash(value)),
            }
            text.push('&');
        }
    }
}

/// JSON with its members in one order and its strings written in one way; numbers stay as written.
///
/// `None` when `text` is not JSON.
pub fn canonical_json(text: &str) -> Option<String> {
    let json = Json::parse(bytes::Bytes::copy_from_slice(text.as_bytes())).ok()?;
    let mut out = String::with_capacity(text.len());
    write_json(json.root(), JsonForm::Value, &mut out);
    Some(out)
}

/// The same for the key of an entity, by which it is invalidated: numbers become strings and
/// `__typename` is left out, so `{"id":42}`, `{"id":"42"}` and what a service is told of the
/// entity are one key.
pub fn entity_key(json: &str) -> Option<String> {
    let json = Json::parse(bytes::Bytes::copy_from_slice(json.as_bytes())).ok()?;
    let mut out = String::new();
    write_json(json.root(), JsonForm::EntityKey, &mut out);
    Some(out)
}

/// A short text that stands for a long one.
pub fn digest(text: &str) -> String {
    Key(hash(text.as_bytes())).to_string()
}

/// 160 bits that stand for `text`.
pub(super) fn hash(text: &[u8]) -> [u8; 20] {
    truncated(Sha256::digest(text).into())
}

/// `bytes` in lower-case hexadecimal, written into `text`, which is twice as long.
pub(super) fn hex<'t>(bytes: &[u8], text: &'t mut [u8]) -> &'t str {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    str::from_utf8(text).unwrap_or_default()
}

fn truncated(digest: [u8; 32]) -> [u8; 20] {
    let mut short = [0; 20];
    short.copy_from_slice(digest.first_chunk::<20>().unwrap_or(&[0; 20]));
    short
}

#[expect(
    clippy::option_option,
    reason = "nothing there is fine, something unreadable is not"
)]
fn optional_canonical_json(text: Option<&str>) -> Option<Option<String>> {
    match text {
        Some(text) => canonical_json(text).map(Some),
        None => Some(None),
    }
}

/// Nothing is told from an empty text.
fn write_optional(part: Option<&str>, text: &mut String) {
    text.push('|');
    if let Some(part) = part {
        text.push('=');
        escape(part.as_bytes(), text);
    }
}

fn short_hash(secret: &[u8]) -> String {
    let hash = hash(secret);
    hash.iter().take(6).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn escape(part: &[u8], text: &mut String) {
    for byte in part {
        match byte {
            b'%' | b'|' | b'=' | b'&' | 0..=0x1f | 0x7f.. => {
                let _ = write!(text, "%{byte:02X}");
            }
            _ => text.push(char::from(*byte)),
        }
    }
}

/// What JSON is written as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum JsonForm {
    Value,
    EntityKey,
}

/// As deep as the parser lets documents be.
fn write_json(node: Node<'_>, form: JsonForm, out: &mut String) {
    match node.kind() {
        Kind::String(text) => write_string(&text.decode(), out),
        Kind::Number(_) if form == JsonForm::EntityKey => write_string(node.raw(), out),
        Kind::List(elements) => {
            out.push('[');
            for (index, element) in elements.enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json(element, form, out);
            }
            out.push(']');
        }
        Kind::Object(members) => {
            // Of members with one name the last counts, as everywhere here.
            let mut members: Vec<_> = members
                .map(|(name, value)| (name.decode(), value))
                .filter(|(name, _)| form == JsonForm::Value || name != "__typename")
                .collect();
            members.reverse();
            members.sort_by(|one, two| one.0.cmp(&two.0));
            members.dedup_by(|later, first| later.0 == first.0);
            out.push('{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(&name, out);
                out.push(':');
                write_json(value, form, out);
            }
            out.push('}');
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) => out.push_str(node.raw()),
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => {
                out.push('\\');
                out.push(char);
            }
            '\0'..='\x1f' => {
                let _ = write!(out, "\\u{:04x}", u32::from(char));
            }
            _ => out.push(char),
        }
    }
    out.push('"');
}

/// Of the text's form; another form is another key.
const KEY_VERSION: &str = "2";

#[cfg(test)]
mod tests;
