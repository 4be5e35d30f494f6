//! The state of a search: the fetches chosen so far for one scope.

use std::rc::Rc;
use std::sync::Arc;

use schema::graph::Graph;
use schema::source::{NodeField, SourceId};
use schema::types::TypeId;

use super::super::{Offer, TypedSlot};
use super::index_set::IndexSet;
use crate::selection::{KeySlot, Selection};

/// Fetches chosen so far, and their cost.
#[derive(Clone)]
pub(super) struct State {
    /// Offers of fetches that reach the position already.
    pub(super) base_offers: Rc<[Offer]>,
    pub(super) chosen: Vec<ChosenFetch>,
    pub(super) cost: u64,
    /// Number of extra candidates that were decided on, used or not.
    pub(super) extra_decided: usize,
    /// Number of the wanted slot that is being reached.
    pub(super) wanted: usize,
}

/// A fetch chosen for a scope.
#[derive(Clone, Debug)]
pub(in super::super) struct ChosenFetch {
    pub(in super::super) source: SourceId,
    /// The slot of the field, if the entry point serves a single field.
    pub(in super::super) slot: Option<usize>,
    /// The entry point for objects of each type.
    pub(in super::super) entries: Vec<(TypeId, usize)>,
    /// The fields whose requirements are sent.
    pub(in super::super) fulfilled_requirements: Vec<FulfilledRequirement>,
    /// Key parts with nested fields that other fetches provide.
    pub(in super::super) nested_keys: Vec<NestedKey>,
    /// Length of the longest chain of fetches before it.
    pub(in super::super) level: u32,
    /// The chosen fetches that it depends on, directly or not.
    pub(super) dependencies: FetchSet,
    /// Number of the wanted slot that it was chosen for.
    pub(super) chosen_for: usize,
    pub(in super::super) role: FetchRole,
}

/// Which fields a chosen fetch serves: the plan may divide it by when its inputs are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum FetchRole {
    /// All fields.
    Whole,
    /// The fields that need nothing that is fetched later than the key.
    Early,
    /// Only the fields whose requirements it has.
    Late,
}

/// A set of chosen fetches, by their indices.
pub(super) type FetchSet = IndexSet;

/// A field that a source provides because its requirements are sent.
#[derive(Clone, Debug)]
pub(in super::super) struct FulfilledRequirement {
    pub(in super::super) on: TypeId,
    pub(in super::super) slot: usize,
    pub(in super::super) required_slots: Arc<[KeySlot]>,
}

/// Nested parts of the key by which objects of a type are fetched.
#[derive(Clone, Debug)]
pub(in super::super) struct NestedKey {
    pub(in super::super) on: TypeId,
    pub(in super::super) parts: Arc<[KeySlot]>,
}

impl ChosenFetch {
    /// The offer for objects of type `on`.
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

    /// The field of a slot, if provided: without requirements, or with requirements that are sent.
    pub(in super::super) fn provided_field<'g>(
        &self,
        graph: &'g Graph,
        selection: &Selection,
        wanted: TypedSlot,
    ) -> Option<&'g NodeField> {
        if self.slot.is_some_and(|only| only != wanted.slot) {
            return None;
        }
        let offer = self.offer(graph, wanted.on)?;
        let field = offer.provided_field(graph, selection, wanted);
        if field.is_some() && self.role != FetchRole::Late {
            return field;
        }
        let mut fulfilled = self.fulfilled_requirements.iter();
        if !fulfilled.any(|it| it.on == wanted.on && it.slot == wanted.slot) {
            return None;
        }
        let node = offer.node(graph, wanted.on)?;
        node.fields.get(wanted.field(selection))
    }

    /// The offer for the objects nested in a slot.
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
            wanted: 0,
        }
    }

    /// Adds dependencies to the fetch at `index` and to those that depend on it.
    pub(super) fn add_dependencies(&mut self, index: usize, dependencies: &FetchSet) {
        let level = self.level_after(dependencies);
        for (other, chosen) in self.chosen.iter_mut().enumerate() {
            if other == index || chosen.dependencies.contains(index) {
                chosen.dependencies.add(dependencies);
                chosen.level = chosen.level.max(level);
            }
        }
    }

    /// The level of a fetch that depends on `dependencies`.
    pub(super) fn level_after(&self, dependencies: &FetchSet) -> u32 {
        let base = self.base_offers.iter().map(|offer| offer.level + 1).min();
        let chosen = self.chosen.iter().enumerate();
        let chosen = chosen.filter(|(index, _)| dependencies.contains(*index));
        chosen
            .map(|(_, chosen)| chosen.level + 1)
            .fold(base.unwrap_or(0), u32::max)
    }

    /// `dependencies` and everything that these depend on.
    pub(super) fn closure(&self, dependencies: &FetchSet) -> FetchSet {
        let mut closed = dependencies.clone();
        for (index, chosen) in self.chosen.iter().enumerate() {
            if dependencies.contains(index) {
                closed.add(&chosen.dependencies);
            }
        }
        closed
    }

    /// The chosen fetches, each after all that it depends on.
    pub(super) fn ordered(&self) -> Vec<ChosenFetch> {
        let mut ordered = Vec::with_capacity(self.chosen.len());
        let mut done = FetchSet::default();
        while ordered.len() < self.chosen.len() {
            let next = self.chosen.iter().enumerate().find(|(index, chosen)| {
                !done.contains(*index) && chosen.dependencies.is_subset(&done)
            });
            let Some((index, chosen)) = next else {
                break; // Unreachable: no fetch depends on itself.
            };
            done.add(&FetchSet::from_index(index));
            ordered.push(chosen.clone());
        }
        ordered
    }
}
