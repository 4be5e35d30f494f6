//! Whether looking for values of one kind is worth it: a source whose answers may never be kept
//! would otherwise cost a look into Redis for each of them.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::cache::Moment;

/// How often nothing could be kept, one after the other.
#[derive(Debug, Default)]
pub(super) struct UncacheableBackoff {
    consecutive: AtomicU32,
    /// Nothing is looked for until then.
    bypass_until: AtomicU64,
}

impl UncacheableBackoff {
    pub(super) fn is_active(&self, now: Moment) -> bool {
        now.0 < self.bypass_until.load(Ordering::Relaxed)
    }

    /// Something came, and could be kept or not.
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
            // One that comes after the pause decides.
            self.consecutive
                .store(MAX_UNCACHEABLE - 1, Ordering::Relaxed);
        }
    }
}

/// So many, and the source is not one that lets anything be kept.
const MAX_UNCACHEABLE: u32 = 32;

/// Then its answers may be others.
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
