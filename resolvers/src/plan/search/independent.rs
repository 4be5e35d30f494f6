//! Independent slots: those of connectors that serve a single field by a key that is there.
//!
//! The fetch for such a slot serves no other slot and needs no other fetch, so it is chosen alone:
//! the work for a thousand of them is a thousand times that for one.

use schema::source::EntryCardinality;
use schema::types::TypeId;

use super::super::{Offer, PlanScope};
use super::state::State;
use super::{ChosenFetch, Cover, CoverSearch, Search};

impl CoverSearch<'_, '_> {
    /// The scope divided into one scope for each independent slot and one for all others; `None` if
    /// it is not divisible.
    pub(super) fn independent_scopes(&self, offers: &[Offer]) -> Option<Vec<PlanScope>> {
        let [(on, slots)] = self.scope.wanted_slots.as_slice() else {
            return None;
        };
        if slots.len() < 2 || self.scope.needs_typename || self.scope.only_source.is_some() {
            return None;
        }
        let state = State::new(offers);
        let (independent, others): (Vec<usize>, Vec<usize>) = slots
            .iter()
            .partition(|slot| self.is_independent(&state, *on, **slot));
        let independent = independent.into_iter().map(|slot| vec![slot]);
        let others = Some(others).filter(|slots| !slots.is_empty());
        // Without the slots of the scope, which each copy would have.
        let empty = self.scope.with_wanted_slots(Vec::new());
        let scopes = independent
            .chain(others)
            .map(|slots| empty.with_wanted_slots(vec![(*on, slots)]));
        Some(scopes.collect()).filter(|scopes: &Vec<_>| scopes.len() > 1)
    }

    fn is_independent(&self, state: &State, on: TypeId, slot: usize) -> bool {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let position = selection.position(self.scope.at);
        let name = &position.slots[slot].field;
        let mut providers = graph
            .entry_points(on)
            .iter()
            .filter_map(|(source, entry)| {
                let offer = Offer::from_entry_point(graph, *source, *entry);
                let field = offer.node(graph, on)?.fields.get(name)?;
                Some((&graph.source(*source).entry_points[*entry], field))
            })
            .peekable();
        position.ty == on
            && !self.is_nested_requirement(slot)
            && providers.peek().is_some()
            && providers.all(|(entry, field)| {
                let mut key = entry.key.0.iter();
                entry.cardinality == EntryCardinality::Field
                    && field.requires.is_none()
                    && field.context_arguments.is_empty()
                    && key.all(|(name, inner)| {
                        self.key_part_provider(state, on, name, inner).is_some()
                    })
            })
    }
}

impl Search<'_> {
    /// The covers of independent scopes together, with their fetches in the order in which one
    /// search for `scope` would choose them.
    pub(super) fn joint_cover(
        &mut self,
        scope: &PlanScope,
        scopes: &[PlanScope],
        offers: &[Offer],
    ) -> Option<Cover> {
        let (mut cost, mut fetches) = (0, Vec::new());
        let last = scopes.len() - 1;
        for (index, part) in scopes.iter().enumerate() {
            let cover = self.cover(part, offers)?;
            cost += cover.cost;
            let chosen = cover.chosen_fetches.iter().map(|chosen| ChosenFetch {
                chosen_for: wanted_number(scope, part, chosen.chosen_for),
                ..chosen.clone()
            });
            // Only the last scope may have several slots, with some of the others between them.
            if index < last {
                fetches.extend(chosen);
            } else {
                fetches = merge_ordered(fetches, chosen);
            }
        }
        Some(Cover {
            cost,
            chosen_fetches: fetches,
        })
    }
}

/// Two lists of chosen fetches in one, each in its own order, by the slots they were chosen for.
fn merge_ordered(
    first: Vec<ChosenFetch>,
    second: impl Iterator<Item = ChosenFetch>,
) -> Vec<ChosenFetch> {
    let mut merged = Vec::with_capacity(first.len() + 1);
    let mut first = first.into_iter().peekable();
    for chosen in second {
        while let Some(earlier) = first.next_if(|it| it.chosen_for < chosen.chosen_for) {
            merged.push(earlier);
        }
        merged.push(chosen);
    }
    merged.extend(first);
    merged
}

/// The number in `scope` of the wanted slot with this number in `part`; fetches that were not
/// chosen for a slot come last.
fn wanted_number(scope: &PlanScope, part: &PlanScope, number: usize) -> usize {
    let slot = part.wanted_slots[0].1.get(number.saturating_sub(1));
    let number = slot.and_then(|slot| scope.wanted_slots[0].1.binary_search(slot).ok());
    number.map_or(usize::MAX, |number| number + 1)
}
