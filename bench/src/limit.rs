//! The limit: the same calls and responses without a GraphQL engine between them.
//!
//! It recognizes its four queries by their exact text and rejects all others, so it is not a gateway
//! but a lower bound: a gateway that parses, plans and checks operations takes more time.

mod answer;
mod upstream;

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::Deserialize;

use self::upstream::{Upstream, UpstreamError};
use crate::failure::Failure;
use crate::query::Query;
use crate::server::{self, Services};

/// Serves the limit on a free port, which it announces.
pub(crate) async fn serve(services: &Services) -> Result<(), Failure> {
    let upstream = Arc::new(Upstream::new(services));
    let router = Router::new().route("/graphql", post(respond));
    server::serve(router.with_state(upstream)).await
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    query: Cow<'a, str>,
    #[serde(borrow, default)]
    variables: Variables<'a>,
}

#[derive(Default, Deserialize)]
struct Variables<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
}

async fn respond(State(upstream): State<Arc<Upstream>>, body: Bytes) -> Response {
    let Ok(request) = serde_json::from_slice::<Request<'_>>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let is_requested = |query: &Query| query.document() == request.query;
    let Some(query) = Query::ALL.into_iter().find(is_requested) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match execute(&upstream, query, request.variables).await {
        Ok(json) => ([(CONTENT_TYPE, JSON)], json).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

async fn execute(
    upstream: &Upstream,
    query: Query,
    variables: Variables<'_>,
) -> Result<Bytes, UpstreamError> {
    match query {
        Query::Q0 => Ok(Bytes::from_static(br#"{"data":{"__typename":"Query"}}"#)),
        Query::Q1 => answer::user(upstream, &variables.id.unwrap_or_default()).await,
        Query::Q2 => answer::orders(upstream, 50).await,
        Query::Q4 => answer::orders(upstream, 500).await,
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
