//! Names of values, leases, generations and streams in Redis.
//!
//! `weir:1:{…}:v` is a value, `:l` its lease, `:g` the generation of a tag. The hash tag in braces
//! decides the slot in a Cluster, so a value and its lease are on one node.

use std::fmt::{Display, Write as _};

use super::super::key::Key;
use super::super::tags::Tag;

/// Builds names from their prefix.
#[derive(Clone, Debug)]
pub(super) struct RedisNames(String);

impl RedisNames {
    pub(super) fn new(prefix: &str) -> Self {
        // A changed format of values or names takes another number, so versions never mix.
        Self(format!("{prefix}:1:"))
    }

    pub(super) fn value(&self, key: &Key) -> String {
        self.name(key, ":v")
    }

    pub(super) fn lease(&self, key: &Key) -> String {
        self.name(key, ":l")
    }

    pub(super) fn generation(&self, tag: Tag) -> String {
        self.name(tag, ":g")
    }

    pub(super) fn messages(&self) -> String {
        self.name("invalidations", "")
    }

    /// A request builds hundreds of names, so each is allocated once at its full length.
    fn name(&self, hash_tag: impl Display, suffix: &str) -> String {
        let mut name = String::with_capacity(self.0.len() + TYPICAL_NAME_BYTES);
        // Writing to a `String` does not fail.
        let _ = write!(name, "{}{{{hash_tag}}}{suffix}", self.0);
        name
    }
}

/// Typical bytes of a hash tag and suffix.
const TYPICAL_NAME_BYTES: usize = 44;

/// The Cluster slot of a name: CRC-16 (XMODEM) of its last hash tag.
pub(super) fn hash_slot(name: &str) -> u16 {
    let hash_tag = name
        .rsplit_once('{')
        .and_then(|(_, rest)| rest.split_once('}'))
        .map_or(name, |(tag, _)| tag);
    let crc = hash_tag.bytes().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
            let shifted = crc << 1;
            if crc & 0x8000 == 0 {
                shifted
            } else {
                shifted ^ 0x1021
            }
        })
    });
    crc % HASH_SLOTS
}

/// Number of slots of a Cluster.
pub(super) const HASH_SLOTS: u16 = 16384;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis() {
        // Values from `CLUSTER KEYSLOT`.
        assert_eq!(hash_slot("foo"), 12182);
        assert_eq!(hash_slot("a{foo}b"), 12182);
        assert_eq!(hash_slot("123456789"), 12739);
    }

    #[test]
    fn a_value_and_its_lease_are_on_one_node() {
        let names = RedisNames::new("weir");
        let key = Key::from_parts(&super::super::super::key::KeyParts::default()).unwrap();
        assert_eq!(hash_slot(&names.value(&key)), hash_slot(&names.lease(&key)));
        assert!(names.value(&key).starts_with("weir:1:{"));
    }
}
