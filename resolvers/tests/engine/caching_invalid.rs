//! Values that their types do not allow are not cached: the error that they cause ends with the
//! fault of the service.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use resolvers::cache::{Clock, Moment};
use serde_json::{Value, json};

use crate::caching_service::{caching, memory};
use crate::federation::{Scripted, engine_with};
use crate::support::{at_url, execute, serve};

const THINGS: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
    type Query { thing: Thing things: [Thing!] number: Int }
    type Thing @key(fields: "id") { id: ID! kind: Kind }
    enum Kind { TOY BOOK }
"#;
const DETAILS: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
    type Thing @key(fields: "id") { id: ID! name: String! sizes: [[Int!]] box: Box }
    type Box { weight: Float! }
"#;
const REST: &str = r#"
    extend schema
      @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
      @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
      @source(name: "api", http: { baseURL: "http://127.0.0.1" })
    type Query { rest: Rest @connect(source: "api", http: { GET: "/rest" }, selection: "id count") }
    type Rest { id: ID count: Int! }
    type Thing @key(fields: "id")
      @connect(source: "api", http: { GET: "/things", queryParams: "id: $batch.id" }, selection: "$.things { id price }") {
      id: ID! price: Int
    }
"#;

/// The answers to a query while the services give `invalid`, and afterwards. Each service gives the
/// members of both that its response has.
async fn answers(query: &str, invalid: &Value) -> [Value; 2] {
    let is_invalid = Arc::new(AtomicBool::new(true));
    let valid = json!({
        "thing": { "__typename": "Thing", "id": "1", "kind": "TOY" },
        "things": [{ "__typename": "Thing", "id": "1" }],
        "number": 1,
        "_entities": [{
            "__typename": "Thing", "name": "one", "sizes": [[1], null], "box": { "weight": 1.5 },
        }],
        "rest": { "id": "1", "count": 1 },
        "price": { "things": [{ "id": "1", "price": 1 }] },
    });
    let (state, bad) = (Arc::clone(&is_invalid), invalid.clone());
    let current = move |member: &str| {
        let of = |all: &Value| all.get(member).cloned();
        let bad = of(&bad).filter(|_| state.load(Ordering::SeqCst));
        bad.or_else(|| of(&valid)).unwrap()
    };
    let (roots, entities, rest) = (current.clone(), current.clone(), current);
    let members = ["thing", "things", "number"];
    let root = Scripted::new(move |_, _| {
        let data = members.map(|name| (name.to_owned(), roots(name)));
        json!({ "data": serde_json::Map::from_iter(data) })
    });
    let details =
        Scripted::new(move |_, _| json!({ "data": { "_entities": entities("_entities") } }));
    let respond = async move |request: axum::extract::Request| {
        let is_batch = request.uri().path() == "/things";
        axum::Json(rest(if is_batch { "price" } else { "rest" }))
    };
    let url = serve(Router::new().fallback(respond)).await;
    let cache = memory(&Clock::manual(Moment(1_700_000_000_000)));
    let engine = engine_with(
        &[("root", THINGS), ("details", DETAILS), ("rest", REST)],
        &[("root", &root), ("details", &details)],
        |settings| {
            let mut caching = caching(&cache);
            caching.default.default_ttl = Duration::from_mins(1);
            settings.caching = Some(caching);
            let source = at_url(&url);
            settings.sources.insert("rest.api".to_owned(), source);
        },
    );
    let first = execute(&engine, query, json!({})).await;
    is_invalid.store(false, Ordering::SeqCst);
    [first, execute(&engine, query, json!({})).await]
}

#[tokio::test]
async fn a_value_that_its_type_does_not_allow_is_not_cached() {
    let entity = |member: &str, value: Value| {
        let mut entity = json!({ "__typename": "Thing", "name": "one", "box": { "weight": 1.5 } });
        entity[member] = value;
        json!({ "_entities": [entity] })
    };
    let price = |value: Value| json!({ "price": { "things": [{ "id": "1", "price": value }] } });
    for (query, invalid) in [
        ("{ number }", json!({ "number": "many" })),
        (
            "{ thing { kind } }",
            json!({ "thing": { "id": "1", "kind": "LOST" } }),
        ),
        (
            "{ things { id } }",
            json!({ "things": [{ "id": "1" }, null] }),
        ),
        ("{ things { id } }", json!({ "things": { "id": "1" } })),
        ("{ thing { name } }", entity("name", json!(null))),
        ("{ thing { sizes } }", entity("sizes", json!([[1, null]]))),
        ("{ thing { sizes } }", entity("sizes", json!([1]))),
        (
            "{ thing { box { weight } } }",
            entity("box", json!({ "weight": null })),
        ),
        (
            "{ thing { box { weight } } }",
            entity("box", json!(["heavy"])),
        ),
        ("{ thing { price } }", price(json!("dear"))),
        (
            "{ rest { count } }",
            json!({ "rest": { "id": "1", "count": null } }),
        ),
        (
            "{ rest { count } }",
            json!({ "rest": { "id": "1", "count": 1.5 } }),
        ),
    ] {
        let [first, second] = answers(query, &invalid).await;
        assert!(first["errors"].is_array(), "{query} {invalid}: {first}");
        assert_eq!(second.get("errors"), None, "{query} {invalid}: {second}");
    }
}
