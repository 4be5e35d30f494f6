//! The level in this process: bounded in bytes, checked at every read.
//!
//! What is invalid or over is not looked for: it is found out when it is read, or makes room when
//! room is needed.

use std::sync::{Arc, OnceLock};

use quick_cache::{Lifecycle, Weighter};
use schema::json::Json;

use super::entry::clock::Moment;
use super::entry::{Entry, State, Value};
use super::key::Key;
use super::stats::Stats;
use super::tags::Guard;
use crate::account::Why;

/// An entry with what it depends on.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) entry: Entry,
    pub(super) guards: Box<[Guard]>,
    /// The value, once somebody has read it.
    json: OnceLock<Option<Arc<Json>>>,
}

impl Stored {
    pub(super) fn new(entry: Entry, guards: Box<[Guard]>) -> Self {
        Self {
            entry,
            guards,
            json: OnceLock::new(),
        }
    }

    pub(super) fn json(&self) -> Option<Arc<Json>> {
        let read = || match &self.entry.value {
            Value::Present(body) => Json::parse(body.clone()).ok().map(Arc::new),
            Value::Absent => None,
        };
        self.json.get_or_init(read).clone()
    }

    /// Whether none of its tags was invalidated since it was asked for.
    pub(super) fn holds(&self) -> bool {
        self.guards.iter().all(Guard::holds)
    }
}

/// What is known of a key.
#[derive(Clone, Debug)]
pub(super) enum Known {
    /// A value.
    Stored(Arc<Stored>),
    /// That its value may not be kept, until then.
    Uncacheable(Moment),
}

/// Entries by key.
#[derive(Debug)]
pub(super) struct Memory {
    entries: quick_cache::sync::Cache<Key, Known, Weight, foldhash::fast::RandomState, Count>,
}

impl Memory {
    pub(super) fn new(bytes: usize, stats: Arc<Stats>) -> Self {
        Self {
            entries: quick_cache::sync::Cache::with(
                bytes / USUAL_WEIGHT,
                bytes as u64,
                Weight,
                foldhash::fast::RandomState::default(),
                Count(stats),
            ),
        }
    }

    /// What is known of `key`, if it is still good for anything; else why there is nothing.
    pub(super) fn get(&self, key: &Key, now: Moment) -> Result<Known, Why> {
        let known = self.entries.get(key).ok_or(Why::Unknown)?;
        let why = match &known {
            Known::Stored(stored) if !stored.holds() => Why::Invalid,
            Known::Stored(stored) if stored.entry.state(now) == State::Expired => Why::Expired,
            Known::Uncacheable(until) if now >= *until => Why::Unknown,
            Known::Stored(_) | Known::Uncacheable(_) => return Ok(known),
        };
        // Another may have put a good one there meanwhile: only this one goes.
        self.entries.remove_if(key, |current| same(current, &known));
        Err(why)
    }

    pub(super) fn put(&self, key: Key, known: Known) {
        self.entries.insert(key, known);
    }

    /// Bytes in use.
    pub(super) fn weight(&self) -> u64 {
        self.entries.weight()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

fn same(one: &Known, two: &Known) -> bool {
    match (one, two) {
        (Known::Stored(one), Known::Stored(two)) => Arc::ptr_eq(one, two),
        (Known::Uncacheable(one), Known::Uncacheable(two)) => one == two,
        _ => false,
    }
}

#[derive(Clone, Debug)]
struct Weight;

impl Weighter<Key, Known> for Weight {
    fn weight(&self, _: &Key, known: &Known) -> u64 {
        let inside = match known {
            Known::Stored(stored) => {
                let guards = stored.guards.len() * size_of::<Guard>();
                stored.entry.size() * AS_READ + size_of::<Stored>() + guards
            }
            Known::Uncacheable(_) => 0,
        };
        (inside + OVERHEAD) as u64
    }
}

/// Counts what makes room.
#[derive(Clone, Debug)]
struct Count(Arc<Stats>);

impl Lifecycle<Key, Known> for Count {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: Key, _: Known) {
        self.0.evictions.one();
    }
}

/// So many times its text a value takes, the index over it included.
const AS_READ: usize = 3;

/// Of an entry in the table beside what it points to: the key, the pointers, counters and links.
const OVERHEAD: usize = 96;

/// From which the table's first size is guessed.
const USUAL_WEIGHT: usize = 1024;

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
        Key::of(&KeyParts {
            source: &source,
            ..KeyParts::default()
        })
        .unwrap()
    }

    fn stored(size: usize, guards: Vec<Guard>) -> Known {
        let entry = Entry {
            value: Value::Present(Bytes::from(vec![b' '; size])),
            stored_at: START,
            lifetime: Lifetime {
                fresh: Duration::from_secs(10),
                ..Lifetime::default()
            },
            scope: Scope::Public,
        };
        Known::Stored(Arc::new(Stored::new(entry, guards.into())))
    }

    #[test]
    fn bytes_are_bounded_and_what_goes_is_counted() {
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
    fn a_value_larger_than_the_memory_is_not_kept() {
        let memory = Memory::new(10_000, Arc::default());
        memory.put(key(1), stored(20_000, Vec::new()));
        assert!(memory.get(&key(1), START).is_err());
    }

    #[test]
    fn what_is_over_or_invalid_is_gone() {
        let memory = Memory::new(100_000, Arc::default());
        let generations = Generations::new(10);
        let cell = generations.cell(Tag::named("red"));
        let generation = cell.settle();
        let guard = Guard {
            tag: Tag::named("red"),
            cell,
            generation,
        };
        memory.put(key(1), stored(10, vec![guard]));
        memory.put(key(2), stored(10, Vec::new()));
        memory.put(
            key(3),
            Known::Uncacheable(START.after(Duration::from_secs(1))),
        );
        for name in 1..4 {
            assert!(memory.get(&key(name), START).is_ok());
        }
        generations.replace(Tag::named("red"), new_generation());
        assert!(memory.get(&key(1), START).is_err());
        let later = START.after(Duration::from_secs(10));
        assert!(memory.get(&key(2), later).is_err());
        assert!(memory.get(&key(3), later).is_err());
        assert_eq!(memory.len(), 0);
    }
}
