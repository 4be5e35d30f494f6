//! The error for an operation without a plan, which names the field at fault.

use schema::types::TypeId;

use super::super::{Offer, PlanScope, Unplannable};
use super::Commit;

impl Commit<'_> {
    /// The error for a scope without a cover; names the most deeply nested field at fault.
    pub(super) fn unplannable(&mut self, scope: &PlanScope, offers: &[Offer]) -> Unplannable {
        let wanted: Vec<(TypeId, usize)> = scope
            .wanted_slots
            .iter()
            .flat_map(|(on, slots)| slots.iter().map(|slot| (*on, *slot)))
            .collect();
        let mut search = self.search();
        let is_unplannable = |(on, slot): &&(TypeId, usize)| {
            let single = PlanScope {
                wanted_slots: vec![(*on, vec![*slot])],
                ..scope.clone()
            };
            search.cover(&single, offers).is_none()
        };
        let culprit = wanted
            .iter()
            .find(is_unplannable)
            .or(wanted.first())
            .copied();
        if let Some((inner, offers)) =
            culprit.and_then(|(on, slot)| self.nested_scope(scope, offers, on, slot))
            && self.search().cover(&inner, &offers).is_none()
        {
            return self.unplannable(&inner, &offers);
        }
        let position = self.selection.position(scope.at);
        let (on, field) = culprit.map_or((position.ty, "?"), |(on, slot)| {
            (on, position.slots[slot].field.as_ref())
        });
        self.unplannable_field(on, field)
    }

    /// The scope of the objects nested in a slot, with the offers of all sources together.
    fn nested_scope(
        &self,
        scope: &PlanScope,
        offers: &[Offer],
        on: TypeId,
        slot: usize,
    ) -> Option<(PlanScope, Vec<Offer>)> {
        let child = self.selection.position(scope.at).slots[slot].child?;
        let entries = self.graph.entry_points(on).iter();
        let entries =
            entries.map(|(source, entry)| Offer::from_entry_point(self.graph, *source, *entry));
        let wanted = scope.typed_slot(on, slot);
        let all = offers.iter().copied().chain(entries);
        let nested = all.filter_map(|it| it.child_offer(self.graph, self.selection, wanted));
        let nested: Vec<Offer> = nested.collect();
        let sets = self
            .selection
            .slot_sets
            .nested_sets(&scope.slot_sets, &[on], slot);
        let inner = PlanScope::new(self.graph, self.selection, child, sets, &nested);
        (!nested.is_empty()).then_some((inner, nested))
    }

    /// The error for a field that no source can provide.
    pub(super) fn unplannable_field(&self, on: TypeId, field: &str) -> Unplannable {
        Unplannable {
            coordinate: format!("{}.{field}", self.graph.types().get(on).name),
        }
    }
}
