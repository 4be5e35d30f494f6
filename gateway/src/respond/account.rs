//! `extensions.weir`: what was done for an answer, told to who asked for it and may know.
//!
//! Times are milliseconds.

use std::time::Duration;

use resolvers::account::{Call, FetchAccount, Found, Lookup, Why};
use resolvers::cache::{Level, Lifetime, Reuse};
use serde::Serialize;

/// `extensions.weir`.
#[derive(Serialize)]
pub(super) struct Told<'a> {
    fetches: Vec<ToldFetch<'a>>,
}

#[derive(Serialize)]
struct ToldFetch<'a> {
    /// As `weir plan` numbers it.
    fetch: usize,
    source: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lookups: Vec<ToldLookup<'a>>,
    #[serde(rename = "lookupsOmitted", skip_serializing_if = "is_zero")]
    omitted: usize,
    calls: Vec<ToldCall<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToldLookup<'a> {
    key: &'a str,
    id: &'a str,
    tags: &'a [String],
    found: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reuse: Option<ToldReuse>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToldReuse {
    scope: &'static str,
    #[serde(flatten)]
    lifetime: Option<ToldLifetime>,
}

#[derive(Serialize)]
struct ToldLifetime {
    #[serde(rename = "freshMs")]
    fresh: f64,
    #[serde(rename = "staleMs")]
    stale: f64,
    #[serde(rename = "onErrorMs")]
    on_error: f64,
}

#[derive(Serialize)]
struct ToldCall<'a> {
    address: &'a str,
    /// How many objects it was for.
    batch: usize,
    ms: f64,
    shared: bool,
}

impl<'a> Told<'a> {
    pub(super) fn of(account: &'a [FetchAccount]) -> Self {
        let fetches = account.iter().map(fetch);
        Self {
            fetches: fetches.collect(),
        }
    }
}

fn fetch(account: &FetchAccount) -> ToldFetch<'_> {
    ToldFetch {
        fetch: account.fetch,
        source: &account.source,
        lookups: account.lookups.iter().map(lookup).collect(),
        omitted: account.untold,
        calls: account.calls.iter().map(call).collect(),
    }
}

fn lookup(lookup: &Lookup) -> ToldLookup<'_> {
    let (found, level) = match lookup.found {
        Found::Fresh(level) => ("fresh", Some(level)),
        Found::Stale(level) => ("stale", Some(level)),
        Found::OnError(level) => ("on_error", Some(level)),
        Found::Negative(level) => ("negative", Some(level)),
        Found::Missing => ("missing", None),
    };
    ToldLookup {
        key: &lookup.key,
        id: &lookup.id,
        tags: &lookup.tags,
        found,
        why: lookup.why.map(|why| match why {
            Why::Unknown => "unknown",
            Why::Expired => "expired",
            Why::Invalid => "invalid",
            Why::Uncacheable => "uncacheable",
            Why::NotShared => "not_shared",
        }),
        level: level.map(|level| match level {
            Level::Memory => "memory",
            Level::Redis => "redis",
            Level::Flight => "flight",
        }),
        age_ms: lookup.age.map(millis),
        reuse: lookup.reuse.map(reuse),
    }
}

fn reuse(reuse: Reuse) -> ToldReuse {
    let (scope, lifetime) = match reuse {
        Reuse::Never => ("nobody", None),
        Reuse::Shared(lifetime) => ("everybody", Some(lifetime)),
        Reuse::PerCaller(lifetime) => ("caller", Some(lifetime)),
    };
    let lifetime = lifetime.map(
        |Lifetime {
             fresh,
             stale,
             on_error,
         }| ToldLifetime {
            fresh: millis(fresh),
            stale: millis(stale),
            on_error: millis(on_error),
        },
    );
    ToldReuse { scope, lifetime }
}

fn call(call: &Call) -> ToldCall<'_> {
    ToldCall {
        address: &call.address,
        batch: call.batch,
        ms: millis(call.time),
        shared: call.is_shared,
    }
}

/// To the microsecond.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_says_what_was_found_and_what_was_called() {
        let lifetime = Lifetime {
            fresh: Duration::from_mins(1),
            stale: Duration::ZERO,
            on_error: Duration::from_mins(10),
        };
        let lookup = |found, age: Option<Duration>, reuse| Lookup {
            key: "1|products|Product|={\"id\":\"1\"}".to_owned(),
            id: "ab12".to_owned(),
            tags: vec!["type Product".to_owned()],
            found,
            why: (found == Found::Missing).then_some(Why::Expired),
            age,
            reuse,
        };
        let old = Some(Duration::from_micros(1_234_567));
        let fetches = [FetchAccount {
            fetch: 2,
            source: "products:Product[0]".into(),
            lookups: vec![
                lookup(
                    Found::Stale(Level::Redis),
                    old,
                    Some(Reuse::Shared(lifetime)),
                ),
                lookup(Found::Missing, None, Some(Reuse::Never)),
            ],
            untold: 7,
            calls: vec![Call {
                address: "http://products.example.com/p".to_owned(),
                batch: 3,
                time: Duration::from_micros(1_500),
                is_shared: true,
            }],
        }];

        let told = serde_json::to_value(Told::of(&fetches)).unwrap();

        let key = "1|products|Product|={\"id\":\"1\"}";
        let expected = serde_json::json!({ "fetches": [{
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
        assert_eq!(told, expected);
    }
}
