//! The place of a batch in its group, held while the batch is gathering or in flight.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::super::keys::BatchKeys;
use super::super::{Loader, shard};
use super::Stage;

/// The place of a batch in its group; dropped when the batch ends for any reason, which removes the
/// batch.
pub(crate) struct BatchSlot {
    pub(super) loader: Arc<Loader>,
    pub(super) hash: u64,
    pub(super) group_id: u64,
    pub(super) batch_id: u64,
}

impl BatchSlot {
    /// Closes the batch for further keys and returns its keys.
    pub(super) fn mark_in_flight(&self) -> Arc<BatchKeys> {
        let write_epoch = self.loader.write_epoch();
        let mut groups = shard(&self.loader.groups, self.hash);
        let group = groups.find_mut(self.hash, |group| group.id == self.group_id);
        let mut batches = group.into_iter().flat_map(|group| &mut group.batches);
        let Some(batch) = batches.find(|batch| batch.id == self.batch_id) else {
            return Arc::default(); // A batch exists as long as its slot.
        };
        batch.stage = Stage::InFlight(write_epoch);
        Arc::clone(&batch.keys)
    }
}

impl Drop for BatchSlot {
    fn drop(&mut self) {
        let mut groups = shard(&self.loader.groups, self.hash);
        let found = groups.find_entry(self.hash, |group| group.id == self.group_id);
        let Ok(mut found) = found else {
            return;
        };
        let batches = &mut found.get_mut().batches;
        let Some(own) = batches.iter().position(|batch| batch.id == self.batch_id) else {
            return;
        };
        let own = batches.swap_remove(own);
        self.loader
            .key_count
            .fetch_sub(own.keys.len(), Ordering::Relaxed);
        let gathering = batches.iter().find(|batch| batch.stage == Stage::Gathering);
        let waiting = gathering.map(|batch| batch.operation_id);
        match waiting {
            Some(operation_id) => found.get().start_gathered(operation_id),
            None if found.get().batches.is_empty() => drop(found.remove()),
            None => {}
        }
    }
}
