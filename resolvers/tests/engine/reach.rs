//! Clients of subgraphs: over HTTP with its faults, and in the process.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_graphql::{
    Context, EmptyMutation, EmptySubscription, Object, Schema, SchemaBuilder, SimpleObject,
};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use insta::assert_snapshot;
use resolvers::Engine;
use resolvers::local::{AsyncGraphqlService, LocalRequest, LocalService};
use resolvers::settings::{Settings, SubgraphSettings};
use serde_json::{Value, json};

use crate::support::{execute, execute_with, graph, serve, settings};

const SDL: &str =
    "type Query { me: Me other: String } type Me { name: String!, age(in: Int): Int }";

/// A server that sends one response to all requests, and records them.
#[derive(Clone)]
struct Canned {
    answer: Arc<dyn Fn() -> Response + Send + Sync>,
    requests: Arc<Mutex<Vec<(HeaderMap, String)>>>,
}

/// An engine over a subgraph with this response, and the requests to it.
async fn served(
    answer: impl Fn() -> Response + Send + Sync + 'static,
    change: impl FnOnce(&mut SubgraphSettings, &mut Settings),
) -> (Engine, Arc<Mutex<Vec<(HeaderMap, String)>>>) {
    let canned = Canned {
        answer: Arc::new(answer),
        requests: Arc::default(),
    };
    let requests = Arc::clone(&canned.requests);
    let app = Router::new().fallback(canned_answer).with_state(canned);
    let url = serve(app).await + "/graphql?v=1";
    let mut service = SubgraphSettings {
        url: Some(url.parse().unwrap()),
        ..SubgraphSettings::default()
    };
    let mut settings = settings();
    change(&mut service, &mut settings);
    settings.subgraphs.insert("g".to_owned(), service);
    (
        Engine::new(graph(&[("g", SDL)]), settings).unwrap(),
        requests,
    )
}

async fn canned_answer(
    State(canned): State<Canned>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let request = format!("{method} {uri} {body}");
    canned.requests.lock().unwrap().push((headers, request));
    (canned.answer)()
}

fn me() -> Response {
    axum::Json(json!({ "data": { "me": { "name": "A" } } })).into_response()
}

const QUERY: &str = "query Mine($in: Int) { me { name age(in: $in) } }";

#[tokio::test]
async fn a_request_is_a_post_with_a_json_body() {
    let (engine, requests) = served(me, |_, _| ()).await;

    let answer = execute(&engine, QUERY, json!({ "in": 3 })).await;

    assert_eq!(answer, json!({ "me": { "name": "A", "age": null } }));
    let (headers, request) = requests.lock().unwrap().remove(0);
    assert_snapshot!(request, @r#"POST /graphql?v=1 {"query":"query Mine__g__1($in: Int) { me { name age(in: $in) } }","operationName":"Mine__g__1","variables":{"in":3}}"#);
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(
        headers[header::ACCEPT],
        "application/graphql-response+json, application/json;q=0.9"
    );
}

#[tokio::test]
async fn configured_headers_are_forwarded() {
    let (engine, requests) = served(me, |service, _| {
        service.forwarded_headers = vec![header::AUTHORIZATION, header::CONTENT_LENGTH];
        service.headers = vec![(
            header::HeaderName::from_static("x-gateway"),
            HeaderValue::from_static("weir"),
        )];
    })
    .await;
    let mut client = HeaderMap::new();
    client.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer x"));
    client.insert(header::COOKIE, HeaderValue::from_static("secret=1"));
    client.insert(header::CONTENT_LENGTH, HeaderValue::from_static("3"));

    let answer = execute_with(&engine, "{ me { name } }", json!({}), client).await;

    assert_eq!(answer, json!({ "me": { "name": "A" } }));
    let (headers, _) = requests.lock().unwrap().remove(0);
    assert_eq!(headers[header::AUTHORIZATION], "Bearer x");
    assert_eq!(headers["x-gateway"], "weir");
    assert!(!headers.contains_key(header::COOKIE));
}

#[tokio::test]
async fn a_graphql_response_is_used_whatever_its_status() {
    let answer = || {
        let body =
            json!({ "data": { "me": null }, "errors": [{ "message": "no", "path": ["me"] }] });
        (StatusCode::INTERNAL_SERVER_ERROR, body.to_string()).into_response()
    };
    let (engine, _) = served(answer, |_, _| ()).await;

    let answer = execute(&engine, "{ me { name } }", json!({})).await;

    assert_eq!(
        answer,
        json!({ "data": { "me": null }, "errors": ["me: g: answered with an error: no"] })
    );
}

#[tokio::test]
async fn a_response_without_data_fails_its_own_fields() {
    let busy = || (StatusCode::SERVICE_UNAVAILABLE, "{\"error\":\"busy\"}").into_response();
    let page = || (StatusCode::BAD_GATEWAY, "<html>").into_response();
    let text = || "hello".into_response();
    for (answer, expected) in [
        (
            busy as fn() -> Response,
            "me: g: answered 503 Service Unavailable without `data` or `errors`",
        ),
        (
            page,
            "me: g: answered 502 Bad Gateway without `data` or `errors`",
        ),
        (text, "me: g: answered 200 OK with a body that is not JSON"),
    ] {
        let (engine, _) = served(answer, |_, _| ()).await;

        let answer = execute(&engine, "{ me { name } }", json!({})).await;

        assert_eq!(
            answer,
            json!({ "data": { "me": null }, "errors": [expected] })
        );
    }
}

#[tokio::test]
async fn an_unreachable_subgraph_fails_its_own_fields() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (engine, _) = served(me, |service, _| service.url = Some(url.parse().unwrap())).await;

    let answer = execute(&engine, "{ me { name } }", json!({})).await;

    assert_eq!(answer["errors"], json!(["me: g: no connection"]));
}

