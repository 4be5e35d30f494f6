//! Keys compare by the GraphQL type of the key field, whatever JSON type a service writes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use futures_util::future::join_all;
use resolvers::Engine;
use resolvers::cache::{Clock, EntityKey, Moment, Target};
use serde_json::{Value, json};

use crate::caching_service::{caching, memory};
use crate::canned::engine as canned;
use crate::federation::{Scripted, engine_with};
use crate::support::{at_url, execute, serve};
use crate::values::sdl;

/// A subgraph with a list of things, which have the key `key` alone.
fn list(key: &str, fields: &str) -> String {
    format!(
        r#"
        extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
        type Query {{ list: [Thing] }}
        type Thing @key(fields: "{key}") {{ {fields} }}
        "#
    )
}

/// A REST service with a batch of things.
fn batch(fields: &str, body: &str, selection: &str) -> String {
    let types = format!(
        r#"
        type Thing
          @connect(source: "api", http: {{ POST: "/things", body: "{body}" }}, selection: "{selection}") {{
          {fields}
          name: String
        }}
        "#
    );
    sdl("v0.3", &types)
}

/// The bodies of requests.
type Bodies = Arc<Mutex<Vec<String>>>;

/// An engine over `f`, whose `list` returns `keys`, and `g`, whose batch returns `things`.
async fn engine(subgraphs: [&str; 2], keys: Value, things: Value) -> (Engine, Bodies) {
    let bodies = Bodies::default();
    let answer = async |State((bodies, things)): State<(Bodies, Value)>, body: String| {
        bodies.lock().unwrap().push(body);
        // Concurrent operations gather in the meantime.
        tokio::time::sleep(Duration::from_millis(20)).await;
        axum::Json(things)
    };
    let app = Router::new()
        .fallback(answer)
        .with_state((Arc::clone(&bodies), things));
    let url = serve(app).await;
    let list = Scripted::new(move |_, _| json!({ "data": { "list": keys } }));
    let [f, g] = subgraphs;
    let engine = engine_with(&[("f", f), ("g", g)], &[("f", &list)], |settings| {
        settings.sources.insert("g.api".to_owned(), at_url(&url));
    });
    (engine, bodies)
}

#[tokio::test]
async fn an_id_is_equal_as_a_string_and_as_a_number() {
    let f = list("id", "id: ID!");
    let g = batch("id: ID!", "ids: $batch.id", "id name");
    for (keys, things, body) in [
        (
            json!([{ "id": "1" }, { "id": "b" }]),
            json!([{ "id": "b", "name": "two" }, { "id": 1, "name": "one" }]),
            r#"{"ids":["1","b"]}"#,
        ),
        (
            json!([{ "id": 1 }, { "id": "b" }, { "id": "1" }]),
            json!([{ "id": "b", "name": "two" }, { "id": "1", "name": "one" }]),
            r#"{"ids":[1,"b"]}"#,
        ),
    ] {
        let (engine, bodies) = engine([&f, &g], keys, things).await;

        let answer = execute(&engine, "{ list { id name } }", json!({})).await;

        assert_eq!(
            answer["list"].as_array().unwrap()[..2],
            [
                json!({ "id": "1", "name": "one" }),
                json!({ "id": "b", "name": "two" })
            ]
        );
        // The service gets what the other service sent, each key once.
        assert_eq!(*bodies.lock().unwrap(), [body]);
    }
}

