//! `@skip` and `@include`: what a field that is left out must not cost.

use serde_json::{Value, json};

use crate::federation::{Scripted, engine};
use crate::support::execute;

const LINK: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@shareable", "@interfaceObject"])
"#;

/// A subgraph whose root fields and entities have these values; an entity is found by its id.
fn subgraph(root: Value, entity: impl Fn(&Value) -> Value + Send + Sync + 'static) -> Scripted {
    Scripted::new(move |_, variables| {
        let Some(representations) = variables.get("r0").and_then(Value::as_array) else {
            return json!({ "data": root });
        };
        let entities: Vec<Value> = representations.iter().map(&entity).collect();
        json!({ "data": { "_entities": entities } })
    })
}

/// A subgraph all of whose calls fail.
fn broken() -> Scripted {
    Scripted::new(|_, _| json!({ "data": null, "errors": [{ "message": "down" }] }))
}

/// The response, and the requests to each service.
async fn run(
    subgraphs: &[(&str, &str, &Scripted)],
    query: &str,
    variables: Value,
) -> (Value, Vec<usize>) {
    let sdls: Vec<(&str, String)> = subgraphs
        .iter()
        .map(|(name, sdl, _)| (*name, format!("{LINK}{sdl}")))
        .collect();
    let sdls: Vec<(&str, &str)> = sdls
        .iter()
        .map(|(name, sdl)| (*name, sdl.as_str()))
        .collect();
    let services: Vec<(&str, &Scripted)> = subgraphs
        .iter()
        .map(|(name, _, service)| (*name, *service))
        .collect();
    let engine = engine(&sdls, &services);
    let answer = execute(&engine, query, variables).await;
    let requests = services.iter().map(|(_, it)| it.requests().len());
    (answer, requests.collect())
}

const AB: &str = r#"type Query { ab: [AB] } union AB = A | B
    type A @key(fields: "id") { id: ID! } type B @key(fields: "id") { id: ID! }"#;
const X: &str =
    r#"type A @key(fields: "id") { id: ID! x: Int } type B @key(fields: "id") { id: ID! x: Int }"#;

fn ab() -> Scripted {
    let list = json!([{ "__typename": "A", "id": "1" }, { "__typename": "B", "id": "2" }]);
    subgraph(json!({ "ab": list }), Value::clone)
}

fn x() -> Scripted {
    subgraph(
        Value::Null,
        |it| json!({ "__typename": it["__typename"], "x": 7 }),
    )
}

