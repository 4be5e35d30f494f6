//! A service for the cache model: every value states its version, when it was sent, and to which
//! caller.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use resolvers::cache::Clock;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::serve;

/// Three things that all callers share, two of which each caller has its own version, and a private
/// note of each caller.
pub(crate) const GRAPH: &str = r#"
    type Query {
      list(first: Int!): [Thing]
        @connect(source: "api", http: { GET: "/list", queryParams: "ids: $args.first" }, selection: "id")
      whole: [Thing]
        @connect(source: "api", http: { GET: "/whole" }, selection: "id name")
        @cacheTag(format: "whole")
      thing(id: ID!): Thing
        @connect(
          source: "api"
          http: { GET: "/things", queryParams: "ids: $args.id" }
          entity: true
          selection: "$.things->first { id name }"
        )
      mine(first: Int!): [Mine]
        @connect(source: "api", http: { GET: "/list", queryParams: "ids: $args.first" }, selection: "id")
      note: Note
        @connect(
          source: "api"
          http: { GET: "/note", headers: [{ name: "authorization", from: "authorization" }] }
          selection: "name"
        )
    }
    type Mutation {
      change(id: ID!): Thing
        @connect(source: "api", http: { POST: "/change", queryParams: "ids: $args.id" }, selection: "id name")
        @openfed__cacheInvalidate
    }
    type Thing
      @key(fields: "id")
      @cacheTag(format: "thing-{$key.id}")
      @connect(
        source: "api"
        http: { GET: "/things", queryParams: "ids: $batch.id->joinNotNull(',')" }
        batch: { maxSize: 10 }
        selection: "$.things { id name }"
      ) {
      id: ID!
      name: String
    }
    type Mine
      @key(fields: "id")
      @connect(
        source: "api"
        http: {
          GET: "/mine"
          queryParams: "ids: $batch.id->joinNotNull(',')"
          headers: [{ name: "authorization", from: "authorization" }]
        }
        batch: { maxSize: 10 }
        selection: "$.things { id name }"
      ) {
      id: ID!
      name: String
    }
    type Note { name: String }
"#;

pub(crate) const THINGS: usize = 3;
pub(crate) const MINE: usize = 2;

/// Number of all names: things, then private things, then the note.
pub(crate) const NAMES: usize = THINGS + MINE + 1;

pub(crate) const NOTE: usize = NAMES - 1;

/// The service.
#[derive(Debug)]
pub(crate) struct Truth {
    /// The version of each name.
    versions: [AtomicUsize; NAMES],
    is_down: AtomicBool,
    /// Number of calls received.
    calls: AtomicUsize,
    /// Whether responses to reads are sent.
    gate: watch::Sender<bool>,
    clock: Clock,
    lifetime: &'static str,
    /// Requests received, to explain a failure.
    pub(crate) log: Mutex<Vec<String>>,
}

impl Truth {
    pub(crate) async fn start(clock: &Clock, lifetime: &'static str) -> (Arc<Self>, String) {
        let truth = Arc::new(Self {
            versions: Default::default(),
            is_down: AtomicBool::new(false),
            calls: AtomicUsize::new(0),
            gate: watch::Sender::new(true),
            clock: clock.clone(),
            lifetime,
            log: Mutex::default(),
        });
        let app = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&truth));
        let url = serve(app).await;
        (truth, url)
    }

    pub(crate) fn version(&self, name: usize) -> usize {
        self.versions[name].load(Ordering::SeqCst)
    }

    pub(crate) fn change(&self, name: usize) {
        self.versions[name].fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    pub(crate) fn is_down(&self) -> bool {
        self.is_down.load(Ordering::SeqCst)
    }

    /// Sets whether responses to reads are sent.
    pub(crate) fn open(&self, is_open: bool) {
        self.gate.send_replace(is_open);
    }

    pub(crate) fn is_open(&self) -> bool {
        *self.gate.borrow()
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

/// An object as it is when a call arrives; its name states when the response is sent.
struct Version {
    id: usize,
    version: usize,
}

/// `/list?ids=2` returns two ids and is not cacheable; all other responses are.
async fn answer(State(truth): State<Arc<Truth>>, request: Request) -> Response {
    let uri = request.uri();
    truth.calls.fetch_add(1, Ordering::SeqCst);
    let caller = request.headers().get(header::AUTHORIZATION);
    let caller = caller
        .map_or("-", |value| value.to_str().unwrap())
        .to_owned();
    let line = format!("{} {uri} {caller}", request.method());
    truth.log.lock().unwrap().push(line);
    let is_read = request.method() == Method::GET;
    let ids = ids(uri.query());
    let path = uri.path();
    if path == "/list" {
        let ids: Vec<Value> = (1..=ids[0])
            .map(|id| json!({ "id": id.to_string() }))
            .collect();
        return axum::Json(ids).into_response();
    }
    if truth.is_down() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let (first, requested_ids) = requested_ids(path, ids);
    if !is_read {
        truth.change(requested_ids[0] - 1);
    }
    let versions: Vec<Version> = requested_ids
        .into_iter()
        .map(|id| Version {
            id,
            version: truth.version(first + id - 1),
        })
        .collect();
    if is_read {
        let mut gate = truth.gate.subscribe();
        let _ = gate.wait_for(|is_open| *is_open).await;
    }
    let at = truth.clock.now().0;
    let object = |it: &Version| {
        let name = first + it.id - 1;
        let text = format!("{name} {} {at} {caller}", it.version);
        json!({ "id": it.id.to_string(), "name": text })
    };
    let objects: Vec<Value> = versions.iter().map(object).collect();
    let body = match path {
        "/things" | "/mine" => json!({ "things": objects }),
        "/whole" => json!(objects),
        _ => objects[0].clone(),
    };
    let scope = if first == 0 { "public" } else { "private" };
    let cache_control = format!("{scope}, {}", truth.lifetime);
    ([(header::CACHE_CONTROL, cache_control)], axum::Json(body)).into_response()
}

/// The ids of `ids=1,2`.
fn ids(query: Option<&str>) -> Vec<usize> {
    let value = query.and_then(|query| query.split_once('='));
    let value = value.map_or("", |(_, value)| value);
    let ids = value.split("%2C").flat_map(|part| part.split(','));
    ids.filter_map(|id| id.parse().ok()).collect()
}

/// The first name of the kind, and the ids that are requested.
fn requested_ids(path: &str, ids: Vec<usize>) -> (usize, Vec<usize>) {
    match path {
        "/mine" => (THINGS, ids),
        "/note" => (NOTE, vec![1]),
        "/whole" => (0, (1..=THINGS).collect()),
        _ => (0, ids),
    }
}
