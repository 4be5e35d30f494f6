//! The memory level of the cache: bounded in bytes, validated at every read.
//!
//! Invalid and expired entries are not searched for: a read removes them, or they are evicted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use quick_cache::{Lifecycle, Weighter};
use schema::json::Json;

use super::entry::clock::Moment;
use super::entry::{CachedValue, Entry, Freshness};
use super::key::Key;
use super::miss::MissReason;
use super::stats::Stats;
use super::tags::TagGuard;

/// An entry with the guards of its tags.
#[derive(Debug)]
pub(super) struct StoredEntry {
    pub(super) entry: Entry,
    pub(super) guards: Box<[TagGuard]>,
    /// The last validity epoch at which it was valid.
    checked_at: AtomicU64,
    /// The parsed value, filled by the first reader.
    json: OnceLock<Option<Arc<Json>>>,
}

impl StoredEntry {
    pub(super) fn new(entry: Entry, guards: Box<[TagGuard]>) -> Self {
        Self {
            entry,
            guards,
            checked_at: AtomicU64::new(0),
            json: OnceLock::new(),
        }
    }

    pub(super) fn json(&self) -> Option<Arc<Json>> {
        let read = || match &self.entry.value {
            CachedValue::Present(body) => Json::parse(body.clone()).ok().map(Arc::new),
            CachedValue::Absent => None,
        };
        self.json.get_or_init(read).clone()
    }

    /// Whether none of its tags was invalidated since the fetch started.
    pub(super) fn is_valid(&self) -> bool {
        self.guards.iter().all(TagGuard::is_valid)
    }

    /// Whether it is valid at a validity epoch, which began before this call.
    fn is_valid_at(&self, epoch: u64) -> bool {
        if self.checked_at.load(Ordering::Relaxed) == epoch {
            return true;
        }
        let is_valid = self.is_valid();
        if is_valid {
            self.checked_at.store(epoch, Ordering::Relaxed);
        }
        is_valid
    }
}

/// An entry of the memory level.
#[derive(Clone, Debug)]
pub(super) enum MemoryEntry {
    /// A cached value.
    Stored(Arc<StoredEntry>),
    /// The value is uncacheable; lookups are bypassed until this moment.
    Uncacheable(Moment),
}

/// The memory level: entries by key.
#[derive(Debug)]
pub(super) struct Memory {
    entries: quick_cache::sync::Cache<
        Key,
        MemoryEntry,
        EntryWeighter,
        foldhash::fast::RandomState,
        EvictionCounter,
    >,
}

impl Memory {
    pub(super) fn new(bytes: usize, stats: Arc<Stats>) -> Self {
        Self {
            entries: quick_cache::sync::Cache::with(
                bytes / EXPECTED_ENTRY_WEIGHT,
                bytes as u64,
                EntryWeighter,
                foldhash::fast::RandomState::default(),
                EvictionCounter(stats),
            ),
        }
    }

    /// The entry of `key` if it is valid at a validity epoch and not expired, else the reason for
    /// the miss.
    pub(super) fn get(
        &self,
        key: &Key,
        now: Moment,
        epoch: u64,
    ) -> Result<MemoryEntry, MissReason> {
        let entry = self.entries.get(key).ok_or(MissReason::Unknown)?;
        let reason = match &entry {
            MemoryEntry::Stored(stored) if !stored.is_valid_at(epoch) => MissReason::Invalidated,
            MemoryEntry::Stored(stored) if stored.entry.freshness(now) == Freshness::Expired => {
                MissReason::Expired
            }
            MemoryEntry::Uncacheable(until) if now >= *until => MissReason::Unknown,
            MemoryEntry::Stored(_) | MemoryEntry::Uncacheable(_) => return Ok(entry),
        };
        // A concurrent store may have replaced the entry: remove only this one.
        self.entries
            .remove_if(key, |current| is_same(current, &entry));
        Err(reason)
    }

    pub(super) fn put(&self, key: Key, entry: MemoryEntry) {
        self.entries.insert(key, entry);
    }

