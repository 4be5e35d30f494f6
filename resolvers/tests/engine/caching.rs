//! Cached connector responses: which callers share them, for how long, and which calls they save.

use std::time::Duration;

use futures_util::future::{FutureExt, join_all};
use http::HeaderName;
use resolvers::cache::{Level, MissReason, Reuse};
use resolvers::trace::CacheStatus;
use serde_json::{Value, json};

use crate::caching_service::{CachedEngine, THINGS};

fn names(ids: impl IntoIterator<Item = usize>, version: usize) -> Value {
    let names = ids.into_iter();
    names
        .map(|id| json!({ "name": format!("thing {id} v{version}") }))
        .collect()
}

/// Only the requests of batches.
fn batches(requests: Vec<String>) -> Vec<String> {
    let requests = requests.into_iter();
    requests.filter(|it| it.starts_with("/things")).collect()
}

#[tokio::test]
async fn cached_entities_are_not_fetched_again() {
    let cached = CachedEngine::start().await;
    cached.service.set_cache_control("max-age=60");

    let first = cached.execute("{ list(first: 3) { name } }").await;
    cached.service.bump_version();
    let second = cached.execute("{ list(first: 3) { id name count } }").await;

    assert_eq!(first, json!({ "list": names(1..=3, 1) }));
    // The whole result of the connector is cached, so other fields than those of the first hit too.
    assert_eq!(
        second["list"][2],
        json!({ "id": "3", "name": "thing 3 v1", "count": 1 })
    );
    assert_eq!(
        batches(cached.service.take_requests()),
        ["/things?ids=1%2C2%2C3"]
    );

    cached.advance(60);
    let third = cached.execute("{ list(first: 3) { name } }").await;
    assert_eq!(third, json!({ "list": names(1..=3, 2) }));
}

#[tokio::test]
async fn only_missing_entities_are_fetched() {
    let cached = CachedEngine::start().await;
    cached.service.set_cache_control("max-age=60");

    cached.execute("{ list(first: 40) { name } }").await;
    cached.service.take_requests();
    let all = cached.execute("{ list(first: 50) { name } }").await;

    assert_eq!(all, json!({ "list": names(1..=50, 1) }));
    let ids: Vec<String> = (41..=50).map(|id| id.to_string()).collect();
    let batch = format!("/things?ids={}", ids.join("%2C"));
    assert_eq!(batches(cached.service.take_requests()), [batch]);
}

#[tokio::test]
async fn no_store_zero_max_age_and_no_header_are_not_cached() {
    let cached = CachedEngine::start().await;
    for cache_control in ["no-store", "max-age=0", "private, max-age=60", "unknown"] {
        cached.service.set_cache_control(cache_control);
        for _ in 0..2 {
            cached.execute("{ list(first: 1) { name } }").await;
        }
        assert_eq!(
            batches(cached.service.take_requests()).len(),
            2,
            "{cache_control}"
        );
    }
    cached.service.set_headers(&[]);
    for _ in 0..2 {
        cached.execute("{ list(first: 1) { name } }").await;
    }
    assert_eq!(batches(cached.service.take_requests()).len(), 2);
}

#[tokio::test]
async fn root_fields_are_cached_by_their_arguments() {
    let cached = CachedEngine::with(THINGS, |settings| {
        let caching = settings.caching.as_mut().unwrap();
        caching.default.default_ttl = Duration::from_mins(1);
    })
    .await;
    for _ in 0..2 {
        cached
            .execute("{ a: list(first: 2) { id } b: list(first: 3) { id } }")
            .await;
    }
    let mut requests = cached.service.take_requests();
    requests.sort_unstable();
    assert_eq!(requests, ["/list?first=2", "/list?first=3"]);
}

