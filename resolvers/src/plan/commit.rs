//! What the search chose, as fetches: who fills which slot, who gives whom its key.

use std::sync::Arc;

use schema::graph::Graph;
use schema::key::FieldSet;
use schema::types::TypeId;

use super::search::{Memory, Search, gives, inner_offer};
use super::{Choice, Fetch, KeySlot, Offer, Place, Unplannable, coordinate};
use crate::selection::{PositionId, Selection, When};

pub(super) struct Commit<'a> {
    pub(super) graph: &'a Graph,
    pub(super) selection: &'a mut Selection,
    pub(super) fetches: &'a mut Vec<Fetch>,
    pub(super) memory: &'a mut Memory,
    pub(super) stage: usize,
}

/// A fetch that reaches a place, and what it offers there.
#[derive(Clone, Copy, Debug)]
struct Provider {
    fetch: usize,
    offer: Offer,
}

type Done<T = ()> = Result<T, Unplannable>;

impl Commit<'_> {
    pub(super) fn root(&mut self, place: &Place) -> Done {
        self.place(place, Vec::new())
    }

    fn place(&mut self, place: &Place, mut providers: Vec<Provider>) -> Done {
        let offers: Vec<Offer> = providers.iter().map(|provider| provider.offer).collect();
        let cover = self.search().cover(place, &offers);
        let Some(cover) = cover else {
            return Err(self.unplannable(place, &offers));
        };
        // Who brought the objects; nobody did at the root, which is always there.
        let creator = providers.first().map(|provider| provider.fetch);
        for choice in cover.choices {
            let fetch = self.fetch(place, choice, &providers)?;
            let after = &mut self.fetches[fetch].after;
            after.extend(creator);
            after.sort_unstable();
            after.dedup();
            providers.push(Provider {
                fetch,
                offer: choice.offer(self.graph),
            });
        }
        for slot in &place.slots {
            self.slot(place, *slot, &providers)?;
        }
        Ok(())
    }

    fn search(&mut self) -> Search<'_> {
        Search {
            graph: self.graph,
            selection: self.selection,
            memory: self.memory,
        }
    }

    /// Names the field that stands in the way.
    fn unplannable(&mut self, place: &Place, offers: &[Offer]) -> Unplannable {
        let mut search = self.search();
        let alone = |slot: &&usize| {
            let place = Place {
                slots: vec![**slot],
                ..place.clone()
            };
            search.cover(&place, offers).is_none()
        };
        let slots = &place.slots;
        let slot = slots.iter().find(alone).or(slots.first());
        let position = self.selection.position(place.at);
        let field = slot.map_or("?", |slot| position.slots[*slot].field.as_ref());
        Unplannable {
            coordinate: coordinate(self.graph, place.on, field),
        }
    }

    fn fetch(&mut self, place: &Place, choice: Choice, providers: &[Provider]) -> Done<usize> {
        let key = choice.of(self.graph).key.clone();
        let mut after = Vec::new();
        let key = self.key(&key, (place.at, place.on), providers, &mut after)?;
        self.fetches.push(Fetch {
            source: choice.source,
            entry: choice.entry,
            at: place.at,
            on: place.on,
            slot: choice.slot,
            key,
            after,
            stage: self.stage,
            takes: std::collections::BTreeMap::new(),
            when: When::never(),
        });
        Ok(self.fetches.len() - 1)
    }

    /// The slots of a key, each taken from the first fetch that gives it.
    fn key(
        &mut self,
        key: &FieldSet,
        (at, on): (PositionId, TypeId),
        providers: &[Provider],
        after: &mut Vec<usize>,
    ) -> Done<Vec<KeySlot>> {
        let mut slots = Vec::with_capacity(key.0.len());
        for (name, inner) in &key.0 {
            let types = self.graph.types();
            let Some(field) = types.get(on).field(name) else {
                return Err(self.missing(on, name));
            };
            let slot = self.selection.need(at, field, on, types);
            let child = self.selection.position(at).slots[slot].child;
            let inner = match child {
                Some(child) if !inner.is_empty() => {
                    let providers = self.inside((at, slot), providers);
                    let on = types.get(self.selection.position(child).ty).possible[0];
                    self.key(inner, (child, on), &providers, after)?
                }
                _ => {
                    let Some(provider) = self.first(at, slot, providers) else {
                        return Err(self.missing(on, name));
                    };
                    self.take(provider.fetch, at, slot);
                    after.push(provider.fetch);
                    Vec::new()
                }
            };
            slots.push(KeySlot {
                name: Arc::clone(name),
                slot,
                inner,
            });
        }
        Ok(slots)
    }

    fn missing(&self, on: TypeId, field: &str) -> Unplannable {
        Unplannable {
            coordinate: coordinate(self.graph, on, field),
        }
    }

    fn slot(&mut self, place: &Place, slot: usize, providers: &[Provider]) -> Done {
        let Some(first) = self.first(place.at, slot, providers) else {
            let field = Arc::clone(&self.selection.position(place.at).slots[slot].field);
            return Err(self.missing(place.on, &field));
        };
        let Some(child) = self.selection.position(place.at).slots[slot].child else {
            self.take(first.fetch, place.at, slot);
            return Ok(());
        };
        let inner = self.inside((place.at, slot), providers);
        for on in self
            .graph
            .types()
            .get(self.selection.position(child).ty)
            .possible
            .clone()
        {
            let inside = Place::whole(self.selection, child, on);
            if !inside.slots.is_empty() {
                self.place(&inside, inner.clone())?;
            }
        }
        // Somebody must say whether there is an object at all, and of which type.
        let taken = inner
            .iter()
            .any(|provider| self.has(provider.fetch, place.at, slot));
        if !taken {
            self.take(first.fetch, place.at, slot);
        }
        Ok(())
    }

    fn inside(&self, (at, slot): (PositionId, usize), providers: &[Provider]) -> Vec<Provider> {
        providers
            .iter()
            .filter_map(|provider| {
                Some(Provider {
                    fetch: provider.fetch,
                    offer: inner_offer(self.graph, self.selection, (at, slot), provider.offer)?,
                })
            })
            .collect()
    }

    /// The first provider of a slot: the one that is there soonest.
    fn first(&self, at: PositionId, slot: usize, providers: &[Provider]) -> Option<Provider> {
        providers
            .iter()
            .find(|provider| gives(self.graph, self.selection, (at, slot), provider.offer))
            .copied()
    }

    /// Has `fetch` fill a slot, and the slots on the way to it.
    fn take(&mut self, fetch: usize, at: PositionId, slot: usize) {
        let fetch = &mut self.fetches[fetch];
        let (mut at, mut slot) = (at, slot);
        loop {
            let slots = fetch.takes.entry(at).or_default();
            if !slots.contains(&slot) {
                slots.push(slot);
            }
            if at == fetch.at {
                return;
            }
            let Some(parent) = self.selection.position(at).parent else {
                return;
            };
            (at, slot) = parent;
        }
    }

    fn has(&self, fetch: usize, at: PositionId, slot: usize) -> bool {
        let takes = &self.fetches[fetch].takes;
        takes.get(&at).is_some_and(|slots| slots.contains(&slot))
    }
}
