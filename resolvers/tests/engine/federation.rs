//! An engine over subgraphs in the process, scripted by closures that record their requests.

use std::fmt;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use resolvers::Engine;
use resolvers::local::{LocalRequest, LocalService};
use resolvers::settings::Settings;
use serde_json::{Value, json};

use crate::support::{execute, graph, settings};

/// The response to a document and its variables.
type Answers = dyn Fn(&str, &Value) -> Value + Send + Sync;

/// A subgraph that responds as a closure decides.
#[derive(Clone)]
pub(crate) struct Scripted {
    answers: Arc<Answers>,
    requests: Arc<Mutex<Vec<LocalRequest>>>,
}

impl Scripted {
    pub(crate) fn new(answers: impl Fn(&str, &Value) -> Value + Send + Sync + 'static) -> Self {
        Self {
            answers: Arc::new(answers),
            requests: Arc::default(),
        }
    }

    /// All requests so far, each as its document and its variables.
    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        let line = |request: &LocalRequest| {
            let variables = std::str::from_utf8(&request.variables).unwrap();
            format!("{} {variables}", request.query)
        };
        requests.iter().map(line).collect()
    }
}

impl LocalService for Scripted {
    fn call(&self, request: LocalRequest) -> BoxFuture<'_, Bytes> {
        let variables: Value = serde_json::from_slice(&request.variables).unwrap();
        let answer = (self.answers)(&request.query, &variables);
        self.requests.lock().unwrap().push(request);
        Box::pin(std::future::ready(Bytes::from(answer.to_string())))
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

/// An engine over these subgraphs; those with a service are in the process.
pub(crate) fn engine(subgraphs: &[(&str, &str)], services: &[(&str, &Scripted)]) -> Engine {
    engine_with(subgraphs, services, |_| ())
}

pub(crate) fn engine_with(
    subgraphs: &[(&str, &str)],
    services: &[(&str, &Scripted)],
    change: impl FnOnce(&mut Settings),
) -> Engine {
    let mut settings = settings();
    for (name, service) in services {
        let service: Arc<dyn LocalService> = Arc::new((*service).clone());
        settings.local.insert((*name).to_owned(), service);
    }
    change(&mut settings);
    Engine::new(graph(subgraphs), settings).unwrap()
}

/// The requests for a query, of a graph that is one subgraph.
pub(crate) async fn requests(sdl: &str, query: &str, variables: Value) -> Vec<String> {
    let service = Scripted::new(|_, _| json!({ "data": {} }));
    let engine = engine(&[("g", sdl)], &[("g", &service)]);
    let answer = execute(&engine, query, variables).await;
    assert!(answer.get("refused").is_none(), "{answer:#}");
    service.requests()
}
