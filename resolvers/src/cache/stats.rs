//! What the cache did, in numbers that only grow.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use self::types::TypeCounts;
use self::types::Types;
pub(crate) use self::types::{Tally, TypeStats};

mod types;

/// Declares the counters once: as atomics, as numbers, and from one to the other.
macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// The counters themselves.
        #[derive(Debug, Default)]
        pub(super) struct Stats {
            $(pub(super) $name: Counter,)+
            pub(super) redis_time: Times<{ LATENCY_BOUNDS.len() + 1 }>,
            pub(super) ages: Times<{ AGE_BOUNDS.len() + 1 }>,
            pub(super) types: Types,
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
                    redis_time: std::array::from_fn(|index| self.redis_time.each[index].get()),
                    redis_micros: self.redis_time.micros.get(),
                    ages: std::array::from_fn(|index| self.ages.each[index].get()),
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
    stale,
    /// "Does not exist", given out from memory or Redis.
    negative,
    /// Not there, and left to the caller to fetch.
    misses,
    /// Known to be kept nowhere, and left to the caller to fetch.
    uncacheable,
    /// Waited for somebody else in this process.
    waits_process,
    /// Waited for somebody else in the fleet.
    waits_fleet,
    /// Waits that ended without a value.
    waits_in_vain,
    /// Renewals begun.
    renewals,
    /// Kept.
    puts,
    /// Dropped from memory to make room.
    evictions,
    /// Invalidations asked of this process, by tag.
    invalidations,
    /// Invalidations heard of from others, by tag.
    invalidations_heard,
    /// Times that listening for others' invalidations began.
    listens,
    /// Invalidations that wait until Redis can be told.
    invalidations_late,
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

    pub(super) fn one(&self) {
        self.add(1);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Times, counted in steps.
#[derive(Debug)]
pub(super) struct Times<const STEPS: usize> {
    each: [Counter; STEPS],
    micros: Counter,
}

impl<const STEPS: usize> Default for Times<STEPS> {
    fn default() -> Self {
        Self {
            each: std::array::from_fn(|_| Counter::default()),
            micros: Counter::default(),
        }
    }
}

impl<const STEPS: usize> Times<STEPS> {
    fn add(&self, steps: &Steps<STEPS>) {
        for (counter, count) in self.each.iter().zip(steps.each) {
            if count > 0 {
                counter.add(count);
            }
        }
        self.micros.add(steps.micros);
    }
}

impl Times<{ LATENCY_BOUNDS.len() + 1 }> {
    pub(super) fn record(&self, time: Duration) {
        let mut steps = Steps::default();
        steps.note(time, &LATENCY_BOUNDS);
        self.add(&steps);
    }
}

/// Some times, before they are added to all.
#[derive(Debug)]
struct Steps<const STEPS: usize> {
    each: [usize; STEPS],
    micros: usize,
}

impl<const STEPS: usize> Default for Steps<STEPS> {
    fn default() -> Self {
        Self {
            each: [0; STEPS],
            micros: 0,
        }
    }
}

impl<const STEPS: usize> Steps<STEPS> {
    /// What is longer than every bound is in the last step.
    fn note(&mut self, time: Duration, bounds: &[Duration]) {
        let step = bounds.iter().position(|bound| time <= *bound);
        if let Some(count) = self.each.get_mut(step.unwrap_or(bounds.len())) {
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
