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
    /// Types of entities, an invalidation of any of which may change the value.
    pub(super) entity_types: BTreeSet<TypeId>,
    /// Types of other nested objects, and of entities that single fields refer to: only an
    /// invalidation of the whole type may change the value.
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

    /// Applies the hints on a field and on the types that it may return. They hold whatever is
    /// selected of the field, so also where another subgraph provides everything below it.
    fn apply_field_hints(&mut self, on: TypeId, field: &Name) {
        let Some(directives) = self.directives else {
            return;
        };
        for hint in directives.possible_hints(self.graph.types(), on, field) {
            self.apply_hint(Some(hint));
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
            self.apply_field_hints(node.on, name);
            let Some(child) = field.child else { continue };
            let inner = source.node(child);
            let fields = inner.fields.keys().collect::<Vec<_>>();
            if self.is_reference(inner.on, &fields) && !self.decides_membership(node.on, name) {
                self.visit_reference(inner.on);
            } else {
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
            for on in &owners {
                self.apply_field_hints(*on, &slot.field);
            }
            let Some(child) = slot.child else { continue };
            let inner = selection.position(child);
            let selected = fetch_slots
                .get(&child)
                .into_iter()
                .flat_map(|slots| slots.keys());
            let fields: Vec<&Name> = selected.map(|slot| &inner.slots[*slot].field).collect();
            let is_reference = self.is_reference(inner.ty, &fields);
            if is_reference
                && !owners
                    .iter()
                    .any(|on| self.decides_membership(*on, &slot.field))
            {
                self.visit_reference(inner.ty);
            } else {
                self.visit_type(inner.ty);
                self.visit_selection(selection, fetch_slots, child);
            }
        }
    }

    /// Whether an invalidation of one entity may change to which entities a field refers: a list
    /// may gain or lose it, and a root field finds it.
    fn decides_membership(&self, on: TypeId, field: &Name) -> bool {
        let types = self.graph.types();
        let field = types.get(on).field(field);
        types.query() == Some(on) || field.is_some_and(|field| field.ty.list_depth() > 0)
    }

    /// Whether an object has no fields but those of a key: it refers to an entity, and contains
    /// nothing else of it.
    fn is_reference(&self, ty: TypeId, fields: &[&Name]) -> bool {
        let keys = self.graph.entity_keys(ty);
        keys.iter().any(|FieldSet(key)| {
            let names: Vec<&Name> = key.iter().map(|(name, _)| name).collect();
            fields.iter().all(|field| names.contains(field))
        })
    }

    /// Adds a reference to an entity of a type; of an abstract type also its possible types.
    fn visit_reference(&mut self, ty: TypeId) {
        let types = self.graph.types().with_possible_types(ty);
        self.contents.other_types.extend(types);
    }

    /// Adds objects of a type; of an abstract type also its possible types.
    pub(super) fn visit_type(&mut self, ty: TypeId) {
        for ty in self.graph.types().with_possible_types(ty) {
            if self.graph.entity_keys(ty).is_empty() {
                self.contents.other_types.insert(ty);
            } else {
                self.contents.entity_types.insert(ty);
            }
        }
    }
}
