//! Requests that are rejected before anything is executed, and their errors.

use std::pin::pin;
use std::task::Poll;

use futures_util::poll;
use resolvers::Outcome;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::canned::{engine, engine_with};
use crate::support::{execute, request};

const SDL: &str = r#"
    extend schema
      @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
      @source(name: "api", http: { baseURL: "http://api.example.com" })
    type Query {
      n(i: Int, list: [Int!], in: In, one: One, id: ID!): Int
        @connect(source: "api", http: { GET: "/n" }, selection: "$")
      me: User @connect(source: "api", http: { GET: "/me" }, selection: "id friend { id }")
    }
    type User { id: ID friend: Friend }
    type Friend { id: ID }
    input In { a: Int b: Int! = 1 }
    input One @oneOf { x: Int y: Int }
"#;

async fn rejected(query: &str, variables: Value) -> String {
    let (engine, requests) = engine(SDL, &[]).await;
    let answer = execute(&engine, query, variables).await;
    assert!(requests.lock().unwrap().is_empty());
    let rejected = answer["refused"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"));
    let lines: Vec<_> = rejected.iter().map(|line| line.as_str().unwrap()).collect();
    lines.join("\n")
}

#[tokio::test]
async fn errors_have_a_kind_and_a_location() {
    for (query, expected) in [
        ("{ n(", "Parse [(1, 5)]: "),
        ("{ nope }", "Validation [(1, 3)]: "),
        ("{ n(id: 1) { x } }", "Validation "),
        ("{ me }", "Validation [(1, 3)]: "),
        ("{ n }", "Validation "),
        (
            "query A { me { id } } query B { me { id } }",
            "OperationName []: the document has several operations (`A`, `B`); name one",
        ),
        ("subscription { x }", "Validation "),
    ] {
        let line = rejected(query, json!({})).await;
        assert!(line.starts_with(expected), "{query}: {line}");
    }
}

#[tokio::test]
async fn validation_rules_that_the_library_lacks_are_checked() {
    for (query, expected) in [
        (
            "{ n(id: 1, in: { a: 1, a: 2 }) }",
            "there can be only one member `a`",
        ),
        (
            "{ n(id: 1, one: {}) }",
            "`One` must have exactly one member, which must not be null",
        ),
        (
            "{ n(id: 1, one: { x: 1, y: 2 }) }",
            "`One` must have exactly one member",
        ),
        (
            "{ n(id: 1, one: { x: null }) }",
            "`One` must have exactly one member",
        ),
        (
            "query($x: Int) { n(id: 1, one: { x: $x }) }",
            "variable `$x` of type `Int` may be null where `Int!` is expected",
        ),
        (
            "query($id: ID = null) { n(id: $id) }",
            "variable `$id` of type `ID` may be null where `ID!` is expected",
        ),
        (
            "query($i: Int) { n(id: 1, list: [1, $i]) }",
            "variable `$i` of type `Int` may be null where `Int!` is expected",
        ),
    ] {
        let line = rejected(query, json!({})).await;
        assert!(line.contains(expected), "{query}: {line}");
    }
}

#[tokio::test]
async fn variables_of_the_wrong_type_are_rejected() {
    for (query, variables, expected) in [
        ("query($id: ID!) { n(id: $id) }", json!({}), "Variables"),
        (
            "query($i: Int) { n(id: 1, i: $i) }",
            json!({ "i": "1" }),
            "Variables",
        ),
        (
            "query($o: One) { n(id: 1, one: $o) }",
            json!({ "o": { "x": 1, "y": 1 } }),
            "Variables [(1, 7)]: variable `$o`: `One` must have exactly one member",
        ),
        (
            "{ me { id } }",
            json!([1]),
            "Variables []: `variables` must be an object",
        ),
    ] {
        let line = rejected(query, variables).await;
        assert!(line.starts_with(expected), "{query}: {line}");
    }
}

#[tokio::test]
async fn operations_over_a_limit_are_rejected() {
    for (query, expected) in [
        (
            "{ me { friend { id } } }",
            "Limit [(1, 17)]: `id` is nested deeper than 2 fields",
        ),
        (
            "{ a: me { id } b: me { id } c: me { id } }",
            "Limit [(1, 37)]: the operation has more than 5 fields",
        ),
        (
            "{ me { id id id id id id id id id id id id id id id id id id id id id id id id id id id id id } }",
            "Limit []: the document has more than 30 tokens",
        ),
    ] {
        let (engine, _) = engine_with(SDL, &[], |settings| {
            settings.limits.depth = 2;
            settings.limits.fields = 5;
            settings.limits.tokens = 30;
        })
        .await;
        let line = execute(&engine, query, json!({})).await["refused"][0].clone();
        assert!(
            line.as_str().unwrap().starts_with(expected),
            "{query}: {line}"
        );
    }
}

#[tokio::test]
async fn nested_fragments_cannot_exceed_the_limit() {
    use std::fmt::Write;
    let mut query = String::from("{ me { ...F0 } }");
    for level in 0..40 {
        let next = level + 1;
        let _ = write!(
            query,
            " fragment F{level} on User {{ ...F{next} ...F{next} }}"
        );
    }
    query.push_str(" fragment F40 on User { id }");

    let line = rejected(&query, json!({})).await;

    assert!(line.starts_with("Limit"), "{line}");
}

#[tokio::test]
async fn introspection_can_be_switched_off() {
    let (engine, _) = engine_with(SDL, &[], |settings| {
        settings.introspection = resolvers::settings::Introspection::Refuse;
    })
    .await;

    let answer = execute(&engine, "{ __schema { types { name } } }", json!({})).await;
    let typename = execute(&engine, "{ __typename }", json!({})).await;

    assert_eq!(
        answer,
        json!({ "refused": ["Introspection []: introspection is switched off"] })
    );
    assert_eq!(typename, json!({ "__typename": "Query" }));
}

#[tokio::test]
async fn a_field_that_no_source_reaches_has_a_kind_of_its_own() {
    let sdl = r#"
        extend schema @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@connect"])
        type Query {
          a: T @connect(http: { GET: "http://a/a" }, selection: "id x")
          b: T @connect(http: { GET: "http://a/b" }, selection: "id")
        }
        type T { id: ID x: Int }
    "#;
    let (engine, _) = engine(sdl, &[]).await;

    let answer = execute(&engine, "{ b { x } }", json!({})).await;

    assert_eq!(
        answer,
        json!({ "refused": ["UnreachableField []: no source can provide `T.x` at this position"] })
    );
}

/// Whether a request with a wrong list of this many texts is refused without waiting for another
/// thread.
async fn is_refused_at_once(count: usize) -> bool {
    let (engine, _) = engine(SDL, &[]).await;
    let mut request = request("query($list: [Int!]) { n(id: 1, list: $list) }");
    let variables = json!({ "list": vec!["x"; count] }).to_string();
    request.variables = Some(RawValue::from_string(variables).unwrap());
    let mut data = Vec::new();
    let mut execution = pin!(engine.execute(request, &mut data));
    let first = poll!(execution.as_mut());
    let is_at_once = first.is_ready();
    let outcome = match first {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => execution.await,
    };
    let Outcome::Refused { errors } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(
        errors[0].message,
        "variable `$list[0]`: expected `Int!`, found a string"
    );
    is_at_once
}

#[tokio::test]
async fn large_variables_are_coerced_beside_the_runtime() {
    assert!(is_refused_at_once(100).await);
    assert!(!is_refused_at_once(60_000).await);
}
