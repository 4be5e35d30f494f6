//! Warnings of responses that are mapped as they are, but are probably not what was expected.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use futures_util::future::join_all;
use resolvers::cache::{Clock, Moment};
use resolvers::settings::{Batching, Caching, ResponseCaching};
use resolvers::warning::{SourceWarning, SourceWarningKind};
use resolvers::{Engine, Outcome};
use serde_json::{Value, json};

use crate::caching_service::{caching, memory};
use crate::support::{graph, request, serve, settings_at};
use crate::values::sdl;

const THINGS: &str = r#"
    type Query {
      list: [Thing] @connect(source: "api", http: { GET: "/list" }, selection: "id")
      thing(id: ID!): Thing
        @connect(source: "api", http: { GET: "/thing/{$args.id}" }, entity: true, selection: "id name")
    }
    type Thing
      @connect(
        source: "api"
        http: { GET: "/things", queryParams: "ids: $batch.id->joinNotNull(',')" }
        selection: "$.things { id name }"
      ) {
      id: ID!
      name: String
    }
"#;

/// An engine whose batches are answered with `things`.
async fn batches(things: Value, batching: Batching) -> Engine {
    let answer = async |State(things): State<Value>, uri: Uri| {
        // Concurrent operations gather in the meantime.
        tokio::time::sleep(Duration::from_millis(20)).await;
        axum::Json(match uri.path() {
            "/list" => json!([{ "id": 1 }, { "id": 2 }]),
            "/things" => json!({ "things": things }),
            path => json!({ "id": path.rsplit('/').next(), "name": "own" }),
        })
    };
    let url = serve(Router::new().fallback(answer).with_state(things)).await;
    let mut settings = settings_at(&url);
    settings.batching = batching;
    Engine::new(graph(&[("g", &sdl("v0.3", THINGS))]), settings).unwrap()
}

/// The data and the warnings of an operation.
async fn execute(engine: &Engine, query: &str) -> (Value, Vec<SourceWarning>) {
    let mut out = Vec::new();
    match engine.execute(request(query), &mut out).await {
        Outcome::Executed { warnings, .. } => (serde_json::from_slice(&out).unwrap(), warnings),
        outcome => panic!("{outcome:?}"),
    }
}

fn warning(connector: &str, kind: SourceWarningKind, responses: usize) -> SourceWarning {
    SourceWarning {
        subgraph: "g".into(),
        coordinate: connector.into(),
        kind,
        responses,
    }
}

fn keys_not_found(keys: usize, objects: usize) -> SourceWarning {
    let kind = SourceWarningKind::KeysNotFound { keys, objects };
    warning("g:Thing[0]", kind, 1)
}

#[tokio::test]
async fn a_batch_in_which_no_key_is_found_is_a_warning() {
    for batching in [Batching::AcrossOperations, Batching::WithinOperation] {
        for (things, names, expected) in [
            (
                json!([{ "id": 91, "name": "a" }, null, { "name": "b" }]),
                [Value::Null, Value::Null],
                vec![keys_not_found(2, 2)],
            ),
            (
                json!([{ "id": 91, "name": "a" }, { "id": "2", "name": "b" }]),
                [Value::Null, json!("b")],
                vec![],
            ),
            (json!([]), [Value::Null, Value::Null], vec![]),
            (json!([null]), [Value::Null, Value::Null], vec![]),
        ] {
            let engine = batches(things, batching).await;

            let (data, warnings) = execute(&engine, "{ list { name } }").await;

            let names = names.map(|name| json!({ "name": name }));
            assert_eq!(data, json!({ "list": names }));
            assert_eq!(warnings, expected);
        }
    }
}

#[tokio::test]
async fn a_batch_of_several_operations_has_the_keys_of_all() {
    for (things, keys_are_found) in [
        (json!([{ "id": 2, "name": "a" }]), true),
        (json!([{ "id": 91, "name": "a" }]), false),
    ] {
        let engine = batches(things, Batching::AcrossOperations).await;

        // The first makes a call of its own, and the others share a batch in the meantime.
        let queries = [1, 2, 3].map(|id| format!("{{ thing(id: {id}) {{ name }} }}"));
        let results = join_all(queries.iter().map(|query| execute(&engine, query))).await;

        let warnings: Vec<_> = results.into_iter().map(|(_, warnings)| warnings).collect();
        let shared = if keys_are_found {
            vec![]
        } else {
            vec![keys_not_found(2, 1)]
        };
        assert_eq!(warnings, [vec![], shared.clone(), shared]);
    }
}

const PAGES: &str = r#"
    type Query {
      text(of: String!): String @connect(source: "api", http: { GET: "/{$args.of}" }, selection: "$.text")
      done(of: String!): Boolean @connect(source: "api", http: { GET: "/{$args.of}" }, selection: "$(true)")
      always(of: String!): Boolean
        @connect(source: "api", http: { GET: "/{$args.of}" }, isSuccess: "$(true)", selection: "$(true)")
    }
"#;

