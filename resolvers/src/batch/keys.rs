//! The keys of one batch, stored contiguously, with an index that is built on the first search.

use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::HashTable;
use schema::key::FieldSet;

use crate::entity_key::EntityKey;

/// Keys by position. A key is the JSON text of each field, each terminated by a zero byte, which
/// JSON text cannot contain.
#[derive(Clone, Debug, Default)]
pub(crate) struct BatchKeys {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl BatchKeys {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Reserves capacity for `count` more keys.
    pub(super) fn reserve(&mut self, count: usize) {
        self.ends.reserve(count);
        self.text.reserve(count * USUAL_KEY_BYTES);
    }

    /// Appends a key that the batch does not have yet.
    pub(super) fn push(&mut self, key: &[u8]) {
        self.text.extend_from_slice(key);
        self.ends.push(self.text.len());
    }

    fn key(&self, position: usize) -> &[u8] {
        let start = position
            .checked_sub(1)
            .map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[position]]
    }

    /// The value of `$batch`: the keys at these positions as a list of objects with `fields`.
    pub(super) fn write_batch(&self, range: Range<usize>, fields: &FieldSet) -> Vec<u8> {
        let mut out = Vec::with_capacity(2 + range.len() * 2 * USUAL_KEY_BYTES);
        out.push(b'[');
        for position in range {
            if out.len() > 1 {
                out.push(b',');
            }
            EntityKey(self.key(position)).write_object(fields, &mut out);
        }
        out.push(b']');
        out
    }
}

/// An index of key positions. Batches that no operation joins are never indexed.
#[derive(Debug, Default)]
pub(super) struct KeyPositions {
    table: HashTable<usize>,
    indexed: usize,
    hasher: foldhash::fast::RandomState,
}

impl KeyPositions {
    /// The position of `key` in `keys`, which only grow between calls.
    pub(super) fn find(&mut self, keys: &BatchKeys, key: &[u8]) -> Option<usize> {
        let hasher = &self.hasher;
        let hash = |position: &usize| hasher.hash_one(keys.key(*position));
        self.table.reserve(keys.len() - self.indexed, hash);
        for position in self.indexed..keys.len() {
            self.table.insert_unique(hash(&position), position, hash);
        }
        self.indexed = keys.len();
        let found = self
            .table
            .find(hasher.hash_one(key), |position| keys.key(*position) == key);
        found.copied()
    }
}

/// Typical maximum bytes of a key.
const USUAL_KEY_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_and_written_as_objects() {
        let mut keys = BatchKeys::default();
        let mut positions = KeyPositions::default();
        for key in [&b"1\0\"a\"\0"[..], b"2\0\"b\"\0", b"3\0null\0"] {
            assert_eq!(positions.find(&keys, key), None);
            keys.push(key);
        }
        let fields = FieldSet::parse("id at { city }").unwrap();

        assert_eq!(positions.find(&keys, b"2\0\"b\"\0"), Some(1));
        assert_eq!(
            String::from_utf8(keys.write_batch(0..2, &fields)).unwrap(),
            r#"[{"id":1,"at":{"city":"a"}},{"id":2,"at":{"city":"b"}}]"#
        );
    }
}
