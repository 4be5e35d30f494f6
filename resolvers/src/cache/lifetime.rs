//! For how long, and for whom, an answer may be used again: RFC 9111, RFC 5861, the graph and the
//! operator, of which the strictest wins.
//!
//! Pure: knows no clock and no store.

use std::time::{Duration, SystemTime};

use http::header::{AGE, DATE, EXPIRES, VARY};
use http::{HeaderMap, HeaderName};

use self::directives::{Directives, seconds};

mod combine;
mod directives;

/// Whether a fetched value may be used again, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// Fetch every time.
    Never,
    /// Any caller may be given the same value.
    Shared(Lifetime),
    /// Only the caller it was fetched for; the cache key carries the caller.
    PerCaller(Lifetime),
}

/// Fresh for `fresh`; what follows counts from the end of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifetime {
    /// Given out as it is.
    pub fresh: Duration,
    /// Then still given out while one fetch renews it.
    pub stale: Duration,
    /// Then still given out when fetching fails.
    pub on_error: Duration,
}

/// What is known of an answer beside its body.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// As the source sent them.
    pub headers: &'a HeaderMap,
    /// When it came.
    pub received: SystemTime,
    /// How long the source took.
    pub delay: Duration,
    /// Whether the call said who asks.
    pub credentials: Credentials,
    /// Headers that were sent on from the client to say who asks: only the keys of private values
    /// carry them.
    pub unkeyed: &'a [HeaderName],
}

/// Whether a call carried somebody's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// It was the same for everybody.
    None,
    /// RFC 9111 §3.5: its answer is shared only where it says so.
    Sent,
}

/// What the operator and the graph allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Fresh for this long when neither the answer nor the graph says.
    pub default: Duration,
    /// Nothing is fresh, stale or kept for errors for longer than this.
    pub max: Duration,
    /// Stale time of an answer that sets none.
    pub stale: Duration,
    /// Time for errors of an answer that sets none.
    pub on_error: Duration,
    /// For how long "does not exist" is believed.
    pub negative: Duration,
    /// `@cacheControl(maxAge:)`.
    pub declared_age: Option<Duration>,
    /// `@cacheControl(scope:)`.
    pub declared_scope: Option<Scope>,
}

/// Who may be given a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everybody.
    Public,
    /// The caller it was fetched for.
    Private,
}

/// Whether and for how long an answer may be used again.
pub fn reuse(policy: &Policy, answer: &Answer<'_>) -> Reuse {
    let directives = Directives::read(answer.headers);
    if directives.forbid_reuse || varies(answer, |name| name == b"*") {
        return Reuse::Never;
    }
    let lifetime = lifetime(policy, answer, &directives);
    if lifetime == Lifetime::default() {
        return Reuse::Never;
    }
    match scope(policy, answer, &directives) {
        Scope::Public => Reuse::Shared(lifetime),
        Scope::Private => Reuse::PerCaller(lifetime),
    }
}

/// The same for an answer that says that something does not exist: where it could be kept if it did,
/// and then short, and never stale.
pub fn negative(policy: &Policy, answer: &Answer<'_>) -> Reuse {
    let short = |lifetime: Lifetime| Lifetime {
        fresh: lifetime.fresh.min(policy.negative),
        ..Lifetime::default()
    };
    match reuse(policy, answer) {
        Reuse::Shared(lifetime) if !short(lifetime).fresh.is_zero() => {
            Reuse::Shared(short(lifetime))
        }
        Reuse::PerCaller(lifetime) if !short(lifetime).fresh.is_zero() => {
            Reuse::PerCaller(short(lifetime))
        }
        _ => Reuse::Never,
    }
}

/// Whether the answer depends on such a header. Those that were sent on, and say nothing of the
/// caller, are in every key; those that were not sent are the same for all.
fn varies(answer: &Answer<'_>, on: impl Fn(&[u8]) -> bool) -> bool {
    let values = answer.headers.get_all(VARY).into_iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .any(on)
}

fn lifetime(policy: &Policy, answer: &Answer<'_>, directives: &Directives) -> Lifetime {
    let said = directives
        .shared_age
        .or(directives.max_age)
        .or_else(|| expires(answer));
    let allowed = match (said, policy.declared_age) {
        (Some(said), Some(declared)) => said.min(declared),
        (Some(age), None) | (None, Some(age)) => age,
        (None, None) => policy.default,
    };
    let allowed = allowed.min(policy.max);
    // Somebody who says "not at all" did not ask for the operator's stale time.
    let window = |own: Option<Duration>, default: Duration| match own {
        _ if directives.must_revalidate => Duration::ZERO,
        Some(own) => own.min(policy.max),
        // RFC 9111 §4.2.4.
        None if directives.forbids_stale() || allowed.is_zero() => Duration::ZERO,
        None => default.min(policy.max),
    };
    Lifetime {
        fresh: allowed,
        stale: window(directives.stale_while_revalidate, policy.stale),
        on_error: window(directives.stale_if_error, policy.on_error),
    }
    .after(age(answer))
}

impl Lifetime {
    /// What is left of it.
    #[must_use]
    pub fn after(self, age: Duration) -> Self {
        let over = age.saturating_sub(self.fresh);
        Self {
            fresh: self.fresh.saturating_sub(age),
            stale: self.stale.saturating_sub(over),
            on_error: self.on_error.saturating_sub(over),
        }
    }

    /// From the beginning to the last moment of use.
    pub fn whole(self) -> Duration {
        self.fresh.saturating_add(self.stale.max(self.on_error))
    }
}

/// RFC 9111 §4.2.3.
fn age(answer: &Answer<'_>) -> Duration {
    let apparent = date(answer.headers, &DATE)
        .and_then(|date| answer.received.duration_since(date).ok())
        .unwrap_or_default();
    let told = answer.headers.get(AGE).map_or(Duration::ZERO, |value| {
        seconds(value.as_bytes()).unwrap_or_default()
    });
    // Ages are whole seconds (§1.2.2): a delay of some milliseconds does not shorten a lifetime.
    let age = apparent.max(told.saturating_add(answer.delay));
    Duration::from_secs(age.as_secs())
}

/// RFC 9111 §5.3: a date that cannot be read is in the past.
fn expires(answer: &Answer<'_>) -> Option<Duration> {
    answer.headers.get(EXPIRES)?;
    let Some(expires) = date(answer.headers, &EXPIRES) else {
        return Some(Duration::ZERO);
    };
    let sent = date(answer.headers, &DATE).unwrap_or(answer.received);
    Some(expires.duration_since(sent).unwrap_or_default())
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

fn scope(policy: &Policy, answer: &Answer<'_>, directives: &Directives) -> Scope {
    let declared = policy.declared_scope;
    let says_who = |name: &[u8]| {
        let mut unkeyed = answer.unkeyed.iter();
        unkeyed.any(|known| known.as_str().as_bytes().eq_ignore_ascii_case(name))
    };
    let is_private = directives.private || declared == Some(Scope::Private);
    if is_private || varies(answer, says_who) {
        return Scope::Private;
    }
    let is_shareable = directives.allows_sharing() || declared == Some(Scope::Public);
    match answer.credentials {
        Credentials::Sent if !is_shareable => Scope::Private,
        _ => Scope::Public,
    }
}

#[cfg(test)]
mod tests;
