//! Failures of Redis, for the log.

use std::fmt;

/// Logs failures of Redis.
pub trait FailureReporter: fmt::Debug + Send + Sync {
    /// Reports a failure; each kind is reported at most once a minute.
    fn report(&self, failure: &RedisFailure<'_>);
}

/// A failed command or connection attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedisFailure<'a> {
    /// The command, or `connect`.
    pub command: &'a str,
    /// The reply of Redis, or the cause.
    pub error: &'a str,
    /// Number of failures of this kind since the last report, this one included.
    pub count: u64,
}
