//! Whole responses from the cache: found from the third equal request on, and gone with any of
//! their parts.

use std::time::Duration;

use futures_util::future::join_all;
use http::{HeaderMap, HeaderValue, header};
use resolvers::cache::{Level, Reuse, Target};
use resolvers::settings::ResponseCaching;
use resolvers::trace::{CacheStatus, Lookup, OperationTrace};
use resolvers::{Outcome, Request, Trace};
use serde_json::{Value, json};

use crate::caching_service::{CachedEngine, THINGS};
use crate::support::request;

const QUERY: &str = "{ list(first: 2) { name } }";

/// Things are fresh for a minute, lists for ten.
async fn start(responses: ResponseCaching) -> CachedEngine {
    let cached = CachedEngine::with(THINGS, |settings| {
        let caching = settings.caching.as_mut().unwrap();
        caching.default.default_ttl = Duration::from_mins(10);
        caching.responses = responses;
    })
    .await;
    cached.service.set_cache_control("max-age=60");
    cached
}

/// The response to a request, and its trace.
async fn respond(cached: &CachedEngine, request: Request) -> (Value, OperationTrace) {
    let request = Request {
        trace: Trace::Yes,
        ..request
    };
    let mut out = Vec::new();
    match cached.engine.execute(request, &mut out).await {
        Outcome::Executed { trace, .. } => (serde_json::from_slice(&out).unwrap(), trace),
        Outcome::Cached { response, trace } => {
            assert!(trace.fetches.is_empty());
            let mut body: Value = serde_json::from_slice(&response.body).unwrap();
            (body["data"].take(), trace)
        }
        Outcome::Refused { errors } => panic!("{errors:?}"),
    }
}

/// Whether each of some equal requests was answered by a cached response.
async fn hits(cached: &CachedEngine, query: &str, count: usize) -> Vec<bool> {
    let mut hits = Vec::new();
    for _ in 0..count {
        let (_, trace) = respond(cached, request(query)).await;
        hits.push(is_hit(trace.response.as_ref()));
    }
    hits
}

fn is_hit(lookup: Option<&Lookup>) -> bool {
    lookup.is_some_and(|it| matches!(it.status, CacheStatus::Fresh(_)))
}

fn things(version: usize) -> Value {
    let name = |id: usize| json!({ "name": format!("thing {id} v{version}") });
    json!({ "list": [name(1), name(2)] })
}

#[tokio::test]
async fn a_response_is_cached_at_its_second_request() {
    let cached = start(ResponseCaching::Enabled).await;
    cached.service.set_cache_control("public, max-age=60");

    let hits = hits(&cached, QUERY, 2).await;
    cached.advance(20);
    let (data, trace) = respond(&cached, request(QUERY)).await;

    assert_eq!(hits, [false, false]);
    assert_eq!(data, things(1));
    let lookup = trace.response.unwrap();
    assert_eq!(lookup.status, CacheStatus::Fresh(Level::Memory));
    // It has the shortest lifetime of its parts, and was stored 20 seconds ago.
    let Some(Reuse::Shared(lifetime)) = lookup.reuse else {
        panic!("{lookup:?}");
    };
    assert_eq!(lifetime.fresh, Duration::from_secs(40));
    assert_eq!(lifetime.stale_if_error, Duration::ZERO);
    let counts = cached.cache.counts();
    assert_eq!(counts.assembled_memory_hits, 1);
    assert_eq!(counts.assembled_misses, 1);
}

