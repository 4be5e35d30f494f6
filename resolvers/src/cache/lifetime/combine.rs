//! The reuse of a response made of several parts: the strictest of theirs.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Lifetime, Reuse};

impl Reuse {
    /// The reuse of a response made of both parts.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::Shared(one), Self::Shared(two)) => Self::Shared(one.shorter(two)),
            (
                Self::Shared(one) | Self::PerCaller(one),
                Self::Shared(two) | Self::PerCaller(two),
            ) => Self::PerCaller(one.shorter(two)),
        }
    }

    /// The reuse that remains after `age`.
    #[must_use]
    pub fn after(self, age: Duration) -> Self {
        match self {
            Self::Never => Self::Never,
            Self::Shared(lifetime) => Self::Shared(lifetime.after(age)),
            Self::PerCaller(lifetime) => Self::PerCaller(lifetime.after(age)),
        }
    }

    /// The `Cache-Control` value to send to clients.
    pub fn cache_control(self) -> String {
        let (lifetime, scope) = match self {
            Self::Never => return "no-store".to_owned(),
            Self::Shared(lifetime) => (lifetime, "public"),
            Self::PerCaller(lifetime) => (lifetime, "private"),
        };
        let mut text = format!("max-age={}, {scope}", lifetime.fresh.as_secs());
        if lifetime.stale.as_secs() > 0 {
            let _ = write!(
                text,
                ", stale-while-revalidate={}",
                lifetime.stale.as_secs()
            );
        }
        text
    }
}

impl Lifetime {
    fn shorter(self, other: Self) -> Self {
        Self {
            fresh: self.fresh.min(other.fresh),
            stale: self.stale.min(other.stale),
            stale_if_error: self.stale_if_error.min(other.stale_if_error),
        }
    }
}
