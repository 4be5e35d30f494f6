//! Entries that bring a goal nearer.

use std::sync::Arc;

use schema::graph::Graph;
use schema::key::{FieldSet, Requirement};
use schema::source::{Access, EntryCardinality, EntryPoint, NodeId, ObjectTypes, SourceId};
use schema::types::{Name, TypeId};

use super::super::Offer;
use super::CoverSearch;
use super::goal::Goal;
use super::state::{FetchSet, State};
use crate::selection::KeySlot;

/// An entry that may be used at a place.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) source: SourceId,
    pub(super) entry: usize,
    /// The type of the objects for which it is thought of.
    pub(super) on: TypeId,
    /// The slot it is for, where it serves one field or must be told something for it.
    pub(super) slot: Option<usize>,
    /// What it must be told for that slot.
    pub(super) required_slots: Option<Arc<[KeySlot]>>,
    /// The parts of its key for which other fetches go further in, to the objects of a part.
    pub(super) nested_key_parts: Arc<[KeySlot]>,
}

/// Entries that wait for entries that wait for …; no sound graph goes further.
const MAX_CHAIN: usize = 12;

impl Candidate {
    pub(super) fn entry_point<'g>(&self, graph: &'g Graph) -> &'g EntryPoint {
        &graph.source(self.source).entry_points[self.entry]
    }

    /// The type that the entry is for, which may be abstract.
    pub(super) fn entry_type(&self, graph: &Graph) -> TypeId {
        self.entry_point(graph).on
    }

    /// Whether the source has an interface as an object, and so cannot tell the types apart.
    pub(super) fn is_interface_object(&self, graph: &Graph) -> bool {
        let node = graph.source(self.source).node(self.entry_point(graph).node);
        matches!(node.object_types, ObjectTypes::UnknownType)
    }

    /// Whether one fetch may serve several candidates of the source.
    pub(super) fn is_shareable(&self, graph: &Graph) -> bool {
        matches!(graph.source(self.source).access, Access::Graphql(_))
    }
}

impl CoverSearch<'_, '_> {
    /// What may be used next for `goal`, the most promising first; `goals` are under way.
    pub(super) fn candidates(
        &mut self,
        goal: &Goal,
        state: &State,
        goals: &[Goal],
    ) -> Vec<Candidate> {
        let under_way = |candidate: &Candidate| {
            goals
                .iter()
                .any(|goal| matches!(goal, Goal::Use(other) if candidate.is_same_use(other)))
        };
        let chain = goals.iter().filter(|goal| matches!(goal, Goal::Use(_)));
        if chain.count() > MAX_CHAIN {
            return Vec::new();
        }
        let mut found = match goal {
            Goal::Field(on, slot) => self.candidates_for_field(state, *on, *slot),
            Goal::Key(on, (name, inner)) => self.candidates_for_key(state, *on, name, inner),
            Goal::Typename => self.candidates_for_type(),
            Goal::Use(_) | Goal::Verify(_) => Vec::new(),
        };
        let only = self.scope.only_source;
        found.retain(|candidate| {
            !under_way(candidate) && only.is_none_or(|only| only == candidate.source)
        });
        let is_deep = matches!(goal, Goal::Field(_, slot) if self.is_nested_requirement(*slot));
        if is_deep {
            // Each of them may bring a part; those that are used have brought theirs.
            found.retain(|candidate| !self.is_used(candidate, state));
        }
        let with_nested_keys: Vec<Candidate> = found
            .iter()
            .filter_map(|candidate| self.with_nested_key(candidate, state))
            .collect();
        found.extend(with_nested_keys);
        self.ranked(found, state, is_deep)
    }

    /// The same candidate, where a part of its key is an object that has not all that the key
    /// says, so that others must be asked for the rest.
    fn with_nested_key(&mut self, candidate: &Candidate, state: &State) -> Option<Candidate> {
        let graph = self.search.graph;
        let entry = candidate.entry_point(graph);
        let missing = entry.key.0.iter();
        let missing: Vec<_> = missing
            .filter(|part| {
                !part.1.is_empty()
                    && self
                        .key_part_provider(state, entry.on, &part.0, &part.1)
                        .is_none()
            })
            .collect();
        if missing.is_empty() {
            return None;
        }
        let needs: Vec<Requirement> = missing
            .into_iter()
            .map(Requirement::from_key_field)
            .collect();
        let name: Name = format!("{}", entry.key).into();
        Some(Candidate {
            nested_key_parts: self.required_slots(
                candidate.source,
                entry.node,
                entry.on,
                &name,
                &needs,
            ),
            ..candidate.clone()
        })
    }

    fn candidates_for_field(&mut self, state: &State, on: TypeId, slot: usize) -> Vec<Candidate> {
        let graph = self.search.graph;
        let at = self.scope.at;
        let name = Arc::clone(&self.search.selection.position(at).slots[slot].field);
        let mut found = Vec::new();
        for (source, index) in self.entry_points(state, on) {
            let entry = &graph.source(source).entry_points[index];
            let offer = Offer::from_entry_point(graph, source, index);
            let field = offer
                .node(graph, on)
                .and_then(|node| node.fields.get(&name));
            let Some(field) = field.filter(|field| !field.only_in_keys) else {
                continue;
            };
            let is_given = || {
                let field = (source, at, on, Arc::clone(&name));
                self.search.context.contexts.get(&field).is_some()
            };
            if !field.context_arguments.is_empty() && !is_given() {
                continue;
            }
            let needs = field
                .requires
                .as_ref()
                .map(|needs| self.required_slots(source, entry.node, on, &name, needs));
            let only = entry.cardinality == EntryCardinality::Field || needs.is_some();
            found.push(Candidate {
                source,
                entry: index,
                on,
                slot: only.then_some(slot),
                required_slots: needs,
                nested_key_parts: Arc::default(),
            });
        }
        found
    }

