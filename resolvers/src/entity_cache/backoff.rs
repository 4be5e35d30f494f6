//! Bypasses lookups of values that are never cacheable: each would cost a round trip to Redis.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::cache::Moment;

/// Counts consecutive responses that were not cacheable.
#[derive(Debug, Default)]
pub(super) struct UncacheableBackoff {
    consecutive: AtomicU32,
    /// The moment until which lookups are bypassed.
    bypass_until: AtomicU64,
}

impl UncacheableBackoff {
    pub(super) fn is_active(&self, now: Moment) -> bool {
        now.0 < self.bypass_until.load(Ordering::Relaxed)
    }

    /// Records whether a response was cacheable.
    pub(super) fn record(&self, is_cacheable: bool, now: Moment) {
        if is_cacheable {
            self.consecutive.store(0, Ordering::Relaxed);
            return;
        }
        let consecutive = self
            .consecutive
            .fetch_add(1, Ordering::Relaxed)
            .saturating_add(1);
        if consecutive >= MAX_UNCACHEABLE {
            self.bypass_until
                .store(now.after(BYPASS_DURATION).0, Ordering::Relaxed);
            // The first response after the bypass decides whether there is another.
            self.consecutive
                .store(MAX_UNCACHEABLE - 1, Ordering::Relaxed);
        }
    }
}

/// Maximum consecutive uncacheable responses before lookups are bypassed.
const MAX_UNCACHEABLE: u32 = 32;

/// Duration in seconds for which lookups are bypassed.
const BYPASS_DURATION: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_uncacheable_responses_bypass_lookups() {
        let backoff = UncacheableBackoff::default();
        let now = Moment(1_000);
        for _ in 1..MAX_UNCACHEABLE {
            backoff.record(false, now);
        }
        assert!(!backoff.is_active(now));
        backoff.record(false, now);
        assert!(backoff.is_active(now));

        let later = now.after(BYPASS_DURATION);
        assert!(!backoff.is_active(later));
        backoff.record(false, later);
        assert!(backoff.is_active(later));

        let later = later.after(BYPASS_DURATION);
        backoff.record(true, later);
        backoff.record(false, later);
        assert!(!backoff.is_active(later));
    }
}
