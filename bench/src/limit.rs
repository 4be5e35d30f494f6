//! The limit: the same calls and responses without a GraphQL engine between them.
//!
//! It recognizes its queries by their exact text and rejects all others, so it is not a gateway
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
use hashbrown::HashMap;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::Deserialize;

use self::answer::Page;
use self::upstream::{Upstream, UpstreamError};
use crate::failure::Failure;
use crate::query::{Fields, Query};
use crate::server::{self, Services};

/// Serves the limit on a free port, which it announces.
pub(crate) async fn serve(services: &Services) -> Result<(), Failure> {
    let limit = Arc::new(Limit {
        upstream: Upstream::new(services),
        queries: queries(),
    });
    let router = Router::new().route("/graphql", post(respond));
    server::serve(router.with_state(limit)).await
}

#[derive(Debug)]
struct Limit {
    upstream: Upstream,
    /// The queries by their text, with their optional fields.
    queries: HashMap<String, (Query, Fields), foldhash::fast::RandomState>,
}

fn queries() -> HashMap<String, (Query, Fields), foldhash::fast::RandomState> {
    let fixed = Query::ALL.map(|query| (query.document().into_owned(), (query, Fields::ALL)));
    let varied = Fields::subsets().map(|fields| (fields.document(), (Query::V2, fields)));
    fixed.into_iter().chain(varied).collect()
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
    first: Option<u32>,
    #[serde(borrow)]
    after: Option<Cow<'a, str>>,
}

async fn respond(State(limit): State<Arc<Limit>>, body: Bytes) -> Response {
    let Ok(request) = serde_json::from_slice::<Request<'_>>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let Some((query, fields)) = limit.queries.get(&*request.query) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match execute(&limit.upstream, (*query, *fields), request.variables).await {
        Ok(json) => ([(CONTENT_TYPE, JSON)], json).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

async fn execute(
    upstream: &Upstream,
    (query, fields): (Query, Fields),
    variables: Variables<'_>,
) -> Result<Bytes, UpstreamError> {
    let page = |first: u32| Page {
        first,
        after: variables.after.as_deref(),
        fields,
    };
    match query {
        Query::Q0 => Ok(Bytes::from_static(br#"{"data":{"__typename":"Query"}}"#)),
        Query::Q1 => answer::user(upstream, &variables.id.unwrap_or_default()).await,
        Query::Q2 => answer::orders(upstream, page(50)).await,
        Query::Q4 => answer::orders(upstream, page(500)).await,
        Query::V2 => answer::orders(upstream, page(variables.first.unwrap_or_default())).await,
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