#[tokio::test]
async fn a_field_skipped_on_one_type_is_not_fetched_for_it() {
    let query = "query($s: Boolean!) { ab { ... on A { x } ... on B { id x @skip(if: $s) } } }";
    let (u, t) = (ab(), x());

    let subgraphs = [("u", AB, &u), ("t", X, &t)];
    let (answer, _) = run(&subgraphs, query, json!({ "s": true })).await;

    assert_eq!(answer, json!({ "ab": [{ "x": 7 }, { "id": "2" }] }));
    let requests = t.requests();
    assert_eq!(requests.len(), 1, "{requests:#?}");
    assert!(
        !requests[0].contains(r#""__typename":"B""#),
        "{requests:#?}"
    );

    let (answer, _) = run(&subgraphs, query, json!({ "s": false })).await;
    assert_eq!(answer, json!({ "ab": [{ "x": 7 }, { "id": "2", "x": 7 }] }));
    assert!(t.requests()[1].contains(r#""__typename":"B""#));
}

#[tokio::test]
async fn a_request_without_an_included_field_is_not_sent() {
    for query in [
        "query($s: Boolean!) { ab { ... on A { x @include(if: $s) } ... on B { id x @include(if: $s) } } }",
        "query($s: Boolean!) { ab { ... on A @include(if: $s) { x } ... on B { id } } }",
        "query($s: Boolean!) { ab { ... on B { id ... @include(if: $s) { x } } } }",
    ] {
        let (u, t) = (ab(), x());

        let subgraphs = [("u", AB, &u), ("t", X, &t)];
        let (answer, requests) = run(&subgraphs, query, json!({ "s": false })).await;

        assert!(answer.get("errors").is_none(), "{answer}");
        assert_eq!(requests, [1, 0], "{query}");
    }
}

#[tokio::test]
async fn an_operation_without_an_included_field_has_no_request() {
    let (u, t) = (ab(), x());
    let query = "query($s: Boolean!) { ab @include(if: $s) { ... on A { x } } }";

    let subgraphs = [("u", AB, &u), ("t", X, &t)];
    let (answer, requests) = run(&subgraphs, query, json!({ "s": false })).await;

    assert_eq!(answer, json!({}));
    assert_eq!(requests, [0, 0]);
}

#[tokio::test]
async fn a_key_of_a_skipped_field_is_still_fetched_for_other_types() {
    let query = "query($s: Boolean!) { ab { ... on A { id @skip(if: $s) x } ... on B { x @skip(if: $s) } } }";
    let (u, t) = (ab(), x());

    let subgraphs = [("u", AB, &u), ("t", X, &t)];
    let (answer, _) = run(&subgraphs, query, json!({ "s": true })).await;

    assert_eq!(answer, json!({ "ab": [{ "x": 7 }, {}] }));
    assert!(!t.requests()[0].contains(r#""__typename":"B""#));
}

const PRODUCT: &str = r#"type Query { product: Product }
    type Product @key(fields: "id") { id: ID! disc: Boolean dims: Dims } type Dims { w: Int @shareable }"#;
const PRICE: &str = r#"type Product @key(fields: "id") { id: ID! price: Int }"#;
const DERIVED: &str = r#"type Product @key(fields: "id") {
        id: ID! disc: Boolean @external price: Int @external dims: Dims @external
        d1: String @requires(fields: "disc") d2: String @requires(fields: "price")
        d3: String @requires(fields: "dims { w }") d4: String @requires(fields: "price disc")
    }
    type Dims { w: Int @external }"#;

fn product() -> Scripted {
    let product = json!({ "id": "1", "disc": true, "dims": { "w": 3 } });
    subgraph(json!({ "product": product }), Value::clone)
}

fn derived() -> Scripted {
    subgraph(Value::Null, |it| {
        let has = |name: &str| it.get(name).is_some_and(|it| !it.is_null());
        let ok = |has: bool| if has { json!("ok") } else { Value::Null };
        json!({
            "__typename": "Product",
            "d1": ok(has("disc")), "d2": ok(has("price")), "d3": ok(has("dims")),
            "d4": ok(has("disc") && has("price")),
        })
    })
}

#[tokio::test]
async fn the_requirement_of_a_skipped_field_is_not_fetched() {
    for (query, data) in [
        ("{ product { d1 d2 @skip(if: $s) } }", json!({ "d1": "ok" })),
        ("{ product { d2 @skip(if: $s) d1 } }", json!({ "d1": "ok" })),
        (
            "{ product { d1 d3 d4 @skip(if: $s) d2 @skip(if: $s) } }",
            json!({ "d1": "ok", "d3": "ok" }),
        ),
        (
            "{ product { d3 ... @skip(if: $s) { d2 d4 } } }",
            json!({ "d3": "ok" }),
        ),
    ] {
        let (q, price, c) = (product(), broken(), derived());
        let query = format!("query($s: Boolean!) {query}");

        let subgraphs = [
            ("q", PRODUCT, &q),
            ("price", PRICE, &price),
            ("c", DERIVED, &c),
        ];
        let (answer, requests) = run(&subgraphs, &query, json!({ "s": true })).await;

        assert_eq!(answer, json!({ "product": data }), "{query}");
        assert_eq!(requests, [1, 0, 1], "{query}");
    }
}

#[tokio::test]
async fn a_failed_value_costs_nothing_where_only_a_skipped_field_requires_it() {
    let (q, price, c) = (product(), broken(), derived());
    let query = "query($s: Boolean!) { product { price d1 d2 @skip(if: $s) } }";

    let subgraphs = [
        ("q", PRODUCT, &q),
        ("price", PRICE, &price),
        ("c", DERIVED, &c),
    ];
    let (answer, _) = run(&subgraphs, query, json!({ "s": true })).await;

    assert_eq!(
        answer["data"],
        json!({ "product": { "price": null, "d1": "ok" } })
    );
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1, "{answer}");
}

#[tokio::test]
async fn the_requirement_of_an_included_field_is_sent() {
    let (q, c) = (product(), derived());
    let price = subgraph(
        Value::Null,
        |_| json!({ "__typename": "Product", "price": 5 }),
    );
    let query = "query($s: Boolean!) { product { d1 @skip(if: $s) d2 d4 @skip(if: $s) } }";

    let subgraphs = [
        ("q", PRODUCT, &q),
        ("price", PRICE, &price),
        ("c", DERIVED, &c),
    ];
    let (answer, _) = run(&subgraphs, query, json!({ "s": false })).await;
    assert_eq!(
        answer,
        json!({ "product": { "d1": "ok", "d2": "ok", "d4": "ok" } })
    );

    let (answer, _) = run(&subgraphs, query, json!({ "s": true })).await;
    assert_eq!(answer, json!({ "product": { "d2": "ok" } }));
}
