//! The cheapest set of fetches for a place: a bounded search over covers.
//!
//! Paths share fetches, so the cost of a field is what it adds to the fetches already chosen.
//! At a place, the fetches that reach it offer fields for nothing; every other field needs an
//! entry. Sets of entries that cover the fields are compared, children included, and branches
//! that cost more than the best set so far are cut. A budget bounds the work; when it is spent,
//! the best set so far (or the first one found) is taken.
//!
//! What is still to be done is a stack of goals: a field is wanted, a part of a key must be known,
//! an entry is to be used once all that it must know is there.

use std::collections::HashMap;
use std::sync::Arc;

use schema::graph::Graph;
use schema::source::{NodeId, SourceId};
use schema::types::{Name, TypeId};

use self::candidates::Candidate;
use self::goal::Goal;
pub(super) use self::goal::{MAX_REQUIREMENT_DEPTH, TYPENAME};
use self::ranking::CALL_COST;
use self::state::State;
pub(super) use self::state::{ChosenFetch, FulfilledRequirement, NestedKey};
use super::contexts::Contexts;
use super::{Offer, PlanScope};
use crate::selection::{KeySlot, PositionId, Selection};

mod candidates;
mod goal;
mod nested;
mod ranking;
mod state;

/// The entries to use at a place, each after all that it needs.
#[derive(Clone, Debug)]
pub(super) struct Cover {
    pub(super) cost: u64,
    pub(super) chosen_fetches: Vec<ChosenFetch>,
}

/// Searches covers.
pub(super) struct Search<'a> {
    pub(super) graph: &'a Graph,
    pub(super) selection: &'a mut Selection,
    pub(super) context: &'a mut SearchContext,
}

/// What the searches of one plan know and may still spend.
pub(super) struct SearchContext {
    pub(super) contexts: Contexts,
    covers: HashMap<(PlanScope, Vec<Offer>), Option<Arc<Cover>>>,
    /// The slots of what sources must be told, once they were thought of.
    required_slots: HashMap<RequirementKey, Arc<[KeySlot]>>,
    /// How many searches for what is told stand around the one under way.
    requirement_depth: u32,
    budget: u32,
    is_complete: bool,
    /// Choices looked at after the budget was spent.
    overdraft: u32,
}

/// A field that a source gives of objects at a place once it is told something.
type RequirementKey = (SourceId, NodeId, PositionId, TypeId, Name);

impl SearchContext {
    pub(super) fn new(contexts: Contexts) -> Self {
        Self {
            contexts,
            covers: HashMap::new(),
            required_slots: HashMap::new(),
            requirement_depth: 0,
            budget: BUDGET,
            is_complete: true,
            overdraft: 0,
        }
    }

    /// Whether the budget was enough for everything.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete && self.budget > 0
    }

    fn spend(&mut self) {
        match self.budget {
            0 => self.overdraft += 1,
            _ => self.budget -= 1,
        }
    }
}

/// Choices looked at; more than any operation over a sound graph needs.
const BUDGET: u32 = 20_000;

/// Of these, at one place, so that no place takes what others need.
const SCOPE_BUDGET: u32 = 4_000;

/// Choices looked at beyond it, where there is no plan at all yet.
const MAX_OVERDRAFT: u32 = 4 * BUDGET;

impl Search<'_> {
    /// The cheapest entries that fill `place` together with what `offers` give; `None` when
    /// no set of entries does.
    pub(super) fn cover(&mut self, scope: &PlanScope, offers: &[Offer]) -> Option<Arc<Cover>> {
        let key = (scope.clone(), normalized(offers));
        if let Some(known) = self.context.covers.get(&key) {
            return known.clone();
        }
        let mut attempt = CoverSearch {
            search: self,
            scope,
            best: None,
            spent: 0,
        };
        attempt.solve(State::new(&key.1), Goal::all(scope));
        let best = attempt.best.map(Arc::new);
        self.context.covers.insert(key, best.clone());
        best
    }
}

/// The offers in one order, with levels that count from the earliest of them: how far down a
/// place stands makes no difference to what is best there.
fn normalized(offers: &[Offer]) -> Vec<Offer> {
    let first = first_level(offers);
    let normalized = offers.iter().map(|offer| Offer {
        level: offer.level - first,
        ..*offer
    });
    let mut relative: Vec<Offer> = normalized.collect();
    relative.sort_unstable();
    relative.dedup();
    relative
}

/// The level of the earliest offer, from which those of a cover count.
pub(super) fn first_level(offers: &[Offer]) -> u32 {
    offers.iter().map(|offer| offer.level).min().unwrap_or(0)
}

/// One search at one place.
struct CoverSearch<'s, 'a> {
    search: &'s mut Search<'a>,
    scope: &'s PlanScope,
    best: Option<Cover>,
    /// Choices looked at here.
    spent: u32,
}

