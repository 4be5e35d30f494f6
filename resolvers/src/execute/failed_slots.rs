//! What failed calls and errors were to give, marked again when another source gives the same object.
//!
//! Whichever response arrives first, the values that failed are failed inside of the object.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::execution::Execution;
use super::place_errors::{Marker, PathStep};
use crate::error::FailureId;
use crate::plan::{ByFetch, Fetch, FetchId};
use crate::prepared::PreparedOperation;
use crate::response::shape::ObjectShape;
use crate::selection::Selection;
use crate::tree::Row;

/// The failures of one execution, by fetch.
#[derive(Default)]
pub(super) struct FailedSlots<'a>(BTreeMap<FetchId, Vec<FailedValue<'a>>>);

/// Values of one row that have failed.
#[derive(Clone)]
pub(super) struct FailedValue<'a> {
    pub(super) row: Row,
    pub(super) failure: FailureId,
    /// Where the error of a subgraph is; `None`: in all slots of the fetch.
    pub(super) place: Option<ErrorPlace<'a>>,
}

/// The place of a subgraph's error, from an object on.
#[derive(Clone)]
pub(super) struct ErrorPlace<'a> {
    pub(super) shape: &'a ObjectShape,
    pub(super) path: Arc<[PathStep]>,
}

impl<'a> FailedSlots<'a> {
    pub(super) fn add(&mut self, fetch: FetchId, failed: FailedValue<'a>) {
        self.0.entry(fetch).or_default().push(failed);
    }

    /// The failures of other fetches that fill objects which `fetch` fills too.
    fn sharing_objects(
        &self,
        fetches: &ByFetch<Fetch>,
        selection: &Selection,
        fetch: FetchId,
    ) -> Vec<(FetchId, FailedValue<'a>)> {
        let others = self.0.iter().filter(|(other, _)| {
            **other != fetch && has_shared_objects(selection, &fetches[fetch], &fetches[**other])
        });
        let failed =
            others.flat_map(|(other, failed)| failed.iter().map(|it| (*other, it.clone())));
        failed.collect()
    }
}

/// Whether both fetches fill the same objects below one slot.
fn has_shared_objects(selection: &Selection, one: &Fetch, other: &Fetch) -> bool {
    one.slots.iter().any(|(position, slots)| {
        let others = other.slots.get(position);
        let slots_here = &selection.position(*position).slots;
        others.is_some_and(|others| {
            let mut composite = slots
                .keys()
                .filter(|slot| slots_here[**slot].child.is_some());
            composite.any(|slot| others.contains_key(slot))
        })
    })
}

impl<'a> Execution<'_, 'a> {
    /// Marks the failures of other fetches in the objects that a fetch has given.
    pub(super) fn mark_shared_failures(&mut self, fetch: FetchId) {
        if self.failed_slots.0.is_empty() {
            return;
        }
        let prepared: &'a PreparedOperation = self.context.prepared;
        let fetches = &prepared.plan.fetches;
        let failed = self
            .failed_slots
            .sharing_objects(fetches, &prepared.selection, fetch);
        let marked: BTreeSet<FetchId> = failed.iter().map(|(other, _)| *other).collect();
        for (other, failed) in failed {
            if let Some(place) = &failed.place {
                let mut marker = Marker {
                    tree: &mut self.tree,
                    failure: failed.failure,
                };
                marker.mark_row(place.shape, failed.row, &place.path);
            } else {
                let fetch = &fetches[other];
                let mut merge = self.merge(fetch);
                merge.fail_slots(fetch.at, failed.row, failed.failure);
            }
        }
        self.fail_dependents(marked);
    }

    /// Fails what fetches that have ended were to give in objects that were not there yet: their
    /// keys are among the slots of the failed fetches.
    fn fail_dependents(&mut self, mut failed: BTreeSet<FetchId>) {
        let fetches = &self.context.prepared.plan.fetches;
        for (id, fetch) in fetches.pairs() {
            let is_affected = fetch.depends_on.iter().any(|other| failed.contains(other));
            if is_affected && self.is_done(id) && fetch.condition.is_true(self.context.variables) {
                self.unstarted_entities(id);
                failed.insert(id);
            }
        }
    }
}
