//! The keys of one batch, stored contiguously, with an index that is built on the first search.

use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::HashTable;

/// Keys by position.
#[derive(Clone, Debug, Default)]
pub(crate) struct BatchKeys {
    /// The keys in the form that is compared.
    identities: Texts,
    /// The keys as they are sent: JSON objects.
    objects: Texts,
}

/// Texts, stored contiguously.
#[derive(Clone, Debug, Default)]
struct Texts {
    text: Vec<u8>,
    ends: Vec<usize>,
}

/// The keys of one operation.
pub(crate) struct RequestedKeys<'k> {
    /// The distinct keys in the form that is compared.
    pub(crate) identities: Vec<&'k [u8]>,
    /// Writes the key at an index as an element of `$batch`.
    pub(crate) write_object: &'k dyn Fn(usize, &mut Vec<u8>),
}

impl Texts {
    fn reserve(&mut self, count: usize) {
        self.ends.reserve(count);
        self.text.reserve(count * USUAL_KEY_BYTES);
    }

    fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.text);
        self.ends.push(self.text.len());
    }

    fn start(&self, position: usize) -> usize {
        position
            .checked_sub(1)
            .map_or(0, |before| self.ends[before])
    }

    fn get(&self, position: usize) -> &[u8] {
        &self.text[self.start(position)..self.ends[position]]
    }
}

impl BatchKeys {
    pub(crate) fn len(&self) -> usize {
        self.identities.ends.len()
    }

    /// Reserves capacity for `count` more keys.
    pub(super) fn reserve(&mut self, count: usize) {
        self.identities.reserve(count);
        self.objects.reserve(count);
    }

    /// Appends the key at `index`, which the batch does not have yet.
    pub(super) fn push(&mut self, keys: &RequestedKeys<'_>, index: usize) {
        let identity = keys.identities[index];
        self.identities
            .push(|text| text.extend_from_slice(identity));
        self.objects.push(|text| (keys.write_object)(index, text));
    }

    /// The key at `position` in the form that is compared.
    pub(crate) fn key(&self, position: usize) -> &[u8] {
        self.identities.get(position)
    }

    /// The value of `$batch`: the keys at these positions.
    pub(super) fn write_batch(&self, range: Range<usize>) -> Vec<u8> {
        let bytes = range.len() * 2 * USUAL_KEY_BYTES;
        let mut out = Vec::with_capacity(2 + bytes);
        out.push(b'[');
        for position in range {
            if out.len() > 1 {
                out.push(b',');
            }
            out.extend_from_slice(self.objects.get(position));
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
    fn keys_are_found_by_identity_and_written_as_they_came() {
        let mut keys = BatchKeys::default();
        let mut positions = KeyPositions::default();
        let objects = [r#"{"id":1}"#, r#"{"id":"2"}"#, r#"{"id":"3"}"#];
        let requested = RequestedKeys {
            identities: vec![b"\"1\"\0", b"\"2\"\0", b"\"3\"\0"],
            write_object: &|index, out| out.extend_from_slice(objects[index].as_bytes()),
        };
        for (index, identity) in requested.identities.iter().enumerate() {
            assert_eq!(positions.find(&keys, identity), None);
            keys.push(&requested, index);
        }

        assert_eq!(positions.find(&keys, b"\"2\"\0"), Some(1));
        assert_eq!(
            String::from_utf8(keys.write_batch(0..2)).unwrap(),
            r#"[{"id":1},{"id":"2"}]"#
        );
    }
}
