//! Values assembled from cached values, such as whole responses. An assembled value has the tags of
//! all its parts, each with the generation that it had before its part was fetched, so whatever
//! ends a part ends the whole.
//!
//! Most of such values are never requested again. One is cached from its second request on
//! ([`Admission`]); until then its parts serve it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashMap;
use hashbrown::hash_map::Entry as MapEntry;
use tokio::time::Instant;

use super::entry::Freshness;
use super::key::Key;
use super::lookup::{Slot, TagCells};
use super::memory::{MemoryEntry, StoredEntry};
use super::tags::{Tag, TagGuard};
use super::{Claim, Hit, Inner, Level, LookupOutcome, LookupRequest};

/// What an assembled value depends on: the tags of its parts.
#[derive(Debug, Default)]
pub struct Dependencies {
    guards: HashMap<Tag, TagGuard, foldhash::fast::RandomState>,
    is_outdated: bool,
}

/// A value that was stored, and may be part of another.
#[derive(Clone, Debug)]
pub struct StoredPart(pub(super) Arc<StoredEntry>);

impl Dependencies {
    /// Adds a part that was found in the cache.
    pub fn add_hit(&mut self, hit: &Hit) {
        self.add(&hit.stored);
    }

    /// Adds a part that was fetched and stored.
    pub fn add_stored(&mut self, part: &StoredPart) {
        self.add(&part.0);
    }

    fn add(&mut self, part: &StoredEntry) {
        for guard in &part.guards {
            match self.guards.entry(guard.tag) {
                MapEntry::Vacant(entry) => {
                    entry.insert(guard.clone());
                }
                // The tag was invalidated between the fetches of two parts.
                MapEntry::Occupied(entry) if entry.get().generation != guard.generation => {
                    self.is_outdated = true;
                }
                MapEntry::Occupied(_) => {}
            }
        }
    }

    /// The guards of all parts; `None` where a part is outdated.
    pub(super) fn into_guards(self) -> Option<Vec<TagGuard>> {
        (!self.is_outdated).then(|| self.guards.into_values().collect())
    }
}

/// Which assembled values were requested before, approximately: a table of fingerprints, in which a
/// later key may displace another.
pub(super) struct Admission {
    slots: Box<[AtomicU64]>,
}