async fn page(Path(name): Path<String>) -> Response {
    let types = |content_type| [(header::CONTENT_TYPE, content_type)];
    match &*name {
        "html" | "html2" => (types("Text/HTML; charset=utf-8"), "<h1>Login</h1>").into_response(),
        "long" => (types(&*format!("image/{}", "x".repeat(5_000))), "x").into_response(),
        "empty" => (types("text/html"), "").into_response(),
        "missing" => (StatusCode::NOT_FOUND, types("text/html"), "x").into_response(),
        "plain" => (types("text/plain"), "x").into_response(),
        _ => (types("application/problem+json"), r#"{"text":"x"}"#).into_response(),
    }
}

async fn pages() -> Engine {
    let url = serve(Router::new().route("/{name}", get(page))).await;
    Engine::new(graph(&[("g", &sdl("v0.3", PAGES))]), settings_at(&url)).unwrap()
}

fn unread(connector: &str, status: StatusCode, media_type: &str) -> SourceWarning {
    let media_type = media_type.into();
    let kind = SourceWarningKind::UnreadMediaType { status, media_type };
    warning(&format!("g:Query.{connector}[0]"), kind, 1)
}

#[tokio::test]
async fn a_success_whose_body_is_not_read_is_a_warning() {
    let engine = pages().await;

    let query = r#"{ text(of: "html") a: done(of: "html") b: done(of: "html2") c: done(of: "x") }"#;
    let (data, warnings) = execute(&engine, query).await;

    assert_eq!(
        data,
        json!({ "text": null, "a": true, "b": true, "c": true })
    );
    let ok = StatusCode::OK;
    assert_eq!(
        warnings,
        [
            unread("text", ok, "text/html"),
            SourceWarning {
                responses: 2,
                ..unread("done", ok, "text/html")
            }
        ]
    );
    let message = "the body of the response (200 OK) is not read because its media type is `text/html`; it is null for the mapping";
    assert_eq!(warnings[0].kind.to_string(), message);
}

#[tokio::test]
async fn only_a_body_of_another_type_in_a_success_is_a_warning() {
    let engine = pages().await;
    for (field, page, expected) in [
        ("done", "empty", vec![]),
        ("done", "plain", vec![]),
        ("done", "json", vec![]),
        ("done", "missing", vec![]),
        (
            "always",
            "missing",
            vec![unread("always", StatusCode::NOT_FOUND, "text/html")],
        ),
        (
            "done",
            "long",
            vec![unread(
                "done",
                StatusCode::OK,
                &format!("image/{}", "x".repeat(94)),
            )],
        ),
    ] {
        let (_, warnings) = execute(&engine, &format!("{{ {field}(of: \"{page}\") }}")).await;
        assert_eq!(warnings, expected, "{page}");
    }
}

/// A service that answers with JSON, or with a page for as long as `is_page`.
#[derive(Clone, Default)]
struct Switched {
    is_page: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
}

async fn switched(State(service): State<Switched>) -> Response {
    service.calls.fetch_add(1, Ordering::SeqCst);
    let (content_type, body) = if service.is_page.load(Ordering::SeqCst) {
        ("text/html", "<h1>Login</h1>")
    } else {
        ("application/json", r#"{"text":"x"}"#)
    };
    let lifetime = "max-age=10, stale-while-revalidate=60";
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, lifetime),
    ];
    (headers, body).into_response()
}

#[tokio::test]
async fn a_body_that_is_not_read_is_not_cached_and_replaces_no_value() {
    let service = Switched::default();
    let app = Router::new().fallback(switched).with_state(service.clone());
    let clock = Clock::manual(Moment(1_700_000_000_000));
    let mut settings = settings_at(&serve(app).await);
    settings.caching = Some(Caching {
        responses: ResponseCaching::Disabled,
        ..caching(&memory(&clock))
    });
    let engine = Engine::new(graph(&[("g", &sdl("v0.3", PAGES))]), settings).unwrap();
    let calls = || service.calls.load(Ordering::SeqCst);

    service.is_page.store(true, Ordering::SeqCst);
    for expected in [1, 2] {
        let (data, _) = execute(&engine, r#"{ done(of: "a") }"#).await;
        assert_eq!((data, calls()), (json!({ "done": true }), expected));
    }
    service.is_page.store(false, Ordering::SeqCst);
    let text = r#"{ text(of: "b") }"#;
    for _ in 0..2 {
        let (data, _) = execute(&engine, text).await;
        assert_eq!((data, calls()), (json!({ "text": "x" }), 3));
    }
    service.is_page.store(true, Ordering::SeqCst);
    clock.advance(Duration::from_secs(11));
    let (stale, _) = execute(&engine, text).await;
    while calls() < 4 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // The refresh got its response; it has a moment to store it.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (again, _) = execute(&engine, text).await;

    assert_eq!(stale, json!({ "text": "x" }));
    assert_eq!(again, stale);
}

#[tokio::test]
async fn a_batch_whose_body_is_not_read_has_a_warning_beside_its_error() {
    let list = get(async || axum::Json(json!([{ "id": 1 }])));
    let html = [(header::CONTENT_TYPE, "text/html")];
    let things = any(async move || (html, "<h1>Login</h1>"));
    let app = Router::new().route("/list", list).route("/things", things);
    let url = serve(app).await;
    let engine = Engine::new(graph(&[("g", &sdl("v0.3", THINGS))]), settings_at(&url)).unwrap();

    let (_, warnings) = execute(&engine, "{ list { name } }").await;

    let kind = SourceWarningKind::UnreadMediaType {
        status: StatusCode::OK,
        media_type: "text/html".into(),
    };
    assert_eq!(warnings, [warning("g:Thing[0]", kind, 1)]);
}
