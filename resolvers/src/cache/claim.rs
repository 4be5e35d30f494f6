//! Who fetches what is not there: one in a process, and one in the fleet.
//!
//! Whoever holds a [`Claim`] fetches, and says what came of it; the others wait, each until its
//! patience ends. A claim that is dropped (its operation was cancelled) goes to one of those who
//! wait. Nothing here fetches.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use hashbrown::HashMap;
use tokio::sync::Notify;

use super::entry::{CachedValue, Entry};
use super::key::Key;
use super::lifetime::{Lifetime, Reuse, Scope};
use super::memory::{MemoryEntry, StoredEntry};
use super::miss::MissReason;
use super::store::codec::Record;
use super::store::write::QueuedWrite;
use super::tags::{TagGuard, is_pending};
use super::{Hit, Inner, LookupRequest};

pub(super) mod wait;

/// The right to fetch a value, and the duty to say what came of it.
pub struct Claim {
    pub(super) request: LookupRequest,
    /// The tags as they were before the fetch.
    pub(super) guards: Vec<TagGuard>,
    pub(super) stale_fallback: Option<Hit>,
    /// Nobody waits for a claim without.
    pub(super) flight: Option<Arc<Flight>>,
    pub(super) lease: Option<u64>,
    /// Another replica has the lease.
    pub(super) is_leased_elsewhere: bool,
    pub(super) miss_reason: MissReason,
    pub(super) inner: Arc<Inner>,
}

impl Claim {
    /// What is to be fetched.
    pub fn request(&self) -> &LookupRequest {
        &self.request
    }

    /// Why there is nothing to give out, as far as it is known.
    pub fn miss_reason(&self) -> MissReason {
        self.miss_reason
    }

    pub(super) fn with_miss_reason(mut self, reason: MissReason) -> Self {
        self.miss_reason = reason;
        self
    }

    /// What may be given out if fetching fails.
    pub fn stale_fallback(&self) -> Option<&Hit> {
        self.stale_fallback.as_ref()
    }

    /// Keeps what was fetched, as long and for whom `reuse` says.
    pub fn store(mut self, value: &CachedValue, reuse: Reuse) {
        let (lifetime, scope, key) = match (reuse, self.request.private_key) {
            (Reuse::Shared(lifetime), _) => (lifetime, Scope::Public, self.request.key),
            (Reuse::PerCaller(lifetime), Some(key)) => (lifetime, Scope::Private, key),
            // What is nobody's else's, of somebody who is not known, is kept nowhere; but those who
            // asked the same at this moment would have been answered by the same call.
            (Reuse::PerCaller(_), None) | (Reuse::Never, _) => {
                self.remember_uncacheable();
                let uncached = self.uncached_entry(value);
                return self.finish(FlightOutcome::Uncached(uncached));
            }
        };
        let entry = Entry {
            value: detached(value),
            stored_at: self.inner.settings.clock.now(),
            lifetime: self.inner.with_jitter(lifetime),
            scope,
        };
        let guards = std::mem::take(&mut self.guards).into_boxed_slice();
        let stored = Arc::new(StoredEntry::new(entry, guards));
        self.inner.stats.stores.increment();
        if stored.is_valid() {
            self.inner
                .memory
                .put(key, MemoryEntry::Stored(Arc::clone(&stored)));
        }
        self.write_to_redis(key, &stored);
        // Others of this flight may be other callers only where the key has no caller.
        let is_shareable = scope == Scope::Public || self.request.private_key.is_some();
        self.finish(if is_shareable {
            FlightOutcome::Stored(key, stored)
        } else {
            FlightOutcome::NotShareable
        });
    }

    fn uncached_entry(&mut self, value: &CachedValue) -> Arc<StoredEntry> {
        let entry = Entry {
            value: detached(value),
            stored_at: self.inner.settings.clock.now(),
            lifetime: Lifetime::default(),
            scope: Scope::Private,
        };
        let guards = std::mem::take(&mut self.guards).into_boxed_slice();
        Arc::new(StoredEntry::new(entry, guards))
    }

    /// Whether anybody waits for what comes.
    pub fn has_followers(&self) -> bool {
        let flight = self.flight.as_ref();
        flight.is_some_and(|flight| flight.followers.load(Ordering::Acquire) > 0)
    }

    /// Nothing may be kept of what was fetched, and nobody waits for it.
    pub fn mark_uncacheable(mut self) {
        self.remember_uncacheable();
        self.finish(FlightOutcome::NotShareable);
    }

    /// Fetching failed, or what came cannot be kept for a reason that may not last.
    pub fn fail(mut self) {
        self.finish(FlightOutcome::NotShareable);
    }

    /// Redis already had it, or has it now.
    pub(super) fn finish_with_hit(mut self, hit: &Hit) {
        let is_shareable = hit.entry().scope == Scope::Public || self.request.private_key.is_some();
        self.finish(if is_shareable {
            FlightOutcome::Stored(hit.key, Arc::clone(&hit.stored))
        } else {
            FlightOutcome::NotShareable
        });
    }

    /// By which callers that ask the same are known: for private data per caller.
    pub(super) fn flight_key(request: &LookupRequest) -> Key {
        request
            .flight_key
            .or(request.private_key)
            .unwrap_or(request.key)
    }

