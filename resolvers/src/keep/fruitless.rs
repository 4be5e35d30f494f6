//! Whether looking for values of one kind is worth it: a source whose answers may never be kept
//! would otherwise cost a look into Redis for each of them.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::cache::Moment;

/// How often nothing could be kept, one after the other.
#[derive(Debug, Default)]
pub(super) struct Fruitless {
    times: AtomicU32,
    /// Nothing is looked for until then.
    until: AtomicU64,
}

impl Fruitless {
    pub(super) fn is_pause(&self, now: Moment) -> bool {
        now.0 < self.until.load(Ordering::Relaxed)
    }

    /// Something came, and could be kept or not.
    pub(super) fn came(&self, is_kept: bool, now: Moment) {
        if is_kept {
            self.times.store(0, Ordering::Relaxed);
            return;
        }
        let times = self.times.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if times >= ENOUGH {
            self.until.store(now.after(PAUSE).0, Ordering::Relaxed);
            // One that comes after the pause decides.
            self.times.store(ENOUGH - 1, Ordering::Relaxed);
        }
    }
}

/// So many, and the source is not one that lets anything be kept.
const ENOUGH: u32 = 32;

/// Then its answers may be others.
const PAUSE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_many_that_cannot_be_kept_nobody_looks_for_a_while() {
        let fruitless = Fruitless::default();
        let now = Moment(1_000);
        for _ in 1..ENOUGH {
            fruitless.came(false, now);
        }
        assert!(!fruitless.is_pause(now));
        fruitless.came(false, now);
        assert!(fruitless.is_pause(now));

        let later = now.after(PAUSE);
        assert!(!fruitless.is_pause(later));
        fruitless.came(false, later);
        assert!(fruitless.is_pause(later));

        let later = later.after(PAUSE);
        fruitless.came(true, later);
        fruitless.came(false, later);
        assert!(!fruitless.is_pause(later));
    }
}
