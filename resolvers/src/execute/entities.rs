//! The entities that a fetch is for: each distinct one once, with every row that it fills.

use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::HashTable;

use crate::entity_key::{EntityIndex, EntityKey, write_row_key};
use crate::plan::KeySlot;
use crate::subgraph_request::RepresentationSpec;
use crate::subgraph_request::representation::RepresentedRow;
use crate::tree::{KeyState, Row, Tree};

/// Distinct entities in the order of their first row.
#[derive(Debug, Default)]
pub(crate) struct Entities {
    /// The identities of all entities, one after the other.
    text: Vec<u8>,
    distinct: Vec<Entity>,
    table: HashTable<usize>,
    hasher: foldhash::fast::RandomState,
}

/// One entity, its texts as ranges of [`Entities::text`].
#[derive(Debug)]
struct Entity {
    /// Its key or representation.
    key: Range<usize>,
    /// The end of its identity: the key, then the context values that distinguish it from equal
    /// entities below other ancestors.
    identity_end: usize,
    kind: usize,
    rows: Vec<Row>,
}

/// One of [`Entities`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct EntityRef<'e> {
    entities: &'e Entities,
    index: EntityIndex,
}

impl Entities {
    /// Adds the entity in `row`, unless its key is unknown.
    pub(crate) fn add(&mut self, tree: &Tree, row: Row, key: &[KeySlot]) -> KeyState {
        let start = self.text.len();
        let state = write_row_key(tree, row, key, &mut self.text);
        let end = self.text.len();
        self.intern_if_known(state, row, 0, start..end)
    }

    /// Adds the entity of a row, unless a part of its representation is unknown. Entities below
    /// different context values are different ones.
    pub(crate) fn add_representation(
        &mut self,
        represented: RepresentedRow<'_>,
        spec: &RepresentationSpec,
        context: &[u8],
    ) -> KeyState {
        let start = self.text.len();
        let state = spec.representation.write(represented, &mut self.text);
        let end = self.text.len();
        self.text.extend_from_slice(context);
        self.intern_if_known(state, represented.row, spec.kind, start..end)
    }

    /// Adds the entity whose identity is the text from the start of `key` on.
    fn intern_if_known(
        &mut self,
        state: KeyState,
        row: Row,
        kind: usize,
        key: Range<usize>,
    ) -> KeyState {
        if state == KeyState::Known {
            self.intern(row, kind, key);
        } else {
            self.text.truncate(key.start);
        }
        state
    }

    fn intern(&mut self, row: Row, kind: usize, key: Range<usize>) {
        let identity = key.start..self.text.len();
        if let Some(index) = self.find_identity(identity.clone()) {
            self.text.truncate(key.start);
            self.distinct[index].rows.push(row);
            return;
        }
        let index = self.distinct.len();
        let hash = self.hasher.hash_one(&self.text[identity.clone()]);
        self.distinct.push(Entity {
            key,
            identity_end: identity.end,
            kind,
            rows: vec![row],
        });
        let (text, entities, hasher) = (&self.text, &self.distinct, &self.hasher);
        self.table.insert_unique(hash, index, |index| {
            hasher.hash_one(&text[entities[*index].identity()])
        });
    }

    fn find_identity(&self, identity: Range<usize>) -> Option<usize> {
        let wanted = &self.text[identity];
        let hash = self.hasher.hash_one(wanted);
        let is_wanted = |index: &usize| self.text[self.distinct[*index].identity()] == *wanted;
        self.table.find(hash, is_wanted).copied()
    }

    /// The entity whose key is in `row`. `expected` is compared first, because sources mostly
    /// return entities in the order of the request.
    pub(crate) fn find(
        &mut self,
        tree: &Tree,
        row: Row,
        key: &[KeySlot],
        expected: EntityIndex,
    ) -> Option<EntityIndex> {
        let start = self.text.len();
        let state = write_row_key(tree, row, key, &mut self.text);
        let written = start..self.text.len();
        let found = match state {
            KeyState::Known if self.has_key(expected, written.clone()) => Some(expected),
            KeyState::Known => self.find_identity(written).map(EntityIndex::new),
            KeyState::Missing | KeyState::Failed(_) | KeyState::Invalid(_) => None,
        };
        self.text.truncate(start);
        found
    }

    fn has_key(&self, index: EntityIndex, wanted: Range<usize>) -> bool {
        let entity = self.distinct.get(index.index());
        entity.is_some_and(|entity| self.text[entity.key.clone()] == self.text[wanted])
    }

    /// Keeps the entities in `order`, in that order.
    pub(crate) fn retain(&mut self, order: &[EntityIndex]) {
        let entities = std::mem::take(&mut self.distinct).into_iter();
        let mut entities: Vec<Option<Entity>> = entities.map(Some).collect();
        let retained = order.iter();
        let retained = retained.filter_map(|index| entities.get_mut(index.index())?.take());
        self.distinct = retained.collect();
        self.table.clear();
        let (text, entities, hasher) = (&self.text, &self.distinct, &self.hasher);
        let hash = |index: &usize| hasher.hash_one(&text[entities[*index].identity()]);
        for index in 0..entities.len() {
            self.table.insert_unique(hash(&index), index, hash);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.distinct.len()
    }

    /// The indices of all entities.
    pub(crate) fn indices(&self) -> impl ExactSizeIterator<Item = EntityIndex> + use<> {
        (0..self.len()).map(EntityIndex::new)
    }

    pub(crate) fn entity(&self, index: EntityIndex) -> EntityRef<'_> {
        EntityRef {
            entities: self,
            index,
        }
    }

    /// All entities.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = EntityRef<'_>> {
        self.indices().map(|index| self.entity(index))
    }
}

impl Entity {
    fn identity(&self) -> Range<usize> {
        self.key.start..self.identity_end
    }
}

impl<'e> EntityRef<'e> {
    fn get(self) -> &'e Entity {
        &self.entities.distinct[self.index.index()]
    }

    pub(crate) fn index(self) -> EntityIndex {
        self.index
    }

    /// The key; for a subgraph's fetch the representation.
    pub(crate) fn key(self) -> EntityKey<'e> {
        EntityKey(&self.entities.text[self.get().key.clone()])
    }

    /// The context values of its ancestors, each ended by a zero byte.
    pub(crate) fn context(self) -> &'e [u8] {
        let entity = self.get();
        &self.entities.text[entity.key.end..entity.identity_end]
    }

    /// Which of the ways to represent and to read entities of the fetch is the entity's.
    pub(crate) fn kind(self) -> usize {
        self.get().kind
    }

    /// Every row that the entity fills; at least one.
    pub(crate) fn rows(self) -> &'e [Row] {
        &self.get().rows
    }
}
