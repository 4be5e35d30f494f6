//! One fetch whose fields need different inputs, of which some fail: entities without an input are
//! fetched without the fields that need it.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::federation::Scripted;
use crate::requires_faults::{entities, fixed, run, run_with};

const ROOT: &str = r#"type Query { p: P ps: [P] }
    type P @key(fields: "id") { id: ID! price: Int rate: Int }"#;
const SHOP: &str = r#"type P @key(fields: "id") { id: ID! plain: String other: O
        price: Int @external rate: Int @external
        d1: String @requires(fields: "rate") d2: String @requires(fields: "price")
        d3: String @requires(fields: "rate price") d4: O @requires(fields: "price")
    } type O @key(fields: "id") { id: ID! }"#;
const OTHER: &str = r#"type O @key(fields: "id") { id: ID! name: String }"#;

/// A list of products with errors at these paths.
fn root(products: &Value, errors: &[Value]) -> Scripted {
    let errors = errors.iter();
    let errors: Vec<Value> = errors
        .map(|path| json!({ "message": "down", "path": path }))
        .collect();
    fixed(json!({ "data": { "ps": products }, "errors": errors }))
}

fn shop() -> Scripted {
    entities(|it| {
        json!({
            "__typename": "P", "plain": format!("plain {}", it["id"].as_str().unwrap()),
            "other": { "id": "o" }, "d4": { "id": "d" },
            "d1": format!("rate {}", it["rate"]), "d2": format!("price {}", it["price"]),
            "d3": format!("rate {} price {}", it["rate"], it["price"]),
        })
    })
}

fn other() -> Scripted {
    entities(
        |it| json!({ "__typename": "O", "name": format!("name {}", it["id"].as_str().unwrap()) }),
    )
}

/// Three products: the second without a price, the third without a rate.
fn partial() -> Scripted {
    root(
        &products(),
        &[json!(["ps", 1, "price"]), json!(["ps", 2, "rate"])],
    )
}

/// Three products: the second without a price.
fn unpriced() -> Scripted {
    root(&products(), &[json!(["ps", 1, "price"])])
}

fn products() -> Value {
    json!([
        { "id": "1", "price": 10, "rate": 1 },
        { "id": "2", "price": null, "rate": 2 },
        { "id": "3", "price": 30, "rate": null },
    ])
}

