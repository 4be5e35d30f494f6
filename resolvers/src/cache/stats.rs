//! Counters of the cache.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use self::types::TypeCounts;
use self::types::TypeStatsMap;
pub(crate) use self::types::{Tally, TypeStats};

mod types;

/// Declares the counters once: as atomics, as numbers, and from one to the other.
macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// The counters.
        #[derive(Debug, Default)]
        pub(super) struct Stats {
            $(pub(super) $name: Counter,)+
            pub(super) redis_time: Histogram<{ LATENCY_BOUNDS.len() + 1 }>,
            pub(super) ages: Histogram<{ AGE_BOUNDS.len() + 1 }>,
            pub(super) types: TypeStatsMap,
        }

        /// A snapshot of the counters.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Counts {
            $($(#[doc = $doc])+ pub $name: u64,)+
            /// Redis calls by duration: at most each of [`LATENCY_BOUNDS`], then longer ones.
            pub redis_time: [u64; LATENCY_BOUNDS.len() + 1],
            /// Total microseconds of Redis calls.
            pub redis_micros: u64,
            /// Returned cached values by age: at most each of [`AGE_BOUNDS`], then older ones.
            pub ages: [u64; AGE_BOUNDS.len() + 1],
            /// Total microseconds of these ages.
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
    /// Fresh hits in memory.
    memory_hits,
    /// Fresh hits in Redis.
    redis_hits,
    /// Stale hits.
    stale_hits,
    /// Hits of absent values, in memory or Redis.
    negative_hits,
    /// Misses that the caller fetches.
    misses,
    /// Lookups bypassed because the key is known to be uncacheable.
    uncacheable,
    /// Assembled values found in memory.
    assembled_memory_hits,
    /// Assembled values found in Redis.
    assembled_redis_hits,
    /// Lookups of assembled values that another operation of this process was making.
    assembled_waits,
    /// Assembled values that were requested again, and not found.
    assembled_misses,
    /// Waits for a fetch in flight in this process.
    waits_process,
    /// Waits for a fetch in flight in another replica.
    waits_fleet,
    /// Waits that ended without a value.
    waits_failed,
    /// Refreshes started.
    refreshes,
    /// Values stored.
    stores,
    /// Entries evicted from memory.
    evictions,
    /// Tags invalidated by this process.
    invalidations,
    /// Tags invalidated by other replicas.
    invalidations_received,
    /// Connections of the invalidation feed.
    feed_connects,
    /// Tags whose invalidation was deferred until Redis is reachable.
    invalidations_deferred,
    /// Change events handled.
    events,
    /// Change events that were malformed.
    events_malformed,
    /// Change events claimed from another replica, or from a broken connection.
    events_claimed,
    /// Failures of the stream of change events.
    event_errors,
    /// Records that could not be decoded.
    undecodable,
    /// Redis calls that failed.
    redis_errors,
    /// Redis calls that timed out.
    redis_timeouts,
    /// Redis calls skipped because the circuit breaker was open or no connection existed.
    redis_skipped,
    /// Times that a circuit breaker opened.
    breaker_opened,
    /// Times that a circuit breaker closed.
    breaker_closed,
    /// Connections established.
    connects,
    /// Writes to Redis.
    writes,
    /// Writes dropped: the queue was full, or Redis failed.
    writes_dropped,
    /// Background work dropped because the queue was full.
    background_dropped,
}

/// A counter.
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

/// A histogram of durations.
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

/// Durations of one lookup, added to the shared histogram at once.
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
    /// Counts `time`; the last bucket is for times over every bound.
    fn observe(&mut self, time: Duration, bounds: &[Duration]) {
        let bucket = bounds.iter().position(|bound| time <= *bound);
        if let Some(count) = self.buckets.get_mut(bucket.unwrap_or(bounds.len())) {
            *count += 1;
        }
        let micros = usize::try_from(time.as_micros()).unwrap_or(usize::MAX);
        self.micros = self.micros.saturating_add(micros);
    }
}

/// Upper bounds of the buckets of Redis latency.
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

/// Upper bounds of the buckets of ages.
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
