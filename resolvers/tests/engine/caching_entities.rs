//! Cached subgraph responses: entities one by one, root fields together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use resolvers::Engine;
use resolvers::cache::{Cache, Clock, Moment, Target};
use serde_json::{Value, json};

use crate::caching_service::{caching, memory};
use crate::federation::{Scripted, engine_with};
use crate::support::execute;

const LIST: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
    type Query { first(count: Int!): [Thing] }
    type Thing @key(fields: "id") { id: ID! }
"#;

const THINGS: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
    type Query { best(of: Int = 3): Thing, worst: Thing, none: Thing }
    type Thing @key(fields: "id") { id: ID!, name: String, size(unit: String): String, made: Made }
    type Made { year: Int, by: String }
"#;

/// An engine with a cache over `list`, whose responses are not cached, and `things`, whose are.
fn engine(things: &Scripted) -> (Engine, Clock) {
    let (engine, clock, _) = engine_and_cache(things);
    (engine, clock)
}

fn engine_and_cache(things: &Scripted) -> (Engine, Clock, Cache) {
    let list = Scripted::new(|document, variables| {
        let literal = document
            .split("count: ")
            .nth(1)
            .unwrap()
            .split(')')
            .next()
            .unwrap();
        let count = variables["count"]
            .as_u64()
            .unwrap_or_else(|| literal.parse().unwrap());
        let list: Vec<Value> = (1..=count)
            .map(|id| json!({ "id": id.to_string() }))
            .collect();
        json!({ "data": { "first": list } })
    });
    let clock = Clock::manual(Moment(1_700_000_000_000));
    let cache = memory(&clock);
    let engine = engine_with(
        &[("list", LIST), ("things", THINGS)],
        &[("list", &list), ("things", things)],
        |settings| {
            let mut caching = caching(&cache);
            let mut policy = caching.default;
            policy.default_ttl = Duration::from_mins(1);
            caching.subgraphs = BTreeMap::from([("things".to_owned(), policy)]);
            settings.caching = Some(caching);
        },
    );
    (engine, clock, cache)
}

/// Things whose name contains the number of the response.
fn things() -> Scripted {
    let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    Scripted::new(move |document, variables| {
        let answer = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
        let thing = |id: &str| match id {
            "13" => Value::Null,
            _ => json!({
                "__typename": "Thing", "id": id, "name": format!("{id} of {answer}"),
                "size": format!("{}", variables), "made": { "year": 2000, "by": "them" },
            }),
        };
        let entities = variables["r0"].as_array().into_iter().flatten();
        let entities: Vec<Value> = entities
            .map(|it| thing(it["id"].as_str().unwrap()))
            .collect();
        let mut data = json!({});
        for (key, value) in [
            ("best", thing("7")),
            ("worst", thing("1")),
            ("none", Value::Null),
        ] {
            if document.contains(key) {
                data[key] = value;
            }
        }
        if document.contains("_entities") {
            data["_entities"] = entities.into();
        }
        json!({ "data": data })
    })
}

