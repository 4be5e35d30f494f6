//! Claims: the right to fetch a missing value, held by one lookup per process and, with a lease in
//! Redis, per fleet.
//!
//! Claims coalesce lookups of one cache key: followers wait until the value is stored, and fetch it
//! themselves if it is not. `batch`, by contrast, shares calls between operations, cached or
//! not, and `execute::in_flight` joins equal reads of one operation. A dropped claim (its operation
//! was cancelled) passes to a follower.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use hashbrown::HashMap;
use tokio::sync::Notify;

use super::assembled::{Dependencies, StoredPart};
use super::entry::{CachedValue, Entry};
use super::key::Key;
use super::lifetime::{Lifetime, Reuse, Scope};
use super::memory::{MemoryEntry, StoredEntry};
use super::miss::MissReason;
use super::store::Lease;
use super::store::codec::Record;
use super::store::write::QueuedWrite;
use super::tags::{TagGuard, is_pending};
use super::{Hit, Inner, LookupRequest};

pub(super) mod wait;

/// The right to fetch a value. The holder completes it by storing the value or reporting that there
/// is none.
pub struct Claim {
    pub(super) request: LookupRequest,
    /// The tags with their generations before the fetch.
    pub(super) guards: Vec<TagGuard>,
    pub(super) stale_fallback: Option<Hit>,
    /// The flight that other lookups may follow; `None`: the claim has no followers.
    pub(super) flight: Option<Arc<Flight>>,
    /// The token of the lease that this claim holds or may hold.
    pub(super) lease: Option<u64>,
    /// Whether another replica holds the lease.
    pub(super) is_leased_elsewhere: bool,
    pub(super) miss_reason: MissReason,
    pub(super) inner: Arc<Inner>,
}

impl Claim {
    /// The request that missed.
    pub fn request(&self) -> &LookupRequest {
        &self.request
    }

    /// The reason for the miss, as far as it is known.
    pub fn miss_reason(&self) -> MissReason {
        self.miss_reason
    }

    pub(super) fn with_miss_reason(mut self, reason: MissReason) -> Self {
        self.miss_reason = reason;
        self
    }

    /// A stale value that may be returned if the fetch fails.
    pub fn stale_fallback(&self) -> Option<&Hit> {
        self.stale_fallback.as_ref()
    }

    /// Stores the fetched value for the lifetime and the callers that `reuse` allows.
    pub fn store(self, value: &CachedValue, reuse: Reuse) {
        self.store_part(value, reuse);
    }

