//! Candidates: entry points that may reach a goal.

use std::sync::Arc;

use schema::graph::Graph;
use schema::key::{FieldSet, Requirement};
use schema::source::{Access, EntryCardinality, EntryPoint, ObjectTypes, SourceId};
use schema::types::{Name, TypeId};

use super::super::Offer;
use super::goal::Goal;
use super::state::{FetchSet, State};
use super::{CoverSearch, RequirementKey};
use crate::selection::KeySlot;

/// An entry point that may be used for a scope.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) source: SourceId,
    pub(super) entry: usize,
    /// The type of the objects to fetch.
    pub(super) on: TypeId,
    /// The slot of the field, if the entry point serves a single field or the field has
    /// requirements.
    pub(super) slot: Option<usize>,
    /// The slots of the field's requirements.
    pub(super) required_slots: Option<Arc<[KeySlot]>>,
    /// Key parts with nested fields that other fetches must provide.
    pub(super) nested_key_parts: Arc<[KeySlot]>,
}

impl Candidate {
    pub(super) fn entry_point<'g>(&self, graph: &'g Graph) -> &'g EntryPoint {
        &graph.source(self.source).entry_points[self.entry]
    }

    /// The type that the entry point is for, which may be abstract.
    pub(super) fn entry_type(&self, graph: &Graph) -> TypeId {
        self.entry_point(graph).on
    }

    /// Whether the source defines an interface as an object (`@interfaceObject`), and so does not
    /// know the object types.
    pub(super) fn is_interface_object(&self, graph: &Graph) -> bool {
        let node = graph.source(self.source).node(self.entry_point(graph).node);
        matches!(node.object_types, ObjectTypes::UnknownType)
    }

    /// Whether one fetch can serve several candidates of the source.
    pub(super) fn is_shareable(&self, graph: &Graph) -> bool {
        matches!(graph.source(self.source).access, Access::Graphql(_))
    }
}

impl CoverSearch<'_, '_> {
    /// The candidates for `goal`, the most promising first, without those already in `goals`.
    pub(super) fn candidates(
        &mut self,
        goal: &Goal,
        state: &State,
        goals: &[Goal],
    ) -> Vec<Candidate> {
        let is_pending = |candidate: &Candidate| {
            goals
                .iter()
                .any(|goal| matches!(goal, Goal::Use(other) if candidate.is_same_use(other)))
        };
        let chain = goals.iter().filter(|goal| matches!(goal, Goal::Use(_)));
        if chain.count() > self.search.context.limits.chain {
            return Vec::new();
        }
        let mut candidates = match goal {
            Goal::Field(on, slot) => self.candidates_for_field(state, *on, *slot),
            Goal::Key(on, (name, inner)) => self.candidates_for_key(state, *on, name, inner),
            Goal::Typename => self.candidates_for_type(),
            Goal::Use(_) | Goal::Verify(_) => Vec::new(),
        };
        let only = self.scope.only_source;
        candidates.retain(|candidate| {
            !is_pending(candidate) && only.is_none_or(|only| only == candidate.source)
        });
        let is_nested = matches!(goal, Goal::Field(_, slot) if self.is_nested_requirement(*slot));
        if is_nested {
            // Each may provide some of the nested fields; used ones have provided theirs.
            candidates.retain(|candidate| !self.is_used(candidate, state));
        }
        let with_nested_keys: Vec<Candidate> = candidates
            .iter()
            .filter_map(|candidate| self.with_nested_key(candidate, state))
            .collect();
        candidates.extend(with_nested_keys);
        self.ranked(candidates, state, is_nested)
    }

    /// The candidate with nested key parts: objects in its key whose fields are not all provided,
    /// so that other fetches must provide the rest.
    fn with_nested_key(&mut self, candidate: &Candidate, state: &State) -> Option<Candidate> {
        let graph = self.search.graph;
        let entry = candidate.entry_point(graph);
        let missing = entry.key.0.iter();
        let missing: Vec<_> = missing
            .filter(|(name, inner)| {
                let provider = self.key_part_provider(state, entry.on, name, inner);
                !inner.is_empty() && provider.is_none()
            })
            .collect();
        if missing.is_empty() {
            return None;
        }
        let requirements: Vec<Requirement> = missing
            .into_iter()
            .map(|(field, inner)| Requirement::from_key_field(field, inner))
            .collect();
        let key = RequirementKey {
            source: candidate.source,
            node: entry.node,
            at: self.scope.at,
            on: entry.on,
            name: entry.key.to_string().into(),
        };
        Some(Candidate {
            nested_key_parts: self.required_slots(key, &requirements),
            ..candidate.clone()
        })
    }

