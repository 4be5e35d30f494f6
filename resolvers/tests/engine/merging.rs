//! Equal fields with other selection sets: they are one field of a request only if a failing field
//! then makes the same values null as without merging (GraphQL §6.4.4).

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;
use resolvers::cache::{Clock, Moment};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::caching_service::{caching, memory};
use crate::canned;
use crate::executing::{Executing, run, run_with, throws};
use crate::federation::Scripted;
use crate::support::execute;

const USER: &str =
    r#"type Query { me: U } type U @key(fields: "id") { id: ID! name: String! nick: String }"#;

#[tokio::test]
async fn a_non_null_field_fails_only_the_alias_that_selects_it() {
    let data = json!({ "me": { "id": "1", "name": throws("name") } });

    let answer = run(&[("a", USER, data)], "{ x: me { id } y: me { id name } }").await;

    assert_snapshot!(answer, @r#"
    {"x":{"id":"1"},"y":null}
    y.name: a: answered with an error: resolver error: no name
    a: query { me { id } _a0_me: me { id name } } {}
    "#);
}

#[tokio::test]
async fn fields_that_lose_their_values_in_the_same_cases_are_one_field() {
    let data = || json!({ "me": { "id": "1", "name": "N", "nick": throws("nick") } });
    let subgraphs = [("a", USER, data())];

    let nullable = run(&subgraphs, "{ x: me { id } y: me { nick id } }").await;
    let equal = run(
        &subgraphs,
        "{ x: me { id name } y: me { n: name i: id } z: me { name id } }",
    );

    assert_snapshot!(nullable, @r#"
    {"x":{"id":"1"},"y":{"id":"1","nick":null}}
    y.nick: a: answered with an error: resolver error: no nick
    a: query { me { id nick } } {}
    "#);
    assert_snapshot!(equal.await, @r#"
    {"x":{"id":"1","name":"N"},"y":{"i":"1","n":"N"},"z":{"id":"1","name":"N"}}
    a: query { me { id name } } {}
    "#);
}

#[tokio::test]
async fn a_field_of_another_subgraph_does_not_separate_aliases() {
    let a = r#"type Query { me: U } type U @key(fields: "id") { id: ID! nick: String }"#;
    let b = r#"type U @key(fields: "id") { id: ID! name: String! }"#;
    let subgraphs = [
        ("a", a, json!({ "me": { "id": "1", "nick": "n" } })),
        (
            "b",
            b,
            json!({ "_entities": [{ "__typename": "U", "id": "1", "name": throws("name") }] }),
        ),
    ];

    assert_snapshot!(run(&subgraphs, "{ x: me { id } y: me { id name } }").await, @r#"
    {"x":{"id":"1"},"y":null}
    y.name: b: answered with an error: resolver error: no name
    a: query { me { id } } {}
    b: query($r0: [_Any!]!) { _entities(representations: $r0) { ... on U { name } } } {"r0":[{"__typename":"U","id":"1"}]}
    "#);
    assert_snapshot!(run(&subgraphs, "{ x: me { nick } y: me { nick name } }").await, @r#"
    {"x":{"nick":"n"},"y":null}
    y.name: b: answered with an error: resolver error: no name
    a: query { me { nick id } } {}
    b: query($r0: [_Any!]!) { _entities(representations: $r0) { ... on U { name } } } {"r0":[{"__typename":"U","id":"1"}]}
    "#);
}

#[tokio::test]
async fn fields_of_different_types_are_selected_for_their_own_type() {
    let sdl =
        "type Query { n: N } interface N { id: ID! o: O } type A implements N { id: ID! o: O }
        type B implements N { id: ID! o: O } type O { x: Int y: Int! }";
    let o = json!({ "x": 1, "y": throws("y") });
    let subgraphs = [(
        "a",
        sdl,
        json!({ "n": { "__typename": "A", "id": "1", "o": o } }),
    )];

    let disjoint = run(
        &subgraphs,
        "{ n { ... on A { o { x } } ... on B { o { y } } } }",
    )
    .await;
    let overlapping = run(&subgraphs, "{ n { o { x } ... on B { o { y } } } }").await;
    let aliased = run(&subgraphs, "{ n { o { x } ... on A { p: o { y } } } }").await;

    assert_snapshot!(disjoint, @r#"
    {"n":{"o":{"x":1}}}
    a: query { n { __typename ... on A { o { x } } ... on B { o { y } } } } {}
    "#);
    assert_snapshot!(overlapping, @r#"
    {"n":{"o":{"x":1}}}
    a: query { n { __typename ... on A { o { x } } ... on B { o { x y } } } } {}
    "#);
    assert_snapshot!(aliased, @r#"
    {"n":{"o":{"x":1},"p":null}}
    n.p.y: a: answered with an error: resolver error: no y
    a: query { n { __typename o { x } ... on A { _a0_o: o { y } } } } {}
    "#);
}

#[tokio::test]
async fn members_of_a_union_have_their_own_fields() {
    let sdl =
        "type Query { us: [S] } union S = A | B | C type A { o: O } type B { o: O } type C { o: O }
        type O { x: Int y: Int! z: Int }";
    let o = json!({ "x": 1, "y": throws("y"), "z": 2 });
    let us = ["A", "B", "C"].map(|ty| json!({ "__typename": ty, "o": o }));
    let query = "{ us { ... on A { o { x } } ... on B { o { x y } } ... on C { o { z } } } }";

    assert_snapshot!(run(&[("a", sdl, json!({ "us": us }))], query).await, @r#"
    {"us":[{"o":{"x":1}},{"o":null},{"o":{"z":2}}]}
    us.1.o.y: a: answered with an error: resolver error: no y
    a: query { us { __typename ... on A { o { x z } } ... on B { o { x y } } ... on C { o { x z } } } } {}
    "#);
}

#[tokio::test]
async fn items_of_a_list_are_lost_by_the_alias_that_selects_more() {
    let sdl = "type Query { nullable: [U] strict: [U!]! } type U { id: ID! name: String! }";
    let list = json!([{ "id": "1", "name": "A" }, { "id": "2", "name": throws("name") }]);
    let data = json!({ "nullable": list, "strict": list });
    let subgraphs = [("a", sdl, data)];

    assert_snapshot!(run(&subgraphs, "{ x: nullable { id } y: nullable { id name } }").await, @r#"
    {"x":[{"id":"1"},{"id":"2"}],"y":[{"id":"1","name":"A"},null]}
    y.1.name: a: answered with an error: resolver error: no name
    a: query { nullable { id } _a0_nullable: nullable { id name } } {}
    "#);
    assert_snapshot!(run(&subgraphs, "{ nullable { id } x: strict { id } }").await, @r#"
    {"nullable":[{"id":"1"},{"id":"2"}],"x":[{"id":"1"},{"id":"2"}]}
    a: query { nullable { id } strict { id } } {}
    "#);
}

#[tokio::test]
async fn a_list_of_non_null_items_is_lost_where_their_fields_are_selected() {
    let sdl = "type Query { e: [E!] } type E { f: F! } type F { id: ID! }";
    let data = json!({ "e": [{ "f": throws("f") }, { "f": throws("f") }] });

    let answer = run(
        &[("a", sdl, data)],
        "{ k: e { __typename } e { f { id } } }",
    )
    .await;

    assert_snapshot!(answer, @r#"
    {"e":null,"k":[{"__typename":"E"},{"__typename":"E"}]}
    e.0.f: a: answered with an error: resolver error: no f
    a: query { e { __typename } _a0_e: e { f { id } } } {}
    "#);
}

const NESTED: &str =
    "type Query { a: A } type A { b: B c: B! } type B { c: C d: C! } type C { i: Int j: Int! }";

#[tokio::test]
async fn only_the_field_that_a_null_reaches_is_selected_twice() {
    let c = json!({ "i": 1, "j": throws("j") });
    let b = json!({ "c": c, "d": c });
    let subgraphs = [("a", NESTED, json!({ "a": { "b": b, "c": b } }))];

    let nullable = run(
        &subgraphs,
        "{ x: a { b { c { i } } } y: a { b { c { i j } } } }",
    )
    .await;
    let one_level = run(
        &subgraphs,
        "{ x: a { b { d { i } } } y: a { b { d { i j } } } }",
    )
    .await;
    let chain = run(
        &subgraphs,
        "{ x: a { c { d { i } } } y: a { c { d { i j } } } }",
    )
    .await;

    assert_snapshot!(nullable, @r#"
    {"x":{"b":{"c":{"i":1}}},"y":{"b":{"c":null}}}
    y.b.c.j: a: answered with an error: resolver error: no j
    a: query { a { b { c { i } _a0_c: c { i j } } } } {}
    "#);
    assert_snapshot!(one_level, @r#"
    {"x":{"b":{"d":{"i":1}}},"y":{"b":null}}
    y.b.d.j: a: answered with an error: resolver error: no j
    a: query { a { b { d { i } } _a0_b: b { d { i j } } } } {}
    "#);
    assert_snapshot!(chain, @r#"
    {"x":{"c":{"d":{"i":1}}},"y":null}
    y.c.d.j: a: answered with an error: resolver error: no j
    a: query { a { c { d { i } } } _a0_a: a { c { d { i j } } } } {}
    "#);
}

#[tokio::test]
async fn fields_below_an_entity_are_separate_too() {
    let a = r#"type Query { p: P } type P @key(fields: "id") { id: ID! }"#;
    let b = r#"type P @key(fields: "id") { id: ID! rel: U } type U { id: ID! name: String! }"#;
    let rel = json!({ "id": "5", "name": throws("name") });
    let subgraphs = [
        ("a", a, json!({ "p": { "id": "1" } })),
        (
            "b",
            b,
            json!({ "_entities": [{ "__typename": "P", "id": "1", "rel": rel }] }),
        ),
    ];

    assert_snapshot!(run(&subgraphs, "{ p { a1: rel { id } a2: rel { id name } } }").await, @r#"
    {"p":{"a1":{"id":"5"},"a2":null}}
    p.a2.name: b: answered with an error: resolver error: no name
    a: query { p { id } } {}
    b: query($r0: [_Any!]!) { _entities(representations: $r0) { ... on P { rel { id } _a0_rel: rel { id name } } } } {"r0":[{"__typename":"P","id":"1"}]}
    "#);
}

#[tokio::test]
async fn an_entity_is_requested_for_each_alias_with_other_non_null_fields() {
    let a = r#"type Query { me: U us: [U] } type U @key(fields: "id") { id: ID! }"#;
    let b = r#"type U @key(fields: "id") { id: ID! nick: String name: String! }"#;
    let user = json!({ "__typename": "U", "id": "1", "nick": "n", "name": throws("name") });
    let subgraphs = [
        (
            "a",
            a,
            json!({ "me": { "id": "1" }, "us": [{ "id": "1" }, { "id": "2" }] }),
        ),
        ("b", b, json!({ "_entities": [user] })),
    ];

    assert_snapshot!(run(&subgraphs, "{ x: me { nick } y: me { nick name } }").await, @r#"
    {"x":{"nick":"n"},"y":null}
    y.name: b: answered with an error: resolver error: no name
    a: query { me { id } } {}
    b: query($r0: [_Any!]!, $r1: [_Any!]!) { _0: _entities(representations: $r0) { ... on U { nick } } _1: _entities(representations: $r1) { ... on U { nick name } } } {"r0":[{"__typename":"U","id":"1"}],"r1":[{"__typename":"U","id":"1"}]}
    "#);
    assert_snapshot!(run(&subgraphs, "{ x: us { nick } y: us { name } }").await, @r#"
    {"x":[{"nick":"n"},{"nick":null}],"y":[null,null]}
    y.0.name: b: answered with an error: resolver error: no name
    y.1.name: b: answered with an error: non-null type String! resolved to null
    a: query { us { id } } {}
    b: query($r0: [_Any!]!, $r1: [_Any!]!) { _0: _entities(representations: $r0) { ... on U { nick } } _1: _entities(representations: $r1) { ... on U { name } } } {"r0":[{"__typename":"U","id":"1"},{"__typename":"U","id":"2"}],"r1":[{"__typename":"U","id":"1"},{"__typename":"U","id":"2"}]}
    "#);
}

#[tokio::test]
async fn fields_below_a_mutation_are_separate_too() {
    let sdl = "type Query { q: Int } type Mutation { change: R other: R } type R { me: U } type U { id: ID! name: String! }";
    let me = json!({ "me": { "id": "1", "name": throws("name") } });
    let subgraphs = [("a", sdl, json!({ "change": me }))];
    let query =
        "mutation { change { x: me { id } y: me { id name } } again: change { me { id } } }";

    assert_snapshot!(run(&subgraphs, query).await, @r#"
    {"again":{"me":{"id":"1"}},"change":{"x":{"id":"1"},"y":null}}
    change.y.name: a: answered with an error: resolver error: no name
    a: mutation { change { me { id } _a0_me: me { id name } } _a0_change: change { me { id } } } {}
    "#);
}

#[tokio::test]
async fn conditions_decide_which_non_null_fields_are_selected() {
    let data = json!({ "me": { "id": "1", "name": throws("name") } });
    let subgraphs = [("a", USER, data)];
    let query = "query($n: Boolean!) { x: me { id name @include(if: $n) } y: me { id name } }";

    assert_snapshot!(run_with(&subgraphs, query, json!({ "n": false })).await, @r#"
    {"x":{"id":"1"},"y":null}
    y.name: a: answered with an error: resolver error: no name
    a: query($_w0: Boolean!) { me { id name @include(if: $_w0) } _a0_me: me { id name } } {"_w0":false}
    "#);
    let query = "query($n: Boolean!) { x: me @include(if: $n) { id name } y: me { id name } }";
    assert_snapshot!(run_with(&subgraphs, query, json!({ "n": true })).await, @r#"
    {"x":null,"y":null}
    x.name: a: answered with an error: resolver error: no name
    y.name: a: answered with an error: resolver error: no name
    a: query { me { id name } } {}
    "#);
}

#[tokio::test]
async fn a_type_that_is_nullable_in_the_graph_is_non_null_in_its_subgraph() {
    let a =
        r#"type Query { me: U } type U @key(fields: "id") { id: ID! name: String! @shareable }"#;
    let b = r#"type U @key(fields: "id") { id: ID! name: String @shareable }"#;
    let data = json!({ "me": { "id": "1", "name": throws("name") } });
    let subgraphs = [("a", a, data), ("b", b, json!({}))];

    assert_snapshot!(run(&subgraphs, "{ x: me { id } y: me { id name } }").await, @r#"
    {"x":{"id":"1"},"y":null}
    y.name: a: answered with an error: resolver error: no name
    a: query { me { id } _a0_me: me { id name } } {}
    "#);
}

#[tokio::test]
async fn any_number_of_aliases_with_other_fields_is_planned() {
    let fields: Vec<String> = (0..11).map(|n| format!("f{n}: Int!")).collect();
    let fields = fields.join(" ");
    let sdl = format!("type Query {{ me: U }} type U {{ {fields} }}");
    let me: Value = (0..11)
        .map(|n| (format!("f{n}"), json!(n)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let executing = Executing::with(&[("a", &sdl, json!({ "me": me }))], |settings| {
        settings.limits.tokens = 1_000_000;
        settings.limits.fields = 50_000;
        settings.limits.selections = 50_000;
    });
    let mut query = String::from("{");
    for alias in 1..2_000 {
        let selected = (0..11).filter(|bit| alias & (1 << bit) != 0);
        let selected: Vec<String> = selected.map(|bit| format!("f{bit}")).collect();
        let _ = write!(query, "a{alias}: me {{ {} }} ", selected.join(" "));
    }
    query.push('}');
    let start = Instant::now();

    let answer = execute(&executing.engine, &query, json!({})).await;

    assert_eq!(answer["a1999"]["f10"], 10, "{answer:#}");
    assert_eq!(executing.requests().len(), 1);
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn fields_of_a_connector_are_read_from_one_response() {
    let g = r#"extend schema @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
            @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
            @source(name: "api", http: { baseURL: "http://127.0.0.1:1" })
        type Query {
            me: U @connect(source: "api", http: { GET: "/me" }, selection: "id nick born")
            us: [U] @connect(source: "api", http: { GET: "/us" }, selection: "id")
        }
        type U @key(fields: "id") @connect(source: "api", http: { GET: "/bios", queryParams: "id: $batch.id" }, selection: "id bio") {
            id: ID! nick: String born: Int! bio: String
        }"#;
    let b = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
        type U @key(fields: "id") { id: ID! name: String! }"#;
    let users = json!([{ "id": "1", "bio": "one" }, { "id": "2", "bio": "two" }]);
    let answers = [
        ("GET /me", json!({ "id": "1", "nick": "n", "born": null })),
        ("GET /us", users.clone()),
        ("GET /bios?id=1&id=2", users),
    ];
    let names = Scripted::new(|_, _| {
        let error = json!({ "message": "no name", "path": ["_entities", 0, "name"] });
        json!({ "data": { "_entities": [null, { "name": "N" }] }, "errors": [error] })
    });
    let (engine, requests) = canned::engine_over(&[("g", g), ("b", b)], &answers, |settings| {
        settings.local.insert("b".to_owned(), Arc::new(names));
    })
    .await;

    let me = "{ x: me { nick } y: me { nick born } z: me { nick name } }";
    let me = execute(&engine, me, json!({})).await;
    let us = "{ x: us { id bio } y: us { bio name } }";
    let us = execute(&engine, us, json!({})).await;

    assert_eq!(
        me["data"],
        json!({ "x": { "nick": "n" }, "y": null, "z": null })
    );
    let (x, y) = (
        json!([{ "id": "1", "bio": "one" }, { "id": "2", "bio": "two" }]),
        json!([null, { "bio": "two", "name": "N" }]),
    );
    assert_eq!(us["data"], json!({ "x": x, "y": y }));
    let requests = requests.lock().unwrap();
    assert_eq!(*requests, ["GET /me", "GET /us", "GET /bios?id=1&id=2"]);
}

#[tokio::test]
async fn cached_entities_have_the_values_of_each_alias() {
    let a = r#"type Query { p: P } type P @key(fields: "id") { id: ID! }"#;
    let b = r#"type P @key(fields: "id") { id: ID! rel: U } type U { id: ID! name: String! }"#;
    let rel = json!({ "id": "5", "name": "N" });
    let subgraphs = [
        ("a", a, json!({ "p": { "id": "1" } })),
        (
            "b",
            b,
            json!({ "_entities": [{ "__typename": "P", "id": "1", "rel": rel }] }),
        ),
    ];
    let cache = memory(&Clock::manual(Moment(1_700_000_000_000)));
    let executing = Executing::with(&subgraphs, |settings| {
        let mut caching = caching(&cache);
        caching.default.default_ttl = Duration::from_mins(1);
        settings.caching = Some(caching);
    });
    let query = "{ p { x: rel { id } y: rel { id name } } }";
    let separate = json!({ "p": { "x": { "id": "5" }, "y": { "id": "5", "name": "N" } } });
    for _ in 0..2 {
        let answer = execute(&executing.engine, query, json!({})).await;
        assert_eq!(answer, separate);
    }
    assert_eq!(executing.requests().len(), 2, "{:#?}", executing.requests());
    for (query, expected) in [
        ("{ p { y: rel { name id } x: rel { id } } }", separate),
        (
            "{ p { rel { id } } }",
            json!({ "p": { "rel": { "id": "5" } } }),
        ),
        (
            "{ p { rel { name } } }",
            json!({ "p": { "rel": { "name": "N" } } }),
        ),
    ] {
        let answer = execute(&executing.engine, query, json!({})).await;
        assert_eq!(answer, expected, "{query}");
    }
}
