//! A cached value and its freshness at a given moment.

pub(super) mod clock;

use std::time::Duration;

use bytes::Bytes;

use self::clock::Moment;
use super::lifetime::{Lifetime, Reuse, Scope};

/// A cached value with its time of storage, lifetime and scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The value, or its absence.
    pub value: CachedValue,
    /// The time of storage.
    pub stored_at: Moment,
    /// The lifetime, counted from [`Self::stored_at`].
    pub lifetime: Lifetime,
    /// The callers that may share the value.
    pub scope: Scope,
}

/// The value of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CachedValue {
    /// JSON.
    Present(Bytes),
    /// The source reported that the value does not exist.
    Absent,
}

/// How an entry may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// It is returned without a request.
    Fresh,
    /// It is returned while a fetch refreshes it.
    Stale,
    /// It is returned only if the fetch fails.
    OnError,
    /// It is not used.
    Expired,
}

impl Entry {
    /// The freshness of the entry at `now`.
    pub fn freshness(&self, now: Moment) -> Freshness {
        let left = self.lifetime.after(self.age(now));
        if !left.fresh.is_zero() {
            Freshness::Fresh
        } else if !left.stale.is_zero() {
            Freshness::Stale
        } else if !left.stale_if_error.is_zero() {
            Freshness::OnError
        } else {
            Freshness::Expired
        }
    }

    /// Time since the value was stored.
    pub fn age(&self, now: Moment) -> Duration {
        now.since(self.stored_at)
    }

    /// The remaining lifetime, for the response that the value becomes part of.
    pub fn reuse(&self, now: Moment) -> Reuse {
        if self.lifetime == Lifetime::default() {
            return Reuse::Never;
        }
        let lifetime = self.lifetime.after(self.age(now));
        match self.scope {
            Scope::Public => Reuse::Shared(lifetime),
            Scope::Private => Reuse::PerCaller(lifetime),
        }
    }

    /// Bytes of the value.
    pub(super) fn size(&self) -> usize {
        match &self.value {
            CachedValue::Present(body) => body.len(),
            CachedValue::Absent => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_fresh_then_stale_then_stale_if_error_then_expired() {
        let seconds = Duration::from_secs;
        let entry = Entry {
            value: CachedValue::Absent,
            stored_at: Moment(1000),
            lifetime: Lifetime {
                fresh: seconds(10),
                stale: seconds(5),
                stale_if_error: seconds(20),
            },
            scope: Scope::Public,
        };
        for (at, state) in [
            (0, Freshness::Fresh), // The clock is behind.
            (1000, Freshness::Fresh),
            (10_999, Freshness::Fresh),
            (11_000, Freshness::Stale),
            (15_999, Freshness::Stale),
            (16_000, Freshness::OnError),
            (30_999, Freshness::OnError),
            (31_000, Freshness::Expired),
            (u64::MAX, Freshness::Expired),
        ] {
            assert_eq!(entry.freshness(Moment(at)), state, "{at}");
        }
    }
}
