//! GraphQL over HTTP, in front of any async-graphql schema.
//!
//! One operation a request; no batches of operations, no subscriptions. What is asked and answered
//! is the schema's business.

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

/// Starts any async-graphql schema as a service called `name`, at `/graphql` of a free port of
/// 127.0.0.1, with counters and faults like every other service.
///
/// Resolvers find the headers of the request, an `http::HeaderMap`, in their context's data.
pub async fn graphql(name: &'static str, schema: impl Executor) -> io::Result<Service> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    Service::start(listener, GraphQl::new(name, schema), Tasks::default())
}

/// A schema as a service.
#[derive(Debug)]
pub(crate) struct GraphQl<E> {
    name: &'static str,
    schema: E,
    /// Of queries whose schema gives them one, instead of that.
    lifetime: Option<Lifetime>,
}

/// How an operation is sent.
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

    /// Queries that may be kept at all say this.
    pub(crate) fn with_lifetime(self, lifetime: Lifetime) -> Self {
        Self {
            lifetime: Some(lifetime),
            ..self
        }
    }
}

impl<E> GraphQl<E> {
    /// How long an answer without errors holds.
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
            let detail = "Only queries can be asked with GET; send mutations with POST.";
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

/// An operation as it is sent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OperationRequest {
    query: String,
    #[serde(default)]
    operation_name: Option<String>,
    #[serde(default)]
    variables: Option<Variables>,
    /// Allowed, and of no meaning here.
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

/// Whether the operation that is meant is a query; so is a document that cannot be read, because
/// nothing comes of it.
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

/// The media type of the GraphQL over HTTP specification, for clients that know it.
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

/// Whether it was refused as a whole: errors of fields have a path, others do not.
fn is_request_error(response: &Response) -> bool {
    response.data == Value::Null && response.errors.iter().any(|error| error.path.is_empty())
}

fn bad_request(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

/// Room for ten thousand representations.
const MAX_BODY: usize = 1024 * 1024;