    fn remember_uncacheable(&self) {
        let until = self
            .inner
            .settings
            .clock
            .now()
            .after(self.inner.settings.uncacheable_ttl);
        let key = Self::flight_key(&self.request);
        self.inner.memory.put(key, MemoryEntry::Uncacheable(until));
    }

    fn write_to_redis(&mut self, key: Key, stored: &StoredEntry) {
        let Some(shared) = &self.inner.shared else {
            return;
        };
        let tags = stored.guards.iter();
        let tags: Vec<_> = tags.map(|guard| (guard.tag, guard.generation)).collect();
        // Redis knows nothing of a generation that is only ours.
        if !stored.is_valid() || tags.iter().any(|(_, generation)| is_pending(*generation)) {
            return;
        }
        let lease = self.lease.take();
        let flight_key = Self::flight_key(&self.request);
        shared.writes.push(QueuedWrite::Value {
            key,
            ttl: stored
                .entry
                .lifetime
                .total()
                .min(shared.store.settings().retention),
            record: Record {
                entry: stored.entry.clone(),
                tags,
            },
            lease: lease.map(|token| (flight_key, token)),
        });
    }

    /// Ends the flight and the lease.
    fn finish(&mut self, outcome: FlightOutcome) {
        let key = Self::flight_key(&self.request);
        if let Some(flight) = self.flight.take() {
            self.inner.in_flight.end(key, &flight);
            flight.complete(outcome);
        }
        if let (Some(token), Some(shared)) = (self.lease.take(), &self.inner.shared) {
            shared.writes.push(QueuedWrite::Release(key, token));
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.finish(FlightOutcome::Abandoned);
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("request", &self.request)
            .field("lease", &self.lease.is_some())
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// A little less than `lifetime`: what was kept together does not end together.
    fn with_jitter(&self, lifetime: Lifetime) -> Lifetime {
        let max_percent = u32::from(self.settings.jitter_percent.min(100));
        let jitter = lifetime
            .fresh
            .saturating_mul(fastrand::u32(0..=max_percent))
            / 100;
        Lifetime {
            fresh: lifetime.fresh.saturating_sub(jitter),
            ..lifetime
        }
    }
}

/// A body may be a small part of a large answer, which it would keep alive.
fn detached(value: &CachedValue) -> CachedValue {
    match value {
        CachedValue::Present(body) => CachedValue::Present(Bytes::copy_from_slice(body)),
        CachedValue::Absent => CachedValue::Absent,
    }
}

/// One fetch under way in this process. There is one for each value that is looked for, and most
/// have no followers: it is small.
#[derive(Debug)]
pub(super) struct Flight {
    outcome: OnceLock<FlightOutcome>,
    completed: Notify,
    followers: AtomicUsize,
    /// How often something had been written when it began.
    write_epoch: u64,
}

impl Flight {
    fn complete(&self, outcome: FlightOutcome) {
        // A flight has one claim, and that lands it once.
        let _ = self.outcome.set(outcome);
        self.completed.notify_waiters();
    }
}

/// How it ended.
#[derive(Clone, Debug)]
enum FlightOutcome {
    /// This came of it.
    Stored(Key, Arc<StoredEntry>),
    /// This came of it, for those who waited only.
    Uncached(Arc<StoredEntry>),
    /// Nothing that others can use: each fetches for itself.
    NotShareable,
    /// Its operation is gone: somebody else may take it over.
    Abandoned,
}

/// All fetches under way in this process.
#[derive(Debug, Default)]
pub(super) struct InFlightMap {
    write_epoch: AtomicU64,
    shards: [Mutex<HashMap<Key, Arc<Flight>, foldhash::fast::RandomState>>; SHARDS],
}

/// What came of asking to fetch.
pub(super) enum FlightRole {
    /// This one fetches.
    Leader(Arc<Flight>),
    /// Somebody else does.
    Follower(wait::FlightFollower),
}

impl InFlightMap {
    /// Something was written: what is under way may not know of it.
    pub(super) fn bump_write_epoch(&self) {
        self.write_epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Leads a flight for `key`, or follows the one under way.
    pub(super) fn join(&self, key: Key) -> FlightRole {
        let write_epoch = self.write_epoch.load(Ordering::Acquire);
        let mut shard = self.shard(&key);
        if let Some(flight) = shard
            .get(&key)
            .filter(|flight| flight.write_epoch == write_epoch)
        {
            return FlightRole::Follower(wait::FlightFollower::new(flight));
        }
        let flight = Arc::new(Flight {
            outcome: OnceLock::new(),
            completed: Notify::new(),
            followers: AtomicUsize::new(0),
            write_epoch,
        });
        shard.insert(key, Arc::clone(&flight));
        FlightRole::Leader(flight)
    }

    /// Whoever asks from now on leads a new flight.
    fn end(&self, key: Key, flight: &Arc<Flight>) {
        let mut shard = self.shard(&key);
        if shard
            .get(&key)
            .is_some_and(|current| Arc::ptr_eq(current, flight))
        {
            shard.remove(&key);
        }
    }

    fn shard(
        &self,
        key: &Key,
    ) -> std::sync::MutexGuard<'_, HashMap<Key, Arc<Flight>, foldhash::fast::RandomState>> {
        // A map is whole between any two statements here.
        self.shards[key.shard() % SHARDS]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Enough that two requests seldom meet at one lock.
const SHARDS: usize = 32;
