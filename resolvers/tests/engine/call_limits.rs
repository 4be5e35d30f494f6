//! Limits on the calls of all operations to one source, and on the entities of one call.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use resolvers::Engine;
use resolvers::settings::Settings;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::canned;
use crate::federation::{self, Scripted};
use crate::support::{execute, graph, serve, settings_at};

const NUMBERS: &str = r#"
    extend schema
      @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
      @source(name: "api", http: { baseURL: "http://127.0.0.1:1" })
    type Query {
      number(n: Int): Int @connect(source: "api", http: { GET: "/{$args.n}" }, selection: "$")
    }
"#;

/// How many requests a service has at the same time.
#[derive(Clone, Default)]
struct Busy {
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    all: Arc<AtomicUsize>,
}

/// Answers `/5` with `5` after 50 ms.
async fn number(State(busy): State<Busy>, Path(number): Path<usize>) -> impl IntoResponse {
    let now = busy.now.fetch_add(1, Ordering::SeqCst) + 1;
    busy.most.fetch_max(now, Ordering::SeqCst);
    busy.all.fetch_add(1, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(50)).await;
    busy.now.fetch_sub(1, Ordering::SeqCst);
    ([(CONTENT_TYPE, "application/json")], number.to_string())
}

async fn engine(change: impl FnOnce(&mut Settings)) -> (Engine, Busy) {
    let busy = Busy::default();
    let app = Router::new().route("/{number}", get(number));
    let app = app.with_state(busy.clone());
    let url = serve(app).await;
    let mut settings = settings_at(&url);
    change(&mut settings);
    (
        Engine::new(graph(&[("g", NUMBERS)]), settings).unwrap(),
        busy,
    )
}

fn numbers(numbers: std::ops::Range<usize>) -> String {
    let fields = numbers.map(|n| format!("a{n}:number(n:{n}) "));
    format!("{{ {} }}", fields.collect::<String>())
}

fn limit(calls: usize) -> NonZeroUsize {
    NonZeroUsize::new(calls).unwrap()
}

#[tokio::test]
async fn a_source_has_no_more_calls_in_flight_than_its_maximum() {
    let (engine, busy) = engine(|settings| settings.call_limits.concurrent = limit(5)).await;

    let (first, second) = (numbers(0..20), numbers(20..40));
    let (first, second) = tokio::join!(
        execute(&engine, &first, json!({})),
        execute(&engine, &second, json!({})),
    );

    assert_eq!(first["a19"], 19, "{first}");
    assert_eq!(second["a39"], 39, "{second}");
    assert_eq!(busy.most.load(Ordering::SeqCst), 5);
    assert_eq!(busy.all.load(Ordering::SeqCst), 40);
    let load = engine.source_load();
    assert_eq!(
        (&*load[0].source, load[0].in_flight, load[0].queued),
        ("g.api", 0, 0)
    );
}

