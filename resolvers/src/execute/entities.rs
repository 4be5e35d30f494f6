//! The objects that a fetch is for: equal ones once, with every row that each of them fills.

use hashbrown::HashTable;
use std::hash::BuildHasher;
use std::ops::Range;

use crate::cache::canonical_json;
use crate::plan::KeySlot;
use crate::subgraph_request::representation::Representation;
use crate::tree::{KeyState, Row, Tree, Value, write_canonical};
use schema::json::{Json, Object, Value as JsonValue};

/// Distinct objects in the order first met.
#[derive(Debug, Default)]
pub(crate) struct Entities {
    /// Canonical text of all keys, one behind the other.
    text: Vec<u8>,
    entities: Vec<Entity>,
    table: HashTable<usize>,
    hasher: foldhash::fast::RandomState,
}

#[derive(Debug)]
struct Entity {
    /// Of its key in the text.
    key_start: usize,
    key_end: usize,
    /// The end of what tells it from others beside its key.
    identity_end: usize,
    /// Which of the ways to ask for objects it is asked for by.
    kind: usize,
    rows: Vec<Row>,
}

impl Entities {
    /// Adds the object in `row`, unless its key is not known.
    pub(crate) fn add(&mut self, tree: &Tree, row: Row, key: &[KeySlot]) -> KeyState {
        let start = self.text.len();
        let state = write_key(tree, row, key, &mut self.text);
        let end = self.text.len();
        self.intern((row, 0), (start, end), state)
    }

    /// Adds the object in `row`, unless what its service must be told is not known; `kind` comes
    /// back with it. Objects below different contexts are different ones.
    pub(crate) fn add_representation(
        &mut self,
        tree: &Tree,
        (row, kind): (Row, usize),
        (representation, context): (&Representation, &[u8]),
    ) -> KeyState {
        let start = self.text.len();
        let state = representation.write(tree, row, &mut self.text);
        let end = self.text.len();
        self.text.extend_from_slice(context);
        self.intern((row, kind), (start, end), state)
    }

    /// Adds the object that the text from `start` on tells from others, its key up to `end`.
    fn intern(
        &mut self,
        (row, kind): (Row, usize),
        (start, end): (usize, usize),
        state: KeyState,
    ) -> KeyState {
        if state != KeyState::Known {
            self.text.truncate(start);
            return state;
        }
        let identity_end = self.text.len();
        let found = self.find_identity(start, identity_end);
        if let Some(index) = found {
            self.text.truncate(start);
            self.entities[index].rows.push(row);
            return KeyState::Known;
        }
        let index = self.entities.len();
        self.entities.push(Entity {
            key_start: start,
            key_end: end,
            identity_end,
            kind,
            rows: vec![row],
        });
        let (text, entities, hasher) = (&self.text, &self.entities, &self.hasher);
        let hash = hasher.hash_one(&text[start..identity_end]);
        self.table.insert_unique(hash, index, |index| {
            let entity = &entities[*index];
            hasher.hash_one(&text[entity.key_start..entity.identity_end])
        });
        state
    }

    fn find_identity(&self, start: usize, end: usize) -> Option<usize> {
        let identity = &self.text[start..end];
        let hash = self.hasher.hash_one(identity);
        self.table
            .find(hash, |index| {
                let entity = &self.entities[*index];
                self.text[entity.key_start..entity.identity_end] == *identity
            })
            .copied()
    }

    /// The text by which one object is asked for.
    pub(crate) fn key(&self, index: usize) -> &[u8] {
        let entity = &self.entities[index];
        &self.text[entity.key_start..entity.key_end]
    }

    /// What was given with it from further up.
    pub(crate) fn context(&self, index: usize) -> &[u8] {
        let entity = &self.entities[index];
        &self.text[entity.key_end..entity.identity_end]
    }

    /// Which object has the key that is in `row`; `expected` is looked at first, because services
    /// most often answer in the order they were asked.
    pub(crate) fn find(
        &mut self,
        tree: &Tree,
        row: Row,
        key: &[KeySlot],
        expected: usize,
    ) -> Option<usize> {
        let start = self.text.len();
        let state = write_key(tree, row, key, &mut self.text);
        let end = self.text.len();
        let found = match state {
            KeyState::Known if self.has_key(expected, start..end) => Some(expected),
            KeyState::Known => self.find_identity(start, end),
            KeyState::Missing | KeyState::Failed(_) => None,
        };
        self.text.truncate(start);
        found
    }

