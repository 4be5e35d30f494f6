//! The cheapest set of fetches for a scope: a bounded branch-and-bound search over covers.
//!
//! Fetches that reach a position offer fields at no cost; every other field needs an entry point.
//! The cost of a field is what it adds to the fetches already chosen, because paths share fetches.
//! Covers are compared with their nested scopes, and branches that cost more than the best cover
//! are cut. A budget bounds the work; once it is spent, the best cover so far (or the first one) is
//! used. Open work is a stack of goals: a field, a key field, an entry point to use.

use std::collections::HashMap;
use std::sync::Arc;

use schema::graph::Graph;
use schema::source::{NodeId, SourceId};
use schema::types::{Name, TypeId};

use self::candidates::Candidate;
use self::goal::Goal;
pub(super) use self::goal::TYPENAME;
use self::limits::Limits;
pub(super) use self::limits::MAX_REQUIREMENT_DEPTH;
use self::ranking::CALL_COST;
use self::state::State;
pub(super) use self::state::{ChosenFetch, FetchRole, FulfilledRequirement, NestedKey};
use super::contexts::Contexts;
use super::{Offer, PlanScope};
use crate::selection::{KeySlot, PositionId, Selection};

mod candidates;
mod goal;
mod independent;
mod index_set;
mod limits;
mod nested;
mod ranking;
mod state;

/// The fetches to make for a scope, each after all that it depends on.
#[derive(Clone, Debug)]
pub(super) struct Cover {
    pub(super) cost: u64,
    pub(super) chosen_fetches: Vec<ChosenFetch>,
}

/// Searches for the cheapest covers of scopes.
pub(super) struct Search<'a> {
    pub(super) graph: &'a Graph,
    pub(super) selection: &'a mut Selection,
    pub(super) context: &'a mut SearchContext,
}

/// State that the searches of one plan share: known covers and the remaining budget.
pub(super) struct SearchContext {
    pub(super) contexts: Contexts,
    covers: HashMap<(PlanScope, Vec<Offer>), Option<Arc<Cover>>>,
    /// Slots that were added for required fields and nested key parts.
    required_slots: HashMap<RequirementKey, Arc<[KeySlot]>>,
    /// Number of requirements that enclose the current search.
    requirement_depth: u32,
    budget: u32,
    is_complete: bool,
    /// Steps made after the budget was spent.
    overdraft: u64,
    limits: Limits,
    /// Number of choices with untried candidates, in all searches under way.
    open_choices: usize,
}

/// A field with requirements, or a key with nested parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct RequirementKey {
    source: SourceId,
    node: NodeId,
    at: PositionId,
    on: TypeId,
    /// The name of the field, or the key as text.
    name: Name,
}

impl SearchContext {
    /// The context of the plan of an operation that selects `slots` slots.
    pub(super) fn new(contexts: Contexts, slots: usize) -> Self {
        Self {
            contexts,
            covers: HashMap::new(),
            required_slots: HashMap::new(),
            requirement_depth: 0,
            budget: BUDGET,
            is_complete: true,
            overdraft: 0,
            limits: Limits::usual(slots),
            open_choices: 0,
        }
    }

    /// Allows chains that no usual graph needs, so that a scope without a cover is searched once
    /// more; false if they are allowed already.
    pub(super) fn lift_limits(&mut self) -> bool {
        let is_lifted = self.limits.lift();
        if is_lifted {
            self.overdraft = 0;
            self.covers.retain(|_, cover| cover.is_some());
        }
        is_lifted
    }

