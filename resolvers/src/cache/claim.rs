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

use super::entry::{Entry, Value};
use super::key::Key;
use super::lifetime::{Lifetime, Reuse, Scope};
use super::memory::{Known, Stored};
use super::store::codec::Record;
use super::store::write::Write;
use super::tags::{Guard, is_pending};
use super::{Hit, Inner, Wanted};
use crate::account::Why;

pub(super) mod wait;

/// The right to fetch a value, and the duty to say what came of it.
pub struct Claim {
    pub(super) wanted: Wanted,
    /// The tags as they were before the fetch.
    pub(super) guards: Vec<Guard>,
    pub(super) rescue: Option<Hit>,
    /// Nobody waits for a claim without.
    pub(super) flight: Option<Arc<Flight>>,
    pub(super) lease: Option<u64>,
    /// Another replica has the lease.
    pub(super) is_elsewhere: bool,
    pub(super) why: Why,
    pub(super) inner: Arc<Inner>,
}

impl Claim {
    /// What is to be fetched.
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Why there is nothing to give out, as far as it is known.
    pub fn why(&self) -> Why {
        self.why
    }

    pub(super) fn because(mut self, why: Why) -> Self {
        self.why = why;
        self
    }

    /// What may be given out if fetching fails.
    pub fn rescue(&self) -> Option<&Hit> {
        self.rescue.as_ref()
    }

    /// Keeps what was fetched, as long and for whom `reuse` says.
    pub fn keep(mut self, value: &Value, reuse: Reuse) {
        let (lifetime, scope, key) = match (reuse, self.wanted.private) {
            (Reuse::Shared(lifetime), _) => (lifetime, Scope::Public, self.wanted.key),
            (Reuse::PerCaller(lifetime), Some(key)) => (lifetime, Scope::Private, key),
            // What is nobody's else's, of somebody who is not known, is kept nowhere; but those who
            // asked the same at this moment would have been answered by the same call.
            (Reuse::PerCaller(_), None) | (Reuse::Never, _) => {
                self.remember_not_to_look();
                let passed = self.passed(value);
                return self.settle(Landed::Passed(passed));
            }
        };
        let entry = Entry {
            value: copied(value),
            stored_at: self.inner.settings.clock.now(),
            lifetime: self.inner.shortened(lifetime),
            scope,
        };
        let guards = std::mem::take(&mut self.guards).into_boxed_slice();
        let stored = Arc::new(Stored::new(entry, guards));
        self.inner.stats.puts.one();
        if stored.holds() {
            self.inner
                .memory
                .put(key, Known::Stored(Arc::clone(&stored)));
        }
        self.write(key, &stored);
        // Others of this flight may be other callers only where the key has no caller.
        let shown = scope == Scope::Public || self.wanted.private.is_some();
        self.settle(if shown {
            Landed::Stored(key, stored)
        } else {
            Landed::Nothing
        });
    }

    fn passed(&mut self, value: &Value) -> Arc<Stored> {
        let entry = Entry {
            value: copied(value),
            stored_at: self.inner.settings.clock.now(),
            lifetime: Lifetime::default(),
            scope: Scope::Private,
        };
        let guards = std::mem::take(&mut self.guards).into_boxed_slice();
        Arc::new(Stored::new(entry, guards))
    }

    /// Whether anybody waits for what comes.
    pub fn is_awaited(&self) -> bool {
        let flight = self.flight.as_ref();
        flight.is_some_and(|flight| flight.followers.load(Ordering::Acquire) > 0)
    }

    /// Nothing may be kept of what was fetched, and nobody waits for it.
    pub fn not_kept(mut self) {
        self.remember_not_to_look();
        self.settle(Landed::Nothing);
    }

    /// Fetching failed, or what came cannot be kept for a reason that may not last.
    pub fn fail(mut self) {
        self.settle(Landed::Nothing);
    }

    /// Redis already had it, or has it now.
    pub(super) fn found(mut self, hit: &Hit) {
        let is_for_all = hit.entry().scope == Scope::Public || self.wanted.private.is_some();
        self.settle(if is_for_all {
            Landed::Stored(hit.key, Arc::clone(&hit.stored))
        } else {
            Landed::Nothing
        });
    }

    /// By which callers that ask the same are known: for private data per caller.
    pub(super) fn flight_key(wanted: &Wanted) -> Key {
        wanted.flight.or(wanted.private).unwrap_or(wanted.key)
    }

