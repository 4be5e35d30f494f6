//! `extensions.weir`: the trace of an operation, for clients with access to it.
//!
//! Times are in milliseconds.

use std::time::Duration;

use resolvers::cache::{Level, Lifetime, MissReason, Reuse};
use resolvers::trace::{CacheStatus, Call, FetchTrace, Lookup, OperationTrace};
use serde::Serialize;

/// `extensions.weir`.
#[derive(Serialize)]
pub(super) struct TraceExtension<'a> {
    /// The lookup of the whole response.
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<LookupEntry<'a>>,
    fetches: Vec<FetchEntry<'a>>,
}

#[derive(Serialize)]
struct FetchEntry<'a> {
    /// The number of the fetch in `weir plan`.
    fetch: usize,
    source: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lookups: Vec<LookupEntry<'a>>,
    #[serde(rename = "lookupsOmitted", skip_serializing_if = "is_zero")]
    omitted_lookups: usize,
    calls: Vec<CallEntry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LookupEntry<'a> {
    key: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tags: &'a [String],
    found: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reuse: Option<ReuseEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReuseEntry {
    scope: &'static str,
    #[serde(flatten)]
    lifetime: Option<LifetimeEntry>,
}

#[derive(Serialize)]
struct LifetimeEntry {
    #[serde(rename = "freshMs")]
    fresh: f64,
    #[serde(rename = "staleMs")]
    stale: f64,
    #[serde(rename = "onErrorMs")]
    stale_if_error: f64,
}

#[derive(Serialize)]
struct CallEntry<'a> {
    address: &'a str,
    /// Number of representations, or 1.
    batch: usize,
    ms: f64,
    shared: bool,
}

impl<'a> TraceExtension<'a> {
    pub(super) fn new(trace: &'a OperationTrace) -> Self {
        let fetches = trace.fetches.iter().map(fetch_entry);
        Self {
            response: trace.response.as_ref().map(lookup_entry),
            fetches: fetches.collect(),
        }
    }
}

fn fetch_entry(trace: &FetchTrace) -> FetchEntry<'_> {
    FetchEntry {
        fetch: trace.fetch,
        source: &trace.source,
        lookups: trace.lookups.iter().map(lookup_entry).collect(),
        omitted_lookups: trace.omitted_lookups,
        calls: trace.calls.iter().map(call_entry).collect(),
    }
}

fn lookup_entry(lookup: &Lookup) -> LookupEntry<'_> {
    let (status, level) = match lookup.status {
        CacheStatus::Fresh(level) => ("fresh", Some(level)),
        CacheStatus::Stale(level) => ("stale", Some(level)),
        CacheStatus::StaleIfError(level) => ("on_error", Some(level)),
        CacheStatus::Negative(level) => ("negative", Some(level)),
        CacheStatus::Miss => ("missing", None),
    };
    LookupEntry {
        key: &lookup.key,
        id: &lookup.id,
        tags: &lookup.tags,
        found: status,
        why: lookup.miss_reason.map(miss_reason_name),
        level: level.map(|level| match level {
            Level::Memory => "memory",
            Level::Redis => "redis",
            Level::Coalesced => "flight",
        }),
        age_ms: lookup.age.map(millis),
        reuse: lookup.reuse.map(reuse_entry),
    }
}

fn miss_reason_name(reason: MissReason) -> &'static str {
    match reason {
        MissReason::Unknown => "unknown",
        MissReason::Expired => "expired",
        MissReason::Invalidated => "invalid",
        MissReason::Uncacheable => "uncacheable",
        MissReason::NotShared => "not_shared",
    }
}

fn reuse_entry(reuse: Reuse) -> ReuseEntry {
    let (scope, lifetime) = match reuse {
        Reuse::Never => ("nobody", None),
        Reuse::Shared(lifetime) => ("everybody", Some(lifetime)),
        Reuse::PerCaller(lifetime) => ("caller", Some(lifetime)),
    };
    ReuseEntry {
        scope,
        lifetime: lifetime.map(lifetime_entry),
    }
}

fn lifetime_entry(lifetime: Lifetime) -> LifetimeEntry {
    LifetimeEntry {
        fresh: millis(lifetime.fresh),
        stale: millis(lifetime.stale),
        stale_if_error: millis(lifetime.stale_if_error),
    }
}

fn call_entry(call: &Call) -> CallEntry<'_> {
    CallEntry {
        address: &call.address,
        batch: call.batch_size,
        ms: millis(call.duration),
        shared: call.is_shared,
    }
}

/// Milliseconds, rounded to the microsecond.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "signature required by serde"
)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_lists_lookups_and_calls() {
        let lifetime = Lifetime {
            fresh: Duration::from_mins(1),
            stale: Duration::ZERO,
            stale_if_error: Duration::from_mins(10),
        };
        let lookup = |status, age: Option<Duration>, reuse| Lookup {
            key: "1|products|Product|={\"id\":\"1\"}".to_owned(),
            id: "ab12".to_owned(),
            tags: vec!["type Product".to_owned()],
            status,
            miss_reason: (status == CacheStatus::Miss).then_some(MissReason::Expired),
            age,
            reuse,
        };
        let old = Some(Duration::from_micros(1_234_567));
        let fetches = vec![FetchTrace {
            fetch: 2,
            source: "products:Product[0]".into(),
            lookups: vec![
                lookup(
                    CacheStatus::Stale(Level::Redis),
                    old,
                    Some(Reuse::Shared(lifetime)),
                ),
                lookup(CacheStatus::Miss, None, Some(Reuse::Never)),
            ],
            omitted_lookups: 7,
            calls: vec![Call {
                address: "http://products.example.com/p".to_owned(),
                batch_size: 3,
                duration: Duration::from_micros(1_500),
                is_shared: true,
            }],
        }];

        let response = Some(lookup(CacheStatus::Miss, None, None));
        let trace = OperationTrace { response, fetches };
        let extension = serde_json::to_value(TraceExtension::new(&trace)).unwrap();

        let key = "1|products|Product|={\"id\":\"1\"}";
        let tags = ["type Product"];
        let response = serde_json::json!({ "key": key, "id": "ab12", "tags": tags, "found": "missing", "why": "expired" });
        let expected = serde_json::json!({ "response": response, "fetches": [{
            "fetch": 2,
            "source": "products:Product[0]",
            "lookups": [
                { "key": key, "id": "ab12", "tags": ["type Product"], "found": "stale",
                  "level": "redis", "ageMs": 1234.567, "reuse": { "scope": "everybody",
                  "freshMs": 60000.0, "staleMs": 0.0, "onErrorMs": 600_000.0 } },
                { "key": key, "id": "ab12", "tags": ["type Product"], "found": "missing", "why": "expired",
                  "reuse": { "scope": "nobody" } },
            ],
            "lookupsOmitted": 7,
            "calls": [{ "address": "http://products.example.com/p", "batch": 3, "ms": 1.5,
                        "shared": true }],
        }] });
        assert_eq!(extension, expected);
    }
}
