//! What the cache did, in numbers that only grow.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use self::types::TypeCounts;
use self::types::TypeStatsMap;
pub(crate) use self::types::{Tally, TypeStats};

mod types;

/// Declares the counters once: as atomics, as numbers, and from one to the other.
macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// The counters themselves.
        #[derive(Debug, Default)]
        pub(super) struct Stats {
            $(pub(super) $name: Counter,)+
            pub(super) redis_time: Histogram<{ LATENCY_BOUNDS.len() + 1 }>,
            pub(super) ages: Histogram<{ AGE_BOUNDS.len() + 1 }>,
            pub(super) types: TypeStatsMap,
        }

        /// What was counted up to now.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Counts {
            $($(#[doc = $doc])+ pub $name: u64,)+
            /// How many calls of Redis took at most [`LATENCY_BOUNDS`], and how many longer.
            pub redis_time: [u64; LATENCY_BOUNDS.len() + 1],
            /// Microseconds of all calls of Redis together.
            pub redis_micros: u64,
            /// How many values that were given out were at most [`AGE_BOUNDS`] old, and how many
            /// older.
            pub ages: [u64; AGE_BOUNDS.len() + 1],
            /// Microseconds of all their ages together.
            pub age_micros: u64,
        }

        impl Stats {
            pub(super) fn counts(&self) -> Counts {
                Counts {
                    $($name: self.$name.get(),)+
                    redis_time: std::array::from_fn(|index| self.redis_time.buckets[index].get()),
                    redis_micros: self.redis_time.micros.get(),
                    ages: std::array::from_fn(|index| self.ages.buckets[index].get()),
                    age_micros: self.ages.micros.get(),
                }
            }
        }
    };
}

counters! {
    /// Given out fresh from memory.
    memory_hits,
    /// Given out fresh from Redis.
    redis_hits,
    /// Given out stale.
    stale_hits,
    /// "Does not exist", given out from memory or Redis.
    negative_hits,
    /// Not there, and left to the caller to fetch.
    misses,
    /// Known to be kept nowhere, and left to the caller to fetch.
    uncacheable,
    /// Waited for somebody else in this process.
    waits_process,
    /// Waited for somebody else in the fleet.
    waits_fleet,
    /// Waits that ended without a value.
    waits_failed,
    /// Renewals begun.
    refreshes,
    /// Kept.
    stores,
    /// Dropped from memory to make room.
    evictions,
    /// Invalidations asked of this process, by tag.
    invalidations,
    /// Invalidations heard of from others, by tag.
    invalidations_received,
    /// Times that listening for others' invalidations began.
    feed_connects,
    /// Invalidations that wait until Redis can be told.
    invalidations_deferred,
    /// Messages of services about what has changed that were handled.
    events,
    /// Those of them with something in them that could not be read.
    events_malformed,
    /// Those of them that were taken over from another replica, or from a broken connection.
    events_claimed,
    /// Times that reading these messages ended and began again.
    event_errors,
    /// Values that could not be decoded.
    undecodable,
    /// Calls of Redis that failed.
    redis_errors,
    /// Calls of Redis that took too long.
    redis_timeouts,
    /// Calls of Redis not made because it was failing.
    redis_skipped,
    /// Times that Redis was given up.
    breaker_opened,
    /// Times that it was found to be back.
    breaker_closed,
    /// Times that a connection was made.
    connects,
    /// Writes to Redis.
    writes,
    /// Writes not made: the queue was full, or Redis failed.
    writes_dropped,
    /// Background work that found no place.
    background_dropped,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    pub(super) fn increment(&self) {
        self.add(1);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Times, counted in steps.
#[derive(Debug)]
pub(super) struct Histogram<const BUCKETS: usize> {
    buckets: [Counter; BUCKETS],
    micros: Counter,
}

impl<const BUCKETS: usize> Default for Histogram<BUCKETS> {
    fn default() -> Self {
        Self {
            buckets: std::array::from_fn(|_| Counter::default()),
            micros: Counter::default(),
        }
    }
}

impl<const BUCKETS: usize> Histogram<BUCKETS> {
    fn add(&self, local: &LocalHistogram<BUCKETS>) {
        for (counter, count) in self.buckets.iter().zip(local.buckets) {
            if count > 0 {
                counter.add(count);
            }
        }
        self.micros.add(local.micros);
    }
}

impl Histogram<{ LATENCY_BOUNDS.len() + 1 }> {
    pub(super) fn record(&self, time: Duration) {
        let mut local = LocalHistogram::default();
        local.observe(time, &LATENCY_BOUNDS);
        self.add(&local);
    }
}

/// Some times, before they are added to all.
#[derive(Debug)]
struct LocalHistogram<const BUCKETS: usize> {
    buckets: [usize; BUCKETS],
    micros: usize,
}

impl<const BUCKETS: usize> Default for LocalHistogram<BUCKETS> {
    fn default() -> Self {
        Self {
            buckets: [0; BUCKETS],
            micros: 0,
        }
    }
}

impl<const BUCKETS: usize> LocalHistogram<BUCKETS> {
    /// What is longer than every bound is in the last step.
    fn observe(&mut self, time: Duration, bounds: &[Duration]) {
        let bucket = bounds.iter().position(|bound| time <= *bound);
        if let Some(count) = self.buckets.get_mut(bucket.unwrap_or(bounds.len())) {
            *count += 1;
        }
        let micros = usize::try_from(time.as_micros()).unwrap_or(usize::MAX);
        self.micros = self.micros.saturating_add(micros);
    }
}

/// Upper ends of the steps in which calls of Redis are counted.
pub const LATENCY_BOUNDS: [Duration; 8] = [
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(50),
];

/// Upper ends of the steps in which ages are counted.
pub const AGE_BOUNDS: [Duration; 8] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(15),
    Duration::from_hours(1),
    Duration::from_hours(24),
];
