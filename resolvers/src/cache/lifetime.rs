//! For how long, and for whom, an answer may be used again: RFC 9111, RFC 5861, the graph and the
//! operator, of which the strictest wins.
//!
//! Pure: knows no clock and no store.

use std::time::{Duration, SystemTime};

use http::header::{AGE, DATE, EXPIRES, VARY};
use http::{HeaderMap, HeaderName};

use self::directives::{Directives, delta_seconds};

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
    pub stale_if_error: Duration,
}

/// What is known of an answer beside its body.
#[derive(Clone, Copy, Debug)]
pub struct ResponseMetadata<'a> {
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
    pub caller_headers: &'a [HeaderName],
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
pub struct LifetimePolicy {
    /// Fresh for this long when neither the answer nor the graph says.
    pub default: Duration,
    /// Nothing is fresh, stale or kept for errors for longer than this.
    pub max: Duration,
    /// Stale time of an answer that sets none.
    pub stale: Duration,
    /// Time for errors of an answer that sets none.
    pub stale_if_error: Duration,
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
pub fn reuse(policy: &LifetimePolicy, response: &ResponseMetadata<'_>) -> Reuse {
    let directives = Directives::parse(response.headers);
    if directives.forbid_reuse || varies(response, |name| name == b"*") {
        return Reuse::Never;
    }
    let lifetime = lifetime(policy, response, &directives);
    if lifetime == Lifetime::default() {
        return Reuse::Never;
    }
    match scope(policy, response, &directives) {
        Scope::Public => Reuse::Shared(lifetime),
        Scope::Private => Reuse::PerCaller(lifetime),
    }
}

/// The same for an answer that says that something does not exist: where it could be kept if it did,
/// and then short, and never stale.
pub fn negative_reuse(policy: &LifetimePolicy, response: &ResponseMetadata<'_>) -> Reuse {
    let short = |lifetime: Lifetime| Lifetime {
        fresh: lifetime.fresh.min(policy.negative),
        ..Lifetime::default()
    };
    match reuse(policy, response) {
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
fn varies(response: &ResponseMetadata<'_>, matches: impl Fn(&[u8]) -> bool) -> bool {
    let values = response.headers.get_all(VARY).into_iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .any(matches)
}

fn lifetime(
    policy: &LifetimePolicy,
    response: &ResponseMetadata<'_>,
    directives: &Directives,
) -> Lifetime {
    let response_age = directives
        .s_maxage
        .or(directives.max_age)
        .or_else(|| expires(response));
    let allowed = match (response_age, policy.declared_age) {
        (Some(age), Some(declared)) => age.min(declared),
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
        stale_if_error: window(directives.stale_if_error, policy.stale_if_error),
    }
    .after(age(response))
}

impl Lifetime {
    /// What is left of it.
    #[must_use]
    pub fn after(self, age: Duration) -> Self {
        let over = age.saturating_sub(self.fresh);
        Self {
            fresh: self.fresh.saturating_sub(age),
            stale: self.stale.saturating_sub(over),
            stale_if_error: self.stale_if_error.saturating_sub(over),
        }
    }

    /// From the beginning to the last moment of use.
    pub fn total(self) -> Duration {
        self.fresh
            .saturating_add(self.stale.max(self.stale_if_error))
    }
}

/// RFC 9111 §4.2.3.
fn age(response: &ResponseMetadata<'_>) -> Duration {
    let apparent = date(response.headers, &DATE)
        .and_then(|date| response.received.duration_since(date).ok())
        .unwrap_or_default();
    let age_header = response.headers.get(AGE).map_or(Duration::ZERO, |value| {
        delta_seconds(value.as_bytes()).unwrap_or_default()
    });
    // Ages are whole seconds (§1.2.2): a delay of some milliseconds does not shorten a lifetime.
    let age = apparent.max(age_header.saturating_add(response.delay));
    Duration::from_secs(age.as_secs())
}

/// RFC 9111 §5.3: a date that cannot be read is in the past.
fn expires(response: &ResponseMetadata<'_>) -> Option<Duration> {
    response.headers.get(EXPIRES)?;
    let Some(expires) = date(response.headers, &EXPIRES) else {
        return Some(Duration::ZERO);
    };
    let sent = date(response.headers, &DATE).unwrap_or(response.received);
    Some(expires.duration_since(sent).unwrap_or_default())
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

fn scope(
    policy: &LifetimePolicy,
    response: &ResponseMetadata<'_>,
    directives: &Directives,
) -> Scope {
    let declared = policy.declared_scope;
    let identifies_caller = |name: &[u8]| {
        let mut caller_headers = response.caller_headers.iter();
        caller_headers.any(|known| known.as_str().as_bytes().eq_ignore_ascii_case(name))
    };
    let is_private = directives.private || declared == Some(Scope::Private);
    if is_private || varies(response, identifies_caller) {
        return Scope::Private;
    }
    let is_shareable = directives.allows_sharing() || declared == Some(Scope::Public);
    match response.credentials {
        Credentials::Sent if !is_shareable => Scope::Private,
        _ => Scope::Public,
    }
}

#[cfg(test)]
mod tests;
