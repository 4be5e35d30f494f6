//! The trace of one response, for callers that may see it: the lookups in the cache with their
//! outcomes, and the calls with their durations.

use std::time::Duration;

use schema::types::Name;

use crate::cache::{Level, MissReason, Reuse};

pub(crate) mod recorder;

/// Whether a request records a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// The response has a trace.
    Yes,
    /// Nothing is recorded.
    No,
}

/// What was done for one fetch of the plan.
#[derive(Clone, Debug)]
pub struct FetchTrace {
    /// The number of its request, as `weir plan` prints it.
    pub fetch: usize,
    /// The source: `products:Product[0]`.
    pub source: Name,
    /// Each value that was looked for in the cache, up to a bound; none where nothing may be kept.
    pub lookups: Vec<Lookup>,
    /// Values that were looked for beside those told.
    pub omitted_lookups: usize,
    /// Each call that was made.
    pub calls: Vec<Call>,
}

/// One value that was looked for in the cache.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// Its key as text, secrets in it as short hashes.
    pub key: String,
    /// Its key in the stores.
    pub id: String,
    /// What it can be invalidated by.
    pub tags: Vec<String>,
    /// What was found.
    pub status: CacheStatus,
    /// Why there is nothing, where there is nothing.
    pub miss_reason: Option<MissReason>,
    /// How long ago it was kept, where something was found.
    pub age: Option<Duration>,
    /// What is kept of it from now on.
    pub reuse: Option<Reuse>,
}

/// What was found for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheStatus {
    /// It was there.
    Fresh(Level),
    /// It was there, and is being renewed.
    Stale(Level),
    /// Fetching it failed, and an old one was there.
    StaleIfError(Level),
    /// It was known not to exist.
    Negative(Level),
    /// It was not there, or no longer good.
    Miss,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Where it went: scheme, host and port, and the path for requests of REST.
    pub address: String,
    /// How many objects it was for.
    pub batch_size: usize,
    /// From the moment it was asked for to its answer.
    pub duration: Duration,
    /// Whether it was made together with, or by, another operation.
    pub is_shared: bool,
}