    /// Whether the budget allowed every choice to be compared.
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

/// Maximum steps of all searches of one plan; sound graphs need far fewer.
const BUDGET: u32 = 20_000;

/// Maximum steps of the search for one scope, so that no scope uses up the whole budget.
const SCOPE_BUDGET: u32 = 4_000;

/// Maximum open choices, each a level of the call stack; beyond them the best candidate is used.
const MAX_OPEN_CHOICES: usize = 256;

impl Search<'_> {
    /// The cheapest cover that, together with `offers`, fills `scope`; `None` if there is none even
    /// with lifted limits.
    pub(super) fn required_cover(
        &mut self,
        scope: &PlanScope,
        offers: &[Offer],
    ) -> Option<Arc<Cover>> {
        let cover = self.cover(scope, offers);
        if cover.is_none() && self.context.lift_limits() {
            return self.cover(scope, offers);
        }
        cover
    }

    /// The cheapest cover that, together with `offers`, fills `scope`; `None` if there is none.
    pub(super) fn cover(&mut self, scope: &PlanScope, offers: &[Offer]) -> Option<Arc<Cover>> {
        let key = (scope.clone(), normalized(offers));
        if let Some(known) = self.context.covers.get(&key) {
            return known.clone();
        }
        let mut cover_search = CoverSearch {
            search: self,
            scope,
            best: None,
            spent: 0,
            goal_count: 0,
        };
        let best = if let Some(scopes) = cover_search.independent_scopes(&key.1) {
            self.joint_cover(scope, &scopes, offers)
        } else {
            let goals = Goal::all(scope);
            cover_search.goal_count = goals.len();
            cover_search.solve(State::new(&key.1), goals);
            cover_search.best
        };
        let best = best.map(Arc::new);
        self.context.covers.insert(key, best.clone());
        best
    }
}

/// The offers sorted, with levels relative to the earliest: the best cover does not depend on how
/// late its position is reached, so that known covers apply at any level.
fn normalized(offers: &[Offer]) -> Vec<Offer> {
    let first = first_level(offers);
    let relative = offers.iter().map(|offer| Offer {
        level: offer.level - first,
        ..*offer
    });
    let mut normalized: Vec<Offer> = relative.collect();
    normalized.sort_unstable();
    normalized.dedup();
    normalized
}

/// The level of the earliest offer, which the levels of a cover are relative to.
pub(super) fn first_level(offers: &[Offer]) -> u32 {
    offers.iter().map(|offer| offer.level).min().unwrap_or(0)
}

/// The search for the best cover of one scope.
struct CoverSearch<'s, 'a> {
    search: &'s mut Search<'a>,
    scope: &'s PlanScope,
    best: Option<Cover>,
    /// Steps made for this scope.
    spent: u32,
    /// Number of goals that the search began with: one for each wanted slot.
    goal_count: usize,
}

impl CoverSearch<'_, '_> {
    /// Reaches all goals, the last one first, and tries every candidate that may lead to the
    /// cheapest cover.
    fn solve(&mut self, mut state: State, mut goals: Vec<Goal>) {
        loop {
            if self.is_hopeless(&state, &goals) {
                return;
            }
            self.spend();
            let Some(goal) = goals.pop() else {
                return self.accept_cover(&state);
            };
            // The goals that the search began with lie below all that they led to.
            if goals.len() + state.wanted + 1 == self.goal_count {
                state.wanted += 1;
            }
            match goal {
                Goal::Use(candidate) => {
                    if !self.use_candidate(&candidate, &mut state) {
                        return;
                    }
                }
                Goal::Verify(goal) => {
                    if !self.is_reached(&goal, &state) {
                        return; // The candidate did not provide what its offer promised.
                    }
                }
                goal if self.is_reached(&goal, &state) => {}
                goal => {
                    let Some(last) = self.try_candidates(&goal, &state, &goals) else {
                        return;
                    };
                    goals.push(self.follow_up_goal(&goal));
                    self.push_goals(last, &mut goals);
                }
            }
        }
    }

