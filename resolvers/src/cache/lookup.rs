//! Looking for many values at once: in memory, then in Redis for the rest, in one round trip.
//!
//! Generations of tags are read along only where this process does not know them, or has not heard
//! from Redis for a while. Where what it knows does not fit a value that is found, they are read
//! in a second round trip: somebody else may have named them first.

use std::sync::Arc;

use hashbrown::HashMap;
use tokio::time::Instant;

use super::claim::wait::{Renewal, Waiting};
use super::claim::{Claim, Joined};
use super::entry::clock::Moment;
use super::entry::{State, Value};
use super::memory::{Known, Stored};
use super::store::codec::Record;
use super::store::{Lease, Store};
use super::tags::{Cell, Generation, Guard, Tag, UNKNOWN};
use super::{Found, Hit, Inner, Key, Level, Wanted};
use crate::account::Why;

/// One of the values that are looked for.
enum Slot {
    Found(Found),
    /// Not in memory, or not fresh there.
    Open(Claim, Option<Hit>),
}

impl Inner {
    pub(super) async fn get_many(self: &Arc<Self>, wanted: Vec<Wanted>) -> Vec<Found> {
        let (began, trusts_memory) = (Instant::now(), self.trusts_memory());
        let mut cells = Cells::default();
        let slots = wanted.into_iter();
        let mut slots: Vec<Slot> = slots
            .map(|wanted| self.at_hand(wanted, trusts_memory, &mut cells))
            .collect();
        if let Some(shared) = &self.shared {
            let open: Vec<&mut Slot> = slots
                .iter_mut()
                .filter(|slot| matches!(slot, Slot::Open(..)))
                .collect();
            if !open.is_empty() {
                self.look_further(&shared.store, open, began).await;
            }
        }
        let slots: Vec<Slot> = slots.into_iter().map(|slot| self.judge(slot)).collect();
        self.lease(slots, began).await
    }

    /// A claim that nobody waits for.
    pub(super) fn claim(self: &Arc<Self>, wanted: Wanted) -> Claim {
        let mut claim = self.unsettled(wanted, &mut Cells::default());
        claim.settle_guards();
        claim
    }

    /// What a value that was found is, to the one that gets it, at the moment it was looked at: who
    /// found it fresh has no claim that others would wait for.
    pub(super) fn give(self: &Arc<Self>, hit: Hit, wanted: Wanted, now: Moment) -> Found {
        match hit.stored.entry.state(now) {
            State::Fresh => self.fresh(hit),
            State::Stale => {
                self.stats.stale.one();
                Found::Stale(hit, None)
            }
            State::OnError | State::Expired => {
                self.stats.misses.one();
                let mut claim = self.claim(wanted).because(Why::Expired);
                claim.rescue = Some(hit);
                Found::Missing(claim)
            }
        }
    }

    fn fresh(&self, hit: Hit) -> Found {
        match (&hit.stored.entry.value, hit.level) {
            (Value::Absent, _) => {
                self.stats.negative.one();
                return Found::Negative(hit);
            }
            (Value::Present(_), Level::Redis) => self.stats.redis_hits.one(),
            (Value::Present(_), Level::Memory | Level::Flight) => self.stats.memory_hits.one(),
        }
        Found::Fresh(hit)
    }

    /// Memory says what is true unless Redis can be asked and its messages are not heard.
    fn trusts_memory(&self) -> bool {
        self.shared
            .as_ref()
            .is_none_or(|shared| shared.heard.is_current() || !shared.store.is_up())
    }

    fn at_hand(self: &Arc<Self>, wanted: Wanted, trusts_memory: bool, cells: &mut Cells) -> Slot {
        let now = self.settings.clock.now();
        let mut best: Option<Hit> = None;
        let mut why = Why::Unknown;
        for key in wanted.keys().filter(|_| trusts_memory) {
            match self.memory.get(&key, now) {
                Ok(Known::Stored(stored)) => {
                    let level = Level::Memory;
                    best = Some(better(best, Hit { key, level, stored }, now));
                }
                Ok(Known::Uncacheable(_)) if key == Claim::flight_key(&wanted) => {
                    why = Why::Uncacheable;
                    break;
                }
                Ok(Known::Uncacheable(_)) | Err(Why::Unknown) => {}
                Err(known) => why = known,
            }
        }
        if why == Why::Uncacheable {
            self.stats.uncacheable.one();
            return Slot::Found(Found::Missing(self.claim(wanted).because(why)));
        }
        let state = best.as_ref().map(|hit| hit.stored.entry.state(now));
        match (best, state) {
            (Some(hit), Some(State::Fresh)) => Slot::Found(self.give(hit, wanted, now)),
            (best, state) => match self.flights.join(Claim::flight_key(&wanted)) {
                Joined::Leads(flight) => {
                    let mut claim = self.unsettled(wanted, cells).because(why);
                    claim.flight = Some(flight);
                    Slot::Open(claim, best)
                }
                Joined::Follows(landing) => Slot::Found(match (best, state) {
                    (Some(hit), Some(State::Stale)) => self.give(hit, wanted, now),
                    _ => Found::Elsewhere(Waiting::in_process(self, landing, wanted)),
                }),
            },
        }
    }

