//! Entries that bring a goal nearer.

use std::collections::HashSet;
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

/// A candidate and what speaks for it.
struct Ranked {
    price: u64,
    /// Whether all that it must know is there.
    is_ready: bool,
    /// The wants that it gives.
    coverage: u64,
    candidate: Candidate,
}

/// One call.
pub(super) const CALL_COST: u64 = 1_000_000;

/// Calls that an entry for single objects is taken to make where there may be many.
const ASSUMED_LIST_CALLS: u64 = 20;

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

    /// The cheapest first; one that costs nothing makes the others pointless.
    fn ranked(&self, found: Vec<Candidate>, state: &State, is_deep: bool) -> Vec<Candidate> {
        let mut ranked: Vec<Ranked> = found
            .into_iter()
            .map(|candidate| {
                let (price, is_ready) = self.price(&candidate, state);
                Ranked {
                    price,
                    is_ready,
                    coverage: self.coverage(&candidate, state),
                    candidate,
                }
            })
            .collect();
        let free = ranked.iter().position(|it| it.price == 0);
        if let Some(free) = free.filter(|_| !is_deep) {
            return vec![ranked.swap_remove(free).candidate];
        }
        drop_detours(&mut ranked);
        if !is_deep {
            self.drop_dominated(&mut ranked);
        }
        ranked.sort_by_key(|it| (it.price, std::cmp::Reverse(it.coverage.count_ones())));
        ranked.into_iter().map(|it| it.candidate).collect()
    }

    /// Nothing is lost with a candidate that gives less than another for the same price.
    fn drop_dominated(&self, ranked: &mut Vec<Ranked>) {
        let is_dominated = |index: usize| {
            let own = &ranked[index];
            let mut others = ranked.iter().enumerate();
            own.candidate.required_slots.is_none()
                && !self.has_nested_objects(&own.candidate)
                && others.any(|(other, it)| {
                    it.is_ready
                        && it.price <= own.price
                        && own.coverage & !it.coverage == 0
                        && (own.coverage != it.coverage || other < index)
                        && other != index
                })
        };
        let dominated: HashSet<usize> = (0..ranked.len())
            .filter(|index| is_dominated(*index))
            .collect();
        let mut index = 0;
        ranked.retain(|_| {
            index += 1;
            !dominated.contains(&(index - 1))
        });
    }

    /// Whether it gives objects, so that what is inside of them counts too.
    fn has_nested_objects(&self, candidate: &Candidate) -> bool {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let at = self.scope.at;
        let offer = candidate.offer(graph);
        let slots = &selection.position(at).slots;
        self.scope.wanted_slots.iter().any(|(on, wanted)| {
            let mut inside = wanted.iter().filter(|slot| slots[**slot].child.is_some());
            inside.any(|slot| offer.provides(graph, selection, self.scope.typed_slot(*on, *slot)))
        })
    }

    /// Which of the wants that nobody gives yet it gives; the first 64 of them count.
    fn coverage(&self, candidate: &Candidate, state: &State) -> u64 {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let offer = candidate.offer(graph);
        let on = candidate.entry_type(graph);
        let is_for = |other: TypeId| candidate.is_shareable(graph) || graph.types().is_a(other, on);
        let wants = self.scope.wanted_slots.iter();
        let wants = wants.flat_map(|(on, slots)| slots.iter().map(|slot| (*on, *slot)));
        let open = wants.filter(|(on, slot)| self.slot_provider(state, *on, *slot).is_none());
        let mut coverage = 0;
        for (bit, (on, slot)) in open.take(64).enumerate() {
            let wanted = self.scope.typed_slot(on, slot);
            let own = is_for(on) && offer.provides(graph, selection, wanted);
            let elsewhere = || {
                let entries = graph.entry_points(on).iter();
                let mut same = entries.filter(|(source, _)| *source == candidate.source);
                same.any(|(source, index)| {
                    let offer = Offer::from_entry_point(graph, *source, *index);
                    offer.provides(graph, selection, wanted)
                })
            };
            if own || (candidate.is_shareable(graph) && elsewhere()) {
                coverage |= 1 << bit;
            }
        }
        coverage
    }

    /// What using it adds, and whether all that it must know is there; where it is not, more.
    fn price(&self, candidate: &Candidate, state: &State) -> (u64, bool) {
        let entry = candidate.entry_point(self.search.graph);
        let mut deps = FetchSet::default();
        let is_abstract = self.search.graph.types().get(entry.on).is_abstract();
        let mut missing = u64::from(!is_abstract && !self.is_type_known(state));
        for part in candidate.plain_key(entry) {
            match self.key_part_provider(state, entry.on, &part.0, &part.1) {
                Some(waits) => deps.add(waits),
                None => missing += 1,
            }
        }
        for need in candidate.all_required_slots() {
            match self.slot_provider(state, candidate.on, need.slot) {
                Some(waits) => deps.add(waits),
                None => missing += 1,
            }
            let slots = &self.search.selection.position(self.scope.at).slots;
            missing += u64::from(slots[need.slot].child.is_some());
        }
        let deps = state.closure(deps);
        let call = match self.shareable_fetch(candidate, state, deps) {
            Some(_) => 0,
            None => self.call_cost(candidate),
        };
        (call + missing * CALL_COST, missing == 0)
    }

    pub(super) fn call_cost(&self, candidate: &Candidate) -> u64 {
        let many = self.search.selection.position(self.scope.at).in_list;
        match (candidate.entry_point(self.search.graph).cardinality, many) {
            // Of two that would do, the one that other operations can share is taken.
            (EntryCardinality::Batch(_), _) => CALL_COST,
            (EntryCardinality::Object | EntryCardinality::Field, false) => CALL_COST + 1,
            (EntryCardinality::Object | EntryCardinality::Field, true) => {
                CALL_COST * ASSUMED_LIST_CALLS
            }
        }
    }
}

/// Where one key of a source is known already, its other keys lead nowhere else.
fn drop_detours(ranked: &mut Vec<Ranked>) {
    let ready: Vec<(SourceId, TypeId, Option<usize>)> = ranked
        .iter()
        .filter(|it| it.is_ready)
        .map(|it| (it.candidate.source, it.candidate.on, it.candidate.slot))
        .collect();
    ranked.retain(|it| {
        let candidate = &it.candidate;
        it.is_ready || !ready.contains(&(candidate.source, candidate.on, candidate.slot))
    });
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
