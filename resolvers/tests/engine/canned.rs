//! A source with canned answers that records its requests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use resolvers::Engine;
use resolvers::settings::Settings;
use serde_json::Value;

use crate::support::{graph, serve, settings_at};

/// Requests as `METHOD /path?query`, in the order received.
type Requests = Arc<Mutex<Vec<String>>>;

#[derive(Clone)]
struct Canned {
    answers: Arc<BTreeMap<String, Value>>,
    requests: Requests,
}

/// An engine over one subgraph `g` whose source `api` has these answers; 404 for anything else.
pub(crate) async fn engine(sdl: &str, answers: &[(&str, Value)]) -> (Engine, Requests) {
    engine_with(sdl, answers, |_| ()).await
}

pub(crate) async fn engine_with(
    sdl: &str,
    answers: &[(&str, Value)],
    change: impl FnOnce(&mut Settings),
) -> (Engine, Requests) {
    engine_over(&[("g", sdl)], answers, change).await
}

/// An engine over several subgraphs; the source `api` of subgraph `g` has these answers.
pub(crate) async fn engine_over(
    subgraphs: &[(&str, &str)],
    answers: &[(&str, Value)],
    change: impl FnOnce(&mut Settings),
) -> (Engine, Requests) {
    let answers = answers.iter();
    let canned = Canned {
        answers: Arc::new(
            answers
                .map(|(at, it)| ((*at).to_owned(), it.clone()))
                .collect(),
        ),
        requests: Requests::default(),
    };
    let requests = Arc::clone(&canned.requests);
    let app = Router::new().fallback(answer).with_state(canned);
    let url = serve(app).await;

    let mut settings = settings_at(&url);
    change(&mut settings);
    (Engine::new(graph(subgraphs), settings).unwrap(), requests)
}

async fn answer(State(canned): State<Canned>, request: Request) -> Response {
    let request = format!("{} {}", request.method(), request.uri());
    canned.requests.lock().unwrap().push(request.clone());
    match canned.answers.get(&request) {
        Some(value) => (
            [(header::CONTENT_TYPE, "application/json")],
            value.to_string(),
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