    /// Stores the fetched value, which is a part of an assembled one; `None` if `reuse` does not
    /// allow to cache it.
    pub fn store_part(mut self, value: &CachedValue, reuse: Reuse) -> Option<StoredPart> {
        let (lifetime, scope, key) = match (reuse, self.request.private_key) {
            (Reuse::Shared(lifetime), _) => (lifetime, Scope::Public, self.request.key),
            (Reuse::PerCaller(lifetime), Some(key)) => (lifetime, Scope::Private, key),
            // A private value of an unidentified caller is not cached; identical requests in flight
            // may still share it, because one call would have served them all.
            (Reuse::PerCaller(_), None) | (Reuse::Never, _) => {
                self.remember_uncacheable();
                let uncached = self.uncached_entry(value);
                self.finish(FlightOutcome::Uncached(uncached));
                return None;
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
        // Followers may be other callers only if the flight key has no caller.
        let is_shareable = scope == Scope::Public || self.request.private_key.is_some();
        self.finish(if is_shareable {
            FlightOutcome::Stored(key, Arc::clone(&stored))
        } else {
            FlightOutcome::NotShareable
        });
        Some(StoredPart(stored))
    }

    /// Stores a value that was assembled of `parts`, unless one of them is outdated.
    pub fn store_assembled(mut self, value: &CachedValue, reuse: Reuse, parts: Dependencies) {
        match parts.into_guards() {
            Some(guards) => {
                self.guards = guards;
                self.store(value, reuse);
            }
            None => self.fail(),
        }
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

    /// Whether other lookups wait for this claim.
    pub fn has_followers(&self) -> bool {
        let flight = self.flight.as_ref();
        flight.is_some_and(|flight| flight.followers.load(Ordering::Acquire) > 0)
    }

    /// Marks the key as uncacheable and ends the claim without a value for its followers.
    pub fn mark_uncacheable(mut self) {
        self.remember_uncacheable();
        self.finish(FlightOutcome::NotShareable);
    }

    /// Ends the claim without a value: the fetch failed, or its value cannot be cached for a reason
    /// that may not last.
    pub fn fail(mut self) {
        self.finish(FlightOutcome::NotShareable);
    }

    /// Ends the claim without a value for its followers, but as long as it exists no lookup of a
    /// stale value starts another refresh.
    pub fn pause(&mut self) {
        if let Some(flight) = &self.flight {
            flight.complete(FlightOutcome::NotShareable);
        }
        self.release_lease();
    }

    /// Ends the claim with a value that Redis has.
    pub(super) fn finish_with_hit(mut self, hit: &Hit) {
        let is_shareable = hit.entry().scope == Scope::Public || self.request.private_key.is_some();
        self.finish(if is_shareable {
            FlightOutcome::Stored(hit.key, Arc::clone(&hit.stored))
        } else {
            FlightOutcome::NotShareable
        });
    }

    /// The key by which identical requests share a flight: the request's flight key, else its
    /// private key, else its shared one.
    pub(super) fn flight_key(request: &LookupRequest) -> Key {
        request
            .flight_key
            .or(request.private_key)
            .unwrap_or(request.key)
    }

    /// A lease to acquire. It is this claim's before Redis replies, so that a claim that is dropped
    /// meanwhile releases it.
    pub(super) fn begin_lease(&mut self) -> (Key, u64) {
        let token = fastrand::u64(..);
        self.lease = Some(token);
        (Self::flight_key(&self.request), token)
    }

    /// Notes the outcome of acquiring the lease.
    pub(super) fn settle_lease(&mut self, lease: Lease) {
        self.is_leased_elsewhere = lease == Lease::Held;
        if matches!(lease, Lease::Held | Lease::Skipped) {
            self.lease = None;
        }
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
        // A pending generation is not in Redis.
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

    /// Completes the flight and releases the lease.
    fn finish(&mut self, outcome: FlightOutcome) {
        let key = Self::flight_key(&self.request);
        if let Some(flight) = self.flight.take() {
            self.inner.in_flight.end(key, &flight);
            flight.complete(outcome);
        }
        self.release_lease();
    }

    fn release_lease(&mut self) {
        if let (Some(token), Some(shared)) = (self.lease.take(), &self.inner.shared) {
            let key = Self::flight_key(&self.request);
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
    /// Shortens `lifetime` by a random part, so that values stored together do not expire together.
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

/// A copy of the value: a slice of a large response would keep all of it in memory.
fn detached(value: &CachedValue) -> CachedValue {
    match value {
        CachedValue::Present(body) => CachedValue::Present(Bytes::copy_from_slice(body)),
        CachedValue::Absent => CachedValue::Absent,
    }
}

/// A fetch in flight in this process. Every lookup that misses creates one, and most have no
/// followers, so it is small.
#[derive(Debug)]
pub(super) struct Flight {
    outcome: OnceLock<FlightOutcome>,
    completed: Notify,
    followers: AtomicUsize,
    /// The write epoch when the fetch started.
    write_epoch: u64,
}

impl Flight {
    fn complete(&self, outcome: FlightOutcome) {
        // The first outcome counts: a paused claim has one before it is dropped.
        let _ = self.outcome.set(outcome);
        self.completed.notify_waiters();
    }
}

/// The end of a flight.
#[derive(Clone, Debug)]
enum FlightOutcome {
    /// The value, stored under the key.
    Stored(Key, Arc<StoredEntry>),
    /// The value, for the followers of this flight only.
    Uncached(Arc<StoredEntry>),
    /// No value that followers can use: each of them fetches.
    NotShareable,
    /// The leader was cancelled: a follower may take over.
    Abandoned,
}

/// All fetches in flight in this process.
#[derive(Debug, Default)]
pub(super) struct InFlightMap {
    write_epoch: AtomicU64,
    shards: [Mutex<HashMap<Key, Arc<Flight>, foldhash::fast::RandomState>>; SHARDS],
}

/// The role of a lookup in a flight.
pub(super) enum FlightRole {
    /// This lookup fetches.
    Leader(Arc<Flight>),
    /// Another lookup fetches.
    Follower(wait::FlightFollower),
}

impl InFlightMap {
    /// Notes that data was written, which fetches in flight may have missed.
    pub(super) fn bump_write_epoch(&self) {
        self.write_epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Joins the current flight for `key` as a follower, or leads a new one; `is_waiting`: a follower
    /// needs the value.
    pub(super) fn join(&self, key: Key, is_waiting: bool) -> FlightRole {
        let write_epoch = self.write_epoch.load(Ordering::Acquire);
        let mut shard = self.shard(&key);
        let can_join = |flight: &Flight| {
            let is_paused = flight.outcome.get().is_some();
            flight.write_epoch == write_epoch && !(is_waiting && is_paused)
        };
        if let Some(flight) = shard.get(&key).filter(|flight| can_join(flight)) {
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

    /// Removes the flight: the next lookup leads a new one.
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
        // No panic can leave a map half changed here.
        self.shards[key.shard() % SHARDS]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Number of locks; enough that two requests seldom contend for one.
const SHARDS: usize = 32;