    /// The slots of what a source must be told for a field, made once.
    fn required_slots(
        &mut self,
        source: SourceId,
        node: NodeId,
        on: TypeId,
        name: &Name,
        needs: &[Requirement],
    ) -> Arc<[KeySlot]> {
        let at = self.scope.at;
        let key = (source, node, at, on, Arc::clone(name));
        if let Some(known) = self.search.context.required_slots.get(&key) {
            return Arc::clone(known);
        }
        let types = self.search.graph.types();
        let slots: Arc<[KeySlot]> = self
            .search
            .selection
            .add_required_slots(at, on, needs, types)
            .into();
        let known = &mut self.search.context.required_slots;
        known.insert(key, Arc::clone(&slots));
        slots
    }

    /// Entries that give a part of a key, or the key of an entry that does.
    fn candidates_for_key(
        &self,
        state: &State,
        on: TypeId,
        name: &Name,
        inner: &FieldSet,
    ) -> Vec<Candidate> {
        let graph = self.search.graph;
        let is_providing = |(source, index): &(SourceId, usize)| {
            let definition = graph.source(*source);
            let entry = &definition.entry_points[*index];
            let offer = Offer::from_entry_point(graph, *source, *index);
            entry.cardinality != EntryCardinality::Field
                && offer.node(graph, on).is_some_and(|node| {
                    let fields = &node.fields;
                    self.view_part_provider(&[(*source, fields, FetchSet::default())], name, inner)
                        .is_some()
                })
        };
        let entries = self.entry_points(state, on);
        let entries = entries.into_iter().filter(is_providing);
        entries
            .map(|(source, entry)| Candidate {
                source,
                entry,
                on,
                slot: None,
                required_slots: None,
                nested_key_parts: Arc::default(),
            })
            .collect()
    }

    /// Entries that say of which type the objects are.
    fn candidates_for_type(&self) -> Vec<Candidate> {
        let graph = self.search.graph;
        let ty = self.search.selection.position(self.scope.at).ty;
        let entries = self.supertype_entry_points(ty).into_iter();
        entries
            .filter(|(source, index)| {
                let source = graph.source(*source);
                let node = source.node(source.entry_points[*index].node);
                matches!(node.object_types, ObjectTypes::ByTypename(_))
            })
            .map(|(source, entry)| Candidate {
                source,
                entry,
                on: ty,
                slot: None,
                required_slots: None,
                nested_key_parts: Arc::default(),
            })
            .collect()
    }

    /// Entries for objects of type `on`: while nobody has said of which type they are, those for
    /// objects of any type.
    fn entry_points(&self, state: &State, on: TypeId) -> Vec<(SourceId, usize)> {
        let ty = self.search.selection.position(self.scope.at).ty;
        let is_type_known = self.is_type_known(state);
        let mut found = self.search.graph.entry_points(on).to_vec();
        if !is_type_known && on != ty && self.search.graph.types().get(ty).is_abstract() {
            found.extend(self.supertype_entry_points(ty));
        }
        found
    }

    /// Entries for every object that an abstract type may be.
    fn supertype_entry_points(&self, ty: TypeId) -> Vec<(SourceId, usize)> {
        let types = self.search.graph.types();
        let possible = &types.get(ty).possible_types;
        let supertypes = types.iter().filter(|(_, other)| {
            other.is_abstract()
                && possible
                    .iter()
                    .all(|object| other.possible_types.contains(object))
        });
        supertypes
            .flat_map(|(other, _)| self.search.graph.entry_points(other).iter().copied())
            .collect()
    }
}

impl Candidate {
    /// Whether both are the same entry for the same purpose.
    fn is_same_use(&self, other: &Self) -> bool {
        (self.source, self.entry, self.on, self.slot)
            == (other.source, other.entry, other.on, other.slot)
    }

    /// The parts of the key that are known where the objects stand.
    pub(super) fn plain_key<'k>(
        &'k self,
        entry: &'k EntryPoint,
    ) -> impl Iterator<Item = &'k (Name, FieldSet)> {
        let parts = entry.key.0.iter();
        parts.filter(|(name, _)| self.nested_key_parts.iter().all(|deep| deep.name != *name))
    }

    /// Everything for which slots were made: what the source is told, and deep parts of the key.
    pub(super) fn all_required_slots(&self) -> impl Iterator<Item = &KeySlot> {
        let needs = self.required_slots.iter().flat_map(|needs| needs.iter());
        needs.chain(self.nested_key_parts.iter())
    }

    pub(super) fn offer(&self, graph: &Graph) -> Offer {
        Offer {
            only_slot: self.slot.filter(|_| self.required_slots.is_none()),
            ..Offer::from_entry_point(graph, self.source, self.entry)
        }
    }
}