    fn candidates_for_field(&mut self, state: &State, on: TypeId, slot: usize) -> Vec<Candidate> {
        let graph = self.search.graph;
        let at = self.scope.at;
        let name = Arc::clone(&self.search.selection.position(at).slots[slot].field);
        let mut candidates = Vec::new();
        for (source, index) in self.entry_points(state, on) {
            let entry = &graph.source(source).entry_points[index];
            let offer = Offer::from_entry_point(graph, source, index);
            let field = offer
                .node(graph, on)
                .and_then(|node| node.fields.get(&name));
            let Some(field) = field.filter(|field| !field.only_in_keys) else {
                continue;
            };
            let has_contexts = || {
                let field = (source, at, on, Arc::clone(&name));
                self.search.context.contexts.get(&field).is_some()
            };
            if !field.context_arguments.is_empty() && !has_contexts() {
                continue;
            }
            let required_slots = field.requires.as_ref().map(|requirements| {
                let key = RequirementKey {
                    source,
                    node: entry.node,
                    at,
                    on,
                    name: Arc::clone(&name),
                };
                self.required_slots(key, requirements)
            });
            let is_for_slot =
                entry.cardinality == EntryCardinality::Field || required_slots.is_some();
            candidates.push(Candidate {
                source,
                entry: index,
                on,
                slot: is_for_slot.then_some(slot),
                required_slots,
                nested_key_parts: Arc::default(),
            });
        }
        candidates
    }

    /// The slots of the requirements of a field or key, added on first use.
    fn required_slots(
        &mut self,
        key: RequirementKey,
        requirements: &[Requirement],
    ) -> Arc<[KeySlot]> {
        if let Some(known) = self.search.context.required_slots.get(&key) {
            return Arc::clone(known);
        }
        let graph = self.search.graph;
        let slots: Arc<[KeySlot]> = self
            .search
            .selection
            .add_required_slots(key.at, key.on, requirements, graph)
            .into();
        let known = &mut self.search.context.required_slots;
        known.insert(key, Arc::clone(&slots));
        slots
    }

    /// Entry points that provide a key field.
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

    /// Entry points that return the types of the objects.
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

    /// Entry points for objects of type `on`, and while the types are not known also those for
    /// supertypes.
    fn entry_points(&self, state: &State, on: TypeId) -> Vec<(SourceId, usize)> {
        let ty = self.search.selection.position(self.scope.at).ty;
        let is_type_known = self.is_type_known(state);
        let mut entry_points = self.search.graph.entry_points(on).to_vec();
        if !is_type_known && on != ty && self.search.graph.types().get(ty).is_abstract() {
            entry_points.extend(self.supertype_entry_points(ty));
        }
        entry_points
    }

    /// Entry points for `ty` and for abstract types that have all of its possible types.
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
    /// Whether both use the same entry point for the same type and slot.
    fn is_same_use(&self, other: &Self) -> bool {
        (self.source, self.entry, self.on, self.slot)
            == (other.source, other.entry, other.on, other.slot)
    }

    /// The key fields except nested key parts.
    pub(super) fn plain_key<'k>(
        &'k self,
        entry: &'k EntryPoint,
    ) -> impl Iterator<Item = &'k (Name, FieldSet)> {
        let parts = entry.key.0.iter();
        parts.filter(|(name, _)| self.nested_key_parts.iter().all(|part| part.name != *name))
    }

    /// The slots of requirements and of nested key parts.
    pub(super) fn all_required_slots(&self) -> impl Iterator<Item = &KeySlot> {
        let required_slots = self.required_slots.iter().flat_map(|slots| slots.iter());
        required_slots.chain(self.nested_key_parts.iter())
    }

    /// The offer of the entry point.
    pub(super) fn offer(&self, graph: &Graph) -> Offer {
        Offer {
            only_slot: self.slot.filter(|_| self.required_slots.is_none()),
            ..Offer::from_entry_point(graph, self.source, self.entry)
        }
    }
}
