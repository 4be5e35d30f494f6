//! What stands inside the objects of a place: its cost, and entries that may lower it.

use std::sync::Arc;

use schema::source::Serves;
use schema::types::TypeId;

use super::super::{Offer, Place};
use super::Attempt;
use super::candidates::Candidate;
use super::state::{Chosens, State};
use crate::selection::{PositionId, SetId};

/// A place inside, and what the client asks there.
type Inside = (PositionId, Vec<SetId>);

impl Attempt<'_, '_> {
    /// What the objects inside cost; `None` when something in them cannot be had.
    pub(super) fn inside(&mut self, state: &State) -> Option<u64> {
        let mut sum = 0;
        for (inside, offers) in self.children(state) {
            let place = Place::whole(self.search.graph, self.search.selection, inside, &offers);
            if !place.wants.is_empty() || place.told {
                sum += self.search.cover(&place, &offers)?.cost;
            }
        }
        Some(sum)
    }

    /// Of plans with equally many calls, the one that brings its values in the earlier of them.
    pub(super) fn lateness(&self, state: &State) -> u64 {
        let mut sum = 0;
        for (on, slots) in &self.place.wants {
            for slot in slots {
                sum += u64::from(self.level(state, *on, *slot));
            }
        }
        sum
    }

    fn level(&self, state: &State, on: TypeId, slot: usize) -> u32 {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let wanted = (self.place.at, on, slot);
        let base = state.base.iter();
        let base = base.filter(|offer| offer.gives(graph, selection, wanted).is_some());
        let chosen = state.chosen.iter();
        let chosen = chosen.filter(|chosen| chosen.gives(graph, selection, wanted).is_some());
        let levels = base.map(|offer| offer.level);
        levels
            .chain(chosen.map(|chosen| chosen.level))
            .min()
            .unwrap_or(0)
    }

    /// Whether no field that is asked of several types in one word depends on who brings an
    /// object: one fetch gives it of some types, another of others, and each could bring all.
    pub(super) fn is_whole(&self, state: &State) -> bool {
        let slots = &self.search.selection.position(self.place.at).slots;
        self.place.wants.iter().all(|(on, wanted)| {
            let mut together = wanted.iter().filter(|slot| slots[**slot].together);
            together.all(|slot| {
                self.is_chosen(state, *on, *slot)
                    || state.base.is_empty()
                    || state
                        .base
                        .iter()
                        .any(|offer| self.suits(state, *offer, (*on, *slot)))
            })
        })
    }

    /// Whether a fetch that asks for objects of any type is told what it needs of all of them.
    pub(super) fn is_told_of_all(&self, state: &State) -> bool {
        let types = self.search.graph.types();
        state.chosen.iter().all(|chosen| {
            let mut entries = chosen.entries.iter();
            let is_of_any = entries.any(|(on, _)| types.get(*on).is_abstract());
            let is_told = |on: TypeId, slot: usize| {
                let mut fulfilled = chosen.fulfilled.iter();
                fulfilled.any(|it| (it.on, it.slot) == (on, slot))
            };
            !is_of_any
                || chosen.fulfilled.iter().all(|told| {
                    let mut wants = self.place.wants.iter();
                    wants.all(|(on, _)| is_told(*on, told.slot))
                })
        })
    }

    fn is_chosen(&self, state: &State, on: TypeId, slot: usize) -> bool {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let wanted = (self.place.at, on, slot);
        let mut chosen = state.chosen.iter();
        chosen.any(|chosen| chosen.gives(graph, selection, wanted).is_some())
    }

    /// Whether `offer` gives a slot, and of every other object that it brings the same slot, or
    /// a fetch was chosen that does.
    fn suits(&self, state: &State, offer: Offer, (on, slot): (TypeId, usize)) -> bool {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let at = self.place.at;
        let gives = |on: TypeId| offer.gives(graph, selection, (at, on, slot)).is_some();
        gives(on)
            && self.place.wants.iter().all(|(other, wanted)| {
                !wanted.contains(&slot)
                    || offer.node(graph, *other).is_none()
                    || gives(*other)
                    || self.is_chosen(state, *other, slot)
                    || self.can_follow(offer, (*other, slot))
            })
    }

    /// Whether a slot can be fetched by a key that `offer` itself gives.
    fn can_follow(&self, offer: Offer, (on, slot): (TypeId, usize)) -> bool {
        let graph = self.search.graph;
        let name = &self.search.selection.position(self.place.at).slots[slot].field;
        let Some(node) = offer.node(graph, on) else {
            return false;
        };
        let own = [(offer.source, &node.fields, Chosens::default())];
        graph.entries(on).iter().any(|(source, index)| {
            let source = graph.source(*source);
            let entry = &source.entries[*index];
            let field = source.node(entry.node).fields.get(name);
            let mut key = entry.key.0.iter();
            field.is_some_and(|field| !field.only_in_keys)
                && key.all(|part| self.part(&own, part).is_some())
        })
    }

