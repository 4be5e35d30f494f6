//! Invalidations that begin here: in this process at once, then in Redis, which tells the others.
//!
//! While Redis cannot be told, the tags stay invalid here, and are tried again until it can.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, watch};

use super::super::stats::Stats;
use super::super::store::Store;
use super::{Generations, Tag, new_generation};

/// How far an invalidation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// Every replica knows, or will within a second.
    Everyone,
    /// This process knows; the others will when Redis is back.
    ThisProcess,
}

/// Makes tags invalid.
#[derive(Debug)]
pub(in crate::cache) struct Revoker {
    generations: Arc<Generations>,
    store: Option<Arc<Store>>,
    /// What Redis is still to be told.
    late: Mutex<BTreeSet<Tag>>,
    came_late: Notify,
    stats: Arc<Stats>,
}

impl Revoker {
    pub(in crate::cache) fn new(
        generations: Arc<Generations>,
        store: Option<Arc<Store>>,
        stats: Arc<Stats>,
    ) -> Self {
        Self {
            generations,
            store,
            late: Mutex::default(),
            came_late: Notify::new(),
            stats,
        }
    }

    pub(in crate::cache) async fn invalidate(&self, tags: &[Tag]) -> Reached {
        self.stats.invalidations.add(tags.len());
        let Some(store) = &self.store else {
            for tag in tags {
                self.generations.replace(*tag, new_generation());
            }
            return Reached::Everyone;
        };
        let mut untold = Untold {
            revoker: self,
            tags,
        };
        self.note(tags);
        if self.tell(store, tags, store.settings().limit).await {
            untold.tags = &[];
            return Reached::Everyone;
        }
        Reached::ThisProcess
    }

    /// Makes `tags` invalid here at once, and leaves it to [`Self::run`] to tell Redis.
    pub(in crate::cache) fn invalidate_later(&self, tags: &[Tag]) {
        self.stats.invalidations.add(tags.len());
        if self.store.is_some() {
            drop(Untold {
                revoker: self,
                tags,
            });
            return;
        }
        for tag in tags {
            self.generations.replace(*tag, new_generation());
        }
    }

    /// Tells Redis what it could not be told, until `stop` is dropped.
    pub(in crate::cache) async fn run(self: Arc<Self>, mut stop: watch::Receiver<()>) {
        let Some(store) = &self.store else { return };
        let run = async {
            loop {
                let late: Vec<Tag> = self.lock().iter().take(BATCH).copied().collect();
                if late.is_empty() {
                    self.came_late.notified().await;
                    continue;
                }
                store.connected().await;
                if !self.tell(store, &late, store.settings().write_limit).await {
                    tokio::time::sleep(store.settings().probe).await;
                }
            }
        };
        tokio::select! {
            () = run => {}
            _ = stop.changed() => {}
        }
    }

    async fn tell(&self, store: &Store, tags: &[Tag], limit: std::time::Duration) -> bool {
        let generation = new_generation();
        for tags in tags.chunks(BATCH) {
            if !store.invalidate(tags, generation, limit).await {
                return false;
            }
            let mut late = self.lock();
            for tag in tags {
                late.remove(tag);
                self.generations.confirm(*tag, generation);
            }
        }
        true
    }

    /// Makes `tags` invalid here, and remembers to tell Redis; too many become one: everything.
    fn note(&self, tags: &[Tag]) {
        let mut late = self.lock();
        late.extend(tags);
        if late.len() > MOST {
            late.clear();
            late.insert(Tag::everything());
            self.generations.suspend_everything();
            return;
        }
        for tag in tags {
            self.generations.suspend(*tag);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<Tag>> {
        // Tags are added and removed one by one: a panic elsewhere leaves a whole set.
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves what Redis was not told, for whatever reason, to [`Revoker::run`]: the caller may have
/// gone away.
struct Untold<'a> {
    revoker: &'a Revoker,
    tags: &'a [Tag],
}

impl Drop for Untold<'_> {
    fn drop(&mut self) {
        if !self.tags.is_empty() {
            // Another's invalidation of the same tag may have been told meanwhile.
            self.revoker.note(self.tags);
            self.revoker.stats.invalidations_late.add(self.tags.len());
            self.revoker.came_late.notify_one();
        }
    }
}

/// Told at once.
const BATCH: usize = 256;

/// Tags that wait until Redis is back.
const MOST: usize = 10_000;
