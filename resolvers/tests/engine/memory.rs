//! Bounds on what one operation writes and holds.

use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{MethodRouter, get};
use resolvers::settings::Settings;
use resolvers::{Engine, Outcome};
use serde_json::{Value, json};

use crate::federation::{self, Scripted};
use crate::support::{execute, graph, request, serve, settings_at};

const SDL: &str = r#"
    extend schema
      @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
      @source(name: "api", http: { baseURL: "http://127.0.0.1:1" })
    type Query {
      items: [Item] @connect(source: "api", http: { GET: "/items" }, selection: "id name")
      words: [String] @connect(source: "api", http: { GET: "/words" }, selection: "$")
      empty: [Wide] @connect(source: "api", http: { GET: "/empty" }, selection: "a b c d e f g h i j")
      slow: [String] @connect(source: "api", http: { GET: "/slow" }, selection: "$")
    }
    type Item { id: ID name: String }
    type Wide { a: Int b: Int c: Int d: Int e: Int f: Int g: Int h: Int i: Int j: Int }
"#;

/// An engine over a service with lists: 100 items, 1,000 words, 500 empty objects, and, after
/// 300 ms, a word of 20 kB.
async fn engine(change: impl FnOnce(&mut Settings)) -> Engine {
    let items = (0..100).map(|id| json!({ "id": id, "name": "x".repeat(100) }));
    let app = Router::new()
        .route("/items", list(Duration::ZERO, items.collect()))
        .route("/words", list(Duration::ZERO, vec![json!("word"); 1_000]))
        .route("/empty", list(Duration::ZERO, vec![json!({}); 500]))
        .route(
            "/slow",
            list(Duration::from_millis(300), vec![json!("x".repeat(20_000))]),
        );
    let url = serve(app).await;
    let mut settings = settings_at(&url);
    change(&mut settings);
    Engine::new(graph(&[("g", SDL)]), settings).unwrap()
}

/// A route that returns a list after a delay.
fn list(delay: Duration, items: Vec<Value>) -> MethodRouter {
    let text = Value::Array(items).to_string();
    get(async move || {
        tokio::time::sleep(delay).await;
        ([(CONTENT_TYPE, "application/json")], text.clone())
    })
}

/// `count` aliases of a field.
fn aliases(count: usize, field: &str) -> String {
    let fields = (0..count).map(|number| format!("a{number}:{field} "));
    fields.collect()
}

#[tokio::test]
async fn a_response_over_its_maximum_is_null() {
    let engine = engine(|settings| settings.limits.response_size = 20_000).await;
    let too_large = json!({ "data": null, "errors": [": more than 20000 bytes"] });

    for query in [
        // A list of objects, of leaves, of objects without a leaf, and one large leaf after all.
        format!("{{ items {{ {} }} }}", aliases(100, "name")),
        format!("{{ {} }}", aliases(100, "words")),
        format!("{{ {} }}", aliases(100, "items { __typename }")),
        format!("{{ items {{ {} }} }}", aliases(100, "id")),
    ] {
        let mut out = Vec::new();
        let answer = execute(&engine, &query, json!({})).await;
        let outcome = engine.execute(request(&query), &mut out).await;

        assert_eq!(answer, too_large, "{query}");
        assert!(matches!(outcome, Outcome::Executed { .. }), "{outcome:?}");
        assert!(out.capacity() < 1_000, "{}", out.capacity());
    }
    let answer = execute(&engine, "{ items { name } }", json!({})).await;
    assert_eq!(answer["items"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn an_operation_that_holds_too_much_fails_the_fields_that_it_has_no_room_for() {
    // The words take 7 kB of text and 24 kB of nodes, their list 16 kB.
    let engine = engine(|settings| settings.limits.operation_memory = 60_000).await;

    let answer = execute(&engine, "{ words }", json!({})).await;
    assert_eq!(answer["words"].as_array().unwrap().len(), 1_000);

    // The body has room, its objects have not.
    let answer = execute(&engine, "{ empty { a b c d e f g h i j } }", json!({})).await;
    assert_eq!(
        answer,
        json!({
            "data": { "empty": null },
            "errors": ["empty: g:Query.empty[0]: the operation holds more than 60000 bytes"]
        })
    );
}

#[tokio::test]
async fn an_operation_that_holds_too_much_costs_others_nothing() {
    let engine = engine(|settings| settings.limits.operation_memory = 60_000).await;

    let first = execute(&engine, "{ words slow }", json!({}));
    let second = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        execute(&engine, "{ slow }", json!({})).await
    };
    let (first, second) = tokio::join!(first, second);

    let held = "slow: g:Query.slow[0]: the operation holds more than 60000 bytes";
    assert_eq!(first["data"]["words"].as_array().unwrap().len(), 1_000);
    assert_eq!(first["data"]["slow"], Value::Null);
    assert_eq!(first["errors"], json!([held]));
    assert_eq!(second["slow"][0].as_str().map(str::len), Some(20_000));
}

/// Each of 50 items is of the one shop, which has all of them: each level of a query multiplies the
/// paths by 50.
#[tokio::test]
async fn objects_that_many_paths_lead_to_are_read_once() {
    const FEDERATION: &str =
        r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])"#;
    let items = || -> Vec<Value> { (0..50).map(|id| json!({ "id": id.to_string() })).collect() };
    let shop = |item: &Value| json!({ "id": item["id"], "shop": { "id": "1" } });
    let shops = Scripted::new(move |_, variables| match variables["r0"].as_array() {
        Some(asked) => {
            json!({ "data": { "_entities": asked.iter().map(shop).collect::<Value>() } })
        }
        None => json!({ "data": { "items": items().iter().map(shop).collect::<Value>() } }),
    });
    let stocks = Scripted::new(move |_, variables| {
        let asked = variables["r0"].as_array().map_or(0, Vec::len);
        json!({ "data": { "_entities": vec![json!({ "items": items() }); asked] } })
    });
    let shops_sdl = format!(
        "{FEDERATION} type Query {{ items: [Item] }} \
         type Item @key(fields: \"id\") {{ id: ID! shop: Shop }} \
         type Shop @key(fields: \"id\") {{ id: ID! }}"
    );
    let stocks_sdl = format!(
        "{FEDERATION} type Shop @key(fields: \"id\") {{ id: ID! items: [Item] }} \
         type Item @key(fields: \"id\") {{ id: ID! }}"
    );
    let engine = federation::engine(
        &[
            ("shops", shops_sdl.as_str()),
            ("stocks", stocks_sdl.as_str()),
        ],
        &[("shops", &shops), ("stocks", &stocks)],
    );
    let nested = (0..7).fold("id".to_owned(), |inner, _| {
        format!("shop {{ items {{ {inner} }} }}")
    });

    let answer = execute(&engine, &format!("{{ items {{ {nested} }} }}"), json!({})).await;

    let too_large = json!({ "data": null, "errors": [": more than 16777216 bytes"] });
    assert_eq!(answer, too_large);
    assert_eq!(stocks.requests().len(), 7);
}
