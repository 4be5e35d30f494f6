//! The circuit breaker: stops Redis calls after consecutive failures until a probe succeeds.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::super::settings::RedisSettings;

/// The circuit breaker of one server, or of a part of a Cluster's slots.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: AtomicU32,
    is_open: AtomicBool,
    /// The key of the last failure, which the next probe reads.
    last_failed_key: Mutex<String>,
}

impl Breaker {
    /// Whether calls are skipped.
    pub(super) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed)
    }

    pub(super) fn record_success(&self) {
        // A load is cheaper than a store, and the value is mostly zero already.
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// Counts a failure; returns whether this one opened the breaker.
    pub(super) fn record_failure(&self, key: &str, allowed: u32) -> bool {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed);
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
        self.failures.store(0, Ordering::Relaxed);
        self.is_open.swap(false, Ordering::Relaxed)
    }
}

/// Number of consecutive failures like this one that open the breaker; `None` for an error of a
/// healthy Redis, such as a refused command.
pub(super) fn failures_allowed(
    error: &RedisError,
    settings: &RedisSettings,
    parts: usize,
) -> Option<u32> {
    use ErrorKind::{Io, Server};
    match error.kind() {
        // Another server is primary now, and this connection is to the old one.
        Server(ServerErrorKind::ReadOnly | ServerErrorKind::ClusterDown) => Some(1),
        Server(
            ServerErrorKind::BusyLoading | ServerErrorKind::MasterDown | ServerErrorKind::TryAgain,
        ) => Some(settings.max_failures),
        Server(_) => None,
        // A Cluster connection reconnects itself.
        Io if parts == 1 && !error.is_timeout() => Some(1),
        _ => Some(settings.max_failures),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_open_it_once() {
        let breaker = Breaker::default();
        assert!(!breaker.record_failure("a", 3));
        assert!(!breaker.record_failure("b", 3));
        breaker.record_success();
        assert!(!breaker.record_failure("c", 3));
        assert!(!breaker.record_failure("d", 3));
        assert!(!breaker.is_open());
        assert!(breaker.record_failure("e", 3));
        assert!(!breaker.record_failure("f", 3));
        assert!(breaker.is_open());
        assert_eq!(breaker.last_failed_key(), "f");
        assert!(breaker.close());
        assert!(!breaker.close());
        assert!(!breaker.is_open());
    }
}
