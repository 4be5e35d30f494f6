//! One kept value, and what it is good for at a given moment.

pub(super) mod clock;

use std::time::Duration;

use bytes::Bytes;

use self::clock::Moment;
use super::lifetime::{Lifetime, Reuse, Scope};

/// A value, when it was kept, and for how long and for whom it may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What the source said.
    pub value: CachedValue,
    /// When it was kept.
    pub stored_at: Moment,
    /// Counted from [`Self::stored_at`].
    pub lifetime: Lifetime,
    /// For whom.
    pub scope: Scope,
}

/// What a source said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CachedValue {
    /// This JSON.
    Present(Bytes),
    /// That there is no such thing.
    Absent,
}

/// What an entry is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// To be given out.
    Fresh,
    /// To be given out while it is renewed.
    Stale,
    /// To be given out when fetching fails.
    OnError,
    /// For nothing.
    Expired,
}

impl Entry {
    /// What the entry is good for `now`.
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

    /// How long ago it was kept.
    pub fn age(&self, now: Moment) -> Duration {
        now.since(self.stored_at)
    }

    /// What is left of its lifetime, for an answer that it becomes part of.
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

    /// Bytes of the value itself.
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
            (0, Freshness::Fresh), // a clock that is behind
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
