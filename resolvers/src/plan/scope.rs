//! The objects at one position, and which of their slots are to be filled.

use schema::graph::Graph;
use schema::source::SourceId;
use schema::types::TypeId;

use super::offer::{Offer, TypedSlot};
use crate::selection::{PositionId, ROOT, Selection, SlotOrigin, SlotSetId};

/// The objects at one place, and which of their slots are to be filled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PlanScope {
    pub(super) at: PositionId,
    /// What the client asks of the objects there, which depends on the way to them.
    pub(super) slot_sets: Vec<SlotSetId>,
    /// By type, in the order of the types; none without slots.
    pub(super) wanted_slots: Vec<(TypeId, Vec<usize>)>,
    /// Whether it must be known of which type each object is.
    pub(super) needs_typename: bool,
    /// The only source that may be asked.
    pub(super) only_source: Option<SourceId>,
}

impl PlanScope {
    /// All slots that `sets` ask of the objects at `at` that `offers` can bring there.
    pub(super) fn new(
        graph: &Graph,
        selection: &Selection,
        at: PositionId,
        slot_sets: Vec<SlotSetId>,
        offers: &[Offer],
    ) -> Self {
        let position = selection.position(at);
        let ty = graph.types().get(position.ty);
        let is_provided =
            |on: TypeId| offers.is_empty() || offers.iter().any(|it| it.node(graph, on).is_some());
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
                .filter(|it| !it.1.is_empty())
                .collect(),
            needs_typename,
            only_source: None,
        }
    }
}

impl PlanScope {
    /// One of its slots, of objects of type `on`.
    pub(super) fn typed_slot(&self, on: TypeId, slot: usize) -> TypedSlot {
        TypedSlot {
            at: self.at,
            on,
            slot,
        }
    }

    /// Whether its fields do something, so that each may be asked of one source only.
    pub(super) fn is_mutation_root(&self, graph: &Graph, selection: &Selection) -> bool {
        self.at == ROOT && graph.types().mutation() == Some(selection.position(ROOT).ty)
    }
}

/// The slots that are asked of objects of type `on`.
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
