//! Inputs of `@requires` that fail: each entity gets the fields whose inputs it has, and only the
//! fields that need a failed input are null.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::federation::Scripted;
use crate::federation::engine;
use crate::support::execute;

pub(crate) const LINK: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@shareable", "@interfaceObject"])
"#;

const ROOT: &str = r#"type Query { p: P ps: [P] } type P @key(fields: "id") { id: ID! }"#;
const PRICE: &str = r#"type P @key(fields: "id") { id: ID! price: Int must: Int! box: Box in(currency: String!): Int }
    type Box { size: Int! sides: [Int!] }"#;
const SHOP: &str = r#"type P @key(fields: "id") { id: ID! plain: String!
        price: Int @external must: Int! @external box: Box @external in(currency: String!): Int @external
        d1: String @requires(fields: "must") d2: String @requires(fields: "price")
        d3: Dim @requires(fields: "box { size sides }") d4: String @requires(fields: "in(currency: \"USD\")")
    } type Box { size: Int! @external sides: [Int!] @external } type Dim { w: Int h: Int }"#;

/// Responds to `_entities` fields, aliased or not, with an object for each representation.
pub(crate) fn entities(entity: impl Fn(&Value) -> Value + Send + Sync + 'static) -> Scripted {
    Scripted::new(move |document, variables| {
        let is_aliased = document.contains("_0: _entities");
        let parts = (0..).map_while(|part| {
            let representations = variables.get(format!("r{part}"))?.as_array()?;
            let entities: Vec<Value> = representations.iter().map(&entity).collect();
            let key = if is_aliased {
                format!("_{part}")
            } else {
                "_entities".to_owned()
            };
            Some((key, Value::from(entities)))
        });
        json!({ "data": parts.collect::<serde_json::Map<_, _>>() })
    })
}

/// A subgraph with this response to everything.
pub(crate) fn fixed(response: Value) -> Scripted {
    Scripted::new(move |_, _| response.clone())
}

/// The shop: each field tells the input that it was computed with.
fn shop() -> Scripted {
    entities(|it| {
        json!({
            "__typename": "P", "plain": "plain", "d1": format!("must {}", it["must"]),
            "d2": format!("price {}", it["price"]), "d3": { "w": 1, "h": 2 },
            "d4": format!("in {}", it["in"]),
        })
    })
}

pub(crate) fn root() -> Scripted {
    let p = |id: &str| json!({ "__typename": "P", "id": id });
    fixed(json!({ "data": { "p": p("1"), "ps": [p("1"), p("2"), p("3")] } }))
}

pub(crate) async fn run(subgraphs: &[(&str, &str, &Scripted)], query: &str) -> Value {
    run_with(subgraphs, query, json!({})).await
}

pub(crate) async fn run_with(
    subgraphs: &[(&str, &str, &Scripted)],
    query: &str,
    variables: Value,
) -> Value {
    let sdls = subgraphs.iter();
    let sdls: Vec<(&str, String)> = sdls
        .map(|(name, sdl, _)| (*name, format!("{LINK}{sdl}")))
        .collect();
    let sdls: Vec<(&str, &str)> = sdls.iter().map(|(name, sdl)| (*name, &**sdl)).collect();
    let services = subgraphs.iter();
    let services: Vec<(&str, &Scripted)> = services.map(|(name, _, it)| (*name, *it)).collect();
    execute(&engine(&sdls, &services), query, variables).await
}

/// The response of the price subgraph to its only entity, or to all.
async fn run_shop(query: &str, price: Value) -> (Value, Vec<String>) {
    let (root, price, shop) = (root(), fixed(price), shop());
    let subgraphs = [
        ("q", ROOT, &root),
        ("price", PRICE, &price),
        ("c", SHOP, &shop),
    ];
    let answer = run(&subgraphs, query).await;
    (answer, shop.requests())
}

fn entity(value: &Value) -> Value {
    json!({ "data": { "_entities": [value] } })
}