    /// Bytes in use, by estimate.
    pub(super) fn weight(&self) -> u64 {
        self.entries.weight()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

fn is_same(one: &MemoryEntry, two: &MemoryEntry) -> bool {
    match (one, two) {
        (MemoryEntry::Stored(one), MemoryEntry::Stored(two)) => Arc::ptr_eq(one, two),
        (MemoryEntry::Uncacheable(one), MemoryEntry::Uncacheable(two)) => one == two,
        _ => false,
    }
}

#[derive(Clone, Debug)]
struct EntryWeighter;

impl Weighter<Key, MemoryEntry> for EntryWeighter {
    fn weight(&self, _: &Key, entry: &MemoryEntry) -> u64 {
        let inside = match entry {
            MemoryEntry::Stored(stored) => {
                let guards = stored.guards.len() * size_of::<TagGuard>();
                stored.entry.size() * PARSED_SIZE_FACTOR + size_of::<StoredEntry>() + guards
            }
            MemoryEntry::Uncacheable(_) => 0,
        };
        (inside + OVERHEAD) as u64
    }
}

/// Counts evictions.
#[derive(Clone, Debug)]
struct EvictionCounter(Arc<Stats>);

impl Lifecycle<Key, MemoryEntry> for EvictionCounter {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: Key, _: MemoryEntry) {
        self.0.evictions.increment();
    }
}

/// Memory of a parsed value, as a multiple of its text: the text and the index over it.
const PARSED_SIZE_FACTOR: usize = 3;

/// Bytes of a table entry beside its value: key, pointers, counters and links.
const OVERHEAD: usize = 96;

/// Expected bytes of an entry, from which the initial table size is computed.
const EXPECTED_ENTRY_WEIGHT: usize = 1024;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::super::key::KeyParts;
    use super::super::lifetime::{Lifetime, Scope};
    use super::super::tags::{Generations, Tag, new_generation};
    use super::*;

    const START: Moment = Moment(1_000_000);

    fn key(name: usize) -> Key {
        let source = name.to_string();
        Key::from_parts(&KeyParts {
            source: &source,
            ..KeyParts::default()
        })
        .unwrap()
    }

    fn stored(size: usize, guards: Vec<TagGuard>) -> MemoryEntry {
        let entry = Entry {
            value: CachedValue::Present(Bytes::from(vec![b' '; size])),
            stored_at: START,
            lifetime: Lifetime {
                fresh: Duration::from_secs(10),
                ..Lifetime::default()
            },
            scope: Scope::Public,
        };
        MemoryEntry::Stored(Arc::new(StoredEntry::new(entry, guards.into())))
    }

    #[test]
    fn bytes_are_bounded_and_evictions_are_counted() {
        let stats = Arc::new(Stats::default());
        let memory = Memory::new(500_000, Arc::clone(&stats));
        for name in 0..1000 {
            memory.put(key(name), stored(1000, Vec::new()));
            assert!(memory.weight() <= 500_000);
        }
        assert!(memory.len() > 100, "{}", memory.len());
        let evictions = usize::try_from(stats.counts().evictions).unwrap();
        assert_eq!(evictions + memory.len(), 1000);
    }

    #[test]
    fn a_value_larger_than_the_memory_is_not_cached() {
        let memory = Memory::new(10_000, Arc::default());
        memory.put(key(1), stored(20_000, Vec::new()));
        assert!(memory.get(&key(1), START, 1).is_err());
    }

    #[test]
    fn expired_and_invalid_entries_are_removed() {
        let memory = Memory::new(100_000, Arc::default());
        let generations = Generations::new(10);
        let cell = generations.cell(Tag::named("red"));
        let generation = cell.load_or_init();
        let guard = TagGuard {
            tag: Tag::named("red"),
            cell,
            generation,
        };
        memory.put(key(1), stored(10, vec![guard]));
        memory.put(key(2), stored(10, Vec::new()));
        memory.put(
            key(3),
            MemoryEntry::Uncacheable(START.after(Duration::from_secs(1))),
        );
        for name in 1..4 {
            assert!(
                memory
                    .get(&key(name), START, generations.validity_epoch())
                    .is_ok()
            );
        }
        generations.replace(Tag::named("red"), new_generation());
        let epoch = generations.validity_epoch();
        assert!(memory.get(&key(1), START, epoch).is_err());
        let later = START.after(Duration::from_secs(10));
        assert!(
            memory
                .get(&key(2), later, generations.validity_epoch())
                .is_err()
        );
        assert!(
            memory
                .get(&key(3), later, generations.validity_epoch())
                .is_err()
        );
        assert_eq!(memory.len(), 0);
    }
}
