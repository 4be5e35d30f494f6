//! Errors of the response: one for each cause, at the full path of the field that failed.

use serde_json::{Value, json};

use crate::federation::{Scripted, engine};
use crate::support::execute;

const LINK: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires"])
"#;
const SHARED: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@shareable"])
"#;
const USERS: &str =
    r#"type Query { us: [U] strict: [U!] me: U } type U @key(fields: "id") { id: ID! }"#;
const FIELDS: &str = r#"type U @key(fields: "id") { id: ID! a: Int! b: Int c: Int d: Int! n: Int o: O! }
    type O { y: Int! z: Int list: [O!] }"#;

/// The response to a query over two users where `b` responds with `fields`.
async fn run(query: &str, fields: Value) -> Value {
    let users = json!([{ "__typename": "U", "id": "1" }]);
    let users = Scripted::new(
        move |_, _| json!({ "data": { "us": users, "strict": users, "me": users[0] } }),
    );
    let b = Scripted::new(move |_, _| fields.clone());
    let (users_sdl, fields_sdl) = (format!("{LINK}{USERS}"), format!("{LINK}{FIELDS}"));
    let engine = engine(
        &[("q", &users_sdl), ("b", &fields_sdl)],
        &[("q", &users), ("b", &b)],
    );
    execute(&engine, query, json!({})).await
}

/// The response of a subgraph whose only entity is null because of an error below it.
fn null_entity(path: &Value) -> Value {
    let mut steps = vec![json!("_entities"), json!(0)];
    steps.extend(path.as_array().unwrap().iter().cloned());
    json!({ "data": { "_entities": [null] }, "errors": [{ "message": "down", "path": steps }] })
}

#[track_caller]
fn assert_error_paths(answer: &Value, data: &Value, paths: &[&str]) {
    assert_eq!(&answer["data"], data, "{answer:#}");
    let errors = answer["errors"].as_array().unwrap();
    let found: Vec<&str> = errors
        .iter()
        .map(|error| error.as_str().unwrap().split(':').next().unwrap())
        .collect();
    assert_eq!(found, paths, "{answer:#}");
}

#[tokio::test]
async fn a_non_null_field_that_fails_has_the_only_error_in_any_order() {
    for query in [
        "{ us { b c a } }",
        "{ us { a b c } }",
        "{ us { c a b } }",
        "{ us { d b a } }",
        "{ us { b d c a } }",
    ] {
        let answer = run(query, null_entity(&json!(["a"]))).await;

        assert_error_paths(&answer, &json!({ "us": [null] }), &["us.0.a"]);
    }
}

#[tokio::test]
async fn an_error_below_a_null_has_its_full_path() {
    let answer = run(
        "{ us { b O: o { z Y: y } } }",
        null_entity(&json!(["o", "y"])),
    )
    .await;
    assert_error_paths(&answer, &json!({ "us": [null] }), &["us.0.O.Y"]);

    let path = json!(["o", "list", 2, "y"]);
    let answer = run("{ us { b o { list { z y } } d } }", null_entity(&path)).await;
    assert_error_paths(&answer, &json!({ "us": [null] }), &["us.0.o.list.2.y"]);

    let o = json!({ "__typename": "U", "n": 1, "o": { "z": 1, "list": null } });
    let error = json!({ "message": "down", "path": ["_entities", 0, "o", "list", 1, "y"] });
    let fields = json!({ "data": { "_entities": [o] }, "errors": [error] });
    let answer = run("{ us { n o { z list { y } } } }", fields).await;
    let data = json!({ "us": [{ "n": 1, "o": { "z": 1, "list": null } }] });
    assert_error_paths(&answer, &data, &["us.0.o.list.1.y"]);
}

#[tokio::test]
async fn a_null_that_propagates_takes_the_other_errors_of_its_cause_along() {
    let answer = run("{ strict { b c a } }", null_entity(&json!(["a"]))).await;
    assert_error_paths(&answer, &json!({ "strict": null }), &["strict.0.a"]);

    let failed = json!({ "data": null, "errors": [{ "message": "down" }] });
    let answer = run("{ us { b c a } }", failed.clone()).await;
    assert_error_paths(&answer, &json!({ "us": [null] }), &["us.0.a"]);

    let answer = run("{ me { x: b y: b z: a } }", failed).await;
    assert_error_paths(&answer, &json!({ "me": null }), &["me.z"]);
}

