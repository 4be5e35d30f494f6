//! Which candidates are tried, and in which order.

use std::collections::HashSet;

use schema::source::{EntryCardinality, SourceId};
use schema::types::TypeId;

use super::super::Offer;
use super::CoverSearch;
use super::candidates::Candidate;
use super::state::{FetchSet, State};

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

impl CoverSearch<'_, '_> {
    /// The cheapest first; one that costs nothing makes the others pointless.
    pub(super) fn ranked(
        &self,
        found: Vec<Candidate>,
        state: &State,
        is_deep: bool,
    ) -> Vec<Candidate> {
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
