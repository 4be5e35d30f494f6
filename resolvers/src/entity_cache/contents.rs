//! Scans what a cached value contains: nested objects, by whose types it is invalidated, and the
//! cache hints on its fields.

use std::collections::{BTreeSet, HashSet};

use schema::caching::{CacheDirectives, CacheHint, CacheScope};
use schema::graph::Graph;
use schema::key::FieldSet;
use schema::source::{NodeId, ObjectTypes, Source};
use schema::types::{Name, TypeId};

use crate::plan::FetchSlots;
use crate::selection::{PositionId, Selection};

/// The contents of a value.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Types of nested entities that have more fields than a key.
    pub(super) entity_types: BTreeSet<TypeId>,
    /// Types of other nested objects.
    pub(super) other_types: BTreeSet<TypeId>,
    /// The minimum of all `maxAge` hints, in seconds.
    pub(super) max_age: Option<u32>,
    pub(super) is_private: bool,
}

/// Scans values of one subgraph.
pub(super) struct ContentScan<'a> {
    pub(super) graph: &'a Graph,
    pub(super) directives: Option<&'a CacheDirectives>,
    pub(super) contents: Contents,
    /// Whether a hint on the value itself has the scope `PUBLIC`.
    pub(super) is_public: bool,
}

impl ContentScan<'_> {
    /// Applies the hint of a type or of a field.
    pub(super) fn apply_hint(&mut self, hint: Option<CacheHint>) {
        let Some(hint) = hint else { return };
        self.contents.is_private |= hint.scope == Some(CacheScope::Private);
        if let Some(age) = hint.max_age {
            self.contents.max_age = Some(self.contents.max_age.map_or(age, |known| known.min(age)));
        }
    }

    /// The hint that applies to a field.
    pub(super) fn hint(&self, on: TypeId, field: &Name) -> Option<CacheHint> {
        self.directives?.hint(self.graph.types(), on, field)
    }

    /// Scans everything that a connector returns from `node` on.
    pub(super) fn visit_source(&mut self, source: &Source, node: NodeId) {
        self.visit_node(source, node, &mut HashSet::new());
    }

    fn visit_node(&mut self, source: &Source, id: NodeId, seen: &mut HashSet<NodeId>) {
        if !seen.insert(id) {
            return;
        }
        let node = source.node(id);
        for (name, field) in &node.fields {
            let Some(child) = field.child else {
                self.apply_hint(self.hint(node.on, name));
                continue;
            };
            let inner = source.node(child);
            let fields = inner.fields.keys().collect::<Vec<_>>();
            if !self.is_reference(inner.on, &fields) {
                self.apply_hint(self.hint(node.on, name));
                self.visit_type(inner.on);
                self.visit_node(source, child, seen);
            }
        }
        if let ObjectTypes::ByTypename(members) = &node.object_types {
            for (ty, member) in members {
                self.visit_type(*ty);
                self.visit_node(source, *member, seen);
            }
        }
    }

    /// Scans everything that a fetch of a subgraph selects from a position on.
    pub(super) fn visit_selection(
        &mut self,
        selection: &Selection,
        fetch_slots: &FetchSlots,
        at: PositionId,
    ) {
        let position = selection.position(at);
        let slots = fetch_slots
            .get(&at)
            .into_iter()
            .flat_map(|slots| slots.keys());
        for slot in slots.map(|index| &position.slots[*index]) {
            let owners: Vec<TypeId> = slot.on.iter().copied().chain([position.ty]).collect();
            let hints = owners.iter().map(|on| self.hint(*on, &slot.field));
            let hints: Vec<Option<CacheHint>> = hints.collect();
            let Some(child) = slot.child else {
                for hint in hints {
                    self.apply_hint(hint);
                }
                continue;
            };
            let inner = selection.position(child);
            let selected = fetch_slots
                .get(&child)
                .into_iter()
                .flat_map(|slots| slots.keys());
            let fields: Vec<&Name> = selected.map(|slot| &inner.slots[*slot].field).collect();
            if !self.is_reference(inner.ty, &fields) {
                for hint in hints {
                    self.apply_hint(hint);
                }
                self.visit_type(inner.ty);
                self.visit_selection(selection, fetch_slots, child);
            }
        }
    }

    /// Whether an object has no fields but those of a key: it refers to an entity, and contains
    /// nothing of it.
    fn is_reference(&self, ty: TypeId, fields: &[&Name]) -> bool {
        let keys = self.graph.entity_keys(ty);
        keys.iter().any(|FieldSet(key)| {
            let names: Vec<&Name> = key.iter().map(|(name, _)| name).collect();
            fields.iter().all(|field| names.contains(field))
        })
    }

    /// Adds objects of a type; of an abstract type also its possible types.
    pub(super) fn visit_type(&mut self, ty: TypeId) {
        let possible = &self.graph.types().get(ty).possible_types;
        for ty in possible.iter().copied().chain([ty]) {
            if self.graph.entity_keys(ty).is_empty() {
                self.contents.other_types.insert(ty);
            } else {
                self.contents.entity_types.insert(ty);
            }
        }
    }
}