#[tokio::test]
async fn each_null_that_the_client_sees_has_an_error() {
    let answer = run("{ us { b n id } }", null_entity(&json!(["a"]))).await;
    let data = json!({ "us": [{ "b": null, "n": null, "id": "1" }] });
    assert_error_paths(&answer, &data, &["us.0.b", "us.0.n"]);

    let answer = run("{ x: me { b } y: us { c a } }", null_entity(&json!(["a"]))).await;
    assert_eq!(answer["data"]["y"], json!([null]), "{answer:#}");
    assert!(
        answer["errors"].as_array().unwrap().len() >= 2,
        "{answer:#}"
    );
}

#[tokio::test]
async fn errors_of_a_response_without_data_are_listed_once() {
    let failed = json!({ "data": null, "errors": [
        { "message": "down", "path": ["_entities", 0, "a"] },
        { "message": "down", "path": ["_entities", 0, "d"] },
    ] });
    let answer = run("{ me { b d a } }", failed).await;
    assert_error_paths(&answer, &json!({ "me": null }), &["me.a"]);
}

#[tokio::test]
async fn an_error_inside_of_an_object_that_another_subgraph_gives_too_has_its_path() {
    let sdl =
        |field: &str| format!("{SHARED}type Query {{ u: U! @shareable }} type U {{ {field} }}");
    let (one, other) = (sdl("id: ID! e: Int!"), sdl("g: Int"));
    let failing = Scripted::new(
        |_, _| json!({ "data": null, "errors": [{ "message": "down", "path": ["u", "e"] }] }),
    );
    let healthy = Scripted::new(|_, _| json!({ "data": { "u": { "g": 1 } } }));
    let engine = engine(
        &[("one", &one), ("other", &other)],
        &[("one", &failing), ("other", &healthy)],
    );

    let answer = execute(&engine, "{ u { id g e } }", json!({})).await;

    assert_error_paths(&answer, &Value::Null, &["u.e"]);
}

#[tokio::test]
async fn an_error_inside_of_a_list_of_an_object_that_another_subgraph_gives_has_its_path() {
    let sdl =
        |field: &str| format!("{SHARED}type Query {{ w: W @shareable }} type W {{ {field} }}");
    for (list, data) in [
        ("[Int!]!", Value::Null),
        ("[Int!]", json!({ "q": null, "o": 1 })),
    ] {
        let (one, other) = (sdl(&format!("q: {list}")), sdl("o: Int"));
        let failing = Scripted::new(
            |_, _| json!({ "data": { "w": null }, "errors": [{ "message": "down", "path": ["w", "q", 0] }] }),
        );
        let healthy = Scripted::new(|_, _| json!({ "data": { "w": { "o": 1 } } }));
        let engine = engine(
            &[("one", &one), ("other", &other)],
            &[("one", &failing), ("other", &healthy)],
        );

        let answer = execute(&engine, "{ w { q o } }", json!({})).await;

        assert_error_paths(&answer, &json!({ "w": data }), &["w.q.0"]);
    }
}

#[tokio::test]
async fn an_error_of_a_root_field_has_its_full_path() {
    let users = Scripted::new(|_, _| {
        json!({
            "data": { "us": [{ "id": "1" }, null], "me": null },
            "errors": [
                { "message": "down", "path": ["us", 1, "id"] },
                { "message": "down", "path": ["me", "id"] },
            ],
        })
    });
    let (sdl, fields) = (format!("{LINK}{USERS}"), format!("{LINK}{FIELDS}"));
    let engine = engine(&[("q", &sdl), ("b", &fields)], &[("q", &users)]);

    let answer = execute(&engine, "{ all: us { key: id } me { id } }", json!({})).await;

    let data = json!({ "all": [{ "key": "1" }, null], "me": null });
    assert_error_paths(&answer, &data, &["all.1.key", "me.id"]);
}

