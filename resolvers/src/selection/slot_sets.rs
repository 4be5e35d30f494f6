//! Sets of slots that are selected together, which depend on the path to the objects.
//!
//! `{ e { ... on A { m { x } } ... on B { m { y } } } }` has one position for the objects of `m` and
//! two sets there: `y` is not selected for an `m` inside of an `A`.

use indexmap::IndexSet;
use schema::types::TypeId;

/// All slot sets of an operation, each once.
#[derive(Debug, Default)]
pub(crate) struct SlotSets(IndexSet<SlotSet>);

/// Index of a slot set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SlotSetId(usize);

/// The slots that one path selects at a position.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct SlotSet(Vec<SelectedSlot>);

/// A slot, selected on objects of some types.
#[derive(Debug, PartialEq, Eq, Hash)]
struct SelectedSlot {
    slot: usize,
    on: Vec<TypeId>,
    /// The set selected inside of it, for composite types.
    nested_set: Option<SlotSetId>,
}

impl SlotSet {
    pub(super) fn add(&mut self, slot: usize, on: &[TypeId], nested_set: Option<SlotSetId>) {
        let on = on.to_vec();
        self.0.push(SelectedSlot {
            slot,
            on,
            nested_set,
        });
    }

    fn selected(&self, slot: usize) -> &[SelectedSlot] {
        let from = self.0.partition_point(|member| member.slot < slot);
        let to = self.0.partition_point(|member| member.slot <= slot);
        &self.0[from..to]
    }
}

impl SlotSets {
    pub(super) fn add(&mut self, mut set: SlotSet) -> SlotSetId {
        set.0.sort_by_key(|member| member.slot);
        SlotSetId(self.0.insert_full(set).0)
    }

    /// The slots that `sets` select on objects of type `on`, possibly repeated.
    pub(crate) fn slots(&self, sets: &[SlotSetId], on: TypeId) -> impl Iterator<Item = usize> {
        let members = self.by_ids(sets).flat_map(|set| &set.0);
        let selected = members.filter(move |member| member.on.contains(&on));
        selected.map(|member| member.slot)
    }

    /// The sets that `sets` select inside of a slot of objects of the types `on`.
    pub(crate) fn nested_sets(
        &self,
        sets: &[SlotSetId],
        on: &[TypeId],
        slot: usize,
    ) -> Vec<SlotSetId> {
        let members = self.by_ids(sets).flat_map(|set| set.selected(slot));
        let members = members.filter(|member| member.on.iter().any(|ty| on.contains(ty)));
        let mut nested_sets: Vec<SlotSetId> =
            members.filter_map(|member| member.nested_set).collect();
        nested_sets.sort_unstable();
        nested_sets.dedup();
        nested_sets
    }

    fn by_ids(&self, sets: &[SlotSetId]) -> impl Iterator<Item = &SlotSet> {
        sets.iter().filter_map(|set| self.0.get_index(set.0))
    }
}
