//! Looking up many values at once: in memory, then the rest in Redis in one round trip.
//!
//! Generations of tags are read in the same round trip, but only those that this process does not
//! know, or all if the invalidation feed is behind. A second round trip rereads generations that do
//! not match those of a record: another replica may have created them first.

use std::sync::Arc;

use hashbrown::HashMap;
use tokio::time::Instant;

use self::redis::RedisLookup;
use super::claim::wait::{InFlightWait, RefreshClaim};
use super::claim::{Claim, FlightRole};
use super::entry::clock::Moment;
use super::entry::{CachedValue, Freshness};
use super::memory::MemoryEntry;
use super::miss::MissReason;
use super::store::{Lease, Store};
use super::tags::{Generation, GenerationCell, Tag, TagGuard, UNKNOWN};
use super::{Hit, Inner, Key, Level, LookupOutcome, LookupRequest};

pub(super) mod redis;

/// A lookup in progress for one value.
pub(super) enum Slot {
    Resolved(LookupOutcome),
    /// Not in memory, or not fresh there; the best value so far.
    Pending(Claim, Option<Hit>),
}

impl Inner {
    pub(super) async fn lookup(
        self: &Arc<Self>,
        requests: Vec<LookupRequest>,
    ) -> Vec<LookupOutcome> {
        let (started, is_memory_trusted) = (Instant::now(), self.is_memory_trusted());
        let mut cells = TagCells::default();
        let mut slots: Vec<Slot> = requests
            .into_iter()
            .map(|request| self.lookup_memory(request, is_memory_trusted, &mut cells))
            .collect();
        if let Some(shared) = &self.shared {
            let pending: Vec<&mut Slot> = slots
                .iter_mut()
                .filter(|slot| matches!(slot, Slot::Pending(..)))
                .collect();
            if !pending.is_empty() {
                self.lookup_redis(&shared.store, pending, started).await;
            }
        }
        let slots: Vec<Slot> = slots
            .into_iter()
            .map(|slot| self.classify_slot(slot))
            .collect();
        self.lease_misses(slots, started).await
    }

    /// A claim without followers.
    pub(super) fn unshared_claim(self: &Arc<Self>, request: LookupRequest) -> Claim {
        let mut claim = self.new_claim(request, &mut TagCells::default());
        claim.pin_generations();
        claim
    }

    /// Classifies a hit by its freshness at `now`. The caller found it without leading a flight, so
    /// a miss carries a claim without followers.
    pub(super) fn classify_hit(
        self: &Arc<Self>,
        hit: Hit,
        request: LookupRequest,
        now: Moment,
    ) -> LookupOutcome {
        match hit.stored.entry.freshness(now) {
            Freshness::Fresh => self.fresh_outcome(hit),
            Freshness::Stale => {
                self.stats.stale_hits.increment();
                LookupOutcome::Stale(hit, None)
            }
            Freshness::OnError | Freshness::Expired => {
                self.stats.misses.increment();
                let mut claim = self
                    .unshared_claim(request)
                    .with_miss_reason(MissReason::Expired);
                claim.stale_fallback = Some(hit);
                LookupOutcome::Miss(claim)
            }
        }
    }

    pub(super) fn fresh_outcome(&self, hit: Hit) -> LookupOutcome {
        match (&hit.stored.entry.value, hit.level) {
            (CachedValue::Absent, _) => {
                self.stats.negative_hits.increment();
                return LookupOutcome::Negative(hit);
            }
            (CachedValue::Present(_), Level::Redis) => self.stats.redis_hits.increment(),
            (CachedValue::Present(_), Level::Memory | Level::Coalesced) => {
                self.stats.memory_hits.increment();
            }
        }
        LookupOutcome::Fresh(hit)
    }

    /// Whether entries in memory are trusted: not if Redis is up but its invalidations are not
    /// received.
    pub(super) fn is_memory_trusted(&self) -> bool {
        self.shared
            .as_ref()
            .is_none_or(|shared| shared.feed_status.is_current() || !shared.store.is_up())
    }