#[tokio::test]
async fn a_subgraph_without_a_url_fails_with_a_clear_error() {
    let (engine, _) = served(me, |service, _| service.url = None).await;

    let answer = execute(&engine, "{ me { name } }", json!({})).await;

    assert_eq!(
        answer["errors"],
        json!(["me: g: the request cannot be built: no URL is configured for subgraph `g`"])
    );
}

/// A subgraph in the process that fails, in one way or another.
#[derive(Debug)]
enum Stuck {
    Never,
    Panics,
    Nonsense,
}

impl LocalService for Stuck {
    fn call(&self, _: LocalRequest) -> BoxFuture<'_, Bytes> {
        match self {
            Self::Never => Box::pin(std::future::pending()),
            Self::Panics => Box::pin(async { panic!("a bug") }),
            Self::Nonsense => Box::pin(async { Bytes::from_static(b"nothing") }),
        }
    }
}

fn local(service: impl LocalService + 'static) -> Engine {
    let mut settings = settings();
    settings.source_timeout = Duration::from_millis(50);
    settings.local.insert("g".to_owned(), Arc::new(service));
    Engine::new(graph(&[("g", SDL)]), settings).unwrap()
}

#[tokio::test]
async fn a_stuck_local_service_fails_its_own_fields() {
    for (stuck, expected) in [
        (Stuck::Never, "me: g: no response within 50ms"),
        (Stuck::Panics, "me: g: panicked"),
        (
            Stuck::Nonsense,
            "me: g: answered 200 OK with a body that is not JSON",
        ),
    ] {
        let engine = local(stuck);

        let answer = execute(&engine, "{ me { name } }", json!({})).await;

        assert_eq!(
            answer,
            json!({ "data": { "me": null }, "errors": [expected] })
        );
    }
}

struct Query;

#[derive(SimpleObject)]
#[graphql(complex)]
struct Me {
    name: String,
}

#[Object]
impl Query {
    async fn me(&self, context: &Context<'_>) -> Me {
        let headers = context.data_unchecked::<HeaderMap>();
        Me {
            name: format!("{:?}", headers.get(header::AUTHORIZATION)),
        }
    }

    async fn other(&self) -> async_graphql::Result<Option<String>> {
        std::future::ready(Err(async_graphql::Error::new("not today"))).await
    }
}

#[async_graphql::ComplexObject]
impl Me {
    async fn age(&self, r#in: Option<i32>) -> Option<i32> {
        r#in.map(|unit| unit * 2)
    }
}

fn schema() -> SchemaBuilder<Query, EmptyMutation, EmptySubscription> {
    Schema::build(Query, EmptyMutation, EmptySubscription)
}

#[tokio::test]
async fn resolvers_in_rust_are_called_without_http() {
    let mut settings = settings();
    let rust: Arc<dyn LocalService> = Arc::new(AsyncGraphqlService(schema().finish()));
    settings.local.insert("g".to_owned(), rust);
    let service = SubgraphSettings {
        // No server listens there, so a call over HTTP would fail.
        url: Some("http://127.0.0.1:1/".parse().unwrap()),
        forwarded_headers: vec![header::AUTHORIZATION],
        ..SubgraphSettings::default()
    };
    settings.subgraphs.insert("g".to_owned(), service);
    let engine = Engine::new(graph(&[("g", SDL)]), settings).unwrap();
    let mut client = HeaderMap::new();
    client.insert(header::AUTHORIZATION, HeaderValue::from_static("me"));
    let query = "query Mine($in: Int) { me { name age(in: $in) } other }";

    let answer: Value = execute_with(&engine, query, json!({ "in": 21 }), client).await;

    assert_eq!(
        answer,
        json!({
            "data": { "me": { "name": "Some(\"me\")", "age": 42 }, "other": null },
            "errors": ["other: g: answered with an error: not today"],
        })
    );
}