impl Admission {
    pub(super) fn new() -> Self {
        Self {
            slots: (0..ADMISSION_SLOTS).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Whether the key was requested before; it is from now on.
    pub(super) fn is_repeated(&self, key: Key) -> bool {
        let fingerprint = key.fingerprint();
        let index = usize::try_from(fingerprint).unwrap_or_default() % ADMISSION_SLOTS;
        self.slots[index].swap(fingerprint, Ordering::Relaxed) == fingerprint
    }
}

impl Inner {
    /// Looks an assembled value up; `None` where it is requested for the first time, or known not
    /// to be cacheable.
    pub(super) async fn lookup_assembled(
        self: &Arc<Self>,
        request: LookupRequest,
    ) -> Option<LookupOutcome> {
        if self.is_memory_trusted() {
            let now = self.settings.clock.now();
            let epoch = self.generations.validity_epoch();
            for key in request.keys() {
                match self.memory.get(&key, now, epoch) {
                    Ok(MemoryEntry::Stored(stored))
                        if stored.entry.freshness(now) == Freshness::Fresh =>
                    {
                        self.stats.assembled_memory_hits.increment();
                        let level = Level::Memory;
                        return Some(LookupOutcome::Fresh(Hit { key, level, stored }));
                    }
                    Ok(MemoryEntry::Uncacheable(_)) if key == Claim::flight_key(&request) => {
                        return None;
                    }
                    _ => {}
                }
            }
        }
        if !self.admission.is_repeated(Claim::flight_key(&request)) {
            return None;
        }
        let outcome = self.lookup_repeated(request).await;
        match &outcome {
            LookupOutcome::Miss(_) => self.stats.assembled_misses.increment(),
            LookupOutcome::InFlight(_) => self.stats.assembled_waits.increment(),
            LookupOutcome::Fresh(_) => self.stats.assembled_redis_hits.increment(),
            LookupOutcome::Negative(_) | LookupOutcome::Stale(..) => {}
        }
        Some(outcome)
    }

    async fn lookup_repeated(self: &Arc<Self>, request: LookupRequest) -> LookupOutcome {
        let started = Instant::now();
        let is_trusted = self.is_memory_trusted();
        let mut slot = self.lookup_memory(request, is_trusted, &mut TagCells::default());
        if let (Slot::Pending(..), Some(shared)) = (&slot, &self.shared) {
            self.lookup_redis(&shared.store, vec![&mut slot], started)
                .await;
        }
        let (mut claim, hit) = match slot {
            Slot::Resolved(outcome) => return outcome,
            Slot::Pending(claim, hit) => (claim, hit),
        };
        claim.pin_generations();
        let now = self.settings.clock.now();
        match hit.filter(|hit| hit.stored.entry.freshness(now) == Freshness::Fresh) {
            Some(hit) => {
                claim.finish_with_hit(&hit);
                LookupOutcome::Fresh(hit)
            }
            None => LookupOutcome::Miss(claim),
        }
    }
}

/// Number of remembered keys: those of some seconds, in half a megabyte.
const ADMISSION_SLOTS: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::super::entry::clock::Moment;
    use super::super::entry::{CachedValue, Entry};
    use super::super::key::KeyParts;
    use super::super::lifetime::{Lifetime, Scope};
    use super::super::tags::{Generations, new_generation};
    use super::*;

    fn key(name: &str) -> Key {
        let parts = KeyParts {
            source: name,
            ..KeyParts::default()
        };
        Key::from_parts(&parts).unwrap()
    }

    fn part(generations: &Generations, tags: &[&str]) -> StoredEntry {
        let guards = tags.iter().map(|name| {
            let tag = Tag::named(name);
            let cell = generations.cell(tag);
            let generation = cell.load_or_init();
            TagGuard {
                tag,
                cell,
                generation,
            }
        });
        let entry = Entry {
            value: CachedValue::Absent,
            stored_at: Moment(0),
            lifetime: Lifetime::default(),
            scope: Scope::Public,
        };
        StoredEntry::new(entry, guards.collect())
    }

    #[test]
    fn a_key_is_repeated_from_its_second_request_on() {
        let admission = Admission::new();

        let seen: Vec<bool> = ["a", "b", "a", "a", "c"]
            .map(|name| admission.is_repeated(key(name)))
            .to_vec();

        assert_eq!(seen, [false, false, true, true, false]);
    }

    #[test]
    fn the_tags_of_all_parts_are_those_of_the_whole() {
        let generations = Generations::new(10);
        let mut dependencies = Dependencies::default();
        dependencies.add(&part(&generations, &["red", "blue"]));
        dependencies.add(&part(&generations, &["blue", "green"]));

        let guards = dependencies.into_guards().unwrap();

        let mut tags: Vec<Tag> = guards.iter().map(|guard| guard.tag).collect();
        tags.sort_unstable();
        let mut expected = ["red", "blue", "green"].map(Tag::named);
        expected.sort_unstable();
        assert_eq!(tags, expected);
        generations.replace(Tag::named("green"), new_generation());
        assert_eq!(guards.iter().filter(|guard| !guard.is_valid()).count(), 1);
    }

    #[test]
    fn parts_from_before_and_after_an_invalidation_make_no_whole() {
        let generations = Generations::new(10);
        let mut dependencies = Dependencies::default();
        dependencies.add(&part(&generations, &["red"]));
        generations.replace(Tag::named("red"), new_generation());
        dependencies.add(&part(&generations, &["red"]));

        assert!(dependencies.into_guards().is_none());
    }
}