    fn has_key(&self, index: usize, key: Range<usize>) -> bool {
        let entity = self.entities.get(index);
        entity.is_some_and(|entity| self.text[entity.key_start..entity.key_end] == self.text[key])
    }

    /// Leaves the objects with these numbers, in this order.
    pub(crate) fn retain(&mut self, order: &[usize]) {
        let mut all: Vec<Option<Entity>> = std::mem::take(&mut self.entities)
            .into_iter()
            .map(Some)
            .collect();
        let retained = order.iter().filter_map(|index| all.get_mut(*index)?.take());
        self.entities = retained.collect();
        self.table.clear();
        let (text, entities, hasher) = (&self.text, &self.entities, &self.hasher);
        let hash = |index: &usize| {
            let entity = &entities[*index];
            hasher.hash_one(&text[entity.key_start..entity.identity_end])
        };
        for index in 0..entities.len() {
            self.table.insert_unique(hash(&index), index, hash);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entities.len()
    }

    pub(crate) fn kind(&self, index: usize) -> usize {
        self.entities[index].kind
    }

    /// Every row of one object.
    pub(crate) fn rows(&self, index: usize) -> &[Row] {
        &self.entities[index].rows
    }
}

/// Appends the key in `row`, each part ended by a byte that JSON text cannot have.
fn write_key(tree: &Tree, row: Row, key: &[KeySlot], out: &mut Vec<u8>) -> KeyState {
    for part in key {
        match tree.slot(row, part.slot) {
            Value::Leaf(text) if part.inner.is_empty() => {
                write_canonical(tree.text(text), out);
                out.push(0);
            }
            Value::Object(inner) if !part.inner.is_empty() => {
                let state = write_key(tree, inner, &part.inner, out);
                if state != KeyState::Known {
                    return state;
                }
            }
            Value::Failed(failure) => return KeyState::Failed(failure),
            Value::Absent
            | Value::Null
            | Value::Leaf(_)
            | Value::Object(_)
            | Value::List { .. } => {
                return KeyState::Missing;
            }
        }
    }
    KeyState::Known
}

/// A key, as [`Entities::key`] has it, as canonical JSON.
pub(crate) fn entity_json(key: &[KeySlot], text: &[u8]) -> String {
    let mut values = text.split(|byte| *byte == 0);
    let mut json = String::with_capacity(text.len() + 16);
    write_object(&mut values, key, &mut json);
    if json.contains('\\') {
        return canonical_json(&json).unwrap_or(json);
    }
    json
}

/// Reads the values in the order of the key, writes them in the order of their names.
fn write_object<'t>(
    values: &mut impl Iterator<Item = &'t [u8]>,
    key: &[KeySlot],
    json: &mut String,
) {
    let mut members: Vec<(&str, String)> = Vec::with_capacity(key.len());
    for part in key {
        let mut value = String::new();
        if part.inner.is_empty() {
            let text = values.next().unwrap_or(b"null");
            value.push_str(str::from_utf8(text).unwrap_or("null"));
        } else {
            write_object(values, &part.inner, &mut value);
        }
        members.push((&part.name, value));
    }
    members.sort_unstable_by(|one, two| one.0.cmp(two.0));
    json.push('{');
    for (index, (name, value)) in members.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        json.push('"');
        json.push_str(name);
        json.push_str("\":");
        json.push_str(value);
    }
    json.push('}');
}

/// The key in `row` as mappings see it.
pub(crate) fn key_value<'t>(tree: &'t Tree, row: Row, key: &'t [KeySlot]) -> JsonValue<'t> {
    let mut object = Object::with_capacity(key.len());
    for part in key {
        let value = match tree.slot(row, part.slot) {
            Value::Leaf(text) => leaf_value(tree.text(text)),
            Value::Object(inner) => key_value(tree, inner, &part.inner),
            Value::Absent | Value::Null | Value::List { .. } | Value::Failed(_) => JsonValue::Null,
        };
        object.insert(part.name.as_ref(), value);
    }
    JsonValue::object(object)
}

fn leaf_value(text: &[u8]) -> JsonValue<'_> {
    let plain = std::str::from_utf8(text).unwrap_or_default();
    let quoted = plain.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    match quoted {
        Some(inner) if !inner.contains('\\') => JsonValue::string(inner),
        None if plain.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) => {
            JsonValue::Number(plain.into())
        }
        _ => Json::parse(bytes::Bytes::copy_from_slice(text)).map_or(JsonValue::Null, |json| {
            JsonValue::Node(json.root()).to_owned_value()
        }),
    }
}