    pub(super) fn lookup_memory(
        self: &Arc<Self>,
        request: LookupRequest,
        is_memory_trusted: bool,
        cells: &mut TagCells,
    ) -> Slot {
        let now = self.settings.clock.now();
        let epoch = self.generations.validity_epoch();
        let mut best: Option<Hit> = None;
        let mut reason = MissReason::Unknown;
        for key in request.keys().filter(|_| is_memory_trusted) {
            match self.memory.get(&key, now, epoch) {
                Ok(MemoryEntry::Stored(stored)) => {
                    let level = Level::Memory;
                    best = Some(fresher(best, Hit { key, level, stored }, now));
                }
                Ok(MemoryEntry::Uncacheable(_)) if key == Claim::flight_key(&request) => {
                    reason = MissReason::Uncacheable;
                    break;
                }
                Ok(MemoryEntry::Uncacheable(_)) | Err(MissReason::Unknown) => {}
                Err(memory_reason) => reason = memory_reason,
            }
        }
        if reason == MissReason::Uncacheable {
            self.stats.uncacheable.increment();
            return Slot::Resolved(LookupOutcome::Miss(
                self.unshared_claim(request).with_miss_reason(reason),
            ));
        }
        let state = best.as_ref().map(|hit| hit.stored.entry.freshness(now));
        match (best, state) {
            (Some(hit), Some(Freshness::Fresh)) => {
                Slot::Resolved(self.classify_hit(hit, request, now))
            }
            (best, state) => match self
                .in_flight
                .join(Claim::flight_key(&request), state != Some(Freshness::Stale))
            {
                FlightRole::Leader(flight) => {
                    let mut claim = self.new_claim(request, cells).with_miss_reason(reason);
                    claim.flight = Some(flight);
                    Slot::Pending(claim, best)
                }
                FlightRole::Follower(follower) => Slot::Resolved(match (best, state) {
                    (Some(hit), Some(Freshness::Stale)) => self.classify_hit(hit, request, now),
                    _ => LookupOutcome::InFlight(InFlightWait::in_process(self, follower, request)),
                }),
            },
        }
    }

    fn new_claim(self: &Arc<Self>, request: LookupRequest, cells: &mut TagCells) -> Claim {
        let tags = request.tags.to_vec().into_iter().chain([Tag::everything()]);
        let guards = tags.map(|tag| {
            let cell = cells
                .0
                .entry(tag)
                .or_insert_with(|| self.generations.cell(tag));
            TagGuard {
                tag,
                cell: Arc::clone(cell),
                generation: UNKNOWN,
            }
        });
        Claim {
            guards: guards.collect(),
            request,
            stale_fallback: None,
            flight: None,
            lease: None,
            is_leased_elsewhere: false,
            miss_reason: MissReason::Unknown,
            inner: Arc::clone(self),
        }
    }

    pub(super) async fn lookup_redis(
        &self,
        store: &Store,
        slots: Vec<&mut Slot>,
        started: Instant,
    ) {
        let now = self.settings.clock.now();
        let claims: Vec<&Claim> = slots
            .iter()
            .filter_map(|slot| match slot {
                Slot::Pending(claim, _) => Some(claim),
                Slot::Resolved(_) => None,
            })
            .collect();
        let lookup = RedisLookup {
            store,
            claims,
            started,
        };
        let hits = lookup.run().await;
        for (slot, hits) in slots.into_iter().zip(hits) {
            let Slot::Pending(_, best) = slot else {
                continue;
            };
            for hit in hits {
                if hit.stored.entry.freshness(now) < Freshness::Expired {
                    self.memory
                        .put(hit.key, MemoryEntry::Stored(Arc::clone(&hit.stored)));
                    *best = Some(fresher(best.take(), hit, now));
                }
            }
        }
    }