    /// Tries all candidates for a goal but the last one, which is returned: nothing needs to be
    /// remembered for it. `None` if there is none, or no steps are left for it.
    fn try_candidates(&mut self, goal: &Goal, state: &State, goals: &[Goal]) -> Option<Candidate> {
        let mut candidates = self.candidates(goal, state, goals);
        if self.search.context.open_choices >= MAX_OPEN_CHOICES && candidates.len() > 1 {
            candidates.truncate(1);
            self.search.context.is_complete = false;
        }
        let last = candidates.pop()?;
        for candidate in candidates {
            let mut goals = goals.to_vec();
            goals.push(self.follow_up_goal(goal));
            self.push_goals(candidate, &mut goals);
            self.search.context.open_choices += 1;
            self.solve(state.clone(), goals);
            self.search.context.open_choices -= 1;
            if self.is_spent() && self.best.is_some() {
                return None;
            }
        }
        Some(last)
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

    /// The goal to check after a candidate for `goal` was used. A requirement with nested fields
    /// may need several fetches; every other goal is reached by one.
    fn follow_up_goal(&self, goal: &Goal) -> Goal {
        match goal {
            Goal::Field(_, slot) if self.is_nested_requirement(*slot) => goal.clone(),
            _ => Goal::Verify(Box::new(goal.clone())),
        }
    }

    /// Whether a slot holds objects that only a requirement selects.
    fn is_nested_requirement(&self, slot: usize) -> bool {
        let slot = &self.search.selection.position(self.scope.at).slots[slot];
        slot.on.is_empty() && slot.child.is_some()
    }

    /// Pushes the use of a candidate, and above it the goals it depends on: key fields, required
    /// fields, object types.
    fn push_goals(&self, candidate: Candidate, goals: &mut Vec<Goal>) {
        let entry = &self.search.graph.source(candidate.source).entry_points[candidate.entry];
        let key_fields = candidate.plain_key(entry);
        let key_fields: Vec<Goal> = key_fields
            .map(|field| Goal::Key(entry.on, field.clone()))
            .collect();
        let requirements: Vec<Goal> = candidate
            .all_required_slots()
            .map(|required| Goal::Field(candidate.on, required.slot))
            .collect();
        let on = candidate.entry_type(self.search.graph);
        let needs_typename = !self.search.graph.types().get(on).is_abstract();
        goals.push(Goal::Use(candidate));
        goals.extend(key_fields);
        goals.extend(requirements);
        goals.extend(needs_typename.then_some(Goal::Typename));
    }

    /// Whether no cover reached from `state` can be cheaper than the best one.
    fn is_hopeless(&self, state: &State, goals: &[Goal]) -> bool {
        let best = self.best.as_ref();
        best.is_some_and(|best| state.cost + lower_bound(state, goals) >= best.cost)
            || (best.is_some() && self.is_spent())
            || self.search.context.overdraft > self.search.context.limits.overdraft
    }

    /// Compares a state that reaches all goals with the best cover, by the cost of its nested
    /// scopes; then tries one more entry point if that could save nested fetches.
    fn accept_cover(&mut self, state: &State) {
        let is_consistent = self.scope.wanted_slots.len() < 2
            || (self.is_consistent(state) && self.is_required_of_all_types(state));
        let nested_cost = is_consistent
            .then(|| self.nested_scopes_cost(state))
            .flatten();
        if let Some(nested_cost) = nested_cost {
            let cost = state.cost + nested_cost + self.lateness(state);
            if self.best.as_ref().is_none_or(|best| cost < best.cost) {
                self.best = Some(Cover {
                    cost,
                    chosen_fetches: state.ordered(),
                });
            }
            if nested_cost < CALL_COST {
                return;
            }
        }
        for (number, candidate) in self.extra_candidates(state) {
            let mut state = state.clone();
            state.extra_decided = number + 1;
            state.wanted = self.goal_count + 1;
            let mut goals = Vec::new();
            self.push_goals(candidate, &mut goals);
            self.solve(state, goals);
        }
    }
}

/// Minimum cost of the candidates that are still to be used: a call for each source that has no
/// chosen fetch yet.
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
