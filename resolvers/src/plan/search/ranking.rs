//! Ranking: which candidates are tried, and in which order.

use std::collections::HashSet;

use schema::source::{EntryCardinality, SourceId};
use schema::types::TypeId;

use super::super::{Offer, TypedSlot};
use super::CoverSearch;
use super::candidates::Candidate;
use super::index_set::IndexSet;
use super::state::{FetchSet, State};

/// A candidate with the properties that rank it.
struct Ranked {
    price: Price,
    /// The open slots of the scope that it provides, by their numbers.
    coverage: IndexSet,
    candidate: Candidate,
}

/// What a candidate adds to a state.
struct Price {
    /// The cost of its calls; each missing dependency counts as one more call.
    calls: u64,
    /// Number of chosen fetches that it waits for, and fails with.
    waits: u32,
    /// Whether everything that it depends on is provided already.
    is_ready: bool,
}

/// Cost of one call, far above all other costs together.
pub(super) const CALL_COST: u64 = 1_000_000;

/// Calls assumed for an entry point for single objects below a list.
const ASSUMED_LIST_CALLS: u64 = 20;

impl CoverSearch<'_, '_> {
    /// The candidates worth trying, the cheapest first; a free one makes the others pointless,
    /// unless `is_nested`: each candidate may then provide some of the nested fields.
    pub(super) fn ranked(
        &self,
        candidates: Vec<Candidate>,
        state: &State,
        is_nested: bool,
    ) -> Vec<Candidate> {
        if candidates.len() < 2 {
            return candidates;
        }
        let mut ranked: Vec<Ranked> = candidates
            .into_iter()
            .map(|candidate| Ranked {
                price: self.price(&candidate, state),
                coverage: IndexSet::default(),
                candidate,
            })
            .collect();
        let free = ranked.iter().position(|it| it.price.calls == 0);
        if let Some(free) = free.filter(|_| !is_nested) {
            return vec![ranked.swap_remove(free).candidate];
        }
        drop_detours(&mut ranked);
        let open = self.open_slots(state);
        for it in &mut ranked {
            it.coverage = self.coverage(&it.candidate, &open);
        }
        if !is_nested {
            self.drop_dominated(&mut ranked);
        }
        ranked.sort_by_key(|it| (it.price.calls, std::cmp::Reverse(it.coverage.len())));
        ranked.into_iter().map(|it| it.candidate).collect()
    }

    /// The wanted slots that nothing provides yet.
    fn open_slots(&self, state: &State) -> Vec<TypedSlot> {
        let wants = self.scope.wanted_slots.iter();
        let wants = wants.flat_map(|(on, slots)| slots.iter().map(|slot| (*on, *slot)));
        let open = wants.filter(|(on, slot)| self.slot_provider(state, *on, *slot).is_none());
        open.map(|(on, slot)| self.scope.typed_slot(on, slot))
            .collect()
    }

    /// Drops candidates that provide no more than another one at the same price or less. Of equal
    /// ones, that with fewer fetches before it stays: a fetch that fails takes along what waits.
    fn drop_dominated(&self, ranked: &mut Vec<Ranked>) {
        let is_dominated = |index: usize| {
            let own = &ranked[index];
            let mut others = ranked.iter().enumerate();
            own.candidate.required_slots.is_none()
                && !self.has_nested_objects(&own.candidate)
                && others.any(|(other, it)| {
                    let is_first = (it.price.waits, other) < (own.price.waits, index);
                    it.price.is_ready
                        && it.price.calls <= own.price.calls
                        && own.coverage.is_subset(&it.coverage)
                        && (own.coverage != it.coverage || is_first)
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

    /// Whether the candidate provides objects, whose nested fields count too.
    fn has_nested_objects(&self, candidate: &Candidate) -> bool {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let at = self.scope.at;
        let offer = candidate.offer(graph);
        let slots = &selection.position(at).slots;
        self.scope.wanted_slots.iter().any(|(on, wanted)| {
            let mut composite = wanted.iter().filter(|slot| slots[**slot].child.is_some());
            composite
                .any(|slot| offer.provides(graph, selection, self.scope.typed_slot(*on, *slot)))
        })
    }

    /// The numbers of the open slots that the candidate provides.
    fn coverage(&self, candidate: &Candidate, open: &[TypedSlot]) -> IndexSet {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let offer = candidate.offer(graph);
        let on = candidate.entry_type(graph);
        let is_for = |other: TypeId| candidate.is_shareable(graph) || graph.types().is_a(other, on);
        let mut coverage = IndexSet::default();
        for (number, wanted) in open.iter().copied().enumerate() {
            let on = wanted.on;
            let is_own = is_for(on) && offer.provides(graph, selection, wanted);
            let has_sibling = || {
                let entries = graph.entry_points(on).iter();
                let mut siblings = entries.filter(|(source, _)| *source == candidate.source);
                siblings.any(|(source, index)| {
                    let offer = Offer::from_entry_point(graph, *source, *index);
                    offer.provides(graph, selection, wanted)
                })
            };
            if is_own || (candidate.is_shareable(graph) && has_sibling()) {
                coverage.insert(number);
            }
        }
        coverage
    }

    fn price(&self, candidate: &Candidate, state: &State) -> Price {
        let entry = candidate.entry_point(self.search.graph);
        let mut dependencies = FetchSet::default();
        let is_abstract = self.search.graph.types().get(entry.on).is_abstract();
        let mut missing = u64::from(!is_abstract && !self.is_type_known(state));
        for (name, inner) in candidate.plain_key(entry) {
            match self.key_part_provider(state, entry.on, name, inner) {
                Some(providers) => dependencies.add(&providers),
                None => missing += 1,
            }
        }
        for required in candidate.all_required_slots() {
            match self.slot_provider(state, candidate.on, required.slot) {
                Some(providers) => dependencies.add(&providers),
                None => missing += 1,
            }
            let slots = &self.search.selection.position(self.scope.at).slots;
            missing += u64::from(slots[required.slot].child.is_some());
        }
        let dependencies = state.closure(&dependencies);
        let call = match self.shareable_fetch(candidate, state, &dependencies) {
            Some(_) => 0,
            None => self.call_cost(candidate),
        };
        Price {
            calls: call + missing * CALL_COST,
            waits: dependencies.len(),
            is_ready: missing == 0,
        }
    }

    /// The cost of the calls of a new fetch for the candidate.
    pub(super) fn call_cost(&self, candidate: &Candidate) -> u64 {
        let in_list = self.search.selection.position(self.scope.at).in_list;
        match (
            candidate.entry_point(self.search.graph).cardinality,
            in_list,
        ) {
            // A batch is preferred to a single call, because other operations can share it.
            (EntryCardinality::Batch(_), _) => CALL_COST,
            (EntryCardinality::Object | EntryCardinality::Field, false) => CALL_COST + 1,
            (EntryCardinality::Object | EntryCardinality::Field, true) => {
                CALL_COST * ASSUMED_LIST_CALLS
            }
        }
    }
}

/// Drops candidates with missing keys where another key of the same source is ready: they lead to
/// the same fields.
fn drop_detours(ranked: &mut Vec<Ranked>) {
    let ready: Vec<(SourceId, TypeId, Option<usize>)> = ranked
        .iter()
        .filter(|it| it.price.is_ready)
        .map(|it| (it.candidate.source, it.candidate.on, it.candidate.slot))
        .collect();
    ranked.retain(|it| {
        let candidate = &it.candidate;
        it.price.is_ready || !ready.contains(&(candidate.source, candidate.on, candidate.slot))
    });
}
