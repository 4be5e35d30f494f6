//! Builds responses: the only module that defines messages, codes and statuses for clients.
//!
//! Names and addresses of sources appear in the log, not in responses. Statuses follow the
//! GraphQL-over-HTTP draft before it added 294 and 422 in April 2026, because clients and the
//! published audit expect that: a rejected operation is 400 or 200, depending on the media type, and
//! partial data is 200. `docs/http.md` has the table.

use axum::body::{Body, Bytes};
use axum::response::Response;
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, VARY};
use http::{HeaderName, HeaderValue, StatusCode};
use resolvers::cache::Reuse;
use resolvers::error::FetchFailure;
use resolvers::trace::OperationTrace;
use resolvers::{Outcome, Trace};
use serde::Serialize;

use self::client_cache::ClientCache;
use self::report::VisibleReports;
use self::trace::TraceExtension;
use self::warning_log::WarningLog;
use crate::config::connectors::Reports;
use crate::config::errors::Errors;
use crate::config::log::Log;
use crate::request::Rejection;
use crate::request::accept::MediaType;
use crate::request::host::InvalidHost;
use crate::request::id::RequestId;

pub(crate) mod admin;
pub(crate) mod client_cache;
mod failure_log;
mod field_error;
mod redaction;
mod rejection;
mod report;
mod request_error;
mod trace;
pub(crate) mod warning_log;

/// Properties of a request that its response depends on.
#[derive(Clone, Debug)]
pub(crate) struct RequestContext {
    /// The media type of the response, also of errors.
    pub(crate) media_type: MediaType,
    /// The request id, for the log.
    pub(crate) id: Option<RequestId>,
}

/// The part of an access log line that only the route knows; in the extensions of its response.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccessLogEntry {
    /// The name of the operation.
    pub(crate) operation: Option<String>,
    /// Number of errors in the body.
    pub(crate) errors: usize,
    /// The code of the first error.
    pub(crate) code: Option<&'static str>,
}

/// Properties of an operation that its response depends on.
#[derive(Clone, Debug)]
pub(crate) struct OperationContext<'a> {
    /// The name of the operation, for the log.
    pub(crate) operation: Option<String>,
    /// Whether the response has a trace.
    pub(crate) trace: Trace,
    /// What clients see of errors, and how much.
    pub(crate) errors: VisibleErrors<'a>,
    /// How the client may cache the response.
    pub(crate) client_cache: ClientCache<'a>,
    /// Whether reports of mappings and warnings of responses are returned.
    pub(crate) reports: Reports,
    /// Bounds of the log.
    pub(crate) log: Log,
    /// The unexpected responses of connectors that were logged.
    pub(crate) warnings: &'a WarningLog,
}

/// What clients see of errors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VisibleErrors<'a> {
    /// The messages and extensions of sources that are returned.
    pub(crate) exposed: &'a Errors,
    /// Maximum bytes of `errors`.
    pub(crate) max_bytes: usize,
}

/// The start of a body, to which the engine appends the JSON of `data`.
pub(crate) fn begin_body() -> Vec<u8> {
    let mut body = Vec::with_capacity(INITIAL_BODY_CAPACITY);
    body.extend_from_slice(b"{\"data\":");
    body
}

