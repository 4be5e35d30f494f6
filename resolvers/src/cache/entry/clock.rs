//! What time it is, in a form that replicas can compare and tests can move.
//!
//! Entries are shared between machines, so their times are those of the wall clock. A replica whose
//! clock is wrong by a second misjudges freshness by a second; Redis bounds the whole life of an
//! entry by its own clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

impl Moment {
    /// How long ago `earlier` was; nothing when it is still to come.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// This much later.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(millis(time)))
    }
}

/// Where moments come from.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicU64>>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still but for [`Self::advance`]; clones move together.
    pub fn manual(start: Moment) -> Self {
        Self(Some(Arc::new(AtomicU64::new(start.0))))
    }

    /// Moves a manual clock on; a system clock goes by itself.
    pub fn advance(&self, time: Duration) {
        if let Some(now) = &self.0 {
            now.fetch_add(millis(time), Ordering::Relaxed);
        }
    }

    /// The moment that it is.
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

/// Whole milliseconds, as many as fit.
pub(in crate::cache) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
