//! A REST service whose responses contain the caller, and that records its calls.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use gateway::tasks::Tasks;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use crate::weir::Subgraph;

/// The running service; it ends with the runtime of its test.
pub(crate) struct People {
    url: String,
    state: Arc<Service>,
    _tasks: Tasks,
}

struct Service {
    calls: Mutex<Vec<Call>>,
    cache_control: &'static str,
    delay: Duration,
}

/// A call for people.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) at: Instant,
    pub(crate) ids: Vec<u32>,
    /// The value of `authorization`.
    pub(crate) caller: String,
}

impl People {
    /// A service with `cache_control` on people, and a `delay` for each call.
    pub(crate) async fn start(cache_control: &'static str, delay: Duration) -> Self {
        let state = Arc::new(Service {
            calls: Mutex::default(),
            cache_control,
            delay,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&state));
        let tasks = Tasks::default();
        tasks.spawn("people", async move {
            axum::serve(listener, app).await.unwrap();
        });
        Self {
            url,
            state,
            _tasks: tasks,
        }
    }

    /// Takes the calls for people since the last call of this function.
    pub(crate) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state.calls.lock().unwrap())
    }

    /// The subgraph of the service.
    pub(crate) fn subgraph(&self) -> Subgraph {
        Subgraph {
            name: "people",
            sdl: SDL.to_owned(),
            source: "api",
            url: self.url.clone(),
        }
    }
}

/// A person as the service returns it to `caller`.
pub(crate) fn person(id: u32, caller: &str) -> Value {
    json!({ "id": id.to_string(), "name": format!("person {id} for {caller}") })
}

/// `/list?first=N` returns ids without `Cache-Control`; `/people?ids=1,2` returns people.
async fn answer(State(state): State<Arc<Service>>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let value = query.split_once('=').map_or("", |(_, value)| value);
    let ids = value.split("%2C").flat_map(|part| part.split(','));
    let ids: Vec<u32> = ids.filter_map(|id| id.parse().ok()).collect();
    if request.uri().path() == "/list" {
        let all = 1..=ids[0];
        let all: Vec<Value> = all.map(|id| json!({ "id": id.to_string() })).collect();
        return axum::Json(all).into_response();
    }
    let caller = request.headers().get(header::AUTHORIZATION);
    let caller = caller.map_or("", |value| value.to_str().unwrap());
    let people: Vec<Value> = ids.iter().map(|id| person(*id, caller)).collect();
    state.calls.lock().unwrap().push(Call {
        at: Instant::now(),
        ids,
        caller: caller.to_owned(),
    });
    sleep(state.delay).await;
    let headers = [(header::CACHE_CONTROL, state.cache_control)];
    (headers, axum::Json(json!({ "people": people }))).into_response()
}

const SDL: &str = r#"
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.12", import: ["@key"])
  @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
  @source(name: "api", http: { baseURL: "http://127.0.0.1:1" })

type Query {
  people(first: Int!): [Person]
    @connect(source: "api", http: { GET: "/list", queryParams: "first: $args.first" }, selection: "id")
  person(id: ID!): Person
    @connect(
      source: "api"
      http: {
        GET: "/people"
        queryParams: "ids: $args.id"
        headers: [{ name: "authorization", from: "authorization" }]
      }
      entity: true
      selection: "$.people->first { id name }"
    )
}

type Person
  @key(fields: "id")
  @connect(
    source: "api"
    http: {
      GET: "/people"
      queryParams: "ids: $batch.id->joinNotNull(',')"
      headers: [{ name: "authorization", from: "authorization" }]
    }
    batch: { maxSize: 1000 }
    selection: "$.people { id name }"
  ) {
  id: ID!
  name: String
}
"#;
