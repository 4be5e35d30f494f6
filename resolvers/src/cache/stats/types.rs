//! Lookup counters by subgraph and type, and the ages of hits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::super::entry::clock::Moment;
use super::super::{Hit, Level, LookupOutcome};
use super::{AGE_BOUNDS, Counter, LocalHistogram, Stats};

/// A snapshot of the lookup counters of one type of a subgraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeCounts {
    /// The subgraph.
    pub subgraph: String,
    /// The entity type, or the root type.
    pub type_name: String,
    /// Fresh hits in memory.
    pub memory: u64,
    /// Fresh hits in Redis.
    pub redis: u64,
    /// Stale hits.
    pub stale: u64,
    /// Hits of absent values.
    pub negative: u64,
    /// Misses.
    pub misses: u64,
}

/// The counters of all types by subgraph and type, created on first use.
#[derive(Debug, Default)]
pub(in crate::cache) struct TypeStatsMap(Mutex<BTreeMap<(String, String), Arc<TypeStats>>>);

/// The counters of one type of a subgraph.
#[derive(Debug, Default)]
pub(crate) struct TypeStats {
    counters: [Counter; LOOKUP_RESULTS],
}

/// The results of one lookup for one type, counted locally because the shared counters are
/// contended.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: [usize; LOOKUP_RESULTS],
    ages: LocalHistogram<{ AGE_BOUNDS.len() + 1 }>,
}

/// A result of a lookup.
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
            LookupOutcome::InFlight(_) => return, // Counted when the wait ends.
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
        // No panic can leave the map half changed here.
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