    /// The places inside, each with what is asked and offered there; once for all types of which
    /// the same is offered.
    fn children(&self, state: &State) -> Vec<(Inside, Vec<Offer>)> {
        let mut found: Vec<(usize, Vec<Offer>, Vec<TypeId>)> = Vec::new();
        let selection = &*self.search.selection;
        let slots_here = &selection.position(self.place.at).slots;
        let is_composite = |slot: &&usize| slots_here[**slot].child.is_some();
        for (on, slots) in &self.place.wants {
            for slot in slots.iter().filter(is_composite) {
                let offers = self.offers_inside(state, *on, *slot);
                let mut known = found.iter_mut();
                match known.find(|it| (it.0, &it.1) == (*slot, &offers)) {
                    Some((_, _, types)) => types.push(*on),
                    None => found.push((*slot, offers, vec![*on])),
                }
            }
        }
        let children = found.into_iter().filter_map(|(slot, offers, on)| {
            let sets = selection.sets.inside(&self.place.sets, &on, slot);
            Some(((slots_here[slot].child?, sets), offers))
        });
        children.collect()
    }

    fn offers_inside(&self, state: &State, on: TypeId, slot: usize) -> Vec<Offer> {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let wanted = (self.place.at, on, slot);
        let base = state.base.iter();
        let base = base.filter_map(|offer| offer.inside(graph, selection, wanted));
        let chosen = state.chosen.iter();
        let chosen = chosen.filter_map(|chosen| chosen.inside(graph, selection, wanted));
        let all = base.chain(chosen);
        if self.place.acts(graph, selection) {
            all.take(1).collect()
        } else {
            all.collect()
        }
    }

    /// Entries not used yet that give something inside an object which nobody gives there now,
    /// numbered; those that were decided on before are left out.
    pub(super) fn further(&self, state: &State) -> Vec<(usize, Candidate)> {
        let graph = self.search.graph;
        if self.place.acts(graph, self.search.selection) {
            return Vec::new();
        }
        let mut found: Vec<Candidate> = Vec::new();
        for (on, slots) in &self.place.wants {
            for (source, entry) in graph.entries(*on) {
                let candidate = Candidate {
                    source: *source,
                    entry: *entry,
                    on: *on,
                    slot: None,
                    needs: None,
                    deep: Arc::default(),
                };
                let serves = candidate.of(graph).serves;
                let mut slots = slots.iter();
                if serves != Serves::Field && slots.any(|slot| self.helps(&candidate, state, *slot))
                {
                    found.push(candidate);
                }
            }
        }
        found
            .into_iter()
            .enumerate()
            .skip(state.further)
            .filter(|(_, candidate)| !self.is_used(candidate, state))
            .collect()
    }

    pub(super) fn is_used(&self, candidate: &Candidate, state: &State) -> bool {
        let graph = self.search.graph;
        if candidate.needs.is_some() {
            // Whatever else it gave, this field it gives once it was told what it needs.
            return state.chosen.iter().any(|chosen| {
                let mut fulfilled = chosen.fulfilled.iter();
                chosen.source == candidate.source
                    && fulfilled.any(|it| (it.on, Some(it.slot)) == (candidate.on, candidate.slot))
            });
        }
        let offer = candidate.offer(graph);
        let entry = (candidate.on, candidate.entry);
        state.base.contains(&offer)
            || state
                .chosen
                .iter()
                .any(|chosen| chosen.source == candidate.source && chosen.entries.contains(&entry))
    }

    /// Whether it gives something in a slot that none of the offers at the place does.
    fn helps(&self, candidate: &Candidate, state: &State, slot: usize) -> bool {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let at = self.place.at;
        let Some(child) = selection.position(at).slots[slot].child else {
            return false;
        };
        let own = candidate
            .offer(graph)
            .inside(graph, selection, (at, candidate.on, slot));
        let known = &state.base;
        let known: Vec<Offer> = known
            .iter()
            .filter_map(|offer| offer.inside(graph, selection, (at, candidate.on, slot)))
            .collect();
        let sets = &selection.sets;
        let sets = sets.inside(&self.place.sets, &[candidate.on], slot);
        own.is_some_and(|own| self.adds(own, &known, (child, sets)))
    }

    /// Whether `own` gives anything asked for at a place or further in that none of `known` does.
    fn adds(&self, own: Offer, known: &[Offer], (at, sets): Inside) -> bool {
        let (graph, selection) = (self.search.graph, &*self.search.selection);
        let place = Place::whole(graph, selection, (at, sets), &[own]);
        place.wants.iter().any(|(on, slots)| {
            slots.iter().any(|slot| {
                let wanted = (at, *on, *slot);
                let mut givers = known.iter();
                if offer_gives(&own, graph, selection, wanted)
                    && !givers.any(|offer| offer_gives(offer, graph, selection, wanted))
                {
                    return true;
                }
                let Some(child) = selection.position(at).slots[*slot].child else {
                    return false;
                };
                let inside: Vec<Offer> = known
                    .iter()
                    .filter_map(|offer| offer.inside(graph, selection, wanted))
                    .collect();
                let sets = selection.sets.inside(&place.sets, &[*on], *slot);
                own.inside(graph, selection, wanted)
                    .is_some_and(|own| self.adds(own, &inside, (child, sets)))
            })
        })
    }
}

fn offer_gives(
    offer: &Offer,
    graph: &schema::graph::Graph,
    selection: &crate::selection::Selection,
    wanted: (PositionId, TypeId, usize),
) -> bool {
    offer.gives(graph, selection, wanted).is_some()
}