impl CoverSearch<'_, '_> {
    /// Reaches every goal, the last one first, in every way that may be the cheapest.
    fn solve(&mut self, mut state: State, mut goals: Vec<Goal>) {
        loop {
            if self.is_hopeless(&state, &goals) {
                return;
            }
            self.spend();
            let Some(goal) = goals.pop() else {
                return self.accept_cover(&state);
            };
            match goal {
                Goal::Use(candidate) => {
                    if !self.use_candidate(&candidate, &mut state) {
                        return;
                    }
                }
                Goal::Verify(goal) => {
                    if !self.is_reached(&goal, &state) {
                        return; // The candidate did not bring what it seemed to.
                    }
                }
                goal if self.is_reached(&goal, &state) => {}
                goal => {
                    for candidate in self.candidates(&goal, &state, &goals) {
                        let mut goals = goals.clone();
                        goals.push(self.follow_up_goal(&goal));
                        self.push_goals(candidate, &mut goals);
                        self.solve(state.clone(), goals);
                        if self.is_spent() && self.best.is_some() {
                            return;
                        }
                    }
                    return;
                }
            }
        }
    }

    fn spend(&mut self) {
        self.spent += 1;
        self.search.context.spend();
        if self.spent > SCOPE_BUDGET {
            self.search.context.is_complete = false;
        }
    }

    fn is_spent(&self) -> bool {
        self.spent > SCOPE_BUDGET || self.search.context.budget == 0
    }

    /// What is to be looked at once a candidate for `goal` was used. What a source is told may
    /// have to come from several others; everything else comes from one.
    fn follow_up_goal(&self, goal: &Goal) -> Goal {
        match goal {
            Goal::Field(_, slot) if self.is_nested_requirement(*slot) => goal.clone(),
            _ => Goal::Verify(Box::new(goal.clone())),
        }
    }

    /// Whether a slot holds objects that only a source is to be told of.
    fn is_nested_requirement(&self, slot: usize) -> bool {
        let slot = &self.search.selection.position(self.scope.at).slots[slot];
        slot.on.is_empty() && slot.child.is_some()
    }

    /// A candidate is used after all that it must know is there.
    fn push_goals(&self, candidate: Candidate, goals: &mut Vec<Goal>) {
        let entry = &self.search.graph.source(candidate.source).entry_points[candidate.entry];
        let parts = candidate.plain_key(entry);
        let parts: Vec<Goal> = parts
            .map(|part| Goal::Key(entry.on, part.clone()))
            .collect();
        let requirements: Vec<Goal> = candidate
            .all_required_slots()
            .map(|need| Goal::Field(candidate.on, need.slot))
            .collect();
        let on = candidate.entry_type(self.search.graph);
        let needs_typename = !self.search.graph.types().get(on).is_abstract();
        goals.push(Goal::Use(candidate));
        goals.extend(parts);
        goals.extend(requirements);
        goals.extend(needs_typename.then_some(Goal::Typename));
    }

    /// Whether nothing better than the best cover can come of `state`.
    fn is_hopeless(&self, state: &State, goals: &[Goal]) -> bool {
        let best = self.best.as_ref();
        best.is_some_and(|best| state.cost + lower_bound(state, goals) >= best.cost)
            || (best.is_some() && self.is_spent())
            || self.search.context.overdraft > MAX_OVERDRAFT
    }

    /// All fields are offered; what is inside them decides. Then the same with one entry more,
    /// where that could save fetches further in.
    fn accept_cover(&mut self, state: &State) {
        let is_consistent = self.scope.wanted_slots.len() < 2
            || (self.is_consistent(state) && self.is_required_of_all_types(state));
        let nested_cost = is_consistent
            .then(|| self.nested_scopes_cost(state))
            .flatten();
        if let Some(inside) = nested_cost {
            let cost = state.cost + inside + self.lateness(state);
            if self.best.as_ref().is_none_or(|best| cost < best.cost) {
                self.best = Some(Cover {
                    cost,
                    chosen_fetches: state.ordered(),
                });
            }
            if inside < CALL_COST {
                return;
            }
        }
        for (number, candidate) in self.extra_candidates(state) {
            let mut state = state.clone();
            state.extra_decided = number + 1;
            let mut goals = Vec::new();
            self.push_goals(candidate, &mut goals);
            self.solve(state, goals);
        }
    }
}

/// What the entries that are to be used cost at the least: a call for each source of which
/// nothing is chosen yet.
fn lower_bound(state: &State, goals: &[Goal]) -> u64 {
    let mut cost = 0;
    for (index, goal) in goals.iter().enumerate() {
        let Goal::Use(candidate) = goal else {
            continue;
        };
        let is_new = state.chosen.iter().all(|it| it.source != candidate.source);
        let is_first = goals[..index].iter().all(
            |earlier| !matches!(earlier, Goal::Use(other) if other.source == candidate.source),
        );
        if is_new && is_first {
            cost += CALL_COST;
        }
    }
    cost
}
