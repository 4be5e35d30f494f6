//! Operations with more calls, fields and requirements than any number that a planner counts to.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::canned;
use crate::federation::{Scripted, engine};
use crate::support::execute;

const USERS: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
        @source(name: "api", http: { baseURL: "http://127.0.0.1:1" })
    type Query {
        user(id: ID!): User @connect(source: "api", http: { GET: "/users/{$args.id}" }, selection: "id", entity: true)
    }
    type User {
        id: ID!
        item(n: Int): Int @connect(source: "api", http: { GET: "/users/{$this.id}/{$args.n}" }, selection: "$")
    }
"#;

/// A selection set of `count` fields, the text of each made of its number.
fn fields(count: usize, field: impl Fn(usize) -> String) -> String {
    let mut query = String::from("{");
    for number in 0..count {
        let _ = write!(query, "a{number}:{} ", field(number));
    }
    query + "}"
}

/// The result of `fields`, each with the value of its number.
fn values(count: usize, value: impl Fn(usize) -> Value) -> Value {
    let members = (0..count).map(|number| (format!("a{number}"), value(number)));
    Value::Object(members.collect())
}

#[tokio::test]
async fn any_number_of_root_calls_is_planned_and_answered() {
    for count in [65, 300, 1_500] {
        let answers: Vec<(String, Value)> = (0..count)
            .map(|id| (format!("GET /users/{id}"), json!({ "id": id.to_string() })))
            .collect();
        let answers: Vec<(&str, Value)> = answers
            .iter()
            .map(|(request, answer)| (request.as_str(), answer.clone()))
            .collect();
        let (engine, requests) = canned::engine_with(USERS, &answers, |settings| {
            settings.limits.tokens = 100_000;
        })
        .await;

        let query = fields(count, |id| format!("user(id:{id}){{id}}"));
        let answer = execute(&engine, &query, json!({})).await;

        assert_eq!(answer, values(count, |id| json!({ "id": id.to_string() })));
        assert_eq!(requests.lock().unwrap().len(), count);
    }
}

#[tokio::test]
async fn any_number_of_calls_for_the_fields_of_one_object_is_made() {
    let count = 200;
    let mut answers: Vec<(String, Value)> = (0..count)
        .map(|n| (format!("GET /users/1/{n}"), json!(n)))
        .collect();
    answers.push(("GET /users/1".to_owned(), json!({ "id": "1" })));
    let answers: Vec<(&str, Value)> = answers
        .iter()
        .map(|(request, answer)| (request.as_str(), answer.clone()))
        .collect();
    let (engine, requests) = canned::engine(USERS, &answers).await;

    let items = fields(count, |n| format!("item(n:{n})"));
    let answer = execute(&engine, &format!("{{ user(id: 1) {items} }}"), json!({})).await;

    assert_eq!(answer, json!({ "user": values(count, |n| json!(n)) }));
    assert_eq!(requests.lock().unwrap().len(), count + 1);
}

/// Each root field of a mutation is a stage of its own: the work for one must not grow with the
/// number of those before it, or this takes minutes.
#[tokio::test]
async fn a_mutation_of_many_stages_runs_them_one_after_another() {
    const SDL: &str = r#"
        extend schema @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
            @source(name: "api", http: { baseURL: "http://127.0.0.1:1" })
        type Query { n: Int @connect(source: "api", http: { GET: "/n" }, selection: "$") }
        type Mutation {
            add(n: Int!): Int @connect(source: "api", http: { POST: "/add/{$args.n}" }, selection: "$")
        }
    "#;
    let count = 1_500;
    let answers: Vec<(String, Value)> = (0..count)
        .map(|n| (format!("POST /add/{n}"), json!(n)))
        .collect();
    let answers: Vec<(&str, Value)> = answers
        .iter()
        .map(|(request, answer)| (request.as_str(), answer.clone()))
        .collect();
    let (engine, requests) = canned::engine_with(SDL, &answers, |settings| {
        settings.limits.tokens = 100_000;
    })
    .await;

    let adds = fields(count, |n| format!("add(n:{n})"));
    let answer = execute(&engine, &format!("mutation {adds}"), json!({})).await;

    assert_eq!(answer, values(count, |n| json!(n)));
    let in_order: Vec<String> = answers.iter().map(|(it, _)| (*it).to_owned()).collect();
    assert_eq!(*requests.lock().unwrap(), in_order);
}

#[tokio::test]
async fn any_number_of_fields_of_one_subgraph_is_one_request() {
    const SDL: &str = "type Query { user(id: ID!): User } type User { id: ID! }";
    let count = 1_500;
    let service = Scripted::new(|query, _| {
        let aliases = query.matches("user(").count();
        assert_eq!(aliases, 1_500);
        json!({ "data": null })
    });
    let engine = crate::federation::engine_with(&[("a", SDL)], &[("a", &service)], |settings| {
        settings.limits.tokens = 100_000;
    });

    let query = fields(count, |id| format!("user(id:{id}){{id}}"));
    execute(&engine, &query, json!({})).await;

    assert_eq!(service.requests().len(), 1);
}

/// Subgraphs of which each knows the next key only: `p{n}` has the keys `k{n}` and `k{n+1}`.
fn chain(length: usize) -> Vec<(String, String)> {
    let mut subgraphs = vec![(
        "p0".to_owned(),
        r#"type Query { p: P } type P @key(fields: "k1") { k1: ID! }"#.to_owned(),
    )];
    for number in 1..length {
        let next = number + 1;
        subgraphs.push((
            format!("p{number}"),
            format!(
                r#"type P @key(fields: "k{number}") @key(fields: "k{next}") {{ k{number}: ID! k{next}: ID! }}"#
            ),
        ));
    }
    subgraphs.push((
        format!("p{length}"),
        format!(r#"type P @key(fields: "k{length}") {{ k{length}: ID! end: Int }}"#),
    ));
    subgraphs
}

#[test]
fn a_chain_of_keys_may_have_any_length() {
    for length in [4, 20, 40] {
        let subgraphs = chain(length);
        let subgraphs: Vec<(&str, &str)> = subgraphs
            .iter()
            .map(|(name, sdl)| (name.as_str(), sdl.as_str()))
            .collect();
        let engine = engine(&subgraphs, &[]);

        let plan = engine.plan_text("{ p { end } }", None).unwrap();

        assert_eq!(plan.matches("_entities").count(), length, "{plan}");
    }
}

#[test]
fn many_types_of_an_interface_are_planned_at_any_depth() {
    let link =
        r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])"#;
    let types = |implements: &str, fields: &str| -> String {
        let types = (0..30).map(|number| {
            format!("type T{number} {implements} @key(fields: \"id\") {{ id: ID! {fields} }} ")
        });
        types.collect()
    };
    let own = types("implements Node", "name: String next: T0 nodes: [Node]");
    let nodes = format!(
        "{link} type Query {{ nodes: [Node] }} \
         interface Node {{ id: ID! name: String next: T0 nodes: [Node] }} {own}"
    );
    let prices = format!("{link} {}", types("", "price: Int other: T0"));
    let engine = engine(
        &[("nodes", nodes.as_str()), ("prices", prices.as_str())],
        &[],
    );
    let nested = (0..11).fold("id".to_owned(), |inner, _| {
        format!("id name next {{ other {{ price }} }} nodes {{ {inner} }}")
    });

    let plan = engine
        .plan_text(&format!("{{ nodes {{ {nested} }} }}"), None)
        .unwrap();

    assert_eq!(plan.matches("_entities").count(), 1, "{plan}");
    assert_eq!(engine.incomplete_plans(), 0);
}
