//! Lifetime and scope of a response: computed from RFC 9111, RFC 5861, the graph and the operator's
//! policy, of which the strictest wins.
//!
//! Pure: knows no clock and no store.

use std::time::{Duration, SystemTime};

use http::header::{AGE, DATE, EXPIRES, VARY};
use http::{HeaderMap, HeaderName, StatusCode};

use self::directives::{Directives, delta_seconds};

mod combine;
mod directives;

/// Whether a fetched value may be reused, for how long, and by which callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// The value must not be reused.
    Never,
    /// All callers may share the value.
    Shared(Lifetime),
    /// Only the caller of the fetch may reuse it; the cache key contains the caller.
    PerCaller(Lifetime),
}

/// The time for which a value is fresh; the stale windows begin when it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifetime {
    /// Time for which the value is returned without a request.
    pub fresh: Duration,
    /// Further time for which it is returned while a fetch refreshes it (stale-while-revalidate).
    pub stale: Duration,
    /// Further time for which it is returned if the fetch fails (stale-if-error).
    pub stale_if_error: Duration,
}

/// Metadata of a source's response: all of it that decides about reuse.
#[derive(Clone, Copy, Debug)]
pub struct ResponseMetadata<'a> {
    /// Status of the response.
    pub status: StatusCode,
    /// Headers of the response.
    pub headers: &'a HeaderMap,
    /// Time at which it was received.
    pub received: SystemTime,
    /// Time from sending the request to the complete response.
    pub delay: Duration,
    /// Whether the request carried the caller's credentials.
    pub credentials: Credentials,
    /// Forwarded client headers that identify the caller. Only the keys of private values contain
    /// them.
    pub caller_headers: &'a [HeaderName],
}

/// Whether a request carried credentials. A response to a request that carries those of some callers
/// is shared only if it allows that (RFC 9111 §3.5), also when the client of this one had none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// The source gets no client's credentials: the request is the same for all callers.
    NotForwarded,
    /// Credentials are forwarded, and the client sent none: it is the anonymous caller.
    Absent,
    /// The client's credentials were sent.
    Sent,
}

/// Limits of lifetimes, set by the operator and the graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LifetimePolicy {
    /// Default fresh time, if neither the response nor the graph sets one.
    pub default: Duration,
    /// Maximum fresh time, and maximum of each stale window.
    pub max: Duration,
    /// Default stale-while-revalidate window.
    pub stale: Duration,
    /// Default stale-if-error window.
    pub stale_if_error: Duration,
    /// Maximum fresh time of an absent value.
    pub negative: Duration,
    /// `@cacheControl(maxAge:)`.
    pub declared_age: Option<Duration>,
    /// `@cacheControl(scope:)`.
    pub declared_scope: Option<Scope>,
}

/// The callers that may share a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All callers.
    Public,
    /// The caller of the fetch.
    Private,
}

/// The reuse that `policy` and the response allow.
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

/// The reuse of a response that reports an absent value: at most the policy's negative lifetime,
/// never stale, and none where a present value could not be reused.
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

/// Whether the response, or the graph, says that it is for one caller.
pub fn is_private(policy: &LifetimePolicy, response: &ResponseMetadata<'_>) -> bool {
    let directives = Directives::parse(response.headers);
    is_declared_private(policy, response, &directives)
}

/// Whether `Vary` names a matching header. Forwarded headers that do not identify the caller are
/// part of every key, and headers that are not forwarded are the same for all.
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
    if response_age.is_none() && !HEURISTICALLY_CACHEABLE.contains(&response.status) {
        return Lifetime::default();
    }
    let allowed = match (response_age, policy.declared_age) {
        (Some(age), Some(declared)) => age.min(declared),
        (Some(age), None) | (None, Some(age)) => age,
        (None, None) => policy.default,
    };
    let allowed = allowed.min(policy.max);
    // A zero lifetime opts out of the operator's default windows.
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
    /// The lifetime that remains after `age`.
    #[must_use]
    pub fn after(self, age: Duration) -> Self {
        let over = age.saturating_sub(self.fresh);
        Self {
            fresh: self.fresh.saturating_sub(age),
            stale: self.stale.saturating_sub(over),
            stale_if_error: self.stale_if_error.saturating_sub(over),
        }
    }

    /// Time from the start to the last possible use.
    pub fn total(self) -> Duration {
        self.fresh
            .saturating_add(self.stale.max(self.stale_if_error))
    }
}

/// The age of the response on receipt (RFC 9111 §4.2.3).
fn age(response: &ResponseMetadata<'_>) -> Duration {
    let apparent = date(response.headers, &DATE)
        .and_then(|date| response.received.duration_since(date).ok())
        .unwrap_or_default();
    let age_header = response.headers.get(AGE).map_or(Duration::ZERO, |value| {
        delta_seconds(value.as_bytes()).unwrap_or_default()
    });
    // Ages are whole seconds (§1.2.2), so a delay of milliseconds does not shorten a lifetime.
    let age = apparent.max(age_header.saturating_add(response.delay));
    Duration::from_secs(age.as_secs())
}

/// The lifetime that `Expires` sets; a malformed date is in the past (RFC 9111 §5.3).
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
    if is_declared_private(policy, response, directives) {
        return Scope::Private;
    }
    let is_shareable = directives.allows_sharing() || policy.declared_scope == Some(Scope::Public);
    match response.credentials {
        Credentials::Absent | Credentials::Sent if !is_shareable => Scope::Private,
        _ => Scope::Public,
    }
}

fn is_declared_private(
    policy: &LifetimePolicy,
    response: &ResponseMetadata<'_>,
    directives: &Directives,
) -> bool {
    let identifies_caller = |name: &[u8]| {
        let mut caller_headers = response.caller_headers.iter();
        caller_headers.any(|known| known.as_str().as_bytes().eq_ignore_ascii_case(name))
    };
    directives.private
        || policy.declared_scope == Some(Scope::Private)
        || varies(response, identifies_caller)
}

/// Statuses whose responses may be cached without an explicit lifetime, RFC 9110 §15.1.
const HEURISTICALLY_CACHEABLE: [StatusCode; 12] = [
    StatusCode::OK,
    StatusCode::NON_AUTHORITATIVE_INFORMATION,
    StatusCode::NO_CONTENT,
    StatusCode::PARTIAL_CONTENT,
    StatusCode::MULTIPLE_CHOICES,
    StatusCode::MOVED_PERMANENTLY,
    StatusCode::PERMANENT_REDIRECT,
    StatusCode::NOT_FOUND,
    StatusCode::METHOD_NOT_ALLOWED,
    StatusCode::GONE,
    StatusCode::URI_TOO_LONG,
    StatusCode::NOT_IMPLEMENTED,
];

#[cfg(test)]
mod tests;
