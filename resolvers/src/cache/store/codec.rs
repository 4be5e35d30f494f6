//! The binary format of a cached value in Redis.
//!
//! `version flags checksum stored-at fresh stale on-error tags length body`, integers in
//! little-endian order. The checksum covers the key too, so a record under another key is none. A
//! record that cannot be decoded for any reason is `None`, a miss. No field is trusted before the
//! checksum is verified, and no length beyond the limit.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};

use super::super::entry::clock::{Moment, millis};
use super::super::entry::{CachedValue, Entry};
use super::super::key::Key;
use super::super::lifetime::{Lifetime, Scope};
use super::super::tags::{Generation, Tag};

/// A cached value with its tags, as Redis stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cache) struct Record {
    pub(in crate::cache) entry: Entry,
    /// The tags with the generations for which the entry is valid.
    pub(in crate::cache) tags: Vec<(Tag, Generation)>,
}

impl Record {
    /// Encodes the record; `None` if it has too many tags.
    pub(super) fn encode(&self, key: &Key, compress_over: usize) -> Option<Vec<u8>> {
        let entry = &self.entry;
        let (body, mut flags) = match &entry.value {
            CachedValue::Present(body) => (&body[..], 0),
            CachedValue::Absent => (&[][..], ABSENT),
        };
        if entry.scope == Scope::Private {
            flags |= PRIVATE;
        }
        let compressed = (body.len() > compress_over)
            .then(|| lz4_flex::block::compress(body))
            .filter(|compressed| compressed.len() < body.len());
        if compressed.is_some() {
            flags |= COMPRESSED;
        }
        let sent = compressed.as_deref().unwrap_or(body);
        let mut out =
            Vec::with_capacity(HEADER_BYTES + self.tags.len() * TAG_BYTES + 4 + sent.len());
        out.put_u8(VERSION);
        out.put_u8(flags);
        out.put_u32_le(0);
        out.put_u64_le(entry.stored_at.0);
        for part in [
            entry.lifetime.fresh,
            entry.lifetime.stale,
            entry.lifetime.stale_if_error,
        ] {
            out.put_u64_le(millis(part));
        }
        out.put_u16_le(u16::try_from(self.tags.len()).ok()?);
        for (tag, generation) in &self.tags {
            out.put_slice(tag.bytes());
            out.put_u64_le(*generation);
        }
        out.put_u32_le(u32::try_from(body.len()).ok()?);
        out.put_slice(sent);
        let sum = checksum(key, &out)?.to_le_bytes();
        out.get_mut(CHECKSUM_OFFSET..CHECKSUM_OFFSET + 4)?
            .copy_from_slice(&sum);
        Some(out)
    }

    pub(super) fn decode(key: &Key, mut bytes: Bytes, limit: usize) -> Option<Self> {
        let sum = checksum(key, &bytes)?;
        if bytes.try_get_u8().ok()? != VERSION {
            return None;
        }
        let flags = bytes.try_get_u8().ok()?;
        if flags & !(ABSENT | COMPRESSED | PRIVATE) != 0 || bytes.try_get_u32_le().ok()? != sum {
            return None;
        }
        let stored_at = Moment(bytes.try_get_u64_le().ok()?);
        let mut duration = || Some(Duration::from_millis(bytes.try_get_u64_le().ok()?));
        let lifetime = Lifetime {
            fresh: duration()?,
            stale: duration()?,
            stale_if_error: duration()?,
        };
        let count = usize::from(bytes.try_get_u16_le().ok()?);
        if bytes.len() < count * TAG_BYTES {
            return None;
        }
        let tags = (0..count)
            .map(|_| read_tag(&mut bytes))
            .collect::<Option<_>>()?;
        let length = usize::try_from(bytes.try_get_u32_le().ok()?).ok()?;
        let value = if flags & ABSENT != 0 {
            CachedValue::Absent
        } else {
            CachedValue::Present(read_body(bytes, flags, length.min(limit))?)
        };
        let scope = if flags & PRIVATE != 0 {
            Scope::Private
        } else {
            Scope::Public
        };
        let entry = Entry {
            value,
            stored_at,
            lifetime,
            scope,
        };
        Some(Self { entry, tags })
    }
}

/// The body, decompressed; `None` if it does not have `length` bytes.
fn read_body(bytes: Bytes, flags: u8, length: usize) -> Option<Bytes> {
    if flags & COMPRESSED == 0 {
        return (bytes.len() == length).then_some(bytes);
    }
    let mut plain = vec![0; length];
    let written = lz4_flex::block::decompress_into(&bytes, &mut plain).ok()?;
    (written == length).then(|| Bytes::from(plain))
}

fn read_tag(bytes: &mut Bytes) -> Option<(Tag, Generation)> {
    let mut tag = [0; 16];
    bytes.try_copy_to_slice(&mut tag).ok()?;
    Some((Tag::from_bytes(tag), bytes.try_get_u64_le().ok()?))
}

