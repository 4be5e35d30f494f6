//! A REST service with a configurable `Cache-Control`, and an engine with a cache in front of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request as HttpRequest, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue};
use resolvers::cache::{Cache, CacheSettings, Clock, Moment, Reuse};
use resolvers::settings::{CachePolicy, Caching, ResponseCaching, Settings};
use resolvers::trace::FetchTrace;
use resolvers::{Engine, Outcome, Request, Trace};
use serde_json::{Value, json};

use crate::support::{execute, execute_with, graph, request, serve, settings_at};
use crate::values::sdl;

/// `list` returns things with their ids alone; batches return the rest.
pub(crate) const THINGS: &str = r#"
    type Query {
      list(first: Int!): [Thing]
        @connect(source: "api", http: { GET: "/list", queryParams: "first: $args.first" }, selection: "id")
      whole: [Thing] @connect(source: "api", http: { GET: "/whole" }, selection: "id name count")
      thing(id: ID!): Thing
        @connect(
          source: "api"
          http: { GET: "/thing", queryParams: "id: $args.id", headers: [{ name: "authorization", from: "authorization" }] }
          entity: true
          selection: "id name count"
        )
    }
    type Mutation { touch: [Thing] @connect(source: "api", http: { POST: "/touch" }, selection: "id name count") }
    type Thing
      @key(fields: "id")
      @connect(
        source: "api"
        http: {
          GET: "/things"
          queryParams: "ids: $batch.id->joinNotNull(',')"
          headers: [{ name: "authorization", from: "authorization" }]
        }
        batch: { maxSize: 100 }
        selection: "$.things { id name count }"
      ) {
      id: ID!
      name: String
      count: Int
    }
"#;

/// The state of the service; all of it can be changed while it runs.
#[derive(Debug)]
pub(crate) struct Service {
    requests: Mutex<Vec<String>>,
    /// `Cache-Control` and other headers of responses about things.
    headers: Mutex<Vec<(HeaderName, String)>>,
    /// The version of all things.
    pub(crate) version: AtomicUsize,
    is_down: std::sync::atomic::AtomicBool,
}

impl Service {
    /// Takes the requests since the last call, each as `path?query`.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }

    pub(crate) fn set_cache_control(&self, cache_control: &str) {
        self.set_headers(&[("cache-control", cache_control)]);
    }

