//! Reasons for cache misses: the cache sets them, traces show them.

/// Why a lookup found no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissReason {
    /// The value was never cached, was evicted, or is not in memory while Redis is unreachable.
    Unknown,
    /// The lifetime of the cached value has ended.
    Expired,
    /// One of the value's tags was invalidated.
    Invalidated,
    /// The last response for this key must not be cached.
    Uncacheable,
    /// An identical fetch in flight did not complete in time, or its value cannot be shared.
    NotShared,
}
