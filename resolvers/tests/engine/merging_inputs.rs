//! Requirements and keys that select a field of the client too, and entities that a subgraph knows by
//! their interface only: each loses its value for its own errors only (GraphQL §6.4.4).

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

#[tokio::test]
async fn fields_of_an_interface_object_are_separate_too() {
    let a = r#"type Query { n: N } interface N @key(fields: "id") { id: ID! }
        type A implements N @key(fields: "id") { id: ID! a: Int }
        type B implements N @key(fields: "id") { id: ID! }"#;
    let b = r#"type N @key(fields: "id") @interfaceObject { id: ID! rel: U } type U { id: ID! name: String! }"#;
    let rel = json!({ "id": "5", "name": throws("name") });
    let subgraphs = [
        (
            "a",
            a,
            json!({ "n": { "__typename": "A", "id": "1", "a": 7 } }),
        ),
        (
            "b",
            b,
            json!({ "_entities": [{ "__typename": "N", "id": "1", "rel": rel }] }),
        ),
    ];

    assert_snapshot!(run(&subgraphs, "{ n { x: rel { id } y: rel { id name } } }").await, @r#"
    {"n":{"x":{"id":"5"},"y":null}}
    n.y.name: b: answered with an error: resolver error: no name
    a: query { n { __typename id } } {}
    b: query($r0: [_Any!]!) { _entities(representations: $r0) { ... on N { rel { id } _a0_rel: rel { id name } } } } {"r0":[{"__typename":"N","id":"1"}]}
    "#);
    let query = "{ n { ... on A { a rel { id } } ... on B { rel { id name } } } }";
    assert_snapshot!(run(&subgraphs, query).await, @r#"
    {"n":{"a":7,"rel":{"id":"5"}}}
    a: query { n { __typename id ... on A { a } } } {}
    b: query($r0: [_Any!]!, $r1: [_Any!]!) { _0: _entities(representations: $r0) { ... on N { rel { id } } } _1: _entities(representations: $r1) { ... on N { rel { id name } } } } {"r0":[{"__typename":"N","id":"1"}],"r1":[]}
    "#);
}

#[tokio::test]
async fn types_of_an_interface_object_are_requested_with_their_own_fields() {
    let a = r#"type Query { n: N ns: [N] } interface N @key(fields: "id") { id: ID! }
        type A implements N @key(fields: "id") { id: ID! }
        type B implements N @key(fields: "id") { id: ID! }"#;
    let b = r#"type N @key(fields: "id") @interfaceObject { id: ID! x: Int y: Int! o: O } type O { z: Int }"#;
    let ns = json!([{ "__typename": "A", "id": "1" }, { "__typename": "B", "id": "2" }]);
    let entity = |id: &str| json!({ "__typename": "N", "id": id, "x": 1, "y": throws("y"), "o": { "z": 2 } });
    let subgraphs = [
        ("a", a, json!({ "n": ns[0], "ns": ns })),
        ("b", b, json!({ "_entities": [entity("1"), entity("2")] })),
    ];

    let query = "{ n { ... on A { x } ... on B { y } } }";
    assert_snapshot!(run(&subgraphs, query).await, @r#"
    {"n":{"x":1}}
    a: query { n { __typename id } } {}
    b: query($r0: [_Any!]!, $r1: [_Any!]!) { _0: _entities(representations: $r0) { ... on N { x } } _1: _entities(representations: $r1) { ... on N { y } } } {"r0":[{"__typename":"N","id":"1"}],"r1":[]}
    "#);
    let query = "{ ns { id o { z } ... on A { x } ... on B { y x } } }";
    assert_snapshot!(run(&subgraphs, query).await, @r#"
    {"ns":[{"id":"1","o":{"z":2},"x":1},null]}
    ns.1.y: b: answered with an error: resolver error: no y
    a: query { ns { __typename id } } {}
    b: query($r0: [_Any!]!, $r1: [_Any!]!) { _0: _entities(representations: $r0) { ... on N { o { z } x } } _1: _entities(representations: $r1) { ... on N { o { z } x y } } } {"r0":[{"__typename":"N","id":"1"}],"r1":[{"__typename":"N","id":"2"}]}
    "#);
    let query = "{ ns { id ... on A { x } ... on B { o { z } } } }";
    assert_snapshot!(run(&subgraphs, query).await, @r#"
    {"ns":[{"id":"1","x":1},{"id":"2","o":{"z":2}}]}
    a: query { ns { __typename id } } {}
    b: query($r0: [_Any!]!) { _entities(representations: $r0) { ... on N { x o { z } } } } {"r0":[{"__typename":"N","id":"1"},{"__typename":"N","id":"2"}]}
    "#);
}