#[tokio::test]
async fn other_variables_and_other_text_are_other_responses() {
    let cached = start(ResponseCaching::Enabled).await;
    let query = "query($n: Int = 1) { list(first: $n) { name } }";
    hits(&cached, query, 3).await;

    let with = |variables: &str| Request {
        variables: Some(serde_json::value::RawValue::from_string(variables.to_owned()).unwrap()),
        ..request(query)
    };
    let (same, same_trace) = respond(&cached, with(r#"{"n": 1, "unknown": 2}"#)).await;
    let (other, other_trace) = respond(&cached, with(r#"{"n": 2}"#)).await;

    assert!(is_hit(same_trace.response.as_ref()));
    assert_eq!(same, json!({ "list": [{ "name": "thing 1 v1" }] }));
    assert!(!is_hit(other_trace.response.as_ref()));
    assert_eq!(other, things(1));
}

#[tokio::test]
async fn an_invalidation_of_any_part_ends_the_response() {
    let cached = start(ResponseCaching::Enabled).await;
    let entity = Target::Entity {
        type_name: "Thing".to_owned(),
        key: resolvers::cache::EntityKey::from_json(r#"{"id":"2"}"#).unwrap(),
    };
    for target in [entity, Target::Type("Thing".to_owned()), Target::Everything] {
        hits(&cached, QUERY, 3).await;
        cached.service.take_requests();
        cached.service.bump_version();

        cached.cache.invalidate(&target.tags()).await;
        let (data, trace) = respond(&cached, request(QUERY)).await;

        assert!(!is_hit(trace.response.as_ref()), "{target:?}");
        let names = data["list"][1]["name"].as_str().unwrap().to_owned();
        let version = cached
            .service
            .version
            .load(std::sync::atomic::Ordering::SeqCst);
        assert_eq!(names, format!("thing 2 v{version}"), "{target:?}");
    }
}

#[tokio::test]
async fn the_values_of_an_expired_response_serve_the_rest() {
    let cached = start(ResponseCaching::Enabled).await;
    hits(&cached, QUERY, 3).await;
    cached.service.take_requests();
    cached.service.bump_version();

    cached.advance(60);
    let (data, trace) = respond(&cached, request(QUERY)).await;

    assert!(!is_hit(trace.response.as_ref()));
    assert_eq!(data, things(2));
    // The list is fresh for nine more minutes.
    assert_eq!(cached.service.take_requests(), ["/things?ids=1%2C2"]);
}

#[tokio::test]
async fn a_response_with_an_error_is_not_cached() {
    let cached = start(ResponseCaching::Enabled).await;
    cached.execute("{ list(first: 2) { id } }").await;
    cached.service.fail();

    let failed = hits(&cached, QUERY, 3).await;
    cached.service.recover();
    let (data, trace) = respond(&cached, request(QUERY)).await;

    assert_eq!(failed, [false; 3]);
    assert!(!is_hit(trace.response.as_ref()));
    assert_eq!(data, things(1));
}

#[tokio::test]
async fn a_response_with_an_uncacheable_part_is_not_cached() {
    let cached = start(ResponseCaching::Enabled).await;
    cached.service.set_cache_control("no-store");

    let hits = hits(&cached, QUERY, 4).await;

    assert_eq!(hits, [false; 4]);
    assert_eq!(cached.cache.counts().assembled_memory_hits, 0);
}

#[tokio::test]
async fn a_private_response_is_for_its_caller() {
    let cached = start(ResponseCaching::Enabled).await;
    cached.service.set_cache_control("private, max-age=60");
    let as_caller = |token: &'static str| {
        let token = (header::AUTHORIZATION, HeaderValue::from_static(token));
        Request {
            headers: HeaderMap::from_iter([token]),
            ..request(QUERY)
        }
    };
    for _ in 0..2 {
        respond(&cached, as_caller("Bearer a")).await;
    }
    cached.service.bump_version();

    let (own, own_trace) = respond(&cached, as_caller("Bearer a")).await;
    let (other, other_trace) = respond(&cached, as_caller("Bearer b")).await;
    let (anonymous, anonymous_trace) = respond(&cached, request(QUERY)).await;

    assert!(is_hit(own_trace.response.as_ref()));
    assert_eq!(own, things(1));
    for (data, trace) in [(other, other_trace), (anonymous, anonymous_trace)] {
        assert!(!is_hit(trace.response.as_ref()));
        assert_eq!(data, things(2));
    }
}

#[tokio::test]
async fn equal_requests_wait_for_the_one_that_makes_the_response() {
    let cached = start(ResponseCaching::Enabled).await;
    hits(&cached, QUERY, 1).await;
    cached.advance(60);
    cached.service.take_requests();

    let all = join_all((0..10).map(|_| respond(&cached, request(QUERY)))).await;

    assert_eq!(all.len(), 10);
    for (data, _) in all {
        assert_eq!(data, things(1));
    }
    assert_eq!(cached.service.take_requests(), ["/things?ids=1%2C2"]);
    assert_eq!(cached.cache.counts().assembled_waits, 9);
}

#[tokio::test]
async fn nothing_is_looked_up_where_responses_cannot_be_cached() {
    let cached = start(ResponseCaching::Enabled).await;
    let disabled = start(ResponseCaching::Disabled).await;

    for query in [
        "{ __typename }",
        "mutation { touch { name } }",
        "{ __schema { queryType { name } } }",
    ] {
        let (_, trace) = respond(&cached, request(query)).await;
        assert!(trace.response.is_none(), "{query}");
    }
    let (_, trace) = respond(&disabled, request(QUERY)).await;
    assert!(trace.response.is_none());
    assert_eq!(hits(&disabled, QUERY, 3).await, [false; 3]);
}
