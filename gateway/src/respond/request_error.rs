//! Request errors: the engine refused the operation, and executed no part of it.
//!
//! The request is well-formed, so the status is 200 for a client that accepts only
//! `application/json`, because such a client ignores the body of any other status.

use axum::response::Response;
use http::header::ALLOW;
use http::{HeaderValue, StatusCode};
use resolvers::error::{RequestError, RequestErrorKind};

use super::{Extensions, Location, RequestErrorBody, build_response, errors_body};
use crate::request::accept::MediaType;

/// The response; the first error determines its status.
pub(super) fn request_error_response(errors: &[RequestError], media_type: MediaType) -> Response {
    let first = errors.first().map(|error| error.kind);
    let errors = errors.iter().map(|error| RequestErrorBody {
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
    let status = status(first.unwrap_or(RequestErrorKind::Planning), media_type);
    let mut response = build_response(status, media_type, errors_body(errors));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// `extensions.code`.
pub(super) fn code(kind: RequestErrorKind) -> &'static str {
    match kind {
        RequestErrorKind::Parse => "GRAPHQL_PARSE_FAILED",
        RequestErrorKind::Validation => "GRAPHQL_VALIDATION_FAILED",
        RequestErrorKind::Variables => "BAD_USER_INPUT",
        RequestErrorKind::OperationName => "OPERATION_RESOLUTION_FAILURE",
        RequestErrorKind::Limit => "OPERATION_LIMIT_EXCEEDED",
        RequestErrorKind::More => "MORE_ERRORS",
        RequestErrorKind::Introspection => "INTROSPECTION_DISABLED",
        RequestErrorKind::NotAllowed => "METHOD_NOT_ALLOWED",
        RequestErrorKind::UnreachableField => "UNREACHABLE_FIELD",
        RequestErrorKind::PrepareTimeout => "PREPARE_TIMEOUT",
        RequestErrorKind::Planning => "INTERNAL_SERVER_ERROR",
    }
}

fn status(kind: RequestErrorKind, media_type: MediaType) -> StatusCode {
    match kind {
        RequestErrorKind::Parse
        | RequestErrorKind::Validation
        | RequestErrorKind::Variables
        | RequestErrorKind::OperationName
        | RequestErrorKind::Limit
        | RequestErrorKind::More
        | RequestErrorKind::Introspection
        | RequestErrorKind::UnreachableField => match media_type {
            MediaType::GraphqlResponse => StatusCode::BAD_REQUEST,
            MediaType::Json => StatusCode::OK,
        },
        RequestErrorKind::NotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        RequestErrorKind::PrepareTimeout => StatusCode::SERVICE_UNAVAILABLE,
        RequestErrorKind::Planning => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: RequestErrorKind, graphql_response: u16, json: u16) {
        for (media_type, expected) in [
            (MediaType::GraphqlResponse, graphql_response),
            (MediaType::Json, json),
        ] {
            let error = RequestError {
                message: "no".to_owned(),
                locations: Vec::new(),
                kind,
            };
            let response = request_error_response(&[error], media_type);
            assert_eq!(response.status().as_u16(), expected, "{kind:?}");
        }
    }

    #[test]
    fn a_refused_operation_is_200_in_plain_json() {
        check(RequestErrorKind::Parse, 400, 200);
        check(RequestErrorKind::Validation, 400, 200);
        check(RequestErrorKind::Variables, 400, 200);
        check(RequestErrorKind::OperationName, 400, 200);
        check(RequestErrorKind::Limit, 400, 200);
        check(RequestErrorKind::Introspection, 400, 200);
        check(RequestErrorKind::UnreachableField, 400, 200);
    }

    #[test]
    fn method_and_internal_errors_have_one_status_in_both_types() {
        check(RequestErrorKind::NotAllowed, 405, 405);
        check(RequestErrorKind::PrepareTimeout, 503, 503);
        check(RequestErrorKind::Planning, 500, 500);
    }
}
