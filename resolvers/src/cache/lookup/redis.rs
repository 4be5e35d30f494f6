//! Reading cached values and the generations of their tags from Redis.

use std::sync::Arc;

use tokio::time::Instant;

use super::super::claim::Claim;
use super::super::entry::Freshness;
use super::super::memory::{MemoryEntry, StoredEntry};
use super::super::store::Store;
use super::super::store::codec::Record;
use super::super::tags::{Generation, Tag, TagGuard, UNKNOWN};
use super::super::{Hit, Key, Level};

/// One lookup in Redis for the values of several claims.
pub(in crate::cache) struct RedisLookup<'a> {
    pub(super) store: &'a Store,
    pub(super) claims: Vec<&'a Claim>,
    /// Start of the lookup: no further round trip begins once a command timeout has passed since.
    pub(super) started: Instant,
}

impl RedisLookup<'_> {
    /// The value of one claim in Redis, if it is fresh.
    pub(in crate::cache) async fn fresh(claim: &Claim) -> Option<Hit> {
        let shared = claim.inner.shared.as_ref()?;
        let now = claim.inner.settings.clock.now();
        let lookup = RedisLookup {
            store: &shared.store,
            claims: vec![claim],
            started: Instant::now(),
        };
        let hits = lookup.run().await.pop()?;
        let mut fresh = hits
            .into_iter()
            .filter(|hit| hit.stored.entry.freshness(now) == Freshness::Fresh);
        let hit = fresh.next()?;
        claim
            .inner
            .memory
            .put(hit.key, MemoryEntry::Stored(Arc::clone(&hit.stored)));
        Some(hit)
    }

    /// The valid hits of each claim.
    pub(super) async fn run(self) -> Vec<Vec<Hit>> {
        let keys: Vec<_> = self
            .claims
            .iter()
            .flat_map(|claim| claim.request.keys())
            .collect();
        let is_feed_current = self
            .claims
            .first()
            .is_some_and(|claim| claim.inner.is_feed_current());
        let mut confirmed = Confirmed {
            is_required: !is_feed_current,
            tags: TagSet::default(),
        };
        let mut unknown_guards: Vec<&TagGuard> = Vec::new();
        let mut seen = TagSet::default();
        for guard in self.claims.iter().flat_map(|claim| &claim.guards) {
            if (!is_feed_current || guard.cell.load() == UNKNOWN) && seen.insert(guard.tag) {
                unknown_guards.push(guard);
            }
        }
        let records = self.read(&keys, &unknown_guards, &mut confirmed).await;
        let mut records = records.into_iter();
        let mut candidates: Vec<Vec<(Key, Record)>> = Vec::new();
        for claim in &self.claims {
            let found = claim
                .request
                .keys()
                .filter_map(|key| Some((key, records.next()??)));
            candidates.push(found.collect());
        }
        self.reread_generations(&candidates, &mut confirmed).await;
        let all = self.claims.iter().zip(candidates);
        all.map(|(claim, candidates)| {
            let hits = candidates.into_iter();
            let hits = hits.filter(|(_, record)| confirmed.covers(record));
            hits.filter_map(|(key, record)| valid_hit(claim, key, record))
                .collect()
        })
        .collect()
    }

    /// Reads the generations that do not match those of the records, or must be confirmed.
    async fn reread_generations(
        &self,
        candidates: &[Vec<(Key, Record)>],
        confirmed: &mut Confirmed,
    ) {
        let mut outdated_guards: Vec<TagGuard> = Vec::new();
        let mut seen = TagSet::default();
        for (claim, candidates) in self.claims.iter().zip(candidates) {
            for (tag, generation) in candidates.iter().flat_map(|(_, record)| &record.tags) {
                let guard = claim.guard(*tag, *generation);
                let is_outdated = !guard.is_valid() || !confirmed.covers_tag(tag);
                if is_outdated && seen.insert(*tag) {
                    outdated_guards.push(guard);
                }
            }
        }
        if !outdated_guards.is_empty() && self.store.has_time(self.started) {
            let guards: Vec<&TagGuard> = outdated_guards.iter().collect();
            self.read(&[], &guards, confirmed).await;
        }
    }

    /// Reads records and adopts the generations of the tags of `guards`.
    async fn read(
        &self,
        keys: &[Key],
        guards: &[&TagGuard],
        confirmed: &mut Confirmed,
    ) -> Vec<Option<Record>> {
        let before: Vec<Generation> = guards.iter().map(|guard| guard.cell.load()).collect();
        let tags: Vec<Tag> = guards.iter().map(|guard| guard.tag).collect();
        let read = self.store.read(keys, &tags).await;
        let generations = self.claims.first().map(|claim| &claim.inner.generations);
        for ((guard, before), found) in guards.iter().zip(before).zip(read.generations) {
            if let (Some(generations), Some(found)) = (generations, found) {
                generations.adopt(&guard.cell, before, found);
                confirmed.tags.insert(guard.tag);
            }
        }
        read.records
    }
}

type TagSet = hashbrown::HashSet<Tag, foldhash::fast::RandomState>;

/// The tags whose generation this lookup read. While invalidations are not received, only these are
/// known: an invalidation of any other tag may have been missed.
struct Confirmed {
    is_required: bool,
    tags: TagSet,
}

impl Confirmed {
    fn covers_tag(&self, tag: &Tag) -> bool {
        !self.is_required || self.tags.contains(tag)
    }

    fn covers(&self, record: &Record) -> bool {
        record.tags.iter().all(|(tag, _)| self.covers_tag(tag))
    }
}

/// The record as a hit, if its tags have the generations that this process knows.
fn valid_hit(claim: &Claim, key: Key, record: Record) -> Option<Hit> {
    let guards = record.tags.iter().map(|(tag, generation)| {
        let guard = claim.guard(*tag, *generation);
        guard.is_valid().then_some(guard)
    });
    let guards = guards.collect::<Option<Box<[TagGuard]>>>()?;
    // Every record has this tag; one without it has another format.
    if !guards.iter().any(|guard| guard.tag == Tag::everything()) {
        return None;
    }
    let entry = record.entry;
    let level = Level::Redis;
    let stored = Arc::new(StoredEntry::new(entry, guards));
    Some(Hit { key, level, stored })
}
