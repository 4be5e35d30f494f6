//! The same by type: what was found of the values of each, and how old it was.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::super::entry::clock::Moment;
use super::super::{Hit, Level, LookupOutcome};
use super::{AGE_BOUNDS, Counter, LocalHistogram, Stats};

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
    pub misses: u64,
}

/// The counters of all types, each made when it is first needed.
#[derive(Debug, Default)]
pub(in crate::cache) struct TypeStatsMap(Mutex<BTreeMap<(String, String), Arc<TypeStats>>>);

/// The counters of one type.
#[derive(Debug, Default)]
pub(crate) struct TypeStats {
    counters: [Counter; LOOKUP_RESULTS],
}

/// What one lookup found of one type: counted apart, because what all count into is shared.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: [usize; LOOKUP_RESULTS],
    ages: LocalHistogram<{ AGE_BOUNDS.len() + 1 }>,
}

/// What can be found.
#[derive(Clone, Copy)]
enum LookupResult {
    Memory,
    Redis,
    Stale,
    Negative,
    Miss,
}

const LOOKUP_RESULTS: usize = 5;

impl Tally {
    pub(crate) fn record(&mut self, outcome: &LookupOutcome, now: Moment) {
        let (result, hit) = match outcome {
            LookupOutcome::Fresh(hit) if hit.level == Level::Redis => {
                (LookupResult::Redis, Some(hit))
            }
            LookupOutcome::Fresh(hit) => (LookupResult::Memory, Some(hit)),
            LookupOutcome::Stale(hit, _) => (LookupResult::Stale, Some(hit)),
            LookupOutcome::Negative(hit) => (LookupResult::Negative, Some(hit)),
            LookupOutcome::Miss(_) => (LookupResult::Miss, None),
            LookupOutcome::InFlight(_) => return, // It is found out later.
        };
        self.counts[result as usize] += 1;
        if let Some(age) = hit.map(Hit::entry).map(|entry| entry.age(now)) {
            self.ages.observe(age, &AGE_BOUNDS);
        }
    }
}

impl Stats {
    pub(in crate::cache) fn add(&self, stats: &TypeStats, tally: &Tally) {
        for (counter, count) in stats.counters.iter().zip(tally.counts) {
            if count > 0 {
                counter.add(count);
            }
        }
        self.ages.add(&tally.ages);
    }
}

impl TypeStatsMap {
    pub(in crate::cache) fn type_stats(&self, subgraph: &str, type_name: &str) -> Arc<TypeStats> {
        let key = (subgraph.to_owned(), type_name.to_owned());
        // A map is whole between any two statements here.
        let mut types = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(types.entry(key).or_default())
    }

    pub(in crate::cache) fn counts(&self) -> Vec<TypeCounts> {
        let types = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = types.iter().map(|((subgraph, type_name), stats)| {
            let [memory, redis, stale, negative, misses] = &stats.counters;
            TypeCounts {
                subgraph: subgraph.clone(),
                type_name: type_name.clone(),
                memory: memory.get(),
                redis: redis.get(),
                stale: stale.get(),
                negative: negative.get(),
                misses: misses.get(),
            }
        });
        counts.collect()
    }
}
