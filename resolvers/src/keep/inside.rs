//! What is inside of a kept value: objects of other types, which may be made invalid by themselves,
//! and what the graph says about its fields.

use std::collections::{BTreeSet, HashSet};

use schema::caching::{Caching, Hint, Scope};
use schema::graph::Graph;
use schema::key::FieldSet;
use schema::source::{NodeId, Objects, Source};
use schema::types::{Name, TypeId};

use crate::plan::Takes;
use crate::selection::{PositionId, Selection};

/// What was found inside.
#[derive(Debug, Default)]
pub(super) struct Inside {
    /// Types of entities of which more is there than a key.
    pub(super) types: BTreeSet<TypeId>,
    /// Types of other objects.
    pub(super) others: BTreeSet<TypeId>,
    /// The shortest `maxAge`, in seconds.
    pub(super) age: Option<u32>,
    pub(super) is_private: bool,
}

/// Looks through values of one subgraph.
pub(super) struct Look<'a> {
    pub(super) graph: &'a Graph,
    pub(super) caching: Option<&'a Caching>,
    pub(super) inside: Inside,
    /// Whether the graph says so of the value itself.
    pub(super) is_public: bool,
}

impl Look<'_> {
    /// Notes what is said on a type, or on a field of it.
    pub(super) fn note(&mut self, hint: Option<Hint>) {
        let Some(hint) = hint else { return };
        self.inside.is_private |= hint.scope == Some(Scope::Private);
        if let Some(age) = hint.max_age {
            self.inside.age = Some(self.inside.age.map_or(age, |known| known.min(age)));
        }
    }

    /// What holds for a field.
    pub(super) fn hint(&self, on: TypeId, field: &Name) -> Option<Hint> {
        self.caching?.hint(self.graph.types(), on, field)
    }

    /// Everything that a connector gives behind `node`.
    pub(super) fn view(&mut self, source: &Source, node: NodeId) {
        self.node(source, node, &mut HashSet::new());
    }

    fn node(&mut self, source: &Source, id: NodeId, seen: &mut HashSet<NodeId>) {
        if !seen.insert(id) {
            return;
        }
        let node = source.node(id);
        for (name, field) in &node.fields {
            let Some(child) = field.child else {
                self.note(self.hint(node.on, name));
                continue;
            };
            let inner = source.node(child);
            let fields = inner.fields.keys().collect::<Vec<_>>();
            if self.is_reference(inner.on, &fields) {
                continue;
            }
            self.note(self.hint(node.on, name));
            self.met(inner.on);
            self.node(source, child, seen);
        }
        if let Objects::Several(members) = &node.objects {
            for (ty, member) in members {
                self.met(*ty);
                self.node(source, *member, seen);
            }
        }
    }

    /// Everything that a service is asked for at `at` and inside of it.
    pub(super) fn takes(&mut self, selection: &Selection, takes: &Takes, at: PositionId) {
        let position = selection.position(at);
        let slots = takes.get(&at).into_iter().flat_map(|slots| slots.keys());
        for slot in slots.map(|index| &position.slots[*index]) {
            let owners: Vec<TypeId> = slot.on.iter().copied().chain([position.ty]).collect();
            let hints = owners.iter().map(|on| self.hint(*on, &slot.field));
            let hints: Vec<Option<Hint>> = hints.collect();
            let Some(child) = slot.child else {
                for hint in hints {
                    self.note(hint);
                }
                continue;
            };
            let inner = selection.position(child);
            let taken = takes.get(&child).into_iter().flat_map(|slots| slots.keys());
            let fields: Vec<&Name> = taken.map(|slot| &inner.slots[*slot].field).collect();
            if !self.is_reference(inner.ty, &fields) {
                for hint in hints {
                    self.note(hint);
                }
                self.met(inner.ty);
                self.takes(selection, takes, child);
            }
        }
    }

    /// Whether nothing but a part of a key is given of an object: it says which object it is.
    fn is_reference(&self, ty: TypeId, fields: &[&Name]) -> bool {
        let keys = self.graph.entity_keys(ty);
        keys.iter().any(|FieldSet(key)| {
            let names: Vec<&Name> = key.iter().map(|(name, _)| name).collect();
            fields.iter().all(|field| names.contains(field))
        })
    }

    /// Notes objects of a type, or of each that it may stand for.
    pub(super) fn met(&mut self, ty: TypeId) {
        let possible = &self.graph.types().get(ty).possible;
        for ty in possible.iter().copied().chain([ty]) {
            if self.graph.entity_keys(ty).is_empty() {
                self.inside.others.insert(ty);
            } else {
                self.inside.types.insert(ty);
            }
        }
    }
}