#[tokio::test]
async fn a_product_without_an_input_is_fetched_without_the_fields_that_need_it() {
    let (q, c) = (unpriced(), shop());
    let subgraphs = [("q", ROOT, &q), ("c", SHOP, &c)];
    let answer = run(&subgraphs, "{ ps { d2 plain } }").await;

    let data = json!({ "ps": [
        { "d2": "price 10", "plain": "plain 1" },
        { "d2": null, "plain": "plain 2" },
        { "d2": "price 30", "plain": "plain 3" },
    ] });
    assert_eq!(answer["data"], data, "{answer:#}");
    assert_eq!(
        answer["errors"],
        json!(["ps.1.d2: q: answered with an error: down"])
    );
    assert_snapshot!(c.requests().join("\n"), @r#"
    query($r0: [_Any!]!) { _entities(representations: $r0) { ... on P { d2 plain } } } {"r0":[{"__typename":"P","id":"1","price":10},{"__typename":"P","id":"3","price":30}]}
    query($r0: [_Any!]!) { _entities(representations: $r0) { ... on P { plain } } } {"r0":[{"__typename":"P","id":"2"}]}
    "#);
}

#[tokio::test]
async fn each_of_several_inputs_costs_its_own_fields() {
    let (q, c) = (partial(), shop());
    let subgraphs = [("q", ROOT, &q), ("c", SHOP, &c)];
    let answer = run(&subgraphs, "{ ps { d1 d2 d3 plain } }").await;

    let data = json!({ "ps": [
        { "d1": "rate 1", "d2": "price 10", "d3": "rate 1 price 10", "plain": "plain 1" },
        { "d1": "rate 2", "d2": null, "d3": null, "plain": "plain 2" },
        { "d1": null, "d2": "price 30", "d3": null, "plain": "plain 3" },
    ] });
    assert_eq!(answer["data"], data, "{answer:#}");
    let error = |at: &str| format!("ps.{at}: q: answered with an error: down");
    let errors = ["1.d2", "1.d3", "2.d1", "2.d3"].map(error);
    assert_eq!(answer["errors"], json!(errors));
    assert_snapshot!(c.requests().join("\n"), @r#"
    query($r0: [_Any!]!) { _entities(representations: $r0) { ... on P { d1 d2 d3 plain } } } {"r0":[{"__typename":"P","id":"1","rate":1,"price":10}]}
    query($r0: [_Any!]!, $r1: [_Any!]!, $r2: [_Any!]!, $r3: [_Any!]!) { _0: _entities(representations: $r0) { ... on P { d1 } } _1: _entities(representations: $r1) { ... on P { d2 } } _2: _entities(representations: $r2) { ... on P { d3 } } _3: _entities(representations: $r3) { ... on P { plain } } } {"r0":[{"__typename":"P","id":"2","rate":2}],"r1":[{"__typename":"P","id":"3","price":30}],"r2":[],"r3":[{"__typename":"P","id":"2"},{"__typename":"P","id":"3"}]}
    "#);
}

#[tokio::test]
async fn one_request_serves_a_plan_that_goes_well() {
    let q = root(&json!([{ "id": "1", "price": 10, "rate": 1 }]), &[]);
    let c = shop();
    let subgraphs = [("q", ROOT, &q), ("c", SHOP, &c)];
    let answer = run(&subgraphs, "{ ps { d1 d2 d3 plain } }").await;

    assert_eq!(answer["ps"][0]["d3"], "rate 1 price 10", "{answer:#}");
    assert_eq!(c.requests().len(), 1, "{:#?}", c.requests());
}

#[tokio::test]
async fn what_is_nested_in_fields_of_a_fallback_is_fetched_after_it() {
    let (q, c, o) = (partial(), shop(), other());
    let subgraphs = [("q", ROOT, &q), ("c", SHOP, &c), ("o", OTHER, &o)];
    let answer = run(&subgraphs, "{ ps { other { name } d4 { name } d1 } }").await;

    let object = |id: &str| json!({ "name": format!("name {id}") });
    let data = json!({ "ps": [
        { "other": object("o"), "d4": object("d"), "d1": "rate 1" },
        { "other": object("o"), "d4": null, "d1": "rate 2" },
        { "other": object("o"), "d4": object("d"), "d1": null },
    ] });
    assert_eq!(answer["data"], data, "{answer:#}");
    assert_eq!(answer["errors"].as_array().unwrap().len(), 2, "{answer:#}");
    assert_eq!(o.requests().len(), 1, "{:#?}", o.requests());
}

#[tokio::test]
async fn a_fallback_whose_fields_are_skipped_is_not_sent() {
    let (q, c) = (unpriced(), shop());
    let subgraphs = [("q", ROOT, &q), ("c", SHOP, &c)];
    let query = "query($s: Boolean!) { ps { d2 plain @skip(if: $s) } }";
    let answer = run_with(&subgraphs, query, json!({ "s": true })).await;

    let data = json!({ "ps": [{ "d2": "price 10" }, { "d2": null }, { "d2": "price 30" }] });
    assert_eq!(answer["data"], data, "{answer:#}");
    assert_eq!(c.requests().len(), 1, "{:#?}", c.requests());

    // A requirement of a field that is skipped is no input.
    let query = "query($s: Boolean!) { ps { plain d2 @skip(if: $s) } }";
    let answer = run_with(&subgraphs, query, json!({ "s": true })).await;
    let data = json!({ "ps": [
        { "plain": "plain 1" }, { "plain": "plain 2" }, { "plain": "plain 3" },
    ] });
    assert_eq!(answer, data, "{answer:#}");
    assert_eq!(c.requests().len(), 2, "{:#?}", c.requests());
}

#[tokio::test]
async fn a_fallback_that_fails_costs_its_own_fields() {
    let q = unpriced();
    let c = Scripted::new(|document, variables| {
        if document.contains("d2") {
            let of = |it: &Value| json!({ "__typename": "P", "plain": "plain", "d2": it["price"].to_string() });
            let list = variables["r0"].as_array().unwrap().iter().map(of);
            return json!({ "data": { "_entities": list.collect::<Value>() } });
        }
        json!({ "errors": [{ "message": "no" }] })
    });
    let subgraphs = [("q", ROOT, &q), ("c", SHOP, &c)];
    let answer = run(&subgraphs, "{ ps { d2 plain } }").await;

    let whole = |price: &str| json!({ "d2": price, "plain": "plain" });
    let data = json!({ "ps": [whole("10"), { "d2": null, "plain": null }, whole("30")] });
    assert_eq!(answer["data"], data, "{answer:#}");
    let errors = [
        "ps.1.d2: q: answered with an error: down",
        "ps.1.plain: c: answered with an error: no",
    ];
    assert_eq!(answer["errors"], json!(errors));
}

const SEARCH: &str = r#"type Query { all: [AB] } union AB = A | B
    type A @key(fields: "id") { id: ID! x: Int } type B @key(fields: "id") { id: ID! y: Int }"#;
const TYPED: &str = r#"
    type A @key(fields: "id") { id: ID! x: Int @external f: String plain: String d: String @requires(fields: "x") }
    type B @key(fields: "id") { id: ID! y: Int @external f: String @requires(fields: "y") plain: String }"#;

#[tokio::test]
async fn inputs_of_each_object_type_fail_by_themselves() {
    let all = json!([
        { "__typename": "A", "id": "1", "x": null }, { "__typename": "A", "id": "2", "x": 2 },
        { "__typename": "B", "id": "3", "y": null }, { "__typename": "B", "id": "4", "y": 4 },
    ]);
    let error =
        |index: usize, field: &str| json!({ "message": "down", "path": ["all", index, field] });
    let q = fixed(json!({ "data": { "all": all }, "errors": [error(0, "x"), error(2, "y")] }));
    let c = entities(|it| {
        let with = |field: &str| format!("{field} {} {}", it["x"], it["y"]);
        json!({ "__typename": it["__typename"], "plain": "plain", "f": with("f"), "d": with("d") })
    });
    let query = "{ all { ... on A { f plain d } ... on B { f plain } } }";
    let answer = run(&[("q", SEARCH, &q), ("c", TYPED, &c)], query).await;

    let data = json!({ "all": [
        { "f": "f null null", "plain": "plain", "d": null },
        { "f": "f 2 null", "plain": "plain", "d": "d 2 null" },
        { "f": null, "plain": "plain" },
        { "f": "f null 4", "plain": "plain" },
    ] });
    assert_eq!(answer["data"], data, "{answer:#}");
    assert_eq!(answer["errors"].as_array().unwrap().len(), 2, "{answer:#}");
}

const MEDIA: &str = r#"type Query { all: [Media] } interface Media @key(fields: "id") { id: ID! title: String }
    type Book implements Media @key(fields: "id") { id: ID! title: String }
    type Song implements Media @key(fields: "id") { id: ID! title: String }"#;
const SCORES: &str = r#"type Media @key(fields: "id") @interfaceObject {
    id: ID! title: String @external score: String @requires(fields: "title") plain: String }"#;

#[tokio::test]
async fn inputs_of_an_interface_object_fail_for_single_objects() {
    let all = json!([
        { "__typename": "Book", "id": "1", "title": "one" },
        { "__typename": "Song", "id": "2", "title": null },
    ]);
    let error = json!({ "message": "down", "path": ["all", 1, "title"] });
    let q = fixed(json!({ "data": { "all": all }, "errors": [error] }));
    let c = entities(
        |it| json!({ "__typename": "Media", "plain": "plain", "score": format!("score {}", it["title"]) }),
    );
    let answer = run(
        &[("q", MEDIA, &q), ("c", SCORES, &c)],
        "{ all { score plain } }",
    )
    .await;

    let data = json!({ "all": [
        { "score": "score \"one\"", "plain": "plain" },
        { "score": null, "plain": "plain" },
    ] });
    assert_eq!(answer["data"], data, "{answer:#}");
    assert_eq!(
        answer["errors"],
        json!(["all.1.score: q: answered with an error: down"])
    );
}
