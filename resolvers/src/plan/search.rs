//! The cheapest set of entries for a place: a bounded search over covers.
//!
//! Paths share fetches, so the cost of a field is what it adds to the fetches already chosen.
//! At a place, the fetches that reach it offer fields for nothing; every other field needs an
//! entry. All sets of entries that cover the fields are compared, children included, and branches
//! that cost more than the best set so far are cut. A budget bounds the work; when it is spent,
//! the best set so far (or the first one found) is taken.

use std::collections::HashMap;

use schema::graph::Graph;
use schema::key::FieldSet;
use schema::source::{Serves, SourceId};

use super::{Choice, Offer, Place};
use crate::selection::{PositionId, Selection};

/// The entries to use at a place, in an order in which each finds its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cover {
    pub(super) cost: u64,
    pub(super) choices: Vec<Choice>,
}

/// Searches covers.
pub(super) struct Search<'a> {
    pub(super) graph: &'a Graph,
    pub(super) selection: &'a Selection,
    pub(super) memory: &'a mut Memory,
}

/// What the searches of one plan know and may still spend.
pub(super) struct Memory {
    known: HashMap<(Place, Vec<Offer>), Option<Cover>>,
    budget: u32,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            budget: BUDGET,
        }
    }
}

/// One call.
const CALL: u64 = 1_000;

/// Calls that an entry for single objects is taken to make where there may be many.
const MANY: u64 = 20;

/// Choices looked at; more than any operation over a sound graph needs.
const BUDGET: u32 = 50_000;

impl Search<'_> {
    /// The cheapest entries that fill `place` together with what `offers` give; `None` when
    /// no set of entries does.
    pub(super) fn cover(&mut self, place: &Place, offers: &[Offer]) -> Option<Cover> {
        let mut sorted = offers.to_vec();
        sorted.sort_unstable();
        let key = (place.clone(), sorted);
        if let Some(known) = self.memory.known.get(&key) {
            return known.clone();
        }
        let mut state = State {
            offers: offers.to_vec(),
            choices: Vec::new(),
            cost: 0,
        };
        let mut best = None;
        self.extend(place, &mut state, &mut best);
        self.memory.known.insert(key, best.clone());
        best
    }

    fn extend(&mut self, place: &Place, state: &mut State, best: &mut Option<Cover>) {
        if best.as_ref().is_some_and(|best| state.cost >= best.cost) {
            return;
        }
        if best.is_some() && self.memory.budget == 0 {
            return;
        }
        self.memory.budget = self.memory.budget.saturating_sub(1);
        let unmet = place
            .slots
            .iter()
            .copied()
            .find(|slot| !self.offered(place.at, *slot, &state.offers));
        match unmet {
            Some(slot) => {
                for choice in self.candidates(place, slot, state) {
                    self.with(place, choice, state, best);
                }
            }
            None => self.close(place, state, best),
        }
    }

    fn with(&mut self, place: &Place, choice: Choice, state: &mut State, best: &mut Option<Cover>) {
        let cost = self.cost(place.at, choice);
        state.offers.push(choice.offer(self.graph));
        state.choices.push(choice);
        state.cost += cost;
        self.extend(place, state, best);
        state.cost -= cost;
        state.choices.pop();
        state.offers.pop();
    }

    /// All fields are offered; what is inside them decides. Then the same with one entry more,
    /// where that could save fetches further in.
    fn close(&mut self, place: &Place, state: &mut State, best: &mut Option<Cover>) {
        let inside = self.inside(place, &state.offers);
        if let Some(inside) = inside {
            let cost = state.cost + inside;
            if best.as_ref().is_none_or(|best| cost < best.cost) {
                *best = Some(Cover {
                    cost,
                    choices: state.choices.clone(),
                });
            }
            if inside == 0 {
                return;
            }
        }
        for choice in self.more(place, state) {
            self.with(place, choice, state, best);
        }
    }

    /// What the objects inside `place` cost.
    fn inside(&mut self, place: &Place, offers: &[Offer]) -> Option<u64> {
        let selection = self.selection;
        let mut sum = 0;
        for slot in &place.slots {
            let Some(child) = selection.position(place.at).slots[*slot].child else {
                continue;
            };
            let inner = inner_offers(self.graph, selection, (place.at, *slot), offers);
            let ty = self.graph.types().get(selection.position(child).ty);
            for on in &ty.possible {
                let place = Place::whole(selection, child, *on);
                if !place.slots.is_empty() {
                    sum += self.cover(&place, &inner)?.cost;
                }
            }
        }
        Some(sum)
    }

    fn offered(&self, at: PositionId, slot: usize, offers: &[Offer]) -> bool {
        offers
            .iter()
            .any(|offer| gives(self.graph, self.selection, (at, slot), *offer))
    }

    /// Entries that give `slot`, those whose key is at hand; where there are none, entries that
    /// give the key of one that does.
    fn candidates(&self, place: &Place, slot: usize, state: &State) -> Vec<Choice> {
        let direct = self.entries(place, Some(slot));
        let ready: Vec<Choice> = direct
            .iter()
            .copied()
            .filter(|choice| !state.choices.contains(choice))
            .filter(|choice| self.has_key(*choice, &state.offers))
            .collect();
        if !ready.is_empty() {
            return ready;
        }
        let missing: Vec<&FieldSet> = direct
            .iter()
            .map(|choice| &choice.of(self.graph).key)
            .collect();
        self.bridges(place, &missing, state)
    }

    /// Entries that can be used now and bring a field of one of the keys `missing`.
    fn bridges(&self, place: &Place, missing: &[&FieldSet], state: &State) -> Vec<Choice> {
        let all = self.entries(place, None);
        all.into_iter()
            .filter(|choice| !state.choices.contains(choice))
            .filter(|choice| self.has_key(*choice, &state.offers))
            .filter(|choice| {
                let offer = choice.offer(self.graph);
                let node = self.graph.source(offer.source).node(offer.node);
                missing.iter().any(|key| {
                    let mut fields = key.0.iter();
                    fields.any(|(name, _)| node.fields.contains_key(name))
                })
            })
            .collect()
    }

    /// Entries not used yet that offer a composite slot of the place.
    fn more(&self, place: &Place, state: &State) -> Vec<Choice> {
        let slots = &self.selection.position(place.at).slots;
        let mut found = Vec::new();
        for slot in place
            .slots
            .iter()
            .filter(|slot| slots[**slot].child.is_some())
        {
            for choice in self.entries(place, Some(*slot)) {
                let useful = choice.slot.is_none()
                    && !state.choices.contains(&choice)
                    && !state.offers.contains(&choice.offer(self.graph))
                    && self.has_key(choice, &state.offers);
                if useful && !found.contains(&choice) {
                    found.push(choice);
                }
            }
        }
        found
    }

    /// Entries on the type of the place: those that give `slot`, or all that serve whole objects.
    fn entries(&self, place: &Place, slot: Option<usize>) -> Vec<Choice> {
        let mut found = Vec::new();
        for (source, definition) in self.graph.sources() {
            for (index, entry) in definition.entries.iter().enumerate() {
                if entry.on != place.on {
                    continue;
                }
                let choice = Choice {
                    source,
                    entry: index,
                    slot: slot.filter(|_| entry.serves == Serves::Field),
                };
                let fits = match slot {
                    Some(slot) => {
                        let offer = choice.offer(self.graph);
                        gives(self.graph, self.selection, (place.at, slot), offer)
                    }
                    None => entry.serves != Serves::Field,
                };
                if fits {
                    found.push(choice);
                }
            }
        }
        found
    }

    fn has_key(&self, choice: Choice, offers: &[Offer]) -> bool {
        let key = &choice.of(self.graph).key;
        key_offered(self.graph, key, &views(offers))
    }

    fn cost(&self, at: PositionId, choice: Choice) -> u64 {
        let many = self.selection.position(at).many;
        match (choice.of(self.graph).serves, many) {
            // Of two that would do, the one that other operations can share is taken.
            (Serves::Batch(_), _) => CALL,
            (Serves::Object | Serves::Field, false) => CALL + 1,
            (Serves::Object | Serves::Field, true) => CALL * MANY,
        }
    }
}