async fn names(engine: &Engine, count: usize) -> Vec<String> {
    let query = "query($count: Int!) { first(count: $count) { name } }";
    let answer = execute(engine, query, json!({ "count": count })).await;
    let list = answer["first"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"));
    list.iter()
        .map(|thing| thing["name"].as_str().unwrap_or("null").to_owned())
        .collect()
}

#[tokio::test]
async fn only_missing_entities_are_fetched() {
    let things = things();
    let (engine, clock) = engine(&things);

    assert_eq!(names(&engine, 2).await, ["1 of 1", "2 of 1"]);
    assert_eq!(names(&engine, 3).await, ["1 of 1", "2 of 1", "3 of 2"]);
    assert_eq!(names(&engine, 2).await, ["1 of 1", "2 of 1"]);
    let requests = things.requests();
    assert_eq!(requests.len(), 2);
    assert!(
        requests[1].ends_with(r#"{"r0":[{"__typename":"Thing","id":"3"}]}"#),
        "{requests:?}"
    );

    clock.advance(Duration::from_mins(1));
    assert_eq!(names(&engine, 1).await, ["1 of 3"]);
}

#[tokio::test]
async fn order_and_aliases_of_a_selection_do_not_matter() {
    let things = things();
    let (engine, _) = engine(&things);
    let one = "query($u: String) { first(count: 1) { name size(unit: $u) } }";
    let two = "query($in: String) { first(count: 1) { large: size(unit: $in) called: name } }";

    execute(&engine, one, json!({ "u": "cm" })).await;
    let answer = execute(&engine, two, json!({ "in": "cm" })).await;
    assert_eq!(answer["first"][0]["called"], "1 of 1");
    let other = execute(&engine, two, json!({ "in": "m" })).await;
    assert_eq!(other["first"][0]["called"], "1 of 2");
    assert_eq!(things.requests().len(), 2);
}

#[tokio::test]
async fn conditions_are_a_part_of_the_cache_key() {
    let things = things();
    let (engine, _) = engine(&things);
    let query = "query($so: Boolean!) { first(count: 1) { name made @include(if: $so) { year } } }";

    let without = execute(&engine, query, json!({ "so": false })).await;
    let with = execute(&engine, query, json!({ "so": true })).await;

    assert_eq!(without["first"][0], json!({ "name": "1 of 1" }));
    assert_eq!(
        with["first"][0],
        json!({ "name": "1 of 2", "made": { "year": 2000 } })
    );
}

#[tokio::test]
async fn root_fields_of_one_request_are_cached_together() {
    let things = things();
    let (engine, _) = engine(&things);
    let query = "query($n: Int) { best(of: $n) { name } worst { name } }";
    let first = execute(&engine, query, json!({ "n": 2 })).await;
    assert_eq!(execute(&engine, query, json!({ "n": 2 })).await, first);
    assert_ne!(execute(&engine, query, json!({ "n": 3 })).await, first);
    assert_eq!(things.requests().len(), 2);
}

#[tokio::test]
async fn missing_entities_are_cached_for_the_negative_ttl() {
    let things = things();
    let (engine, clock) = engine(&things);
    for _ in 0..2 {
        assert_eq!(names(&engine, 13).await[12], "null");
    }
    assert_eq!(things.requests().len(), 1);
    clock.advance(Duration::from_secs(5));
    names(&engine, 13).await;
    let requests = things.requests();
    assert!(
        requests[1].ends_with(r#"{"r0":[{"__typename":"Thing","id":"13"}]}"#),
        "{requests:?}"
    );
}

#[tokio::test]
async fn an_entity_with_an_error_is_not_cached() {
    let things = Scripted::new(|_, variables| {
        let entities = variables["r0"].as_array().unwrap().iter();
        let entities: Vec<Value> = entities
            .map(|it| match it["id"].as_str().unwrap() {
                "2" => json!({ "name": null }),
                id => json!({ "name": id }),
            })
            .collect();
        let second = variables["r0"]
            .as_array()
            .unwrap()
            .iter()
            .position(|it| it["id"] == "2");
        let errors =
            second.map(|at| json!([{ "message": "no", "path": ["_entities", at, "name"] }]));
        json!({ "data": { "_entities": entities }, "errors": errors })
    });
    let (engine, _) = engine(&things);
    let query = "{ first(count: 3) { name } }";
    for _ in 0..2 {
        let answer = execute(&engine, query, json!({})).await;
        assert_eq!(
            answer["errors"],
            json!(["first.1.name: things: answered with an error: no"])
        );
    }
    let requests = things.requests();
    assert!(
        requests[1].ends_with(r#"{"r0":[{"__typename":"Thing","id":"2"}]}"#),
        "{requests:?}"
    );
}

#[tokio::test]
async fn a_value_with_an_object_of_an_unknown_type_inside_is_not_cached() {
    const PETS: &str = r"
        type Query { owner: Owner }
        type Owner { name: String pet: Pet }
        union Pet = Cat | Dog
        type Cat { lives: Int }
        type Dog { barks: Boolean }
    ";
    let pets = Scripted::new(
        |_, _| json!({ "data": { "owner": { "name": "A", "pet": { "__typename": "Fish" } } } }),
    );
    let cache = memory(&Clock::manual(Moment(1_700_000_000_000)));
    let engine = engine_with(&[("pets", PETS)], &[("pets", &pets)], |settings| {
        let mut caching = caching(&cache);
        caching.default.default_ttl = Duration::from_mins(1);
        settings.caching = Some(caching);
    });
    for _ in 0..2 {
        let query = "{ owner { name pet { ... on Cat { lives } } } }";
        let answer = execute(&engine, query, json!({})).await;
        assert_eq!(
            answer["data"],
            json!({ "owner": { "name": "A", "pet": null } })
        );
        let errors = json!([
            "owner.pet: pets: answered with an object of type `Fish`, which the graph does not have there"
        ]);
        assert_eq!(answer["errors"], errors);
    }
    assert_eq!(pets.requests().len(), 2);
}

#[tokio::test]
async fn nothing_is_cached_of_a_response_with_an_error_without_path() {
    let things = Scripted::new(
        |_, _| json!({ "data": { "_entities": [{ "name": "one" }] }, "errors": [{ "message": "somewhere" }] }),
    );
    let (engine, _) = engine(&things);
    for _ in 0..2 {
        execute(&engine, "{ first(count: 1) { name } }", json!({})).await;
    }
    assert_eq!(things.requests().len(), 2);
}

#[tokio::test]
async fn concurrent_operations_fetch_each_entity_once() {
    let things = things();
    let (engine, _) = engine(&things);
    let operations = (0..20).map(|_| names(&engine, 3));
    for names in futures_util::future::join_all(operations).await {
        assert_eq!(names, ["1 of 1", "2 of 1", "3 of 1"]);
    }
    assert_eq!(things.requests().len(), 1);
}

#[tokio::test]
async fn a_cached_superset_of_the_selection_is_a_hit() {
    let things = things();
    let (engine, _) = engine(&things);
    let wide = "{ first(count: 2) { name size made { year by } } best { name size } }";
    let narrow = "{ first(count: 2) { made { by } name } best { size } }";
    let other = "{ first(count: 2) { name size(unit: \"m\") } }";
    execute(&engine, wide, json!({})).await;
    let requests = things.requests().len();

    let answer = execute(&engine, narrow, json!({})).await;

    assert_eq!(answer["first"][1]["made"], json!({ "by": "them" }));
    assert!(answer["best"]["size"].is_string());
    assert_eq!(things.requests().len(), requests);
    // Other arguments make another field.
    execute(&engine, other, json!({})).await;
    assert_eq!(things.requests().len(), requests + 1);
}

#[tokio::test]
async fn invalidating_a_type_reaches_values_that_contain_its_objects() {
    let things = things();
    let (engine, _, cache) = engine_and_cache(&things);
    let queries = [
        "{ first(count: 2) { made { year } } }",
        "{ first(count: 2) { name } }",
    ];
    for query in queries.iter().chain(&queries) {
        execute(&engine, query, json!({})).await;
    }
    assert_eq!(things.requests().len(), 2);

    cache
        .invalidate(&Target::Type("Made".to_owned()).tags())
        .await;

    for query in queries {
        execute(&engine, query, json!({})).await;
    }
    let requests = things.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests[2].contains("made"), "{requests:?}");
}