fn entity_error(path: &Value, value: &Value) -> Value {
    let mut steps = vec![json!("_entities"), json!(0)];
    steps.extend(path.as_array().unwrap().iter().cloned());
    let error = json!({ "message": "down", "path": steps });
    json!({ "data": { "_entities": [value] }, "errors": [error] })
}

#[tokio::test]
async fn a_failed_input_costs_the_fields_that_need_it_and_no_others() {
    let failures = [
        json!({ "data": null, "errors": [{ "message": "down" }] }),
        json!({ "unexpected": true }),
        json!({ "data": { "_entities": [] } }),
        json!({ "data": { "_entities": [7] } }),
        entity_error(
            &json!(["price"]),
            &json!({ "__typename": "P", "price": null }),
        ),
        entity_error(&json!([]), &Value::Null),
        entity(&json!({ "__typename": "P", "price": "many" })),
        entity(&json!({ "__typename": "P", "price": [1] })),
        entity(&json!({ "__typename": "P", "price": { "of": 1 } })),
    ];
    for failure in failures {
        let (answer, requests) = run_shop("{ p { id d2 plain } }", failure.clone()).await;

        let data = json!({ "p": { "id": "1", "d2": null, "plain": "plain" } });
        assert_eq!(answer["data"], data, "{failure:#} {answer:#}");
        let errors = answer["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{failure:#} {answer:#}");
        assert!(
            errors[0].as_str().unwrap().starts_with("p.d2: "),
            "{answer:#}"
        );
        assert_eq!(requests.len(), 1, "{failure:#} {requests:#?}");
        assert!(!requests[0].contains("d2"), "{requests:#?}");
    }
}

#[tokio::test]
async fn a_null_input_is_sent_where_its_type_allows_it() {
    let values = [json!({ "__typename": "P", "price": null }), Value::Null];
    for value in values {
        let (answer, _) = run_shop("{ p { d2 plain } }", entity(&value)).await;

        assert_eq!(
            answer,
            json!({ "p": { "d2": "price null", "plain": "plain" } })
        );
    }
}

#[tokio::test]
async fn a_null_input_is_not_sent_where_its_type_does_not_allow_it() {
    let values = [
        json!({ "__typename": "P", "must": null }),
        json!({ "__typename": "P" }),
        Value::Null,
    ];
    for value in values {
        let (answer, requests) = run_shop("{ p { d1 plain } }", entity(&value)).await;

        assert_eq!(
            answer["data"],
            json!({ "p": { "d1": null, "plain": "plain" } })
        );
        assert_eq!(answer["errors"], json!(["p.d1: P.must is null"]));
        assert_eq!(requests.len(), 1, "{requests:#?}");
    }
    let value = entity(&json!({ "__typename": "P", "must": null }));
    for query in ["{ p { d1 must } }", "{ p { must d1 } }"] {
        let (answer, _) = run_shop(query, value.clone()).await;
        assert_eq!(answer["data"], json!({ "p": null }));
        assert_eq!(answer["errors"], json!(["p.must: P.must is null"]));
    }
}

#[tokio::test]
async fn nested_inputs_fail_whole() {
    let boxes = [
        json!({ "size": null, "sides": [] }),
        json!({ "sides": [] }),
        json!({ "size": 1, "sides": [1, null] }),
        json!({ "size": 1, "sides": 5 }),
        json!([{ "size": 1, "sides": [] }]),
        json!("big"),
    ];
    for value in boxes {
        let value = entity(&json!({ "__typename": "P", "box": value }));
        let (answer, requests) = run_shop("{ p { d3 { w } plain } }", value).await;

        assert_eq!(
            answer["data"],
            json!({ "p": { "d3": null, "plain": "plain" } }),
            "{answer:#}"
        );
        let errors = answer["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{answer:#}");
        assert!(
            errors[0].as_str().unwrap().starts_with("p.d3: "),
            "{answer:#}"
        );
        assert_eq!(requests.len(), 1, "{requests:#?}");
    }
    let none = entity(&json!({ "__typename": "P", "box": null }));
    let (answer, _) = run_shop("{ p { d3 { w } plain } }", none).await;
    assert_eq!(
        answer,
        json!({ "p": { "d3": { "w": 1 }, "plain": "plain" } })
    );
}