/// The response to an operation that the engine executed or refused; `begin_body` began `body`.
pub(crate) fn executed(
    context: &RequestContext,
    operation: OperationContext<'_>,
    outcome: Outcome,
    mut body: Vec<u8>,
) -> Response {
    let mut entry = AccessLogEntry::default();
    let mut response = match outcome {
        Outcome::Executed {
            errors,
            failures,
            reports,
            warnings,
            reuse,
            trace,
        } => {
            failure_log::log_failures(&failures, context.id.as_ref(), operation.log);
            let id = context.id.as_ref();
            operation.warnings.log(&warnings, id, operation.log);
            field_error::append_errors(&errors, operation.errors, &mut body);
            let trace = operation.traced(&trace);
            let reports = VisibleReports {
                reports: &reports,
                warnings: match operation.reports {
                    Reports::Show => &warnings,
                    Reports::Hide => &[],
                },
                exposed: operation.errors.exposed,
            };
            report::append_extensions(reports, trace, &mut body);
            body.push(b'}');
            entry.errors = errors.len();
            entry.code = errors.first().map(|error| field_error::code(&error.kind));
            let reuse = reuse.filter(|_| errors.is_empty());
            operation.success(context, &body.into(), reuse)
        }
        Outcome::Cached { response, trace } => {
            let reuse = Some(response.reuse);
            let body = operation.with_trace(response.body, &trace);
            operation.success(context, &body, reuse)
        }
        Outcome::Refused { errors } => {
            entry.errors = errors.len();
            entry.code = errors.first().map(|error| request_error::code(error.kind));
            request_error::request_error_response(&errors, context.media_type)
        }
    };
    entry.operation = operation.operation;
    response.extensions_mut().insert(entry);
    response
}

impl OperationContext<'_> {
    /// The trace, if the response has one.
    fn traced<'t>(&self, trace: &'t OperationTrace) -> Option<TraceExtension<'t>> {
        (self.trace == Trace::Yes).then(|| TraceExtension::new(trace))
    }

    /// A complete body with the trace, if the response has one.
    fn with_trace(&self, body: Bytes, trace: &OperationTrace) -> Bytes {
        let (Some(trace), Some(start)) = (self.traced(trace), body.strip_suffix(b"}")) else {
            return body;
        };
        let mut traced = start.to_vec();
        let reports = VisibleReports {
            reports: &[],
            warnings: &[],
            exposed: self.errors.exposed,
        };
        report::append_extensions(reports, Some(trace), &mut traced);
        traced.push(b'}');
        traced.into()
    }

    /// The response with `data`; a traced one is not cached by clients.
    fn success(&self, context: &RequestContext, body: &Bytes, reuse: Option<Reuse>) -> Response {
        let mut response = build_response(StatusCode::OK, context.media_type, body.clone());
        if self.trace == Trace::No {
            self.client_cache.apply(reuse, body, &mut response);
        }
        response
    }
}

/// The entry of `errors` for a failed call under the default settings, without a path, because
/// there is no operation.
pub(crate) fn call_error(failure: FetchFailure) -> serde_json::Value {
    field_error::call_error_json(failure, &Errors::default())
}

/// The response to a request that did not reach the engine, or timed out in it.
pub(crate) fn rejected(context: &RequestContext, rejection: &Rejection) -> Response {
    let rejection::RejectionBody {
        status,
        code,
        message,
    } = rejection::rejection_body(rejection);
    let mut response = error_response(status, context.media_type, code, &message);
    let headers = response.headers_mut();
    match rejection {
        Rejection::Method => {
            headers.insert(ALLOW, HeaderValue::from_static("GET, POST"));
        }
        Rejection::ContentType => {
            headers.insert(ACCEPT_POST, HeaderValue::from_static("application/json"));
        }
        Rejection::Body(_) => {
            // The unread rest of the body must not be parsed as the next request.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    let id = context.id.as_ref().map(RequestId::as_str);
    tracing::debug!(request_id = id, ?rejection, "rejected");
    response
}

/// The response to a request whose handler panicked; the panic itself is in the log.
pub(crate) fn panicked(id: &RequestId) -> Response {
    tracing::error!(request_id = id.as_str(), "a request panicked");
    let message = "internal error; search the log of the gateway for the request id";
    error_response(
        StatusCode::INTERNAL_SERVER_ERROR,
        MediaType::Json,
        "INTERNAL_SERVER_ERROR",
        message,
    )
}

/// The response to a request without one valid `Host`, the last one of its connection.
pub(crate) fn invalid_host(InvalidHost(message): InvalidHost) -> Response {
    let code = "BAD_REQUEST";
    let mut response = error_response(StatusCode::BAD_REQUEST, MediaType::Json, code, message);
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The response for a path without a route.
pub(crate) fn not_found(path: &str) -> Response {
    let message = format!("no route for `{path}`; send operations to `/graphql`");
    error_response(
        StatusCode::NOT_FOUND,
        MediaType::Json,
        "NOT_FOUND",
        &message,
    )
}

/// The response to a client that accepts no stored encoding of a file.
pub(crate) fn encoding_not_acceptable() -> Response {
    let message = "accept the encoding `gzip` or `br`";
    error_response(
        StatusCode::NOT_ACCEPTABLE,
        MediaType::Json,
        "NOT_ACCEPTABLE",
        message,
    )
}

/// The response for a method that a route does not have.
pub(crate) fn method_not_allowed(allow: &'static str) -> Response {
    let message = format!("the method must be one of {allow}");
    let mut response = error_response(
        StatusCode::METHOD_NOT_ALLOWED,
        MediaType::Json,
        "METHOD_NOT_ALLOWED",
        &message,
    );
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allow));
    response
}

#[derive(Serialize)]
struct RequestErrorBody<'e> {
    message: &'e str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location>,
    extensions: Extensions,
}

