//! Errors of a run of the benchmark.

use std::io;

use crate::query::Query;

/// Reasons why a run ends without a result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Measurements of a build without optimisation are meaningless.
    #[error("this is a debug build; run `cargo run --release -p bench`")]
    Debug,
    /// The options select nothing.
    #[error("nothing is left to measure; see --only and --gateways")]
    Nothing,
    /// An operation of the system failed.
    #[error("{action}: {error}")]
    Io {
        /// The failed action.
        action: String,
        /// The error of the system.
        error: io::Error,
    },
    /// The build failed; cargo has printed the reason.
    #[error(
        "`cargo build --release -p weir` failed; use `--weir FILE` to measure an existing binary"
    )]
    Build,
    /// A process exited or did not announce its address in time.
    #[error("{name} did not start; its errors are printed above")]
    Start {
        /// The name of the process.
        name: &'static str,
    },
    /// The figures of a process in `/proc` are not readable.
    #[error("{name} has exited, or /proc is not that of Linux")]
    Figures {
        /// The name of the process.
        name: &'static str,
    },
    /// A request failed.
    #[error("{name}: {error}")]
    Request {
        /// The gateway or service of the request.
        name: &'static str,
        /// The error of the client.
        error: Box<crate::client::ClientError>,
    },
    /// The responses of two gateways differ, or one has errors.
    #[error("{query:?}: {problem}")]
    Answer {
        /// The query.
        query: Query,
        /// The gateways and their responses.
        problem: String,
    },
    /// Services were called although the caches were filled.
    #[error(
        "{0} calls reached the services although the caches were filled; the measurements are invalid"
    )]
    CacheMisses(u64),
    /// A graph or an operation could not be planned.
    #[error("planning failed: {0}")]
    Planning(String),
    /// `perf` could not record or report.
    #[error("`perf {0}` failed; is it installed, and may it sample here?")]
    Perf(&'static str),
    /// SIGINT or SIGTERM.
    #[error("stopped")]
    Interrupted,
}

impl Failure {
    /// An error of the system during `action`.
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |error| Self::Io { action, error }
    }
}