    pub(crate) fn set_headers(&self, headers: &[(&'static str, &str)]) {
        let headers = headers.iter();
        *self.headers.lock().unwrap() = headers
            .map(|(name, value)| (HeaderName::from_static(name), (*value).to_owned()))
            .collect();
    }

    pub(crate) fn bump_version(&self) {
        self.version.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn fail(&self) {
        self.is_down.store(true, Ordering::SeqCst);
    }

    pub(crate) fn recover(&self) {
        self.is_down.store(false, Ordering::SeqCst);
    }
}

/// An engine with a cache, the clock of the cache, and the service.
pub(crate) struct CachedEngine {
    pub(crate) engine: Arc<Engine>,
    pub(crate) cache: Cache,
    pub(crate) clock: Clock,
    pub(crate) service: Arc<Service>,
}

impl CachedEngine {
    pub(crate) async fn start() -> Self {
        Self::with(THINGS, |_| ()).await
    }

    pub(crate) async fn with(sdl_text: &str, change: impl FnOnce(&mut Settings)) -> Self {
        let (service, url) = start_service().await;
        let clock = Clock::manual(Moment(1_700_000_000_000));
        let cache = memory(&clock);
        let mut settings = settings_at(&url);
        settings.caching = Some(caching(&cache));
        change(&mut settings);
        let graph = graph(&[("g", &sdl("v0.3", sdl_text))]);
        Self {
            engine: Arc::new(Engine::new(graph, settings).unwrap()),
            cache,
            clock,
            service,
        }
    }

    pub(crate) async fn execute(&self, query: &str) -> Value {
        execute(&self.engine, query, json!({})).await
    }

    pub(crate) async fn execute_as(&self, token: &'static str, query: &str) -> Value {
        let token = (header::AUTHORIZATION, HeaderValue::from_static(token));
        let headers = HeaderMap::from_iter([token]);
        execute_with(&self.engine, query, json!({}), headers).await
    }

    /// The trace of an operation's fetches.
    pub(crate) async fn trace(&self, query: &str) -> Vec<FetchTrace> {
        match self.executed(query).await {
            Outcome::Executed { trace, .. } | Outcome::Cached { trace, .. } => trace.fetches,
            Outcome::Refused { errors } => panic!("{errors:?}"),
        }
    }

    /// How long the response to an operation may be reused.
    pub(crate) async fn reuse(&self, query: &str) -> Option<Reuse> {
        match self.executed(query).await {
            Outcome::Executed { reuse, .. } => reuse,
            Outcome::Cached { response, .. } => Some(response.reuse),
            Outcome::Refused { errors } => panic!("{errors:?}"),
        }
    }

    async fn executed(&self, query: &str) -> Outcome {
        let request = Request {
            trace: Trace::Yes,
            ..request(query)
        };
        self.engine.execute(request, &mut Vec::new()).await
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

/// A cache in memory.
pub(crate) fn memory(clock: &Clock) -> Cache {
    start_cache(in_memory(clock))
}

pub(crate) fn in_memory(clock: &Clock) -> CacheSettings {
    CacheSettings {
        jitter_percent: 0,
        clock: clock.clone(),
        ..CacheSettings::with_memory(8 << 20)
    }
}

/// A cache whose background work runs for as long as it lives.
pub(crate) fn start_cache(settings: CacheSettings) -> Cache {
    let (cache, background) = Cache::start(settings);
    for (_, work) in background {
        #[expect(clippy::disallowed_methods, reason = "ends with the cache")]
        tokio::spawn(work);
    }
    cache
}

/// Caching by the service's `Cache-Control`, for up to an hour.
pub(crate) fn caching(cache: &Cache) -> Caching {
    Caching {
        cache: cache.clone(),
        default: CachePolicy {
            is_enabled: true,
            default_ttl: Duration::ZERO,
            max_ttl: Duration::from_hours(1),
            stale_while_revalidate: Duration::ZERO,
            stale_if_error: Duration::ZERO,
            negative_ttl: Duration::from_secs(5),
        },
        subgraphs: std::collections::BTreeMap::new(),
        caller_headers: Vec::new(),
        responses: ResponseCaching::Enabled,
    }
}

async fn start_service() -> (Arc<Service>, String) {
    let service = Arc::new(Service {
        requests: Mutex::default(),
        headers: Mutex::default(),
        version: AtomicUsize::new(1),
        is_down: std::sync::atomic::AtomicBool::new(false),
    });
    let app = Router::new()
        .fallback(answer)
        .with_state(Arc::clone(&service));
    let url = serve(app).await;
    (service, url)
}

/// Things have ids from 1 to 99; others do not exist.
async fn answer(State(service): State<Arc<Service>>, request: HttpRequest) -> Response {
    let uri = request.uri();
    service.requests.lock().unwrap().push(uri.to_string());
    if service.is_down.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let version = service.version.load(Ordering::SeqCst);
    let thing = |id: usize| json!({ "id": id.to_string(), "name": format!("thing {id} v{version}"), "count": version });
    let query = uri.query().unwrap_or_default();
    let value = query.split_once('=').map_or("", |(_, value)| value);
    let ids = value.split("%2C").flat_map(|part| part.split(','));
    let ids: Vec<usize> = ids.filter_map(|id| id.parse().ok()).collect();
    let existing = ids.iter().copied().filter(|id| (1..100).contains(id));
    let body = match uri.path() {
        "/list" => {
            let first = ids.first().copied().unwrap_or_default();
            let list: Vec<Value> = (1..=first)
                .map(|id| json!({ "id": id.to_string() }))
                .collect();
            return axum::Json(json!(list)).into_response();
        }
        "/whole" | "/touch" => json!([thing(1), thing(2)]),
        "/thing" => existing.map(thing).next().unwrap_or(Value::Null),
        _ => json!({ "things": existing.map(thing).collect::<Vec<_>>() }),
    };
    let mut response = axum::Json(body).into_response();
    for (name, value) in &*service.headers.lock().unwrap() {
        let value = HeaderValue::from_str(value).unwrap();
        response.headers_mut().insert(name, value);
    }
    response
}
