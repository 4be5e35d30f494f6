//! The front of the crate: one engine a graph.

use std::sync::Arc;

use schema::graph::Graph;
use serde_json::value::RawValue;

use crate::error::{FieldError, RequestError, RequestErrorKind};
use crate::settings::Settings;

/// Answers operations over one graph. Immutable; share it behind an `Arc`.
#[derive(Debug)]
pub struct Engine {
    graph: Arc<Graph>,
    settings: Settings,
}

/// Why no engine could be made.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The HTTP client could not be set up.
    #[error("the client for calls to sources cannot be set up")]
    Client(#[source] reqwest::Error),
}

/// One operation to answer.
#[derive(Debug)]
pub struct Request {
    /// The document.
    pub query: String,
    /// Which operation of the document.
    pub operation_name: Option<String>,
    /// A JSON object, or nothing.
    pub variables: Option<Box<RawValue>>,
    /// The client's headers, for connectors that forward some.
    pub headers: http::HeaderMap,
    /// Which operations may run.
    pub allow: Allow,
}

/// Which operations a request may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allow {
    /// Queries and mutations.
    All,
    /// Queries only, as for `GET` (GraphQL over HTTP, section 5.2).
    Queries,
}

/// How a request ended.
#[derive(Debug)]
pub enum Outcome {
    /// The operation ran; the JSON of `data` was appended to the output.
    Executed {
        /// In the order of the response.
        errors: Vec<FieldError>,
    },
    /// Nothing ran, nothing was appended.
    Refused {
        /// At least one.
        errors: Vec<RequestError>,
    },
}

impl Engine {
    /// An engine for `graph`.
    pub fn new(graph: Arc<Graph>, settings: Settings) -> Result<Self, EngineError> {
        Ok(Self { graph, settings })
    }

    /// Answers one operation, appending the JSON of `data` to `out`.
    pub async fn execute(&self, request: Request, out: &mut Vec<u8>) -> Outcome {
        let _ = (&self.graph, &self.settings, out);
        Outcome::Refused {
            errors: vec![RequestError {
                message: request.query,
                locations: Vec::new(),
                kind: RequestErrorKind::Planning,
            }],
        }
    }

    /// The plan of an operation as text.
    pub fn explain(
        &self,
        query: &str,
        _operation: Option<&str>,
    ) -> Result<String, Vec<RequestError>> {
        Ok(query.to_owned())
    }
}