#[tokio::test]
async fn an_entity_whose_type_alone_is_fetched_has_the_error_at_its_path() {
    const LINK: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@interfaceObject"])
"#;
    const ROOT: &str =
        r#"type Query { one: I all: [I] } type I @key(fields: "id") @interfaceObject { id: ID! }"#;
    const TYPES: &str = r#"interface I @key(fields: "id") { id: ID! }
        type A implements I @key(fields: "id") { id: ID! list: [Int!]! }
        type B implements I @key(fields: "id") { id: ID! }"#;
    let root = json!({ "data": { "one": { "id": "1" }, "all": [{ "id": "1" }] } });
    let root = Scripted::new(move |_, _| root.clone());
    let run = async |query: &str, path: Value| {
        let types = Scripted::new(move |_, _| null_entity(&path));
        let (root_sdl, types_sdl) = (format!("{LINK}{ROOT}"), format!("{LINK}{TYPES}"));
        let engine = engine(
            &[("q", &root_sdl), ("t", &types_sdl)],
            &[("q", &root), ("t", &types)],
        );
        execute(&engine, query, json!({})).await
    };

    let answer = run("{ one { __typename } }", json!([])).await;
    assert_error_paths(&answer, &json!({ "one": null }), &["one"]);

    let answer = run("{ all { ... on A { List: list } } }", json!(["list", 2])).await;
    assert_error_paths(&answer, &json!({ "all": [null] }), &["all.0.List.2"]);
}

#[tokio::test]
async fn an_error_below_one_of_two_aliases_has_its_path() {
    let one = format!(
        "{SHARED}{}",
        "type Query { d: D } type D { id: ID! @shareable w: W } type W { p: [Int!]! }"
    );
    let two = format!(r#"{LINK}type D @key(fields: "id") {{ id: ID! e: Int! }}"#);
    let root = Scripted::new(|_, _| {
        json!({
            "data": { "d": { "id": "1", "w": null } },
            "errors": [{ "message": "down", "path": ["d", "w", "p", 2] }],
        })
    });
    let entities = Scripted::new(|_, _| json!({ "data": { "_entities": [{ "e": 1 }] } }));
    let engine = engine(
        &[("a", &one), ("b", &two)],
        &[("a", &root), ("b", &entities)],
    );
    let query = "{ d { id } other: d { w { p } id e } }";

    let answer = execute(&engine, query, json!({})).await;

    let data = json!({ "d": { "id": "1" }, "other": { "w": null, "id": "1", "e": 1 } });
    assert_error_paths(&answer, &data, &["other.w.p.2"]);
}

#[tokio::test]
async fn a_type_that_failed_fails_the_fields_that_are_fetched_by_it() {
    const LINK: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@interfaceObject"])
"#;
    const ROOT: &str =
        r#"type Query { one: I } type I @key(fields: "id") @interfaceObject { id: ID! }"#;
    const TYPES: &str = r#"interface I @key(fields: "id") { id: ID! }
        type A implements I @key(fields: "id") { id: ID! }"#;
    const MORE: &str = r#"type A @key(fields: "id") { id: ID! n: Int }"#;
    let root = Scripted::new(|_, _| json!({ "data": { "one": { "id": "1" } } }));
    let types = Scripted::new(|_, _| json!({ "data": null, "errors": [{ "message": "down" }] }));
    let more = Scripted::new(|_, _| json!({ "data": { "_entities": [{ "n": 1 }] } }));
    let sdls = [("q", ROOT), ("t", TYPES), ("n", MORE)];
    let sdls = sdls.map(|(name, sdl)| (name, format!("{LINK}{sdl}")));
    let sdls: Vec<(&str, &str)> = sdls.iter().map(|(name, sdl)| (*name, &**sdl)).collect();
    let engine = engine(&sdls, &[("q", &root), ("t", &types), ("n", &more)]);

    let answer = execute(&engine, "{ one { ... on A { n } } }", json!({})).await;

    assert_error_paths(&answer, &json!({ "one": { "n": null } }), &["one.n"]);
}
