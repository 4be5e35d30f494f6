//! The trace of one response: cache lookups with their results, and calls with their durations. The
//! gateway returns it to clients that may request it.

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

/// The trace of one operation.
#[derive(Clone, Debug, Default)]
pub struct OperationTrace {
    /// The lookup of the whole response; `None` if it cannot be cached.
    pub response: Option<Lookup>,
    /// The fetches of the plan; empty if the response came from the cache.
    pub fetches: Vec<FetchTrace>,
}

/// The trace of one fetch of the plan.
#[derive(Clone, Debug)]
pub struct FetchTrace {
    /// The number of its request, as `weir plan` prints it.
    pub fetch: usize,
    /// The source: `products:Product[0]`.
    pub source: Name,
    /// Cache lookups, up to a maximum; empty if the fetch is not cached.
    pub lookups: Vec<Lookup>,
    /// Number of lookups over the maximum, which are omitted.
    pub omitted_lookups: usize,
    /// Calls to the source.
    pub calls: Vec<Call>,
}

/// The lookup of one value in the cache.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The key as text, with secrets as short hashes.
    pub key: String,
    /// The hash of the key, under which the value is stored.
    pub id: String,
    /// The tags of the value.
    pub tags: Vec<String>,
    /// The result of the lookup.
    pub status: CacheStatus,
    /// The reason for a miss.
    pub miss_reason: Option<MissReason>,
    /// The age of a hit.
    pub age: Option<Duration>,
    /// The reuse of the value from now on, as far as it is known.
    pub reuse: Option<Reuse>,
}

/// The result of a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheStatus {
    /// A fresh hit.
    Fresh(Level),
    /// A stale hit, which is being refreshed.
    Stale(Level),
    /// A stale hit after a failed fetch.
    StaleIfError(Level),
    /// A hit of an absent value.
    Negative(Level),
    /// A miss.
    Miss,
}

/// One call to a source.
#[derive(Clone, Debug)]
pub struct Call {
    /// The address: scheme, host and port, and the path of REST requests.
    pub address: String,
    /// Number of objects in the call.
    pub batch_size: usize,
    /// Time from queueing the call to its response.
    pub duration: Duration,
    /// Whether the call was shared with another operation.
    pub is_shared: bool,
}