/// The CRC-32 of the key and of everything but the checksum itself.
fn checksum(key: &Key, bytes: &[u8]) -> Option<u32> {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key.bytes());
    hasher.update(bytes.get(..CHECKSUM_OFFSET)?);
    hasher.update(bytes.get(CHECKSUM_OFFSET + 4..)?);
    Some(hasher.finalize())
}

const VERSION: u8 = 2;
const ABSENT: u8 = 1;
const COMPRESSED: u8 = 2;
const PRIVATE: u8 = 4;
const CHECKSUM_OFFSET: usize = 2;
const HEADER_BYTES: usize = 6 + 4 * 8 + 2;
const TAG_BYTES: usize = 24;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::key::KeyParts;
    use super::*;

    const LIMIT: usize = 1 << 20;

    proptest! {
        #[test]
        fn encoding_round_trips(record in record(), compress_over in 0_usize..100) {
            let bytes = record.encode(&key(1), compress_over).unwrap();
            prop_assert_eq!(Record::decode(&key(1), bytes.into(), LIMIT), Some(record));
        }

        #[test]
        fn a_changed_byte_is_a_miss(record in record(), at: prop::sample::Index, bit in 0..8_u8) {
            let mut bytes = record.encode(&key(1), 20).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(Record::decode(&key(1), bytes.into(), LIMIT), None);
        }

        #[test]
        fn a_shortened_value_is_a_miss(record in record(), at: prop::sample::Index) {
            let mut bytes = record.encode(&key(1), 20).unwrap();
            bytes.truncate(at.index(bytes.len()));
            prop_assert_eq!(Record::decode(&key(1), bytes.into(), LIMIT), None);
        }

        #[test]
        fn anything_else_is_a_miss(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(Record::decode(&key(1), bytes.into(), LIMIT), None);
        }

        // The checksum is valid, so that the fields after it are read.
        #[test]
        fn fields_behind_a_valid_checksum_are_not_trusted(
            mut bytes in prop::collection::vec(any::<u8>(), HEADER_BYTES..300), flags in 0..8_u8, tags in 0..4_u8
        ) {
            bytes[0] = VERSION;
            bytes[1] = flags;
            bytes[HEADER_BYTES - 2] = tags;
            bytes[HEADER_BYTES - 1] = 0;
            let sum = checksum(&key(1), &bytes).unwrap().to_le_bytes();
            bytes[CHECKSUM_OFFSET..CHECKSUM_OFFSET + 4].copy_from_slice(&sum);
            if let Some(record) = Record::decode(&key(1), bytes.into(), LIMIT) {
                prop_assert!(record.entry.size() <= LIMIT);
            }
        }
    }

    #[test]
    fn long_values_are_compressed() {
        let body = Bytes::from("{\"name\":\"same\"}".repeat(1000));
        let record = Record {
            entry: Entry {
                value: CachedValue::Present(body.clone()),
                stored_at: Moment(1),
                lifetime: Lifetime::default(),
                scope: Scope::Public,
            },
            tags: Vec::new(),
        };
        assert!(record.encode(&key(1), 100).unwrap().len() < body.len() / 10);
        assert!(record.encode(&key(1), 100_000).unwrap().len() > body.len());
        // A reader with a lower limit rejects the record.
        let bytes = record.encode(&key(1), 100).unwrap();
        assert_eq!(Record::decode(&key(1), bytes.into(), 1000), None);
    }

    #[test]
    fn a_record_under_another_key_is_a_miss() {
        let record = Record {
            entry: Entry {
                value: CachedValue::Absent,
                stored_at: Moment(1),
                lifetime: Lifetime::default(),
                scope: Scope::Public,
            },
            tags: Vec::new(),
        };
        let bytes = Bytes::from(record.encode(&key(1), 20).unwrap());
        assert_eq!(Record::decode(&key(2), bytes.clone(), LIMIT), None);
        assert_eq!(Record::decode(&key(1), bytes, LIMIT), Some(record));
    }

    fn key(name: usize) -> Key {
        let source = name.to_string();
        let parts = KeyParts {
            source: &source,
            ..KeyParts::default()
        };
        Key::from_parts(&parts).unwrap()
    }

    fn record() -> impl Strategy<Value = Record> {
        let body = prop::option::of(prop::collection::vec(b'a'..b'e', 0..200));
        let tags = prop::collection::vec((any::<[u8; 16]>(), any::<u64>()), 0..4);
        (body, any::<[u32; 4]>(), any::<bool>(), tags).prop_map(|(body, times, private, tags)| {
            let millis = |index: usize| Duration::from_millis(times[index].into());
            Record {
                entry: Entry {
                    value: body.map_or(CachedValue::Absent, |body| {
                        CachedValue::Present(body.into())
                    }),
                    stored_at: Moment(times[0].into()),
                    lifetime: Lifetime {
                        fresh: millis(1),
                        stale: millis(2),
                        stale_if_error: millis(3),
                    },
                    scope: if private {
                        Scope::Private
                    } else {
                        Scope::Public
                    },
                },
                tags: tags
                    .into_iter()
                    .map(|(tag, generation)| (Tag::from_bytes(tag), generation))
                    .collect(),
            }
        })
    }
}