#[tokio::test]
async fn a_limit_of_a_source_replaces_the_common_one() {
    let (engine, busy) = engine(|settings| {
        let source = settings.sources.get_mut("g.api").unwrap();
        source.call_limits.concurrent = Some(limit(2));
    })
    .await;

    execute(&engine, &numbers(0..8), json!({})).await;

    assert_eq!(busy.most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_full_queue_fails_the_calls_that_find_no_place() {
    let (engine, busy) = engine(|settings| {
        settings.call_limits.concurrent = limit(2);
        settings.call_limits.queued = limit(3);
    })
    .await;

    let answer = execute(&engine, &numbers(0..7), json!({})).await;

    let refused = |n: usize| format!("a{n}: g:Query.number[0]: 3 calls wait for the source");
    let data = answer["data"].as_object().unwrap();
    let answered = data.values().filter(|value| !value.is_null());
    assert_eq!(answered.count(), 5, "{answer}");
    assert_eq!(answer["errors"].as_array().unwrap().len(), 2);
    for (n, value) in data.values().enumerate() {
        let is_refused = answer["errors"]
            .as_array()
            .unwrap()
            .contains(&json!(refused(n)));
        assert_eq!(value.is_null(), is_refused, "{answer}");
    }
    assert_eq!(busy.all.load(Ordering::SeqCst), 5);
    assert_eq!(engine.source_load()[0].refused, 2);
}

#[tokio::test]
async fn the_time_in_the_queue_is_no_part_of_the_timeout_of_a_call() {
    let (engine, _) = engine(|settings| {
        settings.call_limits.concurrent = limit(1);
        settings.source_timeout = Duration::from_millis(200);
    })
    .await;

    // The last of ten calls of 50 ms waits for 450 ms; the calls of both operations are shared.
    let query = numbers(0..10);
    let (first, second) = tokio::join!(
        execute(&engine, &query, json!({})),
        execute(&engine, &query, json!({})),
    );

    assert_eq!(first["a9"], 9, "{first}");
    assert_eq!(second["a9"], 9, "{second}");
}

#[tokio::test]
async fn the_deadline_of_an_operation_ends_the_wait_in_the_queue() {
    let (engine, busy) = engine(|settings| {
        settings.call_limits.concurrent = limit(1);
        settings.operation_timeout = Duration::from_millis(120);
    })
    .await;
    let start = Instant::now();

    let answer = execute(&engine, &numbers(0..10), json!({})).await;

    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!(answer["data"]["a0"], 0, "{answer}");
    assert_eq!(answer["data"]["a9"], Value::Null);
    assert!(busy.all.load(Ordering::SeqCst) <= 3);
    assert_eq!(engine.source_load()[0].queued, 0);
}

#[tokio::test]
async fn requests_to_a_subgraph_have_no_more_entities_than_their_maximum() {
    let lists = Scripted::new(|_, _| {
        let items = (0..7).map(|id| json!({ "id": id.to_string() }));
        json!({ "data": { "items": items.collect::<Vec<_>>() } })
    });
    let names = Scripted::new(|_, variables| {
        let representations = variables["r0"].as_array().unwrap();
        let named = representations.iter().map(|it| json!({ "name": it["id"] }));
        json!({ "data": { "_entities": named.collect::<Vec<_>>() } })
    });
    const FEDERATION: &str =
        r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])"#;
    let lists_sdl = format!(
        "{FEDERATION} type Query {{ items: [Item] }} type Item @key(fields: \"id\") {{ id: ID! }}"
    );
    let names_sdl =
        format!("{FEDERATION} type Item @key(fields: \"id\") {{ id: ID! name: String }}");
    let engine = federation::engine_with(
        &[("lists", lists_sdl.as_str()), ("names", names_sdl.as_str())],
        &[("lists", &lists), ("names", &names)],
        |settings| settings.call_limits.entities = limit(3),
    );

    let answer = execute(&engine, "{ items { name } }", json!({})).await;

    let expected = (0..7).map(|id| json!({ "name": id.to_string() }));
    assert_eq!(answer["items"], expected.collect::<Value>(), "{answer}");
    let requests = names.requests();
    let sizes = requests
        .iter()
        .map(|request| request.matches("\"id\"").count());
    assert_eq!(sizes.collect::<Vec<_>>(), [3, 3, 1]);
}

#[tokio::test]
async fn batches_without_a_maximum_have_no_more_keys_than_the_common_one() {
    const BATCHES: &str = r#"
        extend schema
          @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
          @source(name: "api", http: { baseURL: "http://127.0.0.1:1" })
        type Query {
          items: [Item] @connect(source: "api", http: { GET: "/items" }, selection: "id")
        }
        type Item @connect(
          source: "api"
          http: { GET: "/names?ids={$batch.id->joinNotNull(',')}" }
          selection: "id name"
        ) { id: ID! name: String }
    "#;
    let named =
        |ids: [u32; 2]| Value::from_iter(ids.map(|id| json!({ "id": id, "name": id.to_string() })));
    let answers = [
        (
            "GET /items",
            (1..=4).map(|id| json!({ "id": id })).collect(),
        ),
        ("GET /names?ids=1%2C2", named([1, 2])),
        ("GET /names?ids=3%2C4", named([3, 4])),
    ];
    let (engine, requests) = canned::engine_with(BATCHES, &answers, |settings| {
        settings.call_limits.entities = limit(2);
    })
    .await;

    let answer = execute(&engine, "{ items { name } }", json!({})).await;

    let expected = (1..=4).map(|id| json!({ "name": id.to_string() }));
    assert_eq!(answer["items"], expected.collect::<Value>(), "{answer}");
    assert_eq!(requests.lock().unwrap().len(), 3);
}
