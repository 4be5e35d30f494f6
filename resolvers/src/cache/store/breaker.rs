//! The circuit breaker: stops Redis calls after consecutive failures until a probe succeeds.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::super::settings::RedisSettings;
use super::maintenance::OUT_OF_MEMORY;

/// The circuit breaker of one server, or of a part of a Cluster's slots.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    /// Consecutive failures of reads, and of writes: a server can refuse writes and serve reads.
    failures: [AtomicU32; 2],
    is_open: AtomicBool,
    /// The key of the last failure, in whose slot the next probe is made.
    last_failed_key: Mutex<String>,
}

/// Whether a command reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

impl Breaker {
    /// Whether calls are skipped.
    pub(super) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed)
    }

    pub(super) fn record_success(&self, access: Access) {
        let failures = self.failures(access);
        // A load is cheaper than a store, and the value is mostly zero already.
        if failures.load(Ordering::Relaxed) != 0 {
            failures.store(0, Ordering::Relaxed);
        }
    }

    /// Counts a failure; returns whether this one opened the breaker.
    pub(super) fn record_failure(&self, key: &str, access: Access, allowed: u32) -> bool {
        let failures = self.failures(access).fetch_add(1, Ordering::Relaxed);
        if failures.saturating_add(1) < allowed {
            return false;
        }
        key.clone_into(
            &mut self
                .last_failed_key
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        !self.is_open.swap(true, Ordering::Relaxed)
    }

    /// The key of the last failure.
    pub(super) fn last_failed_key(&self) -> String {
        let key = self.last_failed_key.lock();
        key.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Closes the breaker; returns whether it was open.
    pub(super) fn close(&self) -> bool {
        for access in [Access::Read, Access::Write] {
            self.failures(access).store(0, Ordering::Relaxed);
        }
        self.is_open.swap(false, Ordering::Relaxed)
    }

    fn failures(&self, access: Access) -> &AtomicU32 {
        let [reads, writes] = &self.failures;
        match access {
            Access::Read => reads,
            Access::Write => writes,
        }
    }
}

/// Number of consecutive failures like this one that open the breaker; `None` for an error that is
/// about one key, or that leaves reads and invalidations possible.
pub(super) fn failures_allowed(
    error: &RedisError,
    settings: &RedisSettings,
    parts: usize,
) -> Option<u32> {
    use ErrorKind::{Io, Server};
    match error.kind() {
        Server(ServerErrorKind::ClusterDown) => Some(1),
        // Another server may be primary now. A Cluster connection finds it itself.
        Server(
            ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown | ServerErrorKind::BusyLoading,
        ) if parts == 1 => Some(1),
        Io if parts == 1 && !error.is_timeout() => Some(1),
        _ if matches!(error.code(), Some(OUT_OF_MEMORY | WRONG_TYPE)) => None,
        _ => Some(settings.max_failures),
    }
}

/// Code of the reply to a command for another type than that of the key.
const WRONG_TYPE: &str = "WRONGTYPE";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_open_it_once() {
        let breaker = Breaker::default();
        let fail = |key| breaker.record_failure(key, Access::Write, 3);
        assert!(!fail("a"));
        assert!(!fail("b"));
        breaker.record_success(Access::Write);
        assert!(!fail("c"));
        breaker.record_success(Access::Read);
        assert!(!fail("d"));
        assert!(!breaker.is_open());
        assert!(fail("e"));
        assert!(!fail("f"));
        assert!(breaker.is_open());
        assert_eq!(breaker.last_failed_key(), "f");
        assert!(breaker.close());
        assert!(!breaker.close());
        assert!(!breaker.is_open());
    }
}