#[tokio::test]
async fn responses_to_credentials_are_not_shared_by_callers() {
    let cached = CachedEngine::start().await;
    for cache_control in ["max-age=60", "private, max-age=60"] {
        cached.service.set_cache_control(cache_control);
        let query = "{ list(first: 1) { name } }";
        for token in ["Bearer a", "Bearer b", "Bearer a"] {
            cached.execute_as(token, query).await;
        }
        cached.execute(query).await;
        // One call for each caller, and one for callers without credentials.
        assert_eq!(
            batches(cached.service.take_requests()).len(),
            3,
            "{cache_control}"
        );
        cached.advance(3600);
    }
}

#[tokio::test]
async fn public_responses_are_shared_by_callers_unless_they_vary() {
    let cached = CachedEngine::start().await;
    cached.service.set_cache_control("public, max-age=60");
    let query = "{ list(first: 1) { name } }";
    for token in ["Bearer a", "Bearer b"] {
        cached.execute_as(token, query).await;
    }
    cached.execute(query).await;
    assert_eq!(batches(cached.service.take_requests()).len(), 1);

    cached.advance(60);
    cached.service.set_headers(&[
        ("cache-control", "public, max-age=60"),
        ("vary", "Authorization"),
    ]);
    for token in ["Bearer a", "Bearer b", "Bearer a"] {
        cached.execute_as(token, query).await;
    }
    assert_eq!(batches(cached.service.take_requests()).len(), 2);
}

#[tokio::test]
async fn configured_headers_identify_the_caller() {
    let cached = CachedEngine::with(THINGS, |settings| {
        let caching = settings.caching.as_mut().unwrap();
        caching.caller_headers = vec![HeaderName::from_static("x-user")];
    })
    .await;
    cached.service.set_cache_control("private, max-age=60");
    let query = "{ list(first: 1) { name } }";
    for _ in 0..2 {
        // Private values of an unidentified caller are not cached, whatever its token.
        cached.execute_as("Bearer a", query).await;
    }
    assert_eq!(batches(cached.service.take_requests()).len(), 2);
}

#[tokio::test]
async fn a_stale_value_is_served_while_it_is_refreshed() {
    let cached = CachedEngine::start().await;
    cached
        .service
        .set_cache_control("max-age=10, stale-while-revalidate=60");
    let query = "{ list(first: 2) { name } }";
    cached.execute(query).await;
    cached.service.bump_version();
    cached.advance(11);

    assert_eq!(
        cached.execute(query).await,
        json!({ "list": names(1..=2, 1) })
    );

    // Refreshed for all later requests, by one call.
    let renewed = json!({ "list": names(1..=2, 2) });
    while cached.execute(query).await != renewed {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        batches(cached.service.take_requests()),
        ["/things?ids=1%2C2", "/things?ids=1%2C2"]
    );
}

