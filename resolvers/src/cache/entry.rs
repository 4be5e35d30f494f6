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
    pub value: Value,
    /// When it was kept.
    pub stored_at: Moment,
    /// Counted from [`Self::stored_at`].
    pub lifetime: Lifetime,
    /// For whom.
    pub scope: Scope,
}

/// What a source said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// This JSON.
    Present(Bytes),
    /// That there is no such thing.
    Absent,
}

/// What an entry is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
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
    pub fn state(&self, now: Moment) -> State {
        let left = self.lifetime.after(self.age(now));
        if !left.fresh.is_zero() {
            State::Fresh
        } else if !left.stale.is_zero() {
            State::Stale
        } else if !left.on_error.is_zero() {
            State::OnError
        } else {
            State::Expired
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
            Value::Present(body) => body.len(),
            Value::Absent => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_becomes_stale_then_good_for_errors_then_nothing() {
        let seconds = Duration::from_secs;
        let entry = Entry {
            value: Value::Absent,
            stored_at: Moment(1000),
            lifetime: Lifetime {
                fresh: seconds(10),
                stale: seconds(5),
                on_error: seconds(20),
            },
            scope: Scope::Public,
        };
        for (at, state) in [
            (0, State::Fresh), // a clock that is behind
            (1000, State::Fresh),
            (10_999, State::Fresh),
            (11_000, State::Stale),
            (15_999, State::Stale),
            (16_000, State::OnError),
            (30_999, State::OnError),
            (31_000, State::Expired),
            (u64::MAX, State::Expired),
        ] {
            assert_eq!(entry.state(Moment(at)), state, "{at}");
        }
    }
}
