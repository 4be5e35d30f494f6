//! Which fields are asked for together: what is asked of objects depends on the way to them.
//!
//! `{ e { ... on A { m { x } } ... on B { m { y } } } }` has one place for the objects of `m`, and
//! two sets there: nobody wants `y` of what stands in an `A`.

use indexmap::IndexSet;
use schema::types::TypeId;

/// All sets of an operation, equal ones once.
#[derive(Debug, Default)]
pub(crate) struct Sets(IndexSet<Set>);

/// Which set of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SetId(usize);

/// What is asked at a place of objects that stand at the end of one way, slot by slot.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Set(Vec<Member>);

/// A slot that is asked of objects of some types.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Member {
    slot: usize,
    on: Vec<TypeId>,
    /// For composite types.
    inside: Option<SetId>,
}

impl Set {
    pub(super) fn add(&mut self, slot: usize, on: &[TypeId], inside: Option<SetId>) {
        let on = on.to_vec();
        self.0.push(Member { slot, on, inside });
    }

    fn members(&self, slot: usize) -> &[Member] {
        let from = self.0.partition_point(|member| member.slot < slot);
        let to = self.0.partition_point(|member| member.slot <= slot);
        &self.0[from..to]
    }
}

impl Sets {
    pub(super) fn add(&mut self, mut set: Set) -> SetId {
        set.0.sort_by_key(|member| member.slot);
        SetId(self.0.insert_full(set).0)
    }

    /// The slots that `sets` ask of objects of type `on`, perhaps more than once.
    pub(crate) fn slots(&self, sets: &[SetId], on: TypeId) -> impl Iterator<Item = usize> {
        let members = self.of(sets).flat_map(|set| &set.0);
        let asked = members.filter(move |member| member.on.contains(&on));
        asked.map(|member| member.slot)
    }

    /// What `sets` ask of the objects in a slot of objects of the types `on`.
    pub(crate) fn inside(&self, sets: &[SetId], on: &[TypeId], slot: usize) -> Vec<SetId> {
        let members = self.of(sets).flat_map(|set| set.members(slot));
        let members = members.filter(|member| member.on.iter().any(|ty| on.contains(ty)));
        let mut inside: Vec<SetId> = members.filter_map(|member| member.inside).collect();
        inside.sort_unstable();
        inside.dedup();
        inside
    }

    fn of(&self, sets: &[SetId]) -> impl Iterator<Item = &Set> {
        sets.iter().filter_map(|set| self.0.get_index(set.0))
    }
}