#[tokio::test]
async fn a_stale_value_is_served_if_the_service_fails() {
    let cached = CachedEngine::start().await;
    cached
        .service
        .set_cache_control("max-age=10, stale-if-error=60");
    let query = "{ list(first: 2) { name } }";
    let known = cached.execute(query).await;
    cached.advance(11);
    cached.service.fail();
    // The list itself is not cached, so it fails.
    let failed = cached.execute(query).await;
    assert_eq!(failed["data"]["list"], Value::Null);

    cached.service.recover();
    let query = "{ thing(id: 1) { name } }";
    cached.execute(query).await;
    cached.advance(11);
    cached.service.fail();
    assert_eq!(
        cached.execute(query).await,
        json!({ "thing": known["list"][0] })
    );

    cached.advance(60);
    let failed = cached.execute(query).await;
    assert_eq!(failed["data"]["thing"], Value::Null);
    assert_eq!(failed["errors"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn missing_entities_are_cached_for_the_negative_ttl() {
    let cached = CachedEngine::start().await;
    cached.service.set_cache_control("max-age=60");
    for _ in 0..2 {
        let answer = cached.execute("{ list(first: 101) { name } }").await;
        assert_eq!(answer["list"][99], json!({ "name": null }));
    }
    assert_eq!(batches(cached.service.take_requests()).len(), 2);
    cached.advance(6);
    cached.execute("{ list(first: 101) { name } }").await;
    assert_eq!(
        batches(cached.service.take_requests()),
        ["/things?ids=100%2C101"]
    );
}

#[tokio::test]
async fn a_root_field_and_a_batch_share_cached_entities() {
    let cached = CachedEngine::start().await;
    cached.service.set_cache_control("max-age=60");
    cached.execute("{ list(first: 2) { name } }").await;
    let thing = cached.execute("{ thing(id: 2) { id name count } }").await;
    assert_eq!(thing["thing"]["name"], "thing 2 v1");

    cached.execute("{ thing(id: 3) { name } }").await;
    cached.execute("{ list(first: 3) { name } }").await;

    let requests = cached.service.take_requests();
    let entities: Vec<_> = requests
        .iter()
        .filter(|it| it.starts_with("/thing"))
        .collect();
    assert_eq!(entities, ["/things?ids=1%2C2", "/thing?id=3"]);
}

#[tokio::test]
async fn mutations_neither_read_nor_fill_the_cache() {
    let cached = CachedEngine::start().await;
    cached.service.set_cache_control("max-age=60");
    for _ in 0..2 {
        cached.execute("mutation { touch { name } }").await;
    }
    assert_eq!(cached.service.take_requests(), ["/touch", "/touch"]);
    let (_, entries) = cached.cache.memory_usage();
    assert_eq!(entries, 0);
}

#[tokio::test]
async fn concurrent_operations_take_one_call_for_one_entity() {
    let cached = CachedEngine::start().await;
    cached.service.set_cache_control("max-age=60");
    let operations = (0..50).map(|_| cached.execute("{ thing(id: 7) { name } }"));
    let answers = join_all(operations).await;
    for answer in answers {
        assert_eq!(answer, json!({ "thing": { "name": "thing 7 v1" } }));
    }
    assert_eq!(cached.service.take_requests(), ["/thing?id=7"]);
}

#[tokio::test]
async fn errors_are_not_cached() {
    let cached = CachedEngine::start().await;
    cached.service.set_cache_control("max-age=60");
    cached.service.fail();
    cached.execute("{ thing(id: 1) { name } }").await;
    cached.service.recover();
    let answer = cached.execute("{ thing(id: 1) { name } }").await;
    assert_eq!(answer["thing"]["name"], "thing 1 v1");
}

/// The graph with a directive on the mutation that invalidates what it returns.
fn with_invalidation(directive: &str) -> String {
    THINGS.replace(
        r#"http: { POST: "/touch" }, selection: "id name count")"#,
        &format!(r#"http: {{ POST: "/touch" }}, selection: "id name count") {directive}"#),
    )
}

#[tokio::test]
async fn entities_that_a_mutation_returns_are_invalidated() {
    let cached = CachedEngine::with(&with_invalidation("@openfed__cacheInvalidate"), |_| ()).await;
    cached.service.set_cache_control("max-age=3600");
    cached
        .execute("{ list(first: 3) { name } whole { name } }")
        .await;
    cached.service.take_requests();
    cached.service.bump_version();

    // The client does not select ids; the mutation returns two things, the first and the second.
    cached.execute("mutation { touch { count } }").await;

    let answer = cached
        .execute("{ list(first: 3) { name } whole { name } }")
        .await;
    assert_eq!(
        answer["list"],
        json!([
            { "name": "thing 1 v2" }, { "name": "thing 2 v2" }, { "name": "thing 3 v1" }
        ])
    );
    assert_eq!(answer["whole"], names(1..=2, 2));
    let requests = cached.service.take_requests();
    let is_read = |uri: &&String| uri.starts_with("/things") || uri.starts_with("/whole");
    assert_eq!(requests.iter().filter(is_read).count(), 2, "{requests:?}");
}

#[tokio::test]
async fn a_mutation_can_invalidate_types_and_tags() {
    for directive in [
        "@cacheInvalidate(types: [\"Thing\"])",
        "@cacheInvalidate(tags: [\"all\"])",
    ] {
        let sdl = with_invalidation(directive).replace(
            "type Thing\n      @key(fields: \"id\")",
            "type Thing\n      @key(fields: \"id\") @cacheTag(format: \"all\")",
        );
        let cached = CachedEngine::with(&sdl, |_| ()).await;
        cached.service.set_cache_control("max-age=3600");
        cached.execute("{ list(first: 3) { name } }").await;
        cached.service.bump_version();
        cached.execute("mutation { touch { id } }").await;
        let answer = cached.execute("{ list(first: 3) { name } }").await;
        assert_eq!(answer, json!({ "list": names(1..=3, 2) }), "{directive}");
    }
}

#[tokio::test]
async fn a_cancelled_mutation_invalidates_too() {
    let cached = CachedEngine::with(&with_invalidation("@openfed__cacheInvalidate"), |_| ()).await;
    cached.service.set_cache_control("max-age=3600");
    cached.execute("{ list(first: 3) { name } }").await;
    cached.service.bump_version();

    let mutation = cached.execute("mutation { touch { id } }");
    assert!(mutation.now_or_never().is_none());

    // Which things it returned is unknown, so all of them are fetched.
    let answer = cached.execute("{ list(first: 3) { name } }").await;
    assert_eq!(answer, json!({ "list": names(1..=3, 2) }));
}

#[tokio::test]
async fn the_trace_has_lookups_and_calls() {
    let cached = CachedEngine::start().await;
    cached.service.set_cache_control("max-age=60");
    cached.execute("{ list(first: 2) { name } }").await;
    cached.advance(5);

    let trace = cached.trace("{ list(first: 3) { name } }").await;

    let things = trace
        .iter()
        .find(|fetch| &*fetch.source == "g:Thing[0]")
        .unwrap();
    let found: Vec<_> = things
        .lookups
        .iter()
        .map(|it| (it.status, it.miss_reason, it.age))
        .collect();
    let age = Some(Duration::from_secs(5));
    assert_eq!(
        found,
        [
            (CacheStatus::Fresh(Level::Memory), None, age),
            (CacheStatus::Fresh(Level::Memory), None, age),
            (CacheStatus::Miss, Some(MissReason::Unknown), None),
        ]
    );
    assert_eq!(
        things.lookups[0].tags,
        ["subgraph g", "type Thing", r#"entity Thing {"id":"1"}"#]
    );
    assert!(
        things.lookups[0].key.ends_with(r#"|={"id":"1"}"#),
        "{}",
        things.lookups[0].key
    );
    let calls: Vec<_> = things
        .calls
        .iter()
        .map(|call| (call.batch_size, call.is_shared))
        .collect();
    assert_eq!(calls, [(1, false)]);
    assert!(things.calls[0].duration > Duration::ZERO);
    // The response for the list has no lifetime.
    let list = trace
        .iter()
        .find(|fetch| &*fetch.source == "g:Query.list[0]")
        .unwrap();
    assert_eq!(list.lookups[0].reuse, Some(Reuse::Never));
}

#[tokio::test]
async fn a_response_has_the_shortest_lifetime_of_its_parts() {
    let cached = CachedEngine::start().await;
    cached.service.set_cache_control("max-age=60");
    let query = "{ whole { name } }";
    assert_eq!(
        cached.reuse(query).await.unwrap().cache_control(),
        "max-age=60, public"
    );
    cached.advance(20);
    assert_eq!(
        cached.reuse(query).await.unwrap().cache_control(),
        "max-age=40, public"
    );
    // One part of it is not cacheable.
    assert_eq!(
        cached
            .reuse("{ whole { name } list(first: 1) { id } }")
            .await,
        Some(Reuse::Never)
    );
    assert_eq!(cached.reuse("mutation { touch { name } }").await, None);
}
