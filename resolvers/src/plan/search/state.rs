//! What was chosen so far at one place.

use std::rc::Rc;
use std::sync::Arc;

use schema::graph::Graph;
use schema::source::{NodeField, SourceId};
use schema::types::TypeId;

use super::super::{Offer, TypedSlot};
use crate::selection::{KeySlot, Selection};

/// Fetches chosen so far, and what they cost.
#[derive(Clone)]
pub(super) struct State {
    /// What is there without any.
    pub(super) base_offers: Rc<[Offer]>,
    pub(super) chosen: Vec<ChosenFetch>,
    pub(super) cost: u64,
    /// Of the entries that could be used in addition, how many were decided on.
    pub(super) extra_decided: usize,
}

/// A fetch at a place.
#[derive(Clone, Debug)]
pub(in super::super) struct ChosenFetch {
    pub(in super::super) source: SourceId,
    /// The slot it is for, where it serves one field.
    pub(in super::super) slot: Option<usize>,
    /// The entry for objects of each type.
    pub(in super::super) entries: Vec<(TypeId, usize)>,
    /// The fields for which the source is told something.
    pub(in super::super) fulfilled_requirements: Vec<FulfilledRequirement>,
    /// The parts of keys for which others go further in.
    pub(in super::super) nested_keys: Vec<NestedKey>,
    /// How many fetches stand before it.
    pub(in super::super) level: u32,
    /// Those of the chosen that come before it, directly or not.
    pub(super) deps: FetchSet,
}

/// A field that a source gives because it is told something.
#[derive(Clone, Debug)]
pub(in super::super) struct FulfilledRequirement {
    pub(in super::super) on: TypeId,
    pub(in super::super) slot: usize,
    pub(in super::super) required_slots: Arc<[KeySlot]>,
}

/// Parts of the key by which objects of a type are asked for.
#[derive(Clone, Debug)]
pub(in super::super) struct NestedKey {
    pub(in super::super) on: TypeId,
    pub(in super::super) parts: Arc<[KeySlot]>,
}

/// A set of the chosen, by their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FetchSet(u64);

impl FetchSet {
    /// Chosen fetches at one place; more than 64 are not followed up.
    pub(super) const MAX: usize = 64;

    pub(super) fn from_index(index: usize) -> Self {
        Self(1 << index)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(super) fn contains(self, index: usize) -> bool {
        self.0 & (1 << index) != 0
    }

    pub(super) fn len(self) -> u32 {
        self.0.count_ones()
    }

    fn is_subset(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }
}

impl ChosenFetch {
    /// What it offers of objects of type `on`.
    pub(in super::super) fn offer(&self, graph: &Graph, on: TypeId) -> Option<Offer> {
        let (_, entry) = self
            .entries
            .iter()
            .find(|(for_type, _)| *for_type == on || graph.types().is_a(on, *for_type))?;
        Some(Offer {
            source: self.source,
            node: graph.source(self.source).entry_points[*entry].node,
            only_slot: self.slot,
            level: self.level,
        })
    }

    /// The field of a slot, where it is given.
    pub(in super::super) fn provided_field<'g>(
        &self,
        graph: &'g Graph,
        selection: &Selection,
        wanted: TypedSlot,
    ) -> Option<&'g NodeField> {
        let offer = self.offer(graph, wanted.on)?;
        let plain = offer.provided_field(graph, selection, wanted);
        if plain.is_some() {
            return plain;
        }
        let mut fulfilled = self.fulfilled_requirements.iter();
        if !fulfilled.any(|it| it.on == wanted.on && it.slot == wanted.slot) {
            return None;
        }
        let node = offer.node(graph, wanted.on)?;
        node.fields.get(wanted.field(selection))
    }

    /// What it offers of the objects in a slot.
    pub(in super::super) fn child_offer(
        &self,
        graph: &Graph,
        selection: &Selection,
        wanted: TypedSlot,
    ) -> Option<Offer> {
        Some(Offer {
            source: self.source,
            node: self.provided_field(graph, selection, wanted)?.child?,
            only_slot: None,
            level: self.level,
        })
    }
}

impl State {
    pub(super) fn new(offers: &[Offer]) -> Self {
        Self {
            base_offers: offers.into(),
            chosen: Vec::new(),
            cost: 0,
            extra_decided: 0,
        }
    }

    /// Adds what `index` must wait for, and so do those that wait for it.
    pub(super) fn add_deps(&mut self, index: usize, deps: FetchSet) {
        let level = self.level_after(deps);
        for (other, chosen) in self.chosen.iter_mut().enumerate() {
            if other == index || chosen.deps.contains(index) {
                chosen.deps.add(deps);
                chosen.level = chosen.level.max(level);
            }
        }
    }

    /// How many fetches stand before one that waits for `deps`.
    pub(super) fn level_after(&self, deps: FetchSet) -> u32 {
        let base = self.base_offers.iter().map(|offer| offer.level + 1).min();
        let chosen = self.chosen.iter().enumerate();
        let chosen = chosen.filter(|(index, _)| deps.contains(*index));
        chosen
            .map(|(_, chosen)| chosen.level + 1)
            .fold(base.unwrap_or(0), u32::max)
    }

    /// `deps` and all that these wait for.
    pub(super) fn closure(&self, deps: FetchSet) -> FetchSet {
        let mut closed = deps;
        for (index, chosen) in self.chosen.iter().enumerate() {
            if deps.contains(index) {
                closed.add(chosen.deps);
            }
        }
        closed
    }

    /// The chosen, each after all that it waits for.
    pub(super) fn ordered(&self) -> Vec<ChosenFetch> {
        let mut ordered = Vec::with_capacity(self.chosen.len());
        let mut done = FetchSet::default();
        while ordered.len() < self.chosen.len() {
            let next = self
                .chosen
                .iter()
                .enumerate()
                .find(|(index, chosen)| !done.contains(*index) && chosen.deps.is_subset(done));
            let Some((index, chosen)) = next else {
                break; // Nothing waits for itself.
            };
            done.add(FetchSet::from_index(index));
            ordered.push(chosen.clone());
        }
        ordered
    }
}
