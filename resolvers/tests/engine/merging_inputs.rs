//! Requirements and keys that select a field of the client too: each loses its value for its own errors
//! only (GraphQL §6.4.4).

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::executing::{run, throws};

/// A subgraph `b` whose field `ship` requires `dim { size }`.
fn shipping(dim: &Value) -> [(&'static str, &'static str, Value); 2] {
    let a = r#"type Query { p: P } type P @key(fields: "id") { id: ID! dim: D }
        type D { size: Int! weight: Int! unit: String }"#;
    let b = r#"type P @key(fields: "id") { id: ID! dim: D @external ship: String @requires(fields: "dim { size }") }
        type D { size: Int! @external }"#;
    let ship = json!({ "__typename": "P", "id": "1", "ship": { "$echo": "dim" } });
    [
        ("a", a, json!({ "p": { "id": "1", "dim": dim } })),
        ("b", b, json!({ "_entities": [ship] })),
    ]
}

#[tokio::test]
async fn a_requirement_does_not_fail_the_clients_field() {
    let subgraphs = shipping(&json!({ "size": throws("size"), "weight": 2, "unit": "kg" }));

    assert_snapshot!(run(&subgraphs, "{ p { dim { unit } ship } }").await, @r#"
    {"p":{"dim":{"unit":"kg"},"ship":null}}
    p.ship: a: answered with an error: resolver error: no size
    a: query { p { dim { unit } _a0_dim: dim { size } id } } {}
    "#);
    assert_snapshot!(run(&subgraphs, "{ p { dim { weight } ship } }").await, @r#"
    {"p":{"dim":{"weight":2},"ship":null}}
    p.ship: a: answered with an error: resolver error: no size
    a: query { p { dim { weight } _a0_dim: dim { size } id } } {}
    "#);
}

#[tokio::test]
async fn the_clients_field_does_not_fail_a_requirement() {
    let subgraphs = shipping(&json!({ "size": 1, "weight": throws("weight"), "unit": "kg" }));

    assert_snapshot!(run(&subgraphs, "{ p { dim { weight } ship } }").await, @r#"
    {"p":{"dim":null,"ship":"{\"size\":1}"}}
    p.dim.weight: a: answered with an error: resolver error: no weight
    a: query { p { dim { weight } _a0_dim: dim { size } id } } {}
    b: query($r0: [_Any!]!) { _entities(representations: $r0) { ... on P { ship } } } {"r0":[{"__typename":"P","id":"1","dim":{"size":1}}]}
    "#);
    assert_snapshot!(run(&subgraphs, "{ p { dim { weight size } ship } }").await, @r#"
    {"p":{"dim":null,"ship":"{\"size\":1}"}}
    p.dim.weight: a: answered with an error: resolver error: no weight
    a: query { p { dim { weight size } _a0_dim: dim { size } id } } {}
    b: query($r0: [_Any!]!) { _entities(representations: $r0) { ... on P { ship } } } {"r0":[{"__typename":"P","id":"1","dim":{"size":1}}]}
    "#);
}

#[tokio::test]
async fn a_requirement_with_the_clients_non_null_fields_is_one_field() {
    let subgraphs = shipping(&json!({ "size": 1, "weight": 2, "unit": throws("unit") }));

    assert_snapshot!(run(&subgraphs, "{ p { ship dim { size unit } } }").await, @r#"
    {"p":{"dim":{"size":1,"unit":null},"ship":"{\"size\":1}"}}
    p.dim.unit: a: answered with an error: resolver error: no unit
    a: query { p { dim { size unit } id } } {}
    b: query($r0: [_Any!]!) { _entities(representations: $r0) { ... on P { ship } } } {"r0":[{"__typename":"P","id":"1","dim":{"size":1}}]}
    "#);
}

#[tokio::test]
async fn a_key_with_nested_fields_is_separate_from_the_clients_field() {
    let a = r#"type Query { p: P } type P @key(fields: "org { id }") { org: O } type O { id: ID! name: String! unit: Int }"#;
    let b = r#"type P @key(fields: "org { id }") { org: O @external other: Int } type O { id: ID! @external }"#;
    let subgraphs = |name: Value| {
        let org = json!({ "id": "1", "name": name, "unit": 3 });
        [
            ("a", a, json!({ "p": { "org": org } })),
            (
                "b",
                b,
                json!({ "_entities": [{ "__typename": "P", "other": 4 }] }),
            ),
        ]
    };

    let failing = run(&subgraphs(throws("name")), "{ p { org { name } other } }").await;
    let same = run(&subgraphs(json!("N")), "{ p { org { id unit } other } }").await;

    assert_snapshot!(failing, @r#"
    {"p":{"org":null,"other":4}}
    p.org.name: a: answered with an error: resolver error: no name
    a: query { p { org { name } _a0_org: org { id } } } {}
    b: query($r0: [_Any!]!) { _entities(representations: $r0) { ... on P { other } } } {"r0":[{"__typename":"P","org":{"id":"1"}}]}
    "#);
    assert_snapshot!(same, @r#"
    {"p":{"org":{"id":"1","unit":3},"other":4}}
    a: query { p { org { id unit } } } {}
    b: query($r0: [_Any!]!) { _entities(representations: $r0) { ... on P { other } } } {"r0":[{"__typename":"P","org":{"id":"1"}}]}
    "#);
}
