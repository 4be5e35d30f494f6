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

use self::candidates::{CALL, Candidate};
use self::goal::Goal;
pub(super) use self::goal::{MAX_DEPTH, TYPE_NAME};
use self::state::State;
pub(super) use self::state::{Chosen, Deep, Fulfilled};
use super::contexts::Contexts;
use super::{Offer, Place};
use crate::selection::{KeySlot, PositionId, Selection};

mod candidates;
mod goal;
mod inside;
mod state;

/// The entries to use at a place, each after all that it needs.
#[derive(Clone, Debug)]
pub(super) struct Cover {
    pub(super) cost: u64,
    pub(super) choices: Vec<Chosen>,
}

/// Searches covers.
pub(super) struct Search<'a> {
    pub(super) graph: &'a Graph,
    pub(super) selection: &'a mut Selection,
    pub(super) memory: &'a mut Memory,
}

/// What the searches of one plan know and may still spend.
pub(super) struct Memory {
    pub(super) contexts: Contexts,
    known: HashMap<(Place, Vec<Offer>), Option<Arc<Cover>>>,
    /// The slots of what sources must be told, once they were thought of.
    needs: HashMap<Need, Arc<[KeySlot]>>,
    /// How many searches for what is told stand around the one under way.
    depth: u32,
    budget: u32,
    is_complete: bool,
    /// Choices looked at after the budget was spent.
    overdrawn: u32,
}

/// A field that a source gives of objects at a place once it is told something.
type Need = (SourceId, NodeId, PositionId, TypeId, Name);

impl Memory {
    pub(super) fn new(contexts: Contexts) -> Self {
        Self {
            contexts,
            known: HashMap::new(),
            needs: HashMap::new(),
            depth: 0,
            budget: BUDGET,
            is_complete: true,
            overdrawn: 0,
        }
    }

    /// Whether the budget was enough for everything.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete && self.budget > 0
    }

    fn spend(&mut self) {
        match self.budget {
            0 => self.overdrawn += 1,
            _ => self.budget -= 1,
        }
    }
}

/// Choices looked at; more than any operation over a sound graph needs.
const BUDGET: u32 = 20_000;

/// Of these, at one place, so that no place takes what others need.
const BUDGET_OF_PLACE: u32 = 4_000;

/// Choices looked at beyond it, where there is no plan at all yet.
const OVERDRAFT: u32 = 4 * BUDGET;

impl Search<'_> {
    /// The cheapest entries that fill `place` together with what `offers` give; `None` when
    /// no set of entries does.
    pub(super) fn cover(&mut self, place: &Place, offers: &[Offer]) -> Option<Arc<Cover>> {
        let key = (place.clone(), relative(offers));
        if let Some(known) = self.memory.known.get(&key) {
            return known.clone();
        }
        let mut attempt = Attempt {
            search: self,
            place,
            best: None,
            spent: 0,
        };
        attempt.solve(State::new(&key.1), Goal::all(place));
        let best = attempt.best.map(Arc::new);
        self.memory.known.insert(key, best.clone());
        best
    }
}

/// The offers in one order, with levels that count from the earliest of them: how far down a
/// place stands makes no difference to what is best there.
fn relative(offers: &[Offer]) -> Vec<Offer> {
    let first = first_level(offers);
    let relative = offers.iter().map(|offer| Offer {
        level: offer.level - first,
        ..*offer
    });
    let mut relative: Vec<Offer> = relative.collect();
    relative.sort_unstable();
    relative.dedup();
    relative
}

/// The level of the earliest offer, from which those of a cover count.
pub(super) fn first_level(offers: &[Offer]) -> u32 {
    offers.iter().map(|offer| offer.level).min().unwrap_or(0)
}

/// One search at one place.
struct Attempt<'s, 'a> {
    search: &'s mut Search<'a>,
    place: &'s Place,
    best: Option<Cover>,
    /// Choices looked at here.
    spent: u32,
}