#[tokio::test]
async fn an_error_inside_of_an_input_has_the_path_of_the_field_that_needs_it() {
    let error = entity_error(
        &json!(["box", "size"]),
        &json!({ "__typename": "P", "box": null }),
    );
    let (answer, _) = run_shop("{ p { d3 { h w } plain } }", error).await;

    assert_eq!(
        answer["data"],
        json!({ "p": { "d3": null, "plain": "plain" } })
    );
    assert_eq!(
        answer["errors"],
        json!(["p.d3: price: answered with an error: down"])
    );
}

#[tokio::test]
async fn inputs_with_arguments_fail_like_others() {
    let error = entity_error(&json!(["in"]), &json!({ "__typename": "P", "in": null }));
    let (answer, _) = run_shop("{ p { d4 plain } }", error).await;

    assert_eq!(
        answer["data"],
        json!({ "p": { "d4": null, "plain": "plain" } })
    );
    assert_eq!(
        answer["errors"],
        json!(["p.d4: price: answered with an error: down"])
    );
}

#[tokio::test]
async fn an_input_of_an_input_that_fails_has_one_error() {
    const MORE: &str = r#"type P @key(fields: "id") { id: ID! d2: String @external own: Int d5: String @requires(fields: "d2") }"#;
    let more =
        entities(|it| json!({ "__typename": "P", "own": 5, "d5": format!("d2 {}", it["d2"]) }));
    let (root, price, shop) = (
        root(),
        fixed(json!({ "errors": [{ "message": "down" }] })),
        shop(),
    );
    let subgraphs = [
        ("q", ROOT, &root),
        ("price", PRICE, &price),
        ("c", SHOP, &shop),
        ("e", MORE, &more),
    ];

    let answer = run(&subgraphs, "{ p { d5 own plain } }").await;

    assert_eq!(
        answer["data"],
        json!({ "p": { "d5": null, "own": 5, "plain": "plain" } })
    );
    assert_eq!(
        answer["errors"],
        json!(["p.d5: price: answered with an error: down"])
    );
    assert_eq!((shop.requests().len(), more.requests().len()), (1, 1));
}

#[tokio::test]
async fn nothing_is_requested_for_a_failed_input_alone() {
    let down = json!({ "errors": [{ "message": "down" }] });
    let (answer, requests) = run_shop("{ ps { d2 } }", down).await;

    assert_eq!(
        answer["data"]["ps"],
        json!([{ "d2": null }, { "d2": null }, { "d2": null }])
    );
    assert_eq!(answer["errors"].as_array().unwrap().len(), 3);
    assert_eq!(requests, Vec::<String>::new());
}

#[tokio::test]
async fn each_entity_of_a_list_gets_the_fields_whose_inputs_it_has() {
    let values =
        json!([{ "__typename": "P", "price": 1 }, null, { "__typename": "P", "price": 3 }]);
    let error = json!({ "message": "down", "path": ["_entities", 1, "price"] });
    let price = json!({ "data": { "_entities": values }, "errors": [error] });
    let (answer, requests) = run_shop("{ ps { d2 plain } }", price).await;

    let rest = |d2: Value| json!({ "d2": d2, "plain": "plain" });
    let list = json!([
        rest("price 1".into()),
        rest(Value::Null),
        rest("price 3".into())
    ]);
    assert_eq!(answer["data"]["ps"], list, "{answer:#}");
    assert_eq!(
        answer["errors"],
        json!(["ps.1.d2: price: answered with an error: down"])
    );
    assert_snapshot!(requests.join("\n"), @r#"
    query($r0: [_Any!]!) { _entities(representations: $r0) { ... on P { plain } } } {"r0":[{"__typename":"P","id":"1"},{"__typename":"P","id":"2"},{"__typename":"P","id":"3"}]}
    query($r0: [_Any!]!) { _entities(representations: $r0) { ... on P { d2 } } } {"r0":[{"__typename":"P","id":"1","price":1},{"__typename":"P","id":"3","price":3}]}
    "#);
}
