//! Status, code and message of rejected requests.

use http::StatusCode;

use crate::request::Rejection;
use crate::request::body::BodyError;
use crate::request::parameters::ParametersError;

/// Status, code and message of one response.
pub(super) struct RejectionBody {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// The response to a rejected request. Its status is the same in both media types, because the
/// request is not a well-formed GraphQL request or has no result.
pub(super) fn rejection_body(rejection: &Rejection) -> RejectionBody {
    let (status, code, message) = match rejection {
        Rejection::NotAcceptable => (
            StatusCode::NOT_ACCEPTABLE,
            "NOT_ACCEPTABLE",
            "accept `application/graphql-response+json` or `application/json`".to_owned(),
        ),
        Rejection::Method => (
            StatusCode::METHOD_NOT_ALLOWED,
            "METHOD_NOT_ALLOWED",
            "send operations with `POST`, or queries with `GET`".to_owned(),
        ),
        Rejection::ContentType => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "send the body as `application/json` in UTF-8".to_owned(),
        ),
        Rejection::Body(BodyError::TooLarge(limit)) => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "REQUEST_TOO_LARGE",
            format!("the body is larger than {limit} bytes"),
        ),
        Rejection::Body(BodyError::TooSlow) => (
            StatusCode::REQUEST_TIMEOUT,
            "REQUEST_TIMEOUT",
            "the body was not received in time".to_owned(),
        ),
        Rejection::Body(BodyError::Broken) => (
            StatusCode::BAD_REQUEST,
            "BAD_REQUEST",
            "the body is incomplete".to_owned(),
        ),
        Rejection::Parameters(ParametersError::NotJson(reason)) => (
            StatusCode::BAD_REQUEST,
            "BAD_REQUEST",
            format!("not JSON: {reason}"),
        ),
        Rejection::Parameters(ParametersError::InvalidRequest(reason)) => {
            (StatusCode::BAD_REQUEST, "BAD_REQUEST", reason.clone())
        }
        Rejection::Timeout => (
            StatusCode::GATEWAY_TIMEOUT,
            "GATEWAY_TIMEOUT",
            "the operation timed out".to_owned(),
        ),
    };
    RejectionBody {
        status,
        code,
        message,
    }
}
