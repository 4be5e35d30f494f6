//! A service that holds its responses until the gate opens, and records its requests.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use http::{HeaderMap, HeaderValue};
use resolvers::Engine;
use resolvers::settings::Settings;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};

use crate::support::{execute, execute_with, graph, serve, settings_at};
use crate::values::sdl;

const THINGS: &str = r#"
    type Query {
      ids(of: [Int!]!): [Thing]
        @connect(source: "api", http: { GET: "/ids", queryParams: "of: $args.of->joinNotNull(',')" }, selection: "id")
      list: [Thing] @connect(source: "api", http: { GET: "/list" }, selection: "id")
      thing(id: ID!): Thing
        @connect(source: "api", http: { GET: "/thing", queryParams: "id: $args.id" }, entity: true, selection: "id name")
    }
    type Mutation { touch: [Thing] @connect(source: "api", http: { POST: "/touch" }, selection: "id") }
    type Thing
      @connect(
        source: "api"
        http: {
          GET: "/things"
          queryParams: "id: $batch.id->joinNotNull(',')"
          headers: [{ name: "authorization", from: "authorization" }]
        }
        batch: { maxSize: 4 }
        selection: "$.things { id name }"
      ) {
      id: ID!
      name: String
    }
"#;

/// The service: one permit of the gate lets one response through.
#[derive(Clone)]
pub(crate) struct Gated {
    /// Each request as `METHOD /path?query authorization`.
    requests: Arc<Mutex<Vec<String>>>,
    count: Arc<watch::Sender<usize>>,
    pub(crate) gate: Arc<Semaphore>,
}

impl Gated {
    /// Waits until so many calls are in flight or answered.
    pub(crate) async fn wait_for(&self, calls: usize) {
        let mut count = self.count.subscribe();
        count.wait_for(|count| *count >= calls).await.unwrap();
    }

    /// Lets all calls through from now on.
    pub(crate) fn open(&self) {
        self.gate.add_permits(1_000);
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        let mut requests = self.requests.lock().unwrap().clone();
        requests.sort_unstable();
        requests
    }
}

pub(crate) async fn gated(change: impl FnOnce(&mut Settings)) -> (Arc<Engine>, Gated) {
    let gated = Gated {
        requests: Arc::default(),
        count: Arc::new(watch::Sender::new(0)),
        gate: Arc::new(Semaphore::new(0)),
    };
    let app = Router::new().fallback(answer).with_state(gated.clone());
    let url = serve(app).await;
    let mut settings = settings_at(&url);
    change(&mut settings);
    let graph = graph(&[("g", &sdl("v0.3", THINGS))]);
    (Arc::new(Engine::new(graph, settings).unwrap()), gated)
}

/// `/ids?of=1,2` responds at once with objects of these ids, and so does `POST /touch`; others
/// wait.
async fn answer(State(gated): State<Gated>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let ids = query.split_once('=').map_or("", |(_, ids)| ids);
    let ids: Vec<i64> = ids
        .split("%2C")
        .flat_map(|it| it.split(','))
        .filter_map(|id| id.parse().ok())
        .collect();
    let things = |ids: &[i64]| -> Vec<Value> {
        let things = ids.iter();
        things
            .map(|id| json!({ "id": id, "name": format!("thing {id}") }))
            .collect()
    };
    let body = match request.uri().path() {
        "/ids" => return body(&json!(things(&ids))),
        "/touch" => return body(&json!(things(&[1]))),
        "/list" => json!(things(&[1])),
        "/thing" => json!(things(&ids)[0]),
        _ => json!({ "things": things(&ids) }),
    };
    let token = request.headers().get(header::AUTHORIZATION);
    let token = token.map_or("", |token| token.to_str().unwrap());
    let line = format!("{} {} {token}", request.method(), request.uri());
    gated
        .requests
        .lock()
        .unwrap()
        .push(line.trim_end().replace("%2C", ","));
    gated.count.send_modify(|count| *count += 1);
    gated.gate.acquire().await.unwrap().forget();
    if ids.contains(&13) {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    }
    if ids.contains(&503) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    self::body(&body)
}

fn body(value: &Value) -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        value.to_string(),
    )
        .into_response()
}

/// Starts an operation in a task of its own, which can be cancelled.
#[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
pub(crate) fn start(
    engine: &Arc<Engine>,
    of: &[u32],
    token: Option<&'static str>,
) -> tokio::task::JoinHandle<Value> {
    let engine = Arc::clone(engine);
    let variables = json!({ "of": of });
    tokio::spawn(async move {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(token));
        }
        let query = "query($of: [Int!]!) { ids(of: $of) { name } }";
        execute_with(&engine, query, variables, headers).await
    })
}

pub(crate) fn names(ids: &[u32]) -> Value {
    let things = ids
        .iter()
        .map(|id| json!({ "name": format!("thing {id}") }));
    json!({ "ids": things.collect::<Vec<_>>() })
}

/// Executes an operation for each id at the same moment: the first is in flight before the others.
pub(crate) async fn execute_things(engine: &Engine, ids: &[u32]) -> Vec<Value> {
    let ids = ids.iter();
    join_all(ids.map(|id| {
        let variables = json!({ "id": id });
        execute(
            engine,
            "query($id: ID!) { thing(id: $id) { name } }",
            variables,
        )
    }))
    .await
}

pub(crate) fn thing(id: u32) -> Value {
    json!({ "thing": { "name": format!("thing {id}") } })
}

pub(crate) async fn graphql(gated: Gated) -> String {
    let answer = async |State(gated): State<Gated>, request: Request| {
        let token = request.headers()[header::AUTHORIZATION].to_str().unwrap();
        gated
            .requests
            .lock()
            .unwrap()
            .push(format!("POST / {token}"));
        body(&json!({ "data": { "greeting": "hello", "greet": "hello" } }))
    };
    let app = Router::new().fallback(answer).with_state(gated);
    serve(app).await
}
