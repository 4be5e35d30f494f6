//! Invalidations that start in this process: applied here at once, then published through Redis.
//!
//! While Redis is unreachable the tags stay invalid here, and publishing is retried.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, watch};

use super::super::stats::Stats;
use super::super::store::Store;
use super::{Generations, Tag, new_generation};

/// The reach of an invalidation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// All replicas have it, or will within a second.
    AllReplicas,
    /// Only this process has it; the others will when Redis is reachable again.
    ThisProcess,
}

/// Invalidates tags in this process and in Redis.
#[derive(Debug)]
pub(in crate::cache) struct Invalidator {
    generations: Arc<Generations>,
    store: Option<Arc<Store>>,
    /// Tags that are not published yet.
    unpublished: Mutex<BTreeSet<Tag>>,
    unpublished_added: Notify,
    stats: Arc<Stats>,
}

impl Invalidator {
    pub(in crate::cache) fn new(
        generations: Arc<Generations>,
        store: Option<Arc<Store>>,
        stats: Arc<Stats>,
    ) -> Self {
        Self {
            generations,
            store,
            unpublished: Mutex::default(),
            unpublished_added: Notify::new(),
            stats,
        }
    }

    pub(in crate::cache) async fn invalidate(&self, tags: &[Tag]) -> Propagation {
        self.stats.invalidations.add(tags.len());
        let Some(store) = &self.store else {
            for tag in tags {
                self.generations.replace(*tag, new_generation());
            }
            return Propagation::AllReplicas;
        };
        let mut requeue = RequeueOnDrop {
            invalidator: self,
            tags,
        };
        self.mark_pending(tags);
        if self
            .publish(store, tags, store.settings().command_timeout)
            .await
        {
            requeue.tags = &[];
            return Propagation::AllReplicas;
        }
        Propagation::ThisProcess
    }

    /// Invalidates `tags` in this process, and leaves publishing to [`Self::run`].
    pub(in crate::cache) fn invalidate_later(&self, tags: &[Tag]) {
        self.stats.invalidations.add(tags.len());
        if self.store.is_some() {
            drop(RequeueOnDrop {
                invalidator: self,
                tags,
            });
            return;
        }
        for tag in tags {
            self.generations.replace(*tag, new_generation());
        }
    }

    /// Publishes deferred invalidations until `stop` is dropped.
    pub(in crate::cache) async fn run(self: Arc<Self>, mut stop: watch::Receiver<()>) {
        let Some(store) = &self.store else { return };
        let run = async {
            loop {
                let unpublished: Vec<Tag> = self
                    .lock()
                    .iter()
                    .take(MAX_TAGS_PER_BATCH)
                    .copied()
                    .collect();
                if unpublished.is_empty() {
                    self.unpublished_added.notified().await;
                    continue;
                }
                store.wait_until_connected().await;
                if !self
                    .publish(store, &unpublished, store.settings().write_timeout)
                    .await
                {
                    tokio::time::sleep(store.settings().probe_interval).await;
                }
            }
        };
        tokio::select! {
            () = run => {}
            _ = stop.changed() => {}
        }
    }

    async fn publish(&self, store: &Store, tags: &[Tag], limit: std::time::Duration) -> bool {
        let generation = new_generation();
        for tags in tags.chunks(MAX_TAGS_PER_BATCH) {
            if !store.invalidate(tags, generation, limit).await {
                return false;
            }
            let mut unpublished = self.lock();
            for tag in tags {
                unpublished.remove(tag);
                self.generations.confirm(*tag, generation);
            }
        }
        true
    }

    /// Invalidates `tags` in this process and queues them for publishing; too many tags become the
    /// tag of everything.
    fn mark_pending(&self, tags: &[Tag]) {
        let mut unpublished = self.lock();
        unpublished.extend(tags);
        if unpublished.len() > MAX_UNPUBLISHED_TAGS {
            unpublished.clear();
            unpublished.insert(Tag::everything());
            self.generations.suspend_everything();
            return;
        }
        for tag in tags {
            self.generations.suspend(*tag);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<Tag>> {
        // Tags are added and removed one by one: a panic leaves a valid set.
        self.unpublished
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Queues unpublished tags for [`Invalidator::run`], also when the caller is cancelled.
struct RequeueOnDrop<'a> {
    invalidator: &'a Invalidator,
    tags: &'a [Tag],
}

impl Drop for RequeueOnDrop<'_> {
    fn drop(&mut self) {
        if !self.tags.is_empty() {
            // A concurrent invalidation of the same tag may have been published meanwhile.
            self.invalidator.mark_pending(self.tags);
            self.invalidator
                .stats
                .invalidations_deferred
                .add(self.tags.len());
            self.invalidator.unpublished_added.notify_one();
        }
    }
}

/// Maximum number of tags published in one batch.
const MAX_TAGS_PER_BATCH: usize = 256;

/// Maximum number of tags queued while Redis is unreachable.
const MAX_UNPUBLISHED_TAGS: usize = 10_000;
