//! GraphQL over HTTP, in front of any async-graphql schema.
//!
//! Each request has one operation; batches of operations and subscriptions are not supported.

use std::io;
use std::net::Ipv4Addr;

use async_graphql::parser::types::OperationType;
use async_graphql::{Executor, Request, Response, Value, Variables};
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::net::TcpListener;

use crate::http::{Call, HttpResponse, Lifetime, Problem, Query, Route, json_response};
use crate::service::{Api, Service, Tasks};
use crate::store::render;

/// Starts an async-graphql schema as the service `name`, at `/graphql` on a free port of
/// 127.0.0.1, with the counters and faults of all services.
///
/// The headers of the request, an `http::HeaderMap`, are in the context data of resolvers.
pub async fn graphql(name: &'static str, schema: impl Executor) -> io::Result<Service> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    Service::start(listener, GraphQl::new(name, schema), Tasks::default())
}

/// A schema served over HTTP.
#[derive(Debug)]
pub(crate) struct GraphQl<E> {
    name: &'static str,
    schema: E,
    /// Replaces the lifetime that the schema computes for cacheable queries.
    lifetime: Option<Lifetime>,
}

/// The ways to send an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Endpoint {
    /// In the parameters of the URL; no mutations.
    Get,
    /// As JSON in the body.
    Post,
}

impl<E> GraphQl<E> {
    pub(crate) fn new(name: &'static str, schema: E) -> Self {
        Self {
            name,
            schema,
            lifetime: None,
        }
    }

    /// Sets the lifetime of queries that the schema considers cacheable.
    pub(crate) fn with_lifetime(self, lifetime: Lifetime) -> Self {
        Self {
            lifetime: Some(lifetime),
            ..self
        }
    }
}

impl<E> GraphQl<E> {
    /// The lifetime of a response without errors.
    fn lifetime(&self, response: &Response) -> Lifetime {
        let from_schema = response.cache_control.value();
        let from_schema = from_schema.and_then(|text| Lifetime::parse(&text).ok());
        match (from_schema, &self.lifetime) {
            (Some(_), Some(lifetime)) => lifetime.clone(),
            (Some(computed), None) => computed,
            (None, _) => Lifetime::no_store(),
        }
    }
}

impl<E: Executor> Api for GraphQl<E> {
    type Endpoint = Endpoint;

    const ROUTES: &'static [Route<Endpoint>] = &[
        Route::new(Method::POST, "/graphql", Endpoint::Post),
        Route::new(Method::GET, "/graphql", Endpoint::Get),
    ];
    const OPENAPI: &'static str = include_str!("../openapi/graphql.yaml");

    fn name(&self) -> &'static str {
        self.name
    }

    async fn respond(&self, endpoint: Endpoint, call: Call<'_>) -> Result<HttpResponse, Problem> {
        let parts = call.parts;
        let mut request = match endpoint {
            Endpoint::Get => OperationRequest::from_query(call.query()?)?,
            Endpoint::Post => {
                call.reject_query()?;
                call.json_up_to::<OperationRequest>(MAX_BODY).await?
            }
        }
        .into_request();
        let is_query = is_query(&mut request);
        if matches!(endpoint, Endpoint::Get) && !is_query {
            let detail = "Only queries can be sent with GET; send mutations with POST.";
            let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail);
            return Err(problem.with_header(ALLOW, "POST"));
        }
        let request = request.data(parts.headers.clone());
        let response = self.schema.execute(request).await;
        let mut http_response = to_http_response(parts, &response);
        if is_query && response.is_ok() {
            self.lifetime(&response).apply(&mut http_response);
        }
        http_response.headers_mut().extend(response.http_headers);
        Ok(http_response)
    }
}

/// A GraphQL request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OperationRequest {
    query: String,
    #[serde(default)]
    operation_name: Option<String>,
    #[serde(default)]
    variables: Option<Variables>,
    /// Allowed and ignored.
    #[serde(default, rename = "extensions")]
    _extensions: Option<IgnoredAny>,
}

impl OperationRequest {
    fn from_query(mut query: Query<'_>) -> Result<Self, Problem> {
        let request = Self {
            query: query
                .take("query")
                .ok_or_else(|| bad_request("The parameter `query` is missing."))?
                .into_owned(),
            operation_name: query.take("operationName").map(Into::into),
            variables: match query.take("variables") {
                Some(text) => serde_json::from_str(&text)
                    .map_err(|error| bad_request(&format!("`variables` does not fit: {error}.")))?,
                None => None,
            },
            _extensions: query.take("extensions").map(|_| IgnoredAny),
        };
        query.finish()?;
        Ok(request)
    }

    fn into_request(self) -> Request {
        let mut request = Request::new(self.query).variables(self.variables.unwrap_or_default());
        request.operation_name = self.operation_name;
        request
    }
}

/// Whether the selected operation is a query. An unparsable document counts as one, because it is
/// not executed.
fn is_query(request: &mut Request) -> bool {
    let operation_name = request.operation_name.clone();
    let Ok(document) = request.parsed_query() else {
        return true;
    };
    document
        .operations
        .iter()
        .filter(|(name, _)| {
            operation_name.is_none() || name.map(AsRef::as_ref) == operation_name.as_deref()
        })
        .all(|(_, operation)| operation.node.ty == OperationType::Query)
}

fn to_http_response(parts: &Parts, response: &Response) -> HttpResponse {
    let mut http_response = json_response(render(response));
    if let Some(media_type) = accepted_media_type(parts) {
        if is_request_error(response) {
            *http_response.status_mut() = StatusCode::BAD_REQUEST;
        }
        let media_type = HeaderValue::from_static(media_type);
        http_response.headers_mut().insert(CONTENT_TYPE, media_type);
    }
    http_response
}

/// The media type of the GraphQL over HTTP specification, for clients that accept it.
fn accepted_media_type(parts: &Parts) -> Option<&'static str> {
    let mut accepted = parts.headers.get_all(ACCEPT).iter();
    accepted
        .any(|value| {
            value
                .to_str()
                .is_ok_and(|value| value.contains(GRAPHQL_RESPONSE))
        })
        .then_some(GRAPHQL_RESPONSE)
}

/// Whether the whole request failed: only errors of fields have a path.
fn is_request_error(response: &Response) -> bool {
    response.data == Value::Null && response.errors.iter().any(|error| error.path.is_empty())
}

fn bad_request(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

/// Maximum size of a body, in bytes: room for ten thousand representations.
const MAX_BODY: usize = 1024 * 1024;