    /// Resolves a pending slot whose value Redis had.
    fn classify_slot(self: &Arc<Self>, slot: Slot) -> Slot {
        let Slot::Pending(mut claim, best) = slot else {
            return slot;
        };
        claim.pin_generations();
        let now = self.settings.clock.now();
        let Some(hit) = best else {
            return Slot::Pending(claim, None);
        };
        match hit.stored.entry.freshness(now) {
            Freshness::Fresh => {
                claim.finish_with_hit(&hit);
                Slot::Resolved(self.fresh_outcome(hit))
            }
            Freshness::Stale => {
                self.stats.stale_hits.increment();
                claim.stale_fallback = Some(hit.clone());
                Slot::Resolved(LookupOutcome::Stale(hit, Some(RefreshClaim(claim))))
            }
            Freshness::OnError => {
                claim.stale_fallback = Some(hit);
                Slot::Pending(claim.with_miss_reason(MissReason::Expired), None)
            }
            Freshness::Expired => Slot::Pending(claim, None),
        }
    }

    /// Acquires leases for the misses: one replica fetches each value, the others wait for it.
    async fn lease_misses(
        self: &Arc<Self>,
        mut slots: Vec<Slot>,
        started: Instant,
    ) -> Vec<LookupOutcome> {
        if let Some(shared) = &self.shared
            && shared.store.has_time(started)
        {
            let won = self.acquire_leases(&shared.store, &mut slots).await;
            if !won.is_empty() && shared.store.has_time(started) {
                // Another replica may have stored the value and released the lease since the
                // lookup.
                self.lookup_redis(&shared.store, won, started).await;
            }
        }
        let slots = slots.into_iter();
        slots
            .map(|slot| match self.classify_slot(slot) {
                Slot::Resolved(outcome) => outcome,
                Slot::Pending(claim, _) if claim.is_leased_elsewhere => {
                    LookupOutcome::InFlight(InFlightWait::in_fleet(claim))
                }
                Slot::Pending(claim, _) => {
                    self.stats.misses.increment();
                    LookupOutcome::Miss(claim)
                }
            })
            .collect()
    }

    /// Returns the slots whose lease was acquired.
    async fn acquire_leases<'s>(&self, store: &Store, slots: &'s mut [Slot]) -> Vec<&'s mut Slot> {
        let mut pending: Vec<&mut Slot> = slots
            .iter_mut()
            .filter(|slot| matches!(slot, Slot::Pending(..)))
            .collect();
        let requests: Vec<(Key, u64)> = pending
            .iter_mut()
            .filter_map(|slot| match slot {
                Slot::Pending(claim, _) => Some(claim.begin_lease()),
                Slot::Resolved(_) => None,
            })
            .collect();
        if requests.is_empty() {
            return Vec::new();
        }
        let mut leases = store.acquire_leases(&requests).await.into_iter();
        pending.retain_mut(|slot| {
            let lease = leases.next().unwrap_or(Lease::Skipped);
            if let Slot::Pending(claim, _) = slot {
                claim.settle_lease(lease);
            }
            lease == Lease::Acquired
        });
        pending
    }
}

/// The tag cells of one lookup. Its values share most of their tags.
#[derive(Default)]
pub(super) struct TagCells(HashMap<Tag, Arc<GenerationCell>, foldhash::fast::RandomState>);

fn fresher(best: Option<Hit>, other: Hit, now: Moment) -> Hit {
    match best {
        Some(best) if best.stored.entry.freshness(now) <= other.stored.entry.freshness(now) => best,
        _ => other,
    }
}

impl Claim {
    /// A guard for a tag of a record. The replica that stored the record may have used tags that
    /// this claim does not have.
    fn guard(&self, tag: Tag, generation: Generation) -> TagGuard {
        let known = self.guards.iter().find(|guard| guard.tag == tag);
        let cell = match known {
            Some(known) => Arc::clone(&known.cell),
            None => self.inner.generations.cell(tag),
        };
        TagGuard {
            tag,
            cell,
            generation,
        }
    }

    /// Fixes the generations for which a value fetched from now on is valid.
    pub(super) fn pin_generations(&mut self) {
        for guard in &mut self.guards {
            guard.generation = guard.cell.load_or_init();
        }
    }
}