    fn unsettled(self: &Arc<Self>, wanted: Wanted, cells: &mut Cells) -> Claim {
        let tags = wanted.tags.list().into_iter().chain([Tag::everything()]);
        let guards = tags.map(|tag| {
            let cell = cells
                .0
                .entry(tag)
                .or_insert_with(|| self.generations.cell(tag));
            Guard {
                tag,
                cell: Arc::clone(cell),
                generation: UNKNOWN,
            }
        });
        Claim {
            guards: guards.collect(),
            wanted,
            rescue: None,
            flight: None,
            lease: None,
            is_elsewhere: false,
            why: Why::Unknown,
            inner: Arc::clone(self),
        }
    }

    async fn look_further(&self, store: &Store, slots: Vec<&mut Slot>, began: Instant) {
        let now = self.settings.clock.now();
        let claims: Vec<&Claim> = slots
            .iter()
            .filter_map(|slot| match slot {
                Slot::Open(claim, _) => Some(claim),
                Slot::Found(_) => None,
            })
            .collect();
        let lookup = Lookup {
            store,
            claims,
            began,
        };
        let found = lookup.run().await;
        for (slot, hits) in slots.into_iter().zip(found) {
            let Slot::Open(_, best) = slot else { continue };
            for hit in hits {
                if hit.stored.entry.state(now) < State::Expired {
                    self.memory
                        .put(hit.key, Known::Stored(Arc::clone(&hit.stored)));
                    *best = Some(better(best.take(), hit, now));
                }
            }
        }
    }

    /// Says of what was found in Redis what it is good for.
    fn judge(self: &Arc<Self>, slot: Slot) -> Slot {
        let Slot::Open(mut claim, best) = slot else {
            return slot;
        };
        claim.settle_guards();
        let now = self.settings.clock.now();
        let Some(hit) = best else {
            return Slot::Open(claim, None);
        };
        match hit.stored.entry.state(now) {
            State::Fresh => {
                claim.found(&hit);
                Slot::Found(self.fresh(hit))
            }
            State::Stale => {
                self.stats.stale.one();
                claim.rescue = Some(hit.clone());
                Slot::Found(Found::Stale(hit, Some(Renewal(claim))))
            }
            State::OnError => {
                claim.rescue = Some(hit);
                Slot::Open(claim.because(Why::Expired), None)
            }
            State::Expired => Slot::Open(claim, None),
        }
    }

    /// Of what nobody has, the fleet's lease decides who fetches.
    async fn lease(self: &Arc<Self>, mut slots: Vec<Slot>, began: Instant) -> Vec<Found> {
        if let Some(shared) = &self.shared
            && shared.store.has_time(began)
        {
            let won = self.ask_for_leases(&shared.store, &mut slots).await;
            if !won.is_empty() && shared.store.has_time(began) {
                // Another may have written it, and given the lease back, since it was looked for.
                self.look_further(&shared.store, won, began).await;
            }
        }
        let slots = slots.into_iter();
        slots
            .map(|slot| match self.judge(slot) {
                Slot::Found(found) => found,
                Slot::Open(claim, _) if claim.is_elsewhere => {
                    Found::Elsewhere(Waiting::in_fleet(claim))
                }
                Slot::Open(claim, _) => {
                    self.stats.misses.one();
                    Found::Missing(claim)
                }
            })
            .collect()
    }

    /// Gives those for which the lease was won.
    async fn ask_for_leases<'s>(&self, store: &Store, slots: &'s mut [Slot]) -> Vec<&'s mut Slot> {
        let mut open: Vec<&mut Slot> = slots
            .iter_mut()
            .filter(|slot| matches!(slot, Slot::Open(..)))
            .collect();
        let keys: Vec<Key> = open.iter().filter_map(|slot| slot.flight_key()).collect();
        if keys.is_empty() {
            return Vec::new();
        }
        let mut leases = store.lease(&keys, self.settings.lease).await.into_iter();
        open.retain_mut(|slot| match (slot, leases.next()) {
            (Slot::Open(claim, _), Some(Lease::Won(token))) => {
                claim.lease = Some(token);
                true
            }
            (Slot::Open(claim, _), Some(Lease::Lost)) => {
                claim.is_elsewhere = true;
                false
            }
            _ => false,
        });
        open
    }
}

impl Slot {
    fn flight_key(&self) -> Option<Key> {
        match self {
            Self::Open(claim, _) => Some(Claim::flight_key(&claim.wanted)),
            Self::Found(_) => None,
        }
    }
}

/// The cells of one call's tags, most of which many values share.
#[derive(Default)]
struct Cells(HashMap<Tag, Arc<Cell>, foldhash::fast::RandomState>);

/// Values that are looked for in Redis.
pub(super) struct Lookup<'a> {
    store: &'a Store,
    claims: Vec<&'a Claim>,
    /// No round trip begins when the time of one has passed since.
    began: Instant,
}