struct State {
    offers: Vec<Offer>,
    choices: Vec<Choice>,
    cost: u64,
}

/// Whether `offer` gives the field of a slot.
pub(super) fn gives(
    graph: &Graph,
    selection: &Selection,
    (at, slot): (PositionId, usize),
    offer: Offer,
) -> bool {
    let field = &selection.position(at).slots[slot].field;
    offer.only.is_none_or(|only| only == slot)
        && graph
            .source(offer.source)
            .node(offer.node)
            .fields
            .contains_key(field)
}

/// What the offers at a place give of the objects in one of its slots.
pub(super) fn inner_offers(
    graph: &Graph,
    selection: &Selection,
    (at, slot): (PositionId, usize),
    offers: &[Offer],
) -> Vec<Offer> {
    offers
        .iter()
        .filter_map(|offer| inner_offer(graph, selection, (at, slot), *offer))
        .collect()
}

/// As `inner_offers`, for one offer.
pub(super) fn inner_offer(
    graph: &Graph,
    selection: &Selection,
    (at, slot): (PositionId, usize),
    offer: Offer,
) -> Option<Offer> {
    if !gives(graph, selection, (at, slot), offer) {
        return None;
    }
    let field = &selection.position(at).slots[slot].field;
    let node = graph.source(offer.source).node(offer.node);
    Some(Offer {
        source: offer.source,
        node: node.fields.get(field)?.child?,
        only: None,
    })
}

type View = (SourceId, schema::source::NodeId);

fn views(offers: &[Offer]) -> Vec<View> {
    // A field with arguments is never part of a key, so an entry for one field gives none.
    let whole = offers.iter().filter(|offer| offer.only.is_none());
    whole.map(|offer| (offer.source, offer.node)).collect()
}

/// Whether every field of `key` is given by one of `views`, its inner fields likewise.
fn key_offered(graph: &Graph, key: &FieldSet, views: &[View]) -> bool {
    key.0.iter().all(|(name, inner)| {
        let given: Vec<_> = views
            .iter()
            .filter_map(|(source, node)| {
                let field = graph.source(*source).node(*node).fields.get(name)?;
                Some((*source, field.child))
            })
            .collect();
        if inner.is_empty() {
            return !given.is_empty();
        }
        let children: Vec<View> = given
            .into_iter()
            .filter_map(|(source, child)| Some((source, child?)))
            .collect();
        !children.is_empty() && key_offered(graph, inner, &children)
    })
}
