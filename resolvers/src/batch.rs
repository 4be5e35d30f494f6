//! Batching across operations: concurrent operations share calls to sources.
//!
//! Equal reads in flight share one call (`calls`). Keys of a batch connector are gathered while
//! another call of its group is in flight, and sent together (`groups`). Only requests that are
//! equal in all that is sent, credentials included, are shared. Results live as long as their
//! waiters: caching is not done here.
//!
//! Mutations, and reads of their operations, are never shared. A call that started before a
//! mutation ended, or before an invalidation, is not joined afterwards, so every operation reads
//! its own writes, and outdated values are not cached.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hashbrown::HashTable;
use tokio::time::Instant;

use self::calls::CallEntry;
use self::groups::Group;
use self::shared_call::CallWaiter;
use crate::cache::Cache;
use crate::error::FetchError;
use crate::lock::lock;
use crate::source_client::Sources;

mod calls;
pub(crate) mod groups;
pub(crate) mod identity;
mod keys;
mod shared_call;

/// All shared calls in flight of an engine.
#[derive(Debug)]
pub(crate) struct Loader {
    sources: Arc<Sources>,
    calls: Shards<CallEntry>,
    groups: Shards<Group>,
    /// Number of keys in all groups.
    key_count: AtomicUsize,
    hasher: foldhash::fast::RandomState,
    /// Number of completed mutations.
    write_epoch: AtomicU64,
    /// The cache, whose invalidations count as writes.
    cache: Option<Cache>,
    next_id: AtomicU64,
}

type Shards<T> = [Mutex<HashTable<T>>; SHARDS];

impl Loader {
    /// A loader for `sources`, without a cache.
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

    /// Adds a cache, whose invalidations count as writes.
    pub(crate) fn with_cache(mut self, cache: Option<Cache>) -> Self {
        self.cache = cache;
        self
    }

    /// A unique id for an operation, a group or a batch.
    pub(crate) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Notes that data was written: calls in flight may have missed it, so they are not joined any
    /// more.
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

/// Waits for `timeout` at most, from now or from the sending of the call, if that is later. A call
/// that takes longer cannot be joined any more.
pub(crate) async fn wait<T: Clone + Send + 'static>(
    mut waiter: CallWaiter<T>,
    timeout: Duration,
) -> Result<T, FetchError> {
    let mut started = Instant::now();
    loop {
        let outcome = tokio::time::timeout_at(started + timeout, &mut waiter).await;
        if let Ok(outcome) = outcome {
            return Ok(outcome);
        }
        match waiter.last_sent() {
            Some(sent) if sent > started => started = sent,
            _ => break,
        }
    }
    waiter.close();
    Err(FetchError::Timeout(timeout))
}

fn shard<T>(shards: &Shards<T>, hash: u64) -> MutexGuard<'_, HashTable<T>> {
    // The table uses bits from both ends of the hash; these are between.
    let index = usize::try_from(hash >> 32).unwrap_or(0) % SHARDS;
    lock(&shards[index])
}

/// Number of shards; more than cores, so that locks are seldom contended.
const SHARDS: usize = 32;

/// Maximum number of calls in one shard, and of groups; further calls are not shared.
const MAX_PER_SHARD: usize = if cfg!(test) { 4 } else { 1_024 };

/// Maximum number of keys in all groups; further operations send their own batches.
const MAX_KEYS: usize = 1 << 20;

#[cfg(test)]
mod tests;