impl Lookup<'_> {
    /// What Redis has of what one claim is for, if it is fresh.
    pub(super) async fn fresh(claim: &Claim) -> Option<Hit> {
        let shared = claim.inner.shared.as_ref()?;
        let now = claim.inner.settings.clock.now();
        let lookup = Lookup {
            store: &shared.store,
            claims: vec![claim],
            began: Instant::now(),
        };
        let hits = lookup.run().await.pop()?;
        let mut fresh = hits
            .into_iter()
            .filter(|hit| hit.stored.entry.state(now) == State::Fresh);
        let hit = fresh.next()?;
        claim
            .inner
            .memory
            .put(hit.key, Known::Stored(Arc::clone(&hit.stored)));
        Some(hit)
    }

    /// The values found for each claim, those that are invalid left out.
    async fn run(self) -> Vec<Vec<Hit>> {
        let keys: Vec<_> = self
            .claims
            .iter()
            .flat_map(|claim| claim.wanted.keys())
            .collect();
        let heard = self.claims.first().is_some_and(|claim| claim.inner.hears());
        let mut unsure: Vec<&Guard> = Vec::new();
        let mut asked = hashbrown::HashSet::<Tag, foldhash::fast::RandomState>::default();
        for guard in self.claims.iter().flat_map(|claim| &claim.guards) {
            if (!heard || guard.cell.load() == UNKNOWN) && asked.insert(guard.tag) {
                unsure.push(guard);
            }
        }
        let mut records = self.read(&keys, &unsure).await.into_iter();
        let mut candidates: Vec<Vec<(Key, Record)>> = Vec::new();
        for claim in &self.claims {
            let found = claim
                .wanted
                .keys()
                .filter_map(|key| Some((key, records.next()??)));
            candidates.push(found.collect());
        }
        self.reread(&candidates).await;
        let all = self.claims.iter().zip(candidates);
        all.map(|(claim, candidates)| {
            let hits = candidates.into_iter();
            hits.filter_map(|(key, record)| hit(claim, key, record))
                .collect()
        })
        .collect()
    }

    /// Reads generations that do not fit what was found.
    async fn reread(&self, candidates: &[Vec<(Key, Record)>]) {
        let mut unsure: Vec<Guard> = Vec::new();
        let mut asked = hashbrown::HashSet::<Tag, foldhash::fast::RandomState>::default();
        for (claim, candidates) in self.claims.iter().zip(candidates) {
            for (tag, generation) in candidates.iter().flat_map(|(_, record)| &record.tags) {
                let guard = claim.guard(*tag, *generation);
                if !guard.holds() && asked.insert(*tag) {
                    unsure.push(guard);
                }
            }
        }
        if !unsure.is_empty() && self.store.has_time(self.began) {
            self.read(&[], &unsure.iter().collect::<Vec<_>>()).await;
        }
    }

    /// Reads values, and takes over the generations of `unsure` tags.
    async fn read(&self, keys: &[Key], unsure: &[&Guard]) -> Vec<Option<Record>> {
        let before: Vec<Generation> = unsure.iter().map(|guard| guard.cell.load()).collect();
        let tags: Vec<Tag> = unsure.iter().map(|guard| guard.tag).collect();
        let read = self.store.read(keys, &tags).await;
        for ((guard, before), found) in unsure.iter().zip(before).zip(read.generations) {
            if let Some(found) = found {
                guard.cell.adopt(before, found);
            }
        }
        read.records
    }
}

/// A value that is valid: its tags have the generations that are known here.
fn hit(claim: &Claim, key: Key, record: Record) -> Option<Hit> {
    let guards = record.tags.iter().map(|(tag, generation)| {
        let guard = claim.guard(*tag, *generation);
        guard.holds().then_some(guard)
    });
    let guards = guards.collect::<Option<Box<[Guard]>>>()?;
    // One without is not ours, or not of this form.
    if !guards.iter().any(|guard| guard.tag == Tag::everything()) {
        return None;
    }
    let entry = record.entry;
    let level = Level::Redis;
    let stored = Arc::new(Stored::new(entry, guards));
    Some(Hit { key, level, stored })
}

fn better(best: Option<Hit>, other: Hit, now: Moment) -> Hit {
    match best {
        Some(best) if best.stored.entry.state(now) <= other.stored.entry.state(now) => best,
        _ => other,
    }
}

impl Claim {
    /// Guards a value that was found. Who kept it may have known of tags that this one does not.
    fn guard(&self, tag: Tag, generation: Generation) -> Guard {
        let known = self.guards.iter().find(|guard| guard.tag == tag);
        let cell = match known {
            Some(known) => Arc::clone(&known.cell),
            None => self.inner.generations.cell(tag),
        };
        Guard {
            tag,
            cell,
            generation,
        }
    }

    /// Fixes the generations that what is fetched from now on is good for.
    pub(super) fn settle_guards(&mut self) {
        for guard in &mut self.guards {
            guard.generation = guard.cell.settle();
        }
    }
}
