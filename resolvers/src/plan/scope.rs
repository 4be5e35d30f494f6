//! Scopes: the objects at one position with the slots that a plan must fill.
//!
//! A scope is the unit of the search: equal scopes with equal offers have equal covers.

use schema::graph::Graph;
use schema::source::SourceId;
use schema::types::TypeId;

use super::offer::{Offer, TypedSlot};
use crate::selection::{PositionId, ROOT, Selection, SlotOrigin, SlotSetId};

/// The objects at one position, and the slots to fill for each of their types.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PlanScope {
    pub(super) at: PositionId,
    /// The client's selection at the position, which depends on the path to it.
    pub(super) slot_sets: Vec<SlotSetId>,
    /// Slots by object type, in the order of the types; types without slots are left out.
    pub(super) wanted_slots: Vec<(TypeId, Vec<usize>)>,
    /// Whether the type of each object must be known.
    pub(super) needs_typename: bool,
    /// The only source that may be used.
    pub(super) only_source: Option<SourceId>,
}

impl PlanScope {
    /// The scope of all slots in `slot_sets`, for the object types that `offers` can return; all
    /// types if there are no offers.
    pub(super) fn new(
        graph: &Graph,
        selection: &Selection,
        at: PositionId,
        slot_sets: Vec<SlotSetId>,
        offers: &[Offer],
    ) -> Self {
        let position = selection.position(at);
        let ty = graph.types().get(position.ty);
        let is_provided = |on: TypeId| {
            offers.is_empty() || offers.iter().any(|offer| offer.node(graph, on).is_some())
        };
        let wanted_slots: Vec<(TypeId, Vec<usize>)> = ty
            .possible_types
            .iter()
            .filter(|on| is_provided(**on) && position.has_type(**on))
            .map(|on| (*on, selected_slots(selection, at, &slot_sets, *on)))
            .collect();
        let needs_typename = ty.is_abstract()
            && (position.needs_typename
                || wanted_slots
                    .iter()
                    .any(|(_, slots)| *slots != wanted_slots[0].1));
        Self {
            at,
            slot_sets,
            wanted_slots: wanted_slots
                .into_iter()
                .filter(|(_, slots)| !slots.is_empty())
                .collect(),
            needs_typename,
            only_source: None,
        }
    }
}

impl PlanScope {
    /// The scope with other slots to fill.
    pub(super) fn with_wanted_slots(&self, wanted_slots: Vec<(TypeId, Vec<usize>)>) -> Self {
        Self {
            at: self.at,
            slot_sets: self.slot_sets.clone(),
            wanted_slots,
            needs_typename: self.needs_typename,
            only_source: self.only_source,
        }
    }

    /// A slot of the scope, for objects of type `on`.
    pub(super) fn typed_slot(&self, on: TypeId, slot: usize) -> TypedSlot {
        TypedSlot {
            at: self.at,
            on,
            slot,
        }
    }

    /// Whether its fields have side effects, so that each must be fetched exactly once.
    pub(super) fn is_mutation_root(&self, graph: &Graph, selection: &Selection) -> bool {
        self.at == ROOT && graph.types().mutation() == Some(selection.position(ROOT).ty)
    }
}

/// The slots that `sets` select for objects of type `on`, and those required internally; sorted.
fn selected_slots(
    selection: &Selection,
    at: PositionId,
    sets: &[SlotSetId],
    on: TypeId,
) -> Vec<usize> {
    let slots = &selection.position(at).slots;
    let required = (0..slots.len()).filter(|slot| slots[*slot].required_on.contains(&on));
    let mut selected: Vec<usize> = selection
        .slot_sets
        .slots(sets, on)
        .chain(required)
        .collect();
    selected.retain(|slot| slots[*slot].origin == SlotOrigin::Source);
    selected.sort_unstable();
    selected.dedup();
    selected
}
