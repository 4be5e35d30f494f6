//! Which callers share a cached value, and which responses may not be cached at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use resolvers::Engine;
use resolvers::cache::{Clock, Moment};
use serde_json::{Value, json};

use crate::caching_service::{caching, memory};
use crate::support::{execute_with, graph, serve, settings_at};

const NAMES: &str = r#"
    extend schema
      @link(url: "https://specs.apollo.dev/federation/v2.12", import: ["@key"])
      @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
      @source(name: "api", http: { baseURL: "http://127.0.0.1" }, isSuccess: "$($status->in([200, 404, 429, 503]))")
    directive @cacheControl(maxAge: Int, scope: CacheControlScope) on FIELD_DEFINITION | OBJECT
    enum CacheControlScope { PUBLIC PRIVATE }
    type Query {
      name: String @connect(source: "api", http: GET, selection: "$.name")
      public: String @cacheControl(scope: PUBLIC) @connect(source: "api", http: GET, selection: "$.name")
    }
"#;

/// A service that says who asks; it sends no `Cache-Control`.
struct Service {
    engine: Engine,
    requests: Arc<AtomicUsize>,
    status: Arc<AtomicU16>,
}

impl Service {
    async fn start() -> Self {
        let requests = Arc::new(AtomicUsize::new(0));
        let status = Arc::new(AtomicU16::new(200));
        let (count, current) = (Arc::clone(&requests), Arc::clone(&status));
        let respond = async move |request: Request| -> Response {
            count.fetch_add(1, Ordering::SeqCst);
            let caller = request.headers().get(header::AUTHORIZATION);
            let caller = caller.map_or("anonymous", |it| it.to_str().unwrap());
            let body = axum::Json(json!({ "name": caller }));
            let status = StatusCode::from_u16(current.load(Ordering::SeqCst)).unwrap();
            (status, body).into_response()
        };
        let url = serve(Router::new().fallback(respond)).await;
        let mut settings = settings_at(&url);
        let mut caching = caching(&memory(&Clock::manual(Moment(1_700_000_000_000))));
        caching.default.default_ttl = Duration::from_mins(1);
        settings.caching = Some(caching);
        let get =
            r#"http: { GET: "/", headers: [{ name: "authorization", from: "authorization" }] }"#;
        let graph = graph(&[("g", &NAMES.replace("http: GET", get))]);
        Self {
            engine: Engine::new(graph, settings).unwrap(),
            requests,
            status,
        }
    }

    /// The value of a field for a caller, and the number of requests for it.
    async fn get(&self, caller: Option<&'static str>, field: &str) -> (Value, usize) {
        let before = self.requests.load(Ordering::SeqCst);
        let caller = caller.map(|it| (header::AUTHORIZATION, HeaderValue::from_static(it)));
        let headers: HeaderMap = caller.into_iter().collect();
        let query = format!("{{ {field} }}");
        let mut answer = execute_with(&self.engine, &query, json!({}), headers).await;
        let requests = self.requests.load(Ordering::SeqCst) - before;
        (answer[field].take(), requests)
    }
}

#[tokio::test]
async fn an_anonymous_response_is_for_anonymous_callers() {
    let (a, b) = (Some("Bearer A"), Some("Bearer B"));
    // Whichever is first: every caller has its own value, and each is cached.
    for callers in [[a, None, b], [None, a, b], [b, a, None]] {
        let service = Service::start().await;
        for requests in [1, 0] {
            for caller in callers {
                let expected = json!(caller.unwrap_or("anonymous"));
                assert_eq!(service.get(caller, "name").await, (expected, requests));
            }
        }
    }
}

#[tokio::test]
async fn a_public_response_is_for_all_callers() {
    let service = Service::start().await;
    assert_eq!(service.get(None, "public").await, (json!("anonymous"), 1));
    for caller in [Some("Bearer A"), Some("Bearer B"), None] {
        assert_eq!(service.get(caller, "public").await, (json!("anonymous"), 0));
    }
}

#[tokio::test]
async fn an_error_status_is_not_cached_without_an_explicit_lifetime() {
    for (status, requests) in [(200, 0), (404, 0), (429, 1), (503, 1)] {
        let service = Service::start().await;
        service.status.store(status, Ordering::SeqCst);
        assert_eq!(service.get(None, "name").await, (json!("anonymous"), 1));
        let again = service.get(None, "name").await;
        assert_eq!(again, (json!("anonymous"), requests), "{status}");
    }
}