#[derive(Serialize)]
struct Location {
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct Extensions {
    code: &'static str,
}

fn error_response(
    status: StatusCode,
    media_type: MediaType,
    code: &'static str,
    message: &str,
) -> Response {
    let error = RequestErrorBody {
        message,
        locations: Vec::new(),
        extensions: Extensions { code },
    };
    let mut response = build_response(status, media_type, errors_body([error].into_iter()));
    let entry = AccessLogEntry {
        operation: None,
        errors: 1,
        code: Some(code),
    };
    response.extensions_mut().insert(entry);
    response
}

fn errors_body<'e>(errors: impl Iterator<Item = RequestErrorBody<'e>>) -> Vec<u8> {
    let mut body = b"{\"errors\":[".to_vec();
    for (index, error) in errors.enumerate() {
        if index > 0 {
            body.push(b',');
        }
        append_json(&error, &mut body);
    }
    body.extend_from_slice(b"]}");
    body
}

/// Appends `value` as JSON.
fn append_json(value: &impl Serialize, body: &mut Vec<u8>) {
    let length = body.len();
    if serde_json::to_writer(&mut *body, value).is_err() {
        // Serializing these types to memory cannot fail; if it ever does, the body is still JSON.
        body.truncate(length);
        body.extend_from_slice(b"null");
    }
}

fn build_response(status: StatusCode, media_type: MediaType, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type(media_type));
    headers.insert(VARY, HeaderValue::from_static("accept"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn content_type(media_type: MediaType) -> HeaderValue {
    HeaderValue::from_static(match media_type {
        MediaType::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        MediaType::Json => "application/json; charset=utf-8",
    })
}

const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");

/// Initial bytes of a body: most responses fit, and larger ones grow only a few times.
const INITIAL_BODY_CAPACITY: usize = 4 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::body::BodyError;

    #[test]
    fn the_response_to_a_timeout_has_the_accepted_media_type() {
        let too_slow = Rejection::Body(BodyError::TooSlow);
        for (rejection, status) in [(too_slow, 408), (Rejection::Timeout, 504)] {
            for (media_type, expected) in [
                (
                    MediaType::GraphqlResponse,
                    "application/graphql-response+json; charset=utf-8",
                ),
                (MediaType::Json, "application/json; charset=utf-8"),
            ] {
                let context = RequestContext {
                    media_type,
                    id: None,
                };
                let response = rejected(&context, &rejection);
                assert_eq!(response.status(), status);
                assert_eq!(response.headers()[CONTENT_TYPE], expected);
            }
        }
    }
}
