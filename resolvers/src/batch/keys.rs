//! The keys of one batch: equal ones once, found without an allocation a key.

use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::HashTable;
use schema::key::FieldSet;

/// Keys by position. A key is the JSON text of each of its fields, each ended by a zero byte,
/// which JSON text cannot have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    text: Vec<u8>,
    ends: Vec<usize>,
    table: HashTable<usize>,
    hasher: foldhash::fast::RandomState,
}

impl Keys {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The position of a key.
    pub(super) fn find(&self, key: &[u8]) -> Option<usize> {
        let hash = self.hasher.hash_one(key);
        let found = self.table.find(hash, |position| self.key(*position) == key);
        found.copied()
    }

    /// Adds a key that is not there yet; gives its position.
    pub(super) fn push(&mut self, key: &[u8]) -> usize {
        let position = self.ends.len();
        self.text.extend_from_slice(key);
        self.ends.push(self.text.len());
        let (hasher, text, ends) = (&self.hasher, &self.text, &self.ends);
        let hash = |position: usize| hasher.hash_one(piece(text, ends, position));
        self.table
            .insert_unique(hash(position), position, |position| hash(*position));
        position
    }

    fn key(&self, position: usize) -> &[u8] {
        piece(&self.text, &self.ends, position)
    }

    /// `$batch`: the keys of these positions as a list of objects with the members of `fields`.
    pub(super) fn write_batch(&self, range: Range<usize>, fields: &FieldSet) -> Vec<u8> {
        let mut out = vec![b'['];
        for position in range {
            if out.len() > 1 {
                out.push(b',');
            }
            let mut values = self.key(position).split(|byte| *byte == 0);
            write_object(&mut values, fields, &mut out);
        }
        out.push(b']');
        out
    }
}

fn piece<'k>(text: &'k [u8], ends: &[usize], position: usize) -> &'k [u8] {
    let start = position.checked_sub(1).map_or(0, |before| ends[before]);
    &text[start..ends[position]]
}

fn write_object<'k>(
    values: &mut impl Iterator<Item = &'k [u8]>,
    FieldSet(fields): &FieldSet,
    out: &mut Vec<u8>,
) {
    out.push(b'{');
    for (index, (name, inner)) in fields.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        // Names of GraphQL need no escapes.
        out.push(b'"');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        if inner.is_empty() {
            out.extend_from_slice(values.next().unwrap_or(b"null"));
        } else {
            write_object(values, inner, out);
        }
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_and_written_as_objects() {
        let mut keys = Keys::default();
        for key in [&b"1\0\"a\"\0"[..], b"2\0\"b\"\0", b"3\0null\0"] {
            assert_eq!(keys.find(key), None);
            keys.push(key);
        }
        let fields = FieldSet::parse("id at { city }").unwrap();

        assert_eq!(keys.find(b"2\0\"b\"\0"), Some(1));
        assert_eq!(
            String::from_utf8(keys.write_batch(0..2, &fields)).unwrap(),
            r#"[{"id":1,"at":{"city":"a"}},{"id":2,"at":{"city":"b"}}]"#
        );
    }
}