impl Attempt<'_, '_> {
    /// Reaches every goal, the last one first, in every way that may be the cheapest.
    fn solve(&mut self, mut state: State, mut goals: Vec<Goal>) {
        loop {
            if self.is_hopeless(&state, &goals) {
                return;
            }
            self.spend();
            let Some(goal) = goals.pop() else {
                return self.close(&state);
            };
            match goal {
                Goal::Use(candidate) => {
                    if !self.enter(&candidate, &mut state) {
                        return;
                    }
                }
                Goal::Reached(goal) => {
                    if !self.is_reached(&goal, &state) {
                        return; // The candidate did not bring what it seemed to.
                    }
                }
                goal if self.is_reached(&goal, &state) => {}
                goal => {
                    for candidate in self.candidates(&goal, &state, &goals) {
                        let mut goals = goals.clone();
                        goals.push(self.again(&goal));
                        self.push(candidate, &mut goals);
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
        self.search.memory.spend();
        if self.spent > BUDGET_OF_PLACE {
            self.search.memory.is_complete = false;
        }
    }

    fn is_spent(&self) -> bool {
        self.spent > BUDGET_OF_PLACE || self.search.memory.budget == 0
    }

    /// What is to be looked at once a candidate for `goal` was used. What a source is told may
    /// have to come from several others; everything else comes from one.
    fn again(&self, goal: &Goal) -> Goal {
        match goal {
            Goal::Field(_, slot) if self.is_deep(*slot) => goal.clone(),
            _ => Goal::Reached(Box::new(goal.clone())),
        }
    }

    /// Whether a slot holds objects that only a source is to be told of.
    fn is_deep(&self, slot: usize) -> bool {
        let slot = &self.search.selection.position(self.place.at).slots[slot];
        slot.on.is_empty() && slot.child.is_some()
    }

    /// A candidate is used after all that it must know is there.
    fn push(&self, candidate: Candidate, goals: &mut Vec<Goal>) {
        let entry = &self.search.graph.source(candidate.source).entries[candidate.entry];
        let parts = candidate.plain_key(entry);
        let parts: Vec<Goal> = parts
            .map(|part| Goal::Key(entry.on, part.clone()))
            .collect();
        let told: Vec<Goal> = candidate
            .told()
            .map(|need| Goal::Field(candidate.on, need.slot))
            .collect();
        let on = candidate.entered(self.search.graph);
        let must_be_told = !self.search.graph.types().get(on).is_abstract();
        goals.push(Goal::Use(candidate));
        goals.extend(parts);
        goals.extend(told);
        goals.extend(must_be_told.then_some(Goal::Told));
    }

    /// Whether nothing better than the best cover can come of `state`.
    fn is_hopeless(&self, state: &State, goals: &[Goal]) -> bool {
        let best = self.best.as_ref();
        best.is_some_and(|best| state.cost + at_least(state, goals) >= best.cost)
            || (best.is_some() && self.is_spent())
            || self.search.memory.overdrawn > OVERDRAFT
    }

    /// All fields are offered; what is inside them decides. Then the same with one entry more,
    /// where that could save fetches further in.
    fn close(&mut self, state: &State) {
        let is_whole =
            self.place.wants.len() < 2 || (self.is_whole(state) && self.is_told_of_all(state));
        let inside = is_whole.then(|| self.inside(state)).flatten();
        if let Some(inside) = inside {
            let cost = state.cost + inside + self.lateness(state);
            if self.best.as_ref().is_none_or(|best| cost < best.cost) {
                self.best = Some(Cover {
                    cost,
                    choices: state.ordered(),
                });
            }
            if inside < CALL {
                return;
            }
        }
        for (number, candidate) in self.further(state) {
            let mut state = state.clone();
            state.further = number + 1;
            let mut goals = Vec::new();
            self.push(candidate, &mut goals);
            self.solve(state, goals);
        }
    }
}

/// What the entries that are to be used cost at the least: a call for each source of which
/// nothing is chosen yet.
fn at_least(state: &State, goals: &[Goal]) -> u64 {
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
            cost += CALL;
        }
    }
    cost
}
