//! What is said of an operation that the engine refuses: nothing of it was executed.

use axum::response::Response;
use http::header::ALLOW;
use http::{HeaderValue, StatusCode};
use resolvers::error::{RequestError, RequestErrorKind};

use super::{Extensions, GRAPHQL_RESPONSE, GraphqlError, Location, only_errors, respond};

/// The answer, with the status of the first error.
pub(super) fn answer(errors: &[RequestError]) -> Response {
    let first = errors.first().map(|error| error.kind);
    let errors = errors.iter().map(|error| GraphqlError {
        message: &error.message,
        locations: error
            .locations
            .iter()
            .map(|&(line, column)| Location { line, column })
            .collect(),
        extensions: Extensions {
            code: code(error.kind),
        },
    });
    let status = status(first.unwrap_or(RequestErrorKind::Planning));
    let mut response = respond(status, GRAPHQL_RESPONSE, only_errors(errors));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// What clients branch on.
pub(super) fn code(kind: RequestErrorKind) -> &'static str {
    match kind {
        RequestErrorKind::Parse => "GRAPHQL_PARSE_FAILED",
        RequestErrorKind::Validation => "GRAPHQL_VALIDATION_FAILED",
        RequestErrorKind::Variables => "BAD_USER_INPUT",
        RequestErrorKind::OperationName => "OPERATION_RESOLUTION_FAILURE",
        RequestErrorKind::Limit => "OPERATION_LIMIT_EXCEEDED",
        RequestErrorKind::Introspection => "INTROSPECTION_DISABLED",
        RequestErrorKind::NotAllowed => "METHOD_NOT_ALLOWED",
        RequestErrorKind::Planning => "INTERNAL_SERVER_ERROR",
    }
}

fn status(kind: RequestErrorKind) -> StatusCode {
    match kind {
        RequestErrorKind::Parse => StatusCode::BAD_REQUEST,
        RequestErrorKind::Validation
        | RequestErrorKind::Variables
        | RequestErrorKind::OperationName
        | RequestErrorKind::Limit
        | RequestErrorKind::Introspection => StatusCode::UNPROCESSABLE_ENTITY,
        RequestErrorKind::NotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        RequestErrorKind::Planning => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
