//! Time in a form that replicas can compare and tests can control.
//!
//! Machines share entries, so times are those of the wall clock. A replica whose clock is wrong by
//! a second misjudges freshness by a second; Redis limits the total life of an entry by its own
//! clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

impl Moment {
    /// Time since `earlier`; zero if `earlier` is in the future.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The moment `time` later.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(millis(time)))
    }
}

/// A source of the current time: the system clock, or a manual clock for tests.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicU64>>);

impl Clock {
    /// The system clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that moves by [`Self::advance`] only. Clones share the time.
    pub fn manual(start: Moment) -> Self {
        Self(Some(Arc::new(AtomicU64::new(start.0))))
    }

    /// Advances a manual clock; has no effect on the system clock.
    pub fn advance(&self, time: Duration) {
        if let Some(now) = &self.0 {
            now.fetch_add(millis(time), Ordering::Relaxed);
        }
    }

    /// The current time.
    pub fn now(&self) -> Moment {
        match &self.0 {
            Some(now) => Moment(now.load(Ordering::Relaxed)),
            None => Moment(
                SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .map_or(0, millis),
            ),
        }
    }
}

/// `time` in whole milliseconds, saturating.
pub(in crate::cache) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