    fn remember_not_to_look(&self) {
        let until = self
            .inner
            .settings
            .clock
            .now()
            .after(self.inner.settings.uncacheable);
        let key = Self::flight_key(&self.wanted);
        self.inner.memory.put(key, Known::Uncacheable(until));
    }

    fn write(&mut self, key: Key, stored: &Stored) {
        let Some(shared) = &self.inner.shared else {
            return;
        };
        let tags = stored.guards.iter();
        let tags: Vec<_> = tags.map(|guard| (guard.tag, guard.generation)).collect();
        // Redis knows nothing of a generation that is only ours.
        if !stored.holds() || tags.iter().any(|(_, generation)| is_pending(*generation)) {
            return;
        }
        let lease = self.lease.take();
        let flight_key = Self::flight_key(&self.wanted);
        shared.writes.add(Write::Value {
            key,
            keep: stored
                .entry
                .lifetime
                .whole()
                .min(shared.store.settings().retention),
            record: Record {
                entry: stored.entry.clone(),
                tags,
            },
            lease: lease.map(|token| (flight_key, token)),
        });
    }

    /// Ends the flight and the lease.
    fn settle(&mut self, landed: Landed) {
        let key = Self::flight_key(&self.wanted);
        if let Some(flight) = self.flight.take() {
            self.inner.flights.end(key, &flight);
            flight.land(landed);
        }
        if let (Some(token), Some(shared)) = (self.lease.take(), &self.inner.shared) {
            shared.writes.add(Write::Release(key, token));
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.settle(Landed::Abandoned);
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("wanted", &self.wanted)
            .field("lease", &self.lease.is_some())
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// A little less than `lifetime`: what was kept together does not end together.
    fn shortened(&self, lifetime: Lifetime) -> Lifetime {
        let most = u32::from(self.settings.jitter_percent.min(100));
        let taken = lifetime.fresh.saturating_mul(fastrand::u32(0..=most)) / 100;
        Lifetime {
            fresh: lifetime.fresh.saturating_sub(taken),
            ..lifetime
        }
    }
}

/// A body may be a small part of a large answer, which it would keep alive.
fn copied(value: &Value) -> Value {
    match value {
        Value::Present(body) => Value::Present(Bytes::copy_from_slice(body)),
        Value::Absent => Value::Absent,
    }
}

/// One fetch under way in this process. There is one for each value that is looked for, and most
/// have no followers: it is small.
#[derive(Debug)]
pub(super) struct Flight {
    landed: OnceLock<Landed>,
    lands: Notify,
    followers: AtomicUsize,
    /// How often something had been written when it began.
    writes: u64,
}

impl Flight {
    fn land(&self, landed: Landed) {
        // A flight has one claim, and that lands it once.
        let _ = self.landed.set(landed);
        self.lands.notify_waiters();
    }
}

/// How it ended.
#[derive(Clone, Debug)]
enum Landed {
    /// This came of it.
    Stored(Key, Arc<Stored>),
    /// This came of it, for those who waited only.
    Passed(Arc<Stored>),
    /// Nothing that others can use: each fetches for itself.
    Nothing,
    /// Its operation is gone: somebody else may take it over.
    Abandoned,
}

/// All fetches under way in this process.
#[derive(Debug, Default)]
pub(super) struct Flights {
    writes: AtomicU64,
    shards: [Mutex<HashMap<Key, Arc<Flight>, foldhash::fast::RandomState>>; SHARDS],
}

/// What came of asking to fetch.
pub(super) enum Joined {
    /// This one fetches.
    Leads(Arc<Flight>),
    /// Somebody else does.
    Follows(wait::Landing),
}

impl Flights {
    /// Something was written: what is under way may not know of it.
    pub(super) fn written(&self) {
        self.writes.fetch_add(1, Ordering::AcqRel);
    }

    /// Leads a flight for `key`, or follows the one under way.
    pub(super) fn join(&self, key: Key) -> Joined {
        let writes = self.writes.load(Ordering::Acquire);
        let mut shard = self.shard(&key);
        if let Some(flight) = shard.get(&key).filter(|flight| flight.writes == writes) {
            return Joined::Follows(wait::Landing::of(flight));
        }
        let flight = Arc::new(Flight {
            landed: OnceLock::new(),
            lands: Notify::new(),
            followers: AtomicUsize::new(0),
            writes,
        });
        shard.insert(key, Arc::clone(&flight));
        Joined::Leads(flight)
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
