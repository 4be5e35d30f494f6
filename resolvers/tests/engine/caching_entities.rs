//! What is kept of services that speak GraphQL: entities one by one, root fields together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use resolvers::Engine;
use resolvers::cache::{Cache, Clock, Moment, Target};
use serde_json::{Value, json};

use crate::caching_service::{caching, memory};
use crate::federation::{Scripted, engine_with};
use crate::support::ask;

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

/// An engine with a cache over `list`, whose answers are not kept, and `things`, whose are.
fn engine(things: &Scripted) -> (Engine, Clock) {
    let (engine, clock, _) = engine_and_cache(things);
    (engine, clock)
}

fn engine_and_cache(things: &Scripted) -> (Engine, Clock, Cache) {
    let list = Scripted::new(|document, variables| {
        let written = document
            .split("count: ")
            .nth(1)
            .unwrap()
            .split(')')
            .next()
            .unwrap();
        let count = variables["count"]
            .as_u64()
            .unwrap_or_else(|| written.parse().unwrap());
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
            let mut keeping = caching.default;
            keeping.default_ttl = Duration::from_mins(1);
            caching.subgraphs = BTreeMap::from([("things".to_owned(), keeping)]);
            settings.caching = Some(caching);
        },
    );
    (engine, clock, cache)
}

/// Things whose name tells which answer it was.
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
    let answer = ask(engine, query, json!({ "count": count })).await;
    let list = answer["first"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer}"));
    list.iter()
        .map(|thing| thing["name"].as_str().unwrap_or("nobody").to_owned())
        .collect()
}

#[tokio::test]
async fn only_entities_that_are_missing_are_asked_for() {
    let things = things();
    let (engine, clock) = engine(&things);

    assert_eq!(names(&engine, 2).await, ["1 of 1", "2 of 1"]);
    assert_eq!(names(&engine, 3).await, ["1 of 1", "2 of 1", "3 of 2"]);
    assert_eq!(names(&engine, 2).await, ["1 of 1", "2 of 1"]);
    let asked = things.asked();
    assert_eq!(asked.len(), 2);
    assert!(
        asked[1].ends_with(r#"{"r0":[{"__typename":"Thing","id":"3"}]}"#),
        "{asked:?}"
    );

    clock.advance(Duration::from_mins(1));
    assert_eq!(names(&engine, 1).await, ["1 of 3"]);
}

#[tokio::test]
async fn a_selection_in_another_order_with_other_names_is_the_same() {
    let things = things();
    let (engine, _) = engine(&things);
    let one = "query($u: String) { first(count: 1) { name size(unit: $u) } }";
    let two = "query($in: String) { first(count: 1) { large: size(unit: $in) called: name } }";

    ask(&engine, one, json!({ "u": "cm" })).await;
    let answer = ask(&engine, two, json!({ "in": "cm" })).await;
    assert_eq!(answer["first"][0]["called"], "1 of 1");
    let other = ask(&engine, two, json!({ "in": "m" })).await;
    assert_eq!(other["first"][0]["called"], "1 of 2");
    assert_eq!(things.asked().len(), 2);
}

#[tokio::test]
async fn conditions_are_a_part_of_what_is_asked() {
    let things = things();
    let (engine, _) = engine(&things);
    let query = "query($so: Boolean!) { first(count: 1) { name made @include(if: $so) { year } } }";

    let without = ask(&engine, query, json!({ "so": false })).await;
    let with = ask(&engine, query, json!({ "so": true })).await;

    assert_eq!(without["first"][0], json!({ "name": "1 of 1" }));
    assert_eq!(
        with["first"][0],
        json!({ "name": "1 of 2", "made": { "year": 2000 } })
    );
}

#[tokio::test]
async fn root_fields_of_one_request_are_kept_together() {
    let things = things();
    let (engine, _) = engine(&things);
    let query = "query($n: Int) { best(of: $n) { name } worst { name } }";
    let first = ask(&engine, query, json!({ "n": 2 })).await;
    assert_eq!(ask(&engine, query, json!({ "n": 2 })).await, first);
    assert_ne!(ask(&engine, query, json!({ "n": 3 })).await, first);
    assert_eq!(things.asked().len(), 2);
}

#[tokio::test]
async fn what_does_not_exist_is_believed_for_a_short_while() {
    let things = things();
    let (engine, clock) = engine(&things);
    for _ in 0..2 {
        assert_eq!(names(&engine, 13).await[12], "nobody");
    }
    assert_eq!(things.asked().len(), 1);
    clock.advance(Duration::from_secs(5));
    names(&engine, 13).await;
    let asked = things.asked();
    assert!(
        asked[1].ends_with(r#"{"r0":[{"__typename":"Thing","id":"13"}]}"#),
        "{asked:?}"
    );
}

#[tokio::test]
async fn an_entity_of_which_an_error_is_told_is_not_kept() {
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
        let answer = ask(&engine, query, json!({})).await;
        assert_eq!(
            answer["errors"],
            json!(["first.1.name: things: answered with an error: no"])
        );
    }
    let asked = things.asked();
    assert!(
        asked[1].ends_with(r#"{"r0":[{"__typename":"Thing","id":"2"}]}"#),
        "{asked:?}"
    );
}

#[tokio::test]
async fn an_error_without_a_place_keeps_nothing() {
    let things = Scripted::new(
        |_, _| json!({ "data": { "_entities": [{ "name": "one" }] }, "errors": [{ "message": "somewhere" }] }),
    );
    let (engine, _) = engine(&things);
    for _ in 0..2 {
        ask(&engine, "{ first(count: 1) { name } }", json!({})).await;
    }
    assert_eq!(things.asked().len(), 2);
}

#[tokio::test]
async fn operations_at_one_moment_ask_for_each_entity_once() {
    let things = things();
    let (engine, _) = engine(&things);
    let asks = (0..20).map(|_| names(&engine, 3));
    for names in futures_util::future::join_all(asks).await {
        assert_eq!(names, ["1 of 1", "2 of 1", "3 of 1"]);
    }
    assert_eq!(things.asked().len(), 1);
}

#[tokio::test]
async fn what_was_asked_for_with_more_fields_answers_with_fewer() {
    let things = things();
    let (engine, _) = engine(&things);
    let wide = "{ first(count: 2) { name size made { year by } } best { name size } }";
    let narrow = "{ first(count: 2) { made { by } name } best { size } }";
    let other = "{ first(count: 2) { name size(unit: \"m\") } }";
    ask(&engine, wide, json!({})).await;
    let asked = things.asked().len();

    let answer = ask(&engine, narrow, json!({})).await;

    assert_eq!(answer["first"][1]["made"], json!({ "by": "them" }));
    assert!(answer["best"]["size"].is_string());
    assert_eq!(things.asked().len(), asked);
    // With other arguments it is another field.
    ask(&engine, other, json!({})).await;
    assert_eq!(things.asked().len(), asked + 1);
}

#[tokio::test]
async fn a_type_ends_everything_that_has_an_object_of_it_inside() {
    let things = things();
    let (engine, _, cache) = engine_and_cache(&things);
    let queries = [
        "{ first(count: 2) { made { year } } }",
        "{ first(count: 2) { name } }",
    ];
    for query in queries.iter().chain(&queries) {
        ask(&engine, query, json!({})).await;
    }
    assert_eq!(things.asked().len(), 2);

    cache
        .invalidate(&Target::Type("Made".to_owned()).tags())
        .await;

    for query in queries {
        ask(&engine, query, json!({})).await;
    }
    let asked = things.asked();
    assert_eq!(asked.len(), 3);
    assert!(asked[2].contains("made"), "{asked:?}");
}
