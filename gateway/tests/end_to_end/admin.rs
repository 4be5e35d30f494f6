//! The admin address: invalidation, metrics, and traces for those who may read them.

use std::net::SocketAddr;

use gateway::config::Config;
use gateway::config::admin::{Socket, TraceAccess};
use gateway::config::cache::CacheMode;
use gateway::config::secret::Secret;
use gateway::shop;
use mocks::Shop;
use serde_json::{Value, json};

use crate::client::{Answer, exchange};
use crate::running::Running;

const KEY: &str = "0123456789abcdef";

fn with_socket(config: &mut Config) {
    config.admin.socket = Some(Socket {
        address: "127.0.0.1:0".parse().unwrap(),
        key: Secret::new(KEY.to_owned()),
    });
}

async fn invalidate(admin: SocketAddr, body: &Value) -> Answer {
    let headers = [("authorization", KEY), ("content-type", "application/json")];
    let line = "POST /admin/invalidate";
    exchange(admin, line, &headers, &body.to_string()).await
}

#[tokio::test]
async fn every_kind_of_target_can_be_invalidated() {
    let gateway = Running::alone(with_socket).await;
    let admin = gateway.admin.unwrap();

    for (element, tags) in [
        (json!({ "kind": "all" }), 1),
        (json!({ "kind": "subgraph", "subgraph": "users" }), 1),
        (json!({ "kind": "type", "type": "Product" }), 1),
        (
            json!({ "kind": "type", "subgraph": "products", "type": "Product" }),
            1,
        ),
        (json!({ "kind": "cache_tag", "cache_tag": "product-42" }), 1),
        (
            json!({ "kind": "cache_tag", "subgraphs": ["users"], "cache_tag": "product-42" }),
            1,
        ),
        // The entity, values that have it under another key, and values that contain some of its
        // type.
        (
            json!({ "kind": "entity", "type": "Product", "key": { "id": 42 } }),
            3,
        ),
    ] {
        let answer = invalidate(admin, &json!([element])).await;
        assert_eq!(answer.status, 202, "{element}: {answer:?}");
        assert_eq!(
            answer.json(),
            json!({ "tags": tags, "reached": "everyone" })
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let twice = json!([{ "kind": "all" }, { "kind": "all" }]);
    assert_eq!(invalidate(admin, &twice).await.json()["tags"], 1);
    assert_eq!(invalidate(admin, &json!([])).await.json()["tags"], 0);
}

#[tokio::test]
async fn invalid_targets_are_reported_element_by_element_and_nothing_is_invalidated() {
    let gateway = Running::alone(with_socket).await;
    let admin = gateway.admin.unwrap();
    let body = json!([
        { "kind": "all" },
        { "kind": "type", "type": "Prodct" },
        { "kind": "type", "type": "Product", "subgraph": "product" },
        { "kind": "entity", "type": "Product", "key": { "name": 1 } },
        { "kind": "entity", "type": "Product", "key": 42 },
        { "kind": "entity", "type": "Product" },
        { "kind": "subgraph", "subgraph": "users", "sub": 1 },
        { "kind": "cache_tag", "cache_tag": 1 },
        { "kind": "everything" },
        { "type": "Product" },
        42,
    ]);

    let answer = invalidate(admin, &body).await;

    assert_eq!(answer.status, 400);
    let json = answer.json();
    let errors = json["errors"].as_array().unwrap();
    let messages = errors
        .iter()
        .map(|error| error["message"].as_str().unwrap());
    let messages: Vec<&str> = messages.collect();
    assert_eq!(
        messages,
        [
            "element 2: the graph has no type `Prodct`; write `Product`",
            "element 3: the graph has no subgraph `product`; write `products`",
            "element 4: `Product` has no key `name`; write one of `id`",
            "element 5: `key` must be an object with the fields of the key",
            "element 6: `key` is missing",
            "element 7: unknown member `sub` for its kind",
            "element 8: `cache_tag` must be a non-empty string",
            "element 9: unknown kind `everything`; write `all`, `subgraph`, `type`, `entity` or `cache_tag`",
            "element 10: `kind` is missing",
            "element 11: it must be an object",
        ]
    );
    assert_eq!(answer.code(), "BAD_REQUEST");
    assert_eq!(metric_value(admin, INVALIDATIONS).await, 0);
    let not_a_list = invalidate(admin, &json!({ "kind": "all" })).await;
    assert_eq!(not_a_list.status, 400);
}

#[tokio::test]
async fn a_broken_or_unauthorized_request_invalidates_nothing() {
    let gateway = Running::alone(with_socket).await;
    let admin = gateway.admin.unwrap();
    let (json, key) = (("content-type", "application/json"), ("authorization", KEY));
    let path = "/admin/invalidate";
    let all = "[{\"kind\":\"all\"}]";
    let check = async |line: &str, headers: &[(&str, &str)], body: &str, status: u16| {
        let answer = exchange(admin, line, headers, body).await;
        assert_eq!(answer.status, status, "{line} {headers:?}: {answer:?}");
        answer
    };

    let post = format!("POST {path}");
    let answer = check(&post, &[json], all, 401).await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    check(
        &post,
        &[json, ("authorization", "0123456789abcdeg")],
        all,
        401,
    )
    .await;
    check(
        &post,
        &[json, ("authorization", "0123456789abcde")],
        all,
        401,
    )
    .await;
    check(&post, &[key], all, 415).await;
    check(&post, &[key, json], "[", 400).await;
    let answer = check(&format!("GET {path}"), &[key], "", 405).await;
    assert_eq!(answer.header("allow"), Some("POST"));
    let long = format!("[\"{}\"]", "x".repeat(1024 * 1024));
    check(&post, &[key, json], &long, 413).await;
    check("POST /graphql", &[key, json], "{}", 404).await;
    assert_eq!(metric_value(admin, INVALIDATIONS).await, 0);

    check(
        &post,
        &[json, ("authorization", &format!("Bearer {KEY}"))],
        all,
        202,
    )
    .await;
    assert_eq!(metric_value(admin, INVALIDATIONS).await, 1);
}

#[tokio::test]
async fn the_clients_address_has_no_admin_routes() {
    let gateway = Running::alone(with_socket).await;
    let headers = [("authorization", KEY), ("content-type", "application/json")];

    let invalidate = exchange(gateway.address, "POST /admin/invalidate", &headers, "[]").await;
    let metrics = exchange(gateway.address, "GET /metrics", &headers, "").await;

    assert_eq!((invalidate.status, metrics.status), (404, 404));
    let without = Running::alone(|_| {}).await;
    assert_eq!(without.admin, None);
}

#[tokio::test]
async fn metrics_are_in_the_format_of_prometheus() {
    let gateway = Running::alone(with_socket).await;
    let off = Running::alone(|config| {
        with_socket(config);
        config.cache.mode = CacheMode::Disabled;
    })
    .await;

    let answer = exchange(gateway.admin.unwrap(), "GET /metrics", &[], "").await;

    assert_eq!(answer.status, 200);
    let media_type = answer.header("content-type");
    assert_eq!(media_type, Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = String::from_utf8(answer.body).unwrap();
    assert_is_prometheus(&text);
    assert!(
        text.contains("\nweir_cache_lookups_total{result=\"memory\"} 0\n"),
        "{text}"
    );
    assert!(text.contains("\nweir_incomplete_plans_total 0\n"), "{text}");
    assert!(!text.contains("redis_up"), "no Redis is configured: {text}");
    let nothing = exchange(off.admin.unwrap(), "GET /metrics", &[], "").await;
    let text = String::from_utf8(nothing.body).unwrap();
    assert!(!text.contains("weir_cache"), "{text}");
    let body = json!([{ "kind": "all" }]);
    assert_eq!(invalidate(off.admin.unwrap(), &body).await.status, 202);
}

#[tokio::test]
async fn a_trace_is_returned_only_to_those_who_may_read_it() {
    let key = "fedcba9876543210";
    let keys = Running::alone(|config| {
        config.admin.trace_access = TraceAccess::Keys(vec![
            Secret::new(KEY.to_owned()),
            Secret::new(key.to_owned()),
        ]);
    })
    .await;
    let everyone = Running::alone(|config| config.admin.trace_access = TraceAccess::Everyone).await;
    let no_access = Running::alone(|_| {}).await;
    let has_trace = async |gateway: &Running, header: Option<&str>| {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(header.map(|value| ("weir-explain", value)));
        let body = "{\"query\":\"{ __typename }\"}";
        let answer = exchange(gateway.address, "POST /graphql", &headers, body).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let json = answer.json();
        assert_eq!(json["data"]["__typename"], "Query");
        json["extensions"]["weir"]["fetches"].is_array()
    };

    assert!(has_trace(&keys, Some(key)).await);
    assert!(!has_trace(&keys, Some("true")).await);
    assert!(!has_trace(&keys, None).await);
    assert!(has_trace(&everyone, Some("true")).await);
    assert!(!has_trace(&everyone, Some("false")).await);
    assert!(!has_trace(&everyone, None).await);
    assert!(!has_trace(&no_access, Some("true")).await);
}

#[tokio::test]
async fn cache_hits_are_traced_and_counted_until_an_invalidation() {
    let shop = Shop::start().await.unwrap();
    let gateway = Running::alone(|config| {
        shop::configure(&shop, config);
        with_socket(config);
        config.admin.trace_access = TraceAccess::Everyone;
        config.cache.responses = CacheMode::Disabled;
    })
    .await;
    let admin = gateway.admin.unwrap();
    let product = async || {
        let headers = [("content-type", "application/json"), ("weir-explain", "1")];
        let body = "{\"query\":\"{ product(id: 1) { name } }\"}";
        let answer = exchange(gateway.address, "POST /graphql", &headers, body).await;
        let json = answer.json();
        assert!(json["data"]["product"]["name"].is_string(), "{json}");
        let fetch = json["extensions"]["weir"]["fetches"][0].clone();
        (fetch["lookups"][0].clone(), fetch["calls"].clone())
    };
    let other = json!([{ "kind": "entity", "type": "Product", "key": { "id": 2 } }]);
    let same = json!([{ "kind": "entity", "type": "Product", "key": { "id": 1 } }]);

    let (missing, calls) = product().await;
    let (hit, no_calls) = product().await;
    invalidate(admin, &other).await;
    let (still_hit, _) = product().await;
    invalidate(admin, &same).await;
    let (invalidated, _) = product().await;

    assert_eq!(missing["found"], "missing", "{missing}");
    assert_eq!(calls[0]["batch"], 1, "{calls}");
    assert!(calls[0]["ms"].as_f64().unwrap() > 0.0, "{calls}");
    assert_eq!(hit["found"], "fresh", "{hit}");
    assert_eq!(hit["level"], "memory");
    assert!(hit["ageMs"].as_f64().unwrap() >= 0.0, "{hit}");
    assert_eq!(no_calls, json!([]));
    assert_eq!(still_hit["found"], "fresh", "{still_hit}");
    assert_eq!(invalidated["found"], "missing", "{invalidated}");
    assert_eq!(invalidated["why"], "invalid", "{invalidated}");
    assert_eq!(shop.products.calls(), 2);
    let hits = "weir_cache_lookups_total{result=\"memory\"}";
    assert_eq!(metric_value(admin, hits).await, 2);
    let of_products = |result: &str| {
        let labels = "subgraph=\"products\",type=\"Product\"";
        format!("weir_cache_type_lookups_total{{{labels},result=\"{result}\"}}")
    };
    assert_eq!(metric_value(admin, &of_products("memory")).await, 2);
    assert_eq!(metric_value(admin, &of_products("miss")).await, 2);
    assert_eq!(metric_value(admin, "weir_cache_age_seconds_count").await, 2);
}

#[tokio::test]
async fn a_cached_response_is_traced_and_counted() {
    let shop = Shop::start().await.unwrap();
    let gateway = Running::alone(|config| {
        shop::configure(&shop, config);
        with_socket(config);
        config.admin.trace_access = TraceAccess::Everyone;
    })
    .await;
    let product = async |headers: &[(&str, &str)]| {
        let body = "{\"query\":\"{ product(id: 1) { name } }\"}";
        let json = ("content-type", "application/json");
        let headers = [&[json], headers].concat();
        exchange(gateway.address, "POST /graphql", &headers, body).await
    };

    let made = product(&[]).await;
    product(&[]).await;
    let cached = product(&[]).await;
    let traced = product(&[("weir-explain", "1")]).await.json();

    assert_eq!(cached.body, made.body);
    let trace = &traced["extensions"]["weir"];
    assert_eq!(traced["data"], made.json()["data"]);
    assert_eq!(trace["fetches"], json!([]));
    assert_eq!(trace["response"]["found"], "fresh", "{trace}");
    assert_eq!(trace["response"]["level"], "memory");
    assert_eq!(shop.products.calls(), 1);
    let admin = gateway.admin.unwrap();
    for (result, count) in [("memory", 2), ("miss", 1), ("redis", 0)] {
        let name = format!("weir_cache_responses_total{{result=\"{result}\"}}");
        assert_eq!(metric_value(admin, &name).await, count, "{result}");
    }
}

const INVALIDATIONS: &str = "weir_cache_invalidations_total{from=\"this_process\"}";

/// The value of a metric, whose `name` includes its labels.
async fn metric_value(admin: SocketAddr, name: &str) -> u64 {
    let answer = exchange(admin, "GET /metrics", &[], "").await;
    let text = String::from_utf8(answer.body).unwrap();
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(name));
    let value = lines
        .next()
        .unwrap_or_else(|| panic!("no {name} in {text}"));
    value.trim().parse().unwrap()
}

/// Checks that every sample is below the head of its own metric, and that each head occurs once.
fn assert_is_prometheus(text: &str) {
    let mut metric = String::new();
    let mut seen = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let name = rest.split(' ').next().unwrap();
            name.clone_into(&mut metric);
            assert!(!seen.contains(&metric), "{metric} occurs twice");
            seen.push(metric.clone());
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            assert!(rest.starts_with(&metric), "{line}");
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with(&metric), "{line} below {metric}");
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
    assert!(seen.len() > 5, "{text}");
}
