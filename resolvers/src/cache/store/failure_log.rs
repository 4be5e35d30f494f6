//! Reports failures of Redis by kind, each at most once a minute.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hashbrown::HashMap;
use redis::{Arg, Cmd, RedisError};
use tokio::time::Instant;

use super::super::failure::{FailureReporter, RedisFailure};

/// The kinds of failures that were reported.
#[derive(Debug)]
pub(super) struct FailureLog {
    reporter: Option<Arc<dyn FailureReporter>>,
    kinds: Mutex<HashMap<String, Kind, foldhash::fast::RandomState>>,
}

/// The failures of one kind.
#[derive(Debug)]
struct Kind {
    reported_at: Instant,
    /// Number of failures since then.
    unreported: u64,
}

impl FailureLog {
    pub(super) fn new(reporter: Option<Arc<dyn FailureReporter>>) -> Self {
        Self {
            reporter,
            kinds: Mutex::default(),
        }
    }

    /// Reports an error of a command.
    pub(super) fn report(&self, command: &Cmd, error: &RedisError) {
        self.report_as(&command_name(command), error);
    }

    /// Reports a failed connection attempt.
    pub(super) fn report_connect(&self, error: &RedisError) {
        self.report_as("connect", error);
    }

    /// Reports a timeout that opened a circuit breaker.
    pub(super) fn report_timeout(&self, command: &Cmd, limit: Duration) {
        let text = || format!("no reply within {limit:?}");
        self.report_kind(&command_name(command), "timeout", text);
    }

    fn report_as(&self, command: &str, error: &RedisError) {
        let text = || match (error.code(), error.detail()) {
            (Some(code), Some(detail)) => format!("{code} {detail}"),
            _ => error.to_string(),
        };
        let kind = error.code().unwrap_or_else(|| error.category());
        self.report_kind(command, kind, text);
    }

    fn report_kind(&self, command: &str, kind: &str, text: impl FnOnce() -> String) {
        let Some(reporter) = &self.reporter else {
            return;
        };
        if let Some(count) = self.count(format!("{command} {kind}")) {
            reporter.report(&RedisFailure {
                command,
                error: &text(),
                count,
            });
        }
    }

    /// Counts a failure; returns the number since the last report if one is due.
    fn count(&self, kind: String) -> Option<u64> {
        let now = Instant::now();
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kinds.get_mut(&kind) {
            known.unreported += 1;
            if now.duration_since(known.reported_at) < REPORT_INTERVAL {
                return None;
            }
            known.reported_at = now;
            return Some(std::mem::take(&mut known.unreported));
        }
        if kinds.len() >= MAX_KINDS {
            return None;
        }
        let new = Kind {
            reported_at: now,
            unreported: 0,
        };
        kinds.insert(kind, new);
        Some(1)
    }
}

/// The first word of a command.
fn command_name(command: &Cmd) -> String {
    match command.args_iter().next() {
        Some(Arg::Simple(name)) => String::from_utf8_lossy(name).into_owned(),
        _ => String::new(),
    }
}

/// Minimum time between two reports of one kind.
const REPORT_INTERVAL: Duration = Duration::from_mins(1);

/// Maximum number of kinds: the text of a code is chosen by Redis.
const MAX_KINDS: usize = 64;
