//! Keys of cached values.
//!
//! The text of a key contains everything that the value depends on, each part escaped, in a fixed
//! order, so different values never have equal texts. It does not depend on the graph: values of
//! unchanged types survive a reload. Callers control parts of the text, so its SHA-256 hash (160
//! bits) is used; the text itself is only displayed.

use std::fmt;
use std::fmt::Write as _;

use schema::json::{Json, Kind, Node, canonical_number};
use sha2::{Digest, Sha256};

/// The hash of a key's text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; 20]);

/// Everything that a cached value depends on.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyParts<'a> {
    /// The subgraph's name, or the connector's coordinate.
    pub source: &'a str,
    /// The type of the entity, or the root type.
    pub type_name: &'a str,
    /// The selection, if the source's response depends on it.
    pub selection: &'a str,
    /// The arguments as a JSON object.
    pub arguments: Option<&'a str>,
    /// The forwarded client headers: lower-case names, values as sent.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The identity of the caller, for private values.
    pub caller: Option<&'a str>,
    /// The entity's key values as JSON; `None` for root fields.
    pub entity: Option<&'a str>,
}

/// The parts of a key that all values of a lookup share: all but the entity.
#[derive(Clone)]
pub struct KeyPrefix {
    shared: Sha256,
    private: Option<Sha256>,
}

/// The shared and the private key of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopedKeys {
    /// Key of the value if all callers share it.
    pub shared: Key,
    /// Key of the value if it is private; `None` for an unidentified caller.
    pub private: Option<Key>,
}

/// The form of a key's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFormat {
    /// Complete, for hashing.
    Full,
    /// With callers and header values as short hashes, for display.
    Redacted,
}

impl Key {
    /// The key of `parts`; `None` if the entity or the arguments are not JSON.
    pub fn from_parts(parts: &KeyParts<'_>) -> Option<Self> {
        Some(Self(hash(parts.text(KeyFormat::Full)?.as_bytes())))
    }

    /// The hash.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// A part of the hash, evenly distributed.
    pub(super) fn fingerprint(&self) -> u64 {
        u64::from_be_bytes(*self.0.last_chunk().unwrap_or(&[0; 8]))
    }

    /// An evenly distributed number.
    pub(super) fn shard(&self) -> usize {
        usize::from(self.0[0])
    }
}

impl KeyPrefix {
    /// The prefix of all parts but the entity; `None` if the arguments are not JSON.
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

    /// The keys of one entity, given as canonical JSON; `None` for root fields.
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
                write_optional(Some(&short_hash(caller.as_bytes())), &mut text);
            }
            (caller, _) => write_optional(caller, &mut text),
        }
        Some(text)
    }

    fn write_headers(&self, format: KeyFormat, text: &mut String) {
        // Only the order among headers of one name is significant.
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

/// Canonical JSON: members sorted, strings escaped uniformly, numbers unchanged.
///
/// `None` when `text` is not JSON.
pub fn canonical_json(text: &str) -> Option<String> {
    let json = Json::parse(bytes::Bytes::copy_from_slice(text.as_bytes())).ok()?;
    let mut out = String::with_capacity(text.len());
    write_json(json.root(), JsonForm::Value, &mut out);
    Some(out)
}

/// Canonical JSON of an entity's key, from which its tag is made: numbers become strings and
/// `__typename` is omitted, so `{"id":42}`, `{"id":"42"}` and a representation of the entity are
/// one key. `None` when `json` is not JSON.
pub fn entity_key(json: &str) -> Option<String> {
    let json = Json::parse(bytes::Bytes::copy_from_slice(json.as_bytes())).ok()?;
    let mut out = String::new();
    write_json(json.root(), JsonForm::EntityKey, &mut out);
    Some(out)
}

/// The hash of `text` as text.
pub fn digest(text: &str) -> String {
    Key(hash(text.as_bytes())).to_string()
}

/// The hash of `bytes` as text.
pub fn digest_bytes(bytes: &[u8]) -> String {
    Key(hash(bytes)).to_string()
}

/// 160 bits of the SHA-256 hash of `text`.
pub(super) fn hash(text: &[u8]) -> [u8; 20] {
    truncated(Sha256::digest(text).into())
}

/// `bytes` in lower-case hexadecimal, written into `text`, which has twice their length.
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
    reason = "an absent part is valid, a malformed one is not"
)]
fn optional_canonical_json(text: Option<&str>) -> Option<Option<String>> {
    match text {
        Some(text) => canonical_json(text).map(Some),
        None => Some(None),
    }
}

/// Writes an optional part so that an absent one differs from an empty text.
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

/// The form in which JSON is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum JsonForm {
    Value,
    EntityKey,
}

/// Writes JSON recursively; the parser limits its depth.
fn write_json(node: Node<'_>, form: JsonForm, out: &mut String) {
    match node.kind() {
        Kind::String(text) => write_string(&text.decode(), out),
        Kind::Number(_) if form == JsonForm::EntityKey => {
            write_string(&canonical_number(node.raw()), out);
        }
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
            // Of duplicate members the last counts, as everywhere in this crate.
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

/// Version of the text's format. A changed format gives other keys.
const KEY_VERSION: &str = "2";

#[cfg(test)]
mod tests;
