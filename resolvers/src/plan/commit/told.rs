//! What a fetch must know before it is made: keys, what its source requires, what is taken of
//! objects further up; and who gives it.

use std::sync::Arc;

use schema::key::FieldSet;
use schema::types::{Name, TypeId};

use super::super::Contextual;
use super::super::search::{Chosen, TYPE_NAME};
use super::{Commit, Done, Giver, Offers, Provider, Way, inside};
use crate::selection::{KeySlot, PositionId};

impl Commit<'_> {
    /// The fields for which objects further up are looked at.
    pub(super) fn contexts(&self, at: PositionId, chosen: &Chosen) -> Vec<Contextual> {
        let slots = &self.selection.position(at).slots;
        let fulfilled = chosen.fulfilled.iter();
        let found = fulfilled.filter_map(|told| {
            let name = Arc::clone(&slots[told.slot].field);
            let field = (chosen.source, at, told.on, name);
            Some(Contextual {
                at,
                on: told.on,
                slot: told.slot,
                arguments: Arc::clone(self.memory.contexts.get(&field)?),
            })
        });
        found.collect()
    }

    /// Adds the fetches that bring a value and the objects on the way to it.
    pub(super) fn holders(&self, (at, value): (PositionId, &KeySlot), after: &mut Vec<usize>) {
        let fetches = self.fetches.iter().enumerate();
        let holders = fetches.filter(|(_, fetch)| fetch.fills(at, value.slot));
        after.extend(holders.map(|(index, _)| index));
        if let Some(child) = self.selection.position(at).slots[value.slot].child {
            for inner in &value.inner {
                self.holders((child, inner), after);
            }
        }
    }

    /// Has the slots filled that a source is told.
    pub(super) fn told(
        &mut self,
        here: (PositionId, &Way),
        (needs, on): (&[KeySlot], &[TypeId]),
        providers: &[Provider],
        after: &mut Vec<usize>,
    ) -> Done {
        for need in needs {
            // The client asks for nothing inside of it.
            self.slot(here, (need.slot, on, Vec::new()), providers)?;
            after.extend(self.fillers(here.0, need.slot));
        }
        Ok(())
    }

    /// The slots of a key, some of which may be filled by fetches that go further in.
    pub(super) fn whole_key(
        &mut self,
        (key, chosen): (&FieldSet, &Chosen),
        place: ((PositionId, &Way), TypeId),
        providers: &[Provider],
        after: &mut Vec<usize>,
    ) -> Done<Vec<KeySlot>> {
        let mut slots = Vec::with_capacity(key.0.len());
        for part in &key.0 {
            let mut deep = chosen.deep.iter().filter(|deep| deep.on == place.1);
            let found = deep.find_map(|it| it.parts.iter().find(|slot| slot.name == part.0));
            if let Some(slot) = found {
                slots.push(slot.clone());
            } else {
                let one = FieldSet(vec![part.clone()]);
                slots.extend(self.key(&one, place, providers, after)?);
            }
        }
        Ok(slots)
    }

    /// What the source is told of objects that it is asked for as `on`.
    pub(super) fn requires(&self, chosen: &Chosen, on: TypeId) -> Vec<KeySlot> {
        let mut slots: Vec<KeySlot> = Vec::new();
        for fulfilled in &chosen.fulfilled {
            if fulfilled.on == on || self.graph.types().is_a(fulfilled.on, on) {
                let new = fulfilled.needs.iter();
                let new: Vec<_> = new.filter(|need| !slots.contains(need)).cloned().collect();
                slots.extend(new);
            }
        }
        slots
    }

    /// The slots of a key, each taken from the first fetch that gives it.
    fn key(
        &mut self,
        key: &FieldSet,
        ((at, way), on): ((PositionId, &Way), TypeId),
        providers: &[Provider],
        after: &mut Vec<usize>,
    ) -> Done<Vec<KeySlot>> {
        let mut slots = Vec::with_capacity(key.0.len());
        for (name, inner) in key.0.iter().filter(|(name, _)| name.as_ref() != TYPE_NAME) {
            let types = self.graph.types();
            let Some(field) = types.get(on).field(name) else {
                return Err(self.missing(on, name));
            };
            let slot = self.selection.need(at, field, types);
            let child = self.selection.position(at).slots[slot].child;
            let givers = self.key_givers((on, name), providers);
            let Some((first, _)) = givers.first() else {
                return Err(self.missing(on, name));
            };
            let inner = match child {
                Some(child) if !inner.is_empty() => {
                    let providers = inside(&givers);
                    let mut way = way.clone();
                    way.push((slot, self.types_at(at, on)));
                    let on = types.get(self.selection.position(child).ty).possible[0];
                    self.key(inner, ((child, &way), on), &providers, after)?
                }
                _ => {
                    self.take(*first, (at, way), (slot, &self.types_at(at, on)));
                    after.push(*first);
                    Vec::new()
                }
            };
            slots.push(KeySlot {
                name: Arc::clone(name),
                slot,
                on: None,
                inner,
            });
        }
        Ok(slots)
    }

    /// As `givers`, for a part of a key.
    fn key_givers(&self, (on, name): (TypeId, &Name), providers: &[Provider]) -> Vec<Giver> {
        let field = |provider: &Provider| {
            let offer = match &provider.offers {
                Offers::Through(offer) => Some(*offer),
                Offers::Chosen(chosen) => chosen.offer(self.graph, on),
            };
            let offer = offer.filter(|offer| offer.only.is_none())?;
            let field = offer.node(self.graph, on)?.fields.get(name)?;
            let inside = provider.inside(field);
            field.requires.is_none().then_some((provider.fetch, inside))
        };
        providers.iter().filter_map(field).collect()
    }

    /// The fetches that fill a slot or anything inside of it.
    fn fillers(&self, at: PositionId, slot: usize) -> Vec<usize> {
        let child = self.selection.position(at).slots[slot].child;
        let fetches = self.fetches.iter().enumerate();
        fetches
            .filter(|(_, fetch)| {
                fetch.fills(at, slot)
                    || child.is_some_and(|child| {
                        let mut places = fetch.takes.keys();
                        places.any(|place| self.selection.is_inside(*place, child))
                    })
            })
            .map(|(index, _)| index)
            .collect()
    }

    /// The types of the objects that are meant by `on`, which may be abstract.
    pub(super) fn types_at(&self, at: PositionId, on: TypeId) -> Vec<TypeId> {
        let types = self.graph.types();
        if !types.get(on).is_abstract() {
            return vec![on];
        }
        types.get(self.selection.position(at).ty).possible.clone()
    }
}