#[tokio::test]
async fn an_int_is_equal_by_its_number() {
    let f = list("no", "no: Int!");
    let g = batch("no: Int!", "nos: $batch.no", "no name");
    let keys = json!([{ "no": 1 }, { "no": 2.0 }, { "no": 2 }, { "no": 3 }]);
    let things = json!([
        { "no": 1.0, "name": "one" }, { "no": 2, "name": "two" }, { "no": "3", "name": "three" },
    ]);
    let (engine, bodies) = engine([&f, &g], keys, things).await;

    let answer = execute(&engine, "{ list { name } }", json!({})).await;

    let names = ["one", "two", "two", "three"].map(|name| json!({ "name": name }));
    assert_eq!(answer, json!({ "list": names }));
    assert_eq!(*bodies.lock().unwrap(), [r#"{"nos":[1,2.0,3]}"#]);
}

#[tokio::test]
async fn a_string_is_equal_to_no_number() {
    let f = list("code", "code: String!");
    let g = batch("code: String!", "codes: $batch.code", "code name");
    let keys = json!([{ "code": "1" }, { "code": "2" }]);
    let things = json!([{ "code": 1, "name": "one" }, { "code": "2", "name": "two" }]);
    let (engine, _) = engine([&f, &g], keys, things).await;

    let answer = execute(&engine, "{ list { name } }", json!({})).await;

    assert_eq!(
        answer,
        json!({ "list": [{ "name": null }, { "name": "two" }] })
    );
}

#[tokio::test]
async fn other_leaves_are_equal_by_their_value() {
    for (ty, key, other) in [
        ("Float!", json!(1), json!(1.0)),
        ("Float!", json!(2.50), json!(2.5e0)),
        ("Boolean!", json!(true), json!(true)),
        ("Colour!", json!("RED"), json!("RED")),
        (
            "Any!",
            json!({ "a": 1, "b": [2] }),
            json!({ "b": [2], "a": 1 }),
        ),
    ] {
        let types = "enum Colour { RED } scalar Any";
        let f = list("key", &format!("key: {ty}")) + types;
        let g = batch(&format!("key: {ty}"), "keys: $batch.key", "key name") + types;
        let things = json!([{ "key": other, "name": "one" }]);
        let (engine, _) = engine([&f, &g], json!([{ "key": key }]), things).await;

        let answer = execute(&engine, "{ list { name } }", json!({})).await;

        assert_eq!(answer, json!({ "list": [{ "name": "one" }] }), "{ty}");
    }
}

#[tokio::test]
async fn keys_of_several_and_of_nested_fields_compare_by_type() {
    let fields = "at: At! no: Int!";
    let at = "type At { id: ID! }";
    let f = list("at { id } no", fields) + at;
    let selection = "at { id } no name";
    let g = batch(fields, "keys: $batch { at { id } no }", selection) + at;
    let things = json!([
        { "at": { "id": 2 }, "no": 1, "name": "two" },
        { "at": { "id": "1" }, "no": 1.0, "name": "one" },
    ]);
    let keys = json!([{ "at": { "id": 1 }, "no": 1 }, { "at": { "id": "2" }, "no": 1 }]);
    let (engine, bodies) = engine([&f, &g], keys, things).await;

    // The calls of two operations are shared, and read by another path.
    let answers = join_all((0..2).map(|_| execute(&engine, "{ list { name } }", json!({})))).await;

    let names = json!({ "list": [{ "name": "one" }, { "name": "two" }] });
    assert_eq!(answers, [names.clone(), names]);
    let body = r#"{"keys":[{"at":{"id":1},"no":1},{"at":{"id":"2"},"no":1}]}"#;
    assert_eq!(bodies.lock().unwrap()[0], body);
}

#[tokio::test]
async fn operations_share_calls_for_keys_of_different_json_types() {
    const THINGS: &str = r#"
        type Query {
          numbers: [Thing] @connect(source: "api", http: { GET: "/numbers" }, selection: "id")
          strings: [Thing] @connect(source: "api", http: { GET: "/strings" }, selection: "id")
        }
        type Thing
          @connect(source: "api", http: { GET: "/things", queryParams: "id: $batch.id->joinNotNull(',')" }, selection: "id name") {
          id: ID!
          name: String
        }
    "#;
    let things = json!([{ "id": 1, "name": "one" }, { "id": "2", "name": "two" }]);
    let requests = Arc::new(Mutex::new(Vec::new()));
    let answer = {
        let requests = Arc::clone(&requests);
        async move |uri: Uri| {
            let body = match uri.path() {
                "/numbers" => json!([{ "id": 1 }, { "id": 2 }]),
                "/strings" => json!([{ "id": "2" }, { "id": "1" }]),
                _ => {
                    requests.lock().unwrap().push(uri.to_string());
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    things
                }
            };
            axum::Json(body)
        }
    };
    let url = serve(Router::new().fallback(answer)).await;
    let settings = crate::support::settings_at(&url);
    let graph = crate::support::graph(&[("g", &sdl("v0.3", THINGS))]);
    let engine = Engine::new(graph, settings).unwrap();

    let (numbers, strings) = tokio::join!(
        execute(&engine, "{ numbers { name } }", json!({})),
        execute(&engine, "{ strings { name } }", json!({})),
    );

    assert_eq!(
        numbers,
        json!({ "numbers": [{ "name": "one" }, { "name": "two" }] })
    );
    assert_eq!(
        strings,
        json!({ "strings": [{ "name": "two" }, { "name": "one" }] })
    );
    assert_eq!(requests.lock().unwrap().len(), 1, "{requests:?}");
}

#[tokio::test]
async fn an_argument_compares_by_the_type_of_the_key_field() {
    const THINGS: &str = r#"
        type Query {
          list: [Thing] @connect(source: "api", http: { GET: "/list" }, selection: "id")
          thing(id: ID!): Thing
            @connect(source: "api", http: { GET: "/thing/{$args.id}" }, entity: true, selection: "id name")
        }
        type Thing
          @connect(source: "api", http: { GET: "/things", queryParams: "id: $batch.id" }, selection: "$ { id name }") {
          id: ID!
          name: String
        }
    "#;
    let answers = [
        ("GET /thing/1", json!({ "id": 1, "name": "one" })),
        ("GET /things?id=2", json!([{ "id": 2, "name": "two" }])),
    ];
    let (engine, requests) = canned(&sdl("v0.3", THINGS), &answers).await;

    let (one, two) = tokio::join!(
        execute(&engine, "{ thing(id: 1) { name } }", json!({})),
        execute(&engine, "{ thing(id: 2) { name } }", json!({})),
    );

    assert_eq!(one, json!({ "thing": { "name": "one" } }));
    assert_eq!(two, json!({ "thing": { "name": "two" } }), "{requests:?}");
    assert_eq!(
        *requests.lock().unwrap(),
        ["GET /thing/1", "GET /things?id=2"]
    );
}

#[tokio::test]
async fn a_cached_value_is_found_and_invalidated_by_either_json_type() {
    let f = list("id", "id: ID!");
    let g = batch("id: ID!", "ids: $batch.id", "id name");
    let bodies = Bodies::default();
    let answer = async |State(bodies): State<Bodies>, body: String| {
        bodies.lock().unwrap().push(body);
        axum::Json(json!([{ "id": 1, "name": "one" }]))
    };
    let app = Router::new()
        .fallback(answer)
        .with_state(Arc::clone(&bodies));
    let url = serve(app).await;
    let is_number = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let switch = Arc::clone(&is_number);
    let list = Scripted::new(move |_, _| {
        let is_number = switch.load(std::sync::atomic::Ordering::SeqCst);
        let id = if is_number { json!(1) } else { json!("1") };
        json!({ "data": { "list": [{ "id": id }] } })
    });
    let cache = memory(&Clock::manual(Moment(1_700_000_000_000)));
    let engine = engine_with(&[("f", &f), ("g", &g)], &[("f", &list)], |settings| {
        settings.sources.insert("g.api".to_owned(), at_url(&url));
        let mut caching = caching(&cache);
        let mut policy = caching.default;
        policy.default_ttl = Duration::from_mins(1);
        caching.subgraphs = [("g".to_owned(), policy)].into();
        settings.caching = Some(caching);
    });
    let expected = json!({ "list": [{ "name": "one" }] });
    let ask = || execute(&engine, "{ list { name } }", json!({}));

    assert_eq!(ask().await, expected);
    is_number.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(ask().await, expected);
    assert_eq!(bodies.lock().unwrap().len(), 1);

    for id in [json!(1), json!("1")] {
        let key = EntityKey::from_json(&json!({ "id": id }).to_string()).unwrap();
        let type_name = "Thing".to_owned();
        let target = Target::Entity { type_name, key };
        cache.invalidate(&target.tags()).await;
        let calls = bodies.lock().unwrap().len();
        assert_eq!(ask().await, expected);
        assert_eq!(bodies.lock().unwrap().len(), calls + 1, "{id}");
    }
}
