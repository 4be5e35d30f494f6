//! Batching across operations: concurrent operations share calls, each with its own answer.
//!
//! Equal reads that are under way are made once (`calls`). The keys of a connector that is asked
//! for many objects at a time go out together while another call of its kind is under way
//! (`groups`). Shared is only what is equal in everything that is sent, credentials included.
//! Nothing here outlives those who wait for it: answers are not kept, that is what a cache is for.
//!
//! Mutations, and what their operations read, never come here; what ran before a mutation ended,
//! or before something was invalidated, is not joined after it, so that nobody reads what was there
//! before their own write, and nobody keeps it.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hashbrown::HashTable;

use self::calls::CallEntry;
use self::groups::Group;
use self::shared_call::CallWaiter;
use crate::cache::Cache;
use crate::error::FetchError;
use crate::source_client::Sources;

mod calls;
pub(crate) mod groups;
pub(crate) mod identity;
mod keys;
mod shared_call;

/// What is under way for all operations of an engine.
#[derive(Debug)]
pub(crate) struct Loader {
    sources: Arc<Sources>,
    calls: Shards<CallEntry>,
    groups: Shards<Group>,
    /// How many keys all groups hold.
    key_count: AtomicUsize,
    hasher: foldhash::fast::RandomState,
    /// Counts mutations that ended.
    write_epoch: AtomicU64,
    /// Where it is told that something is invalid.
    cache: Option<Cache>,
    next_id: AtomicU64,
}

type Shards<T> = [Mutex<HashTable<T>>; SHARDS];

impl Loader {
    /// A loader that asks `sources`.
    pub(crate) fn new(sources: Arc<Sources>) -> Self {
        Self {
            sources,
            calls: Shards::default(),
            groups: Shards::default(),
            key_count: AtomicUsize::new(0),
            hasher: foldhash::fast::RandomState::default(),
            write_epoch: AtomicU64::new(0),
            cache: None,
            next_id: AtomicU64::new(0),
        }
    }

    /// The same beside a cache: what is said there to be invalid counts as written.
    pub(crate) fn with_cache(mut self, cache: Option<Cache>) -> Self {
        self.cache = cache;
        self
    }

    /// A number that nobody else has.
    pub(crate) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Something was written: what is under way may not know of it, so nobody joins it any more.
    pub(crate) fn bump_write_epoch(&self) {
        self.write_epoch.fetch_add(1, Ordering::AcqRel);
    }

    fn write_epoch(&self) -> u64 {
        let invalidation_epoch = self.cache.as_ref().map_or(0, Cache::invalidation_epoch);
        self.write_epoch
            .load(Ordering::Acquire)
            .wrapping_add(invalidation_epoch)
    }

    fn hash(&self, identity: &[u8]) -> u64 {
        self.hasher.hash_one(identity)
    }
}

/// Waits for at most `timeout`; a call that takes longer is joined by nobody else.
pub(crate) async fn wait<T: Clone + Send + 'static>(
    mut waiter: CallWaiter<T>,
    timeout: Duration,
) -> Result<T, FetchError> {
    let outcome = tokio::time::timeout(timeout, &mut waiter).await;
    outcome.map_err(|_| {
        waiter.close();
        FetchError::Timeout(timeout)
    })
}

fn shard<T>(shards: &Shards<T>, hash: u64) -> MutexGuard<'_, HashTable<T>> {
    // The table takes its own bits from both ends of the hash; these are between.
    let index = usize::try_from(hash >> 32).unwrap_or(0) % SHARDS;
    lock(&shards[index])
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whole between any two statements, so a panic elsewhere cannot have broken it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// More than there are cores, so that two rarely want the same.
const SHARDS: usize = 32;

/// Different calls under way in one shard, and different groups; beyond, calls are made unshared.
const MAX_PER_SHARD: usize = if cfg!(test) { 4 } else { 1_024 };

/// Keys of all groups together; beyond, operations ask for theirs alone.
const MAX_KEYS: usize = 1 << 20;

#[cfg(test)]
mod tests;
