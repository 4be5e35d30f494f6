//! Why a run of the benchmark ended without a table.

use std::io;

use crate::query::Query;

/// Why a run ended without a table.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Figures of a build without optimisation mean nothing.
    #[error("this is a debug build; run `cargo run --release -p bench`")]
    Debug,
    /// The table would lack what it compares.
    #[error("nothing is left to measure; see --only and --gateways")]
    Nothing,
    /// Something of the system failed.
    #[error("{action}: {error}")]
    Io {
        /// What was being done.
        action: String,
        /// What the system said.
        error: io::Error,
    },
    /// Cargo said why.
    #[error("`cargo build --release -p weir` failed; `--weir FILE` takes a binary that is there")]
    Build,
    /// A process ended or kept silent instead of saying where it listens.
    #[error("{name} did not start; what it complained about is above")]
    Start {
        /// Which process.
        name: &'static str,
    },
    /// A process that has no readable figures in `/proc`.
    #[error("{name} is gone, or /proc is not Linux's")]
    Figures {
        /// Which process.
        name: &'static str,
    },
    /// A request failed.
    #[error("{name}: {error}")]
    Request {
        /// Who was asked.
        name: &'static str,
        /// What went wrong.
        error: Box<crate::client::ClientError>,
    },
    /// Two gateways don't agree, or one has errors to report.
    #[error("{query:?}: {problem}")]
    Answer {
        /// What was asked.
        query: Query,
        /// Who answered what.
        problem: String,
    },
    /// What was to come from memory or from Redis came from elsewhere.
    #[error("{0} calls were made for what was to be kept already; those figures mean nothing")]
    CacheMisses(u64),
    /// A graph or an operation could not be planned.
    #[error("nothing to plan: {0}")]
    Planning(String),
    /// `perf` could not record or report.
    #[error("`perf {0}` failed; is it installed, and may it sample here?")]
    Perf(&'static str),
    /// Ctrl-C, or the polite signal of whoever runs us.
    #[error("stopped")]
    Interrupted,
}

impl Failure {
    /// An error of the system while `doing` something.
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |error| Self::Io { action, error }
    }
}
