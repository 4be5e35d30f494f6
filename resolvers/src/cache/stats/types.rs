//! The same by type: what was found of the values of each, and how old it was.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::super::entry::clock::Moment;
use super::super::{Found, Hit, Level};
use super::{AGE_BOUNDS, Counter, Stats, Steps};

/// What was found of the values of one type, up to now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeCounts {
    /// Who gives them.
    pub subgraph: String,
    /// Of entities, or the root type.
    pub type_name: String,
    /// Given out fresh from memory.
    pub memory: u64,
    /// Given out fresh from Redis.
    pub redis: u64,
    /// Given out stale.
    pub stale: u64,
    /// "Does not exist".
    pub negative: u64,
    /// Left to be fetched.
    pub missing: u64,
}

/// The counters of all types, each made when it is first needed.
#[derive(Debug, Default)]
pub(in crate::cache) struct Types(Mutex<BTreeMap<(String, String), Arc<TypeStats>>>);

/// The counters of one type.
#[derive(Debug, Default)]
pub(crate) struct TypeStats {
    each: [Counter; RESULTS],
}

/// What one lookup found of one type: counted apart, because what all count into is shared.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    each: [usize; RESULTS],
    ages: Steps<{ AGE_BOUNDS.len() + 1 }>,
}

/// What can be found.
#[derive(Clone, Copy)]
enum Result {
    Memory,
    Redis,
    Stale,
    Negative,
    Missing,
}

const RESULTS: usize = 5;

impl Tally {
    pub(crate) fn note(&mut self, found: &Found, now: Moment) {
        let (result, hit) = match found {
            Found::Fresh(hit) if hit.level == Level::Redis => (Result::Redis, Some(hit)),
            Found::Fresh(hit) => (Result::Memory, Some(hit)),
            Found::Stale(hit, _) => (Result::Stale, Some(hit)),
            Found::Negative(hit) => (Result::Negative, Some(hit)),
            Found::Missing(_) => (Result::Missing, None),
            Found::Elsewhere(_) => return, // It is found out later.
        };
        self.each[result as usize] += 1;
        if let Some(age) = hit.map(Hit::entry).map(|entry| entry.age(now)) {
            self.ages.note(age, &AGE_BOUNDS);
        }
    }
}

impl Stats {
    pub(in crate::cache) fn add(&self, stats: &TypeStats, tally: &Tally) {
        for (counter, count) in stats.each.iter().zip(tally.each) {
            if count > 0 {
                counter.add(count);
            }
        }
        self.ages.add(&tally.ages);
    }
}

impl Types {
    pub(in crate::cache) fn of(&self, subgraph: &str, type_name: &str) -> Arc<TypeStats> {
        let key = (subgraph.to_owned(), type_name.to_owned());
        // A map is whole between any two statements here.
        let mut types = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(types.entry(key).or_default())
    }

    pub(in crate::cache) fn counts(&self) -> Vec<TypeCounts> {
        let types = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = types.iter().map(|((subgraph, type_name), stats)| {
            let [memory, redis, stale, negative, missing] = &stats.each;
            TypeCounts {
                subgraph: subgraph.clone(),
                type_name: type_name.clone(),
                memory: memory.get(),
                redis: redis.get(),
                stale: stale.get(),
                negative: negative.get(),
                missing: missing.get(),
            }
        });
        counts.collect()
    }
}
