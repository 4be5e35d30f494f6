//! Responses of the admin socket.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use resolvers::cache::Propagation;
use serde::Serialize;

use super::{
    Extensions, RequestContext, RequestErrorBody, append_json, error_response, errors_body,
};
use crate::request::Rejection;
use crate::request::accept::MediaType;

/// The response to a successful invalidation.
pub(crate) fn invalidated(tags: usize, propagation: Propagation) -> Response {
    #[derive(Serialize)]
    struct InvalidationReply {
        tags: usize,
        reached: &'static str,
    }

    let reached = match propagation {
        Propagation::AllReplicas => "everyone",
        Propagation::ThisProcess => "this_process",
    };
    let mut body = Vec::new();
    append_json(&InvalidationReply { tags, reached }, &mut body);
    super::build_response(StatusCode::ACCEPTED, MediaType::Json, body)
}

/// The response to a request without the key.
pub(crate) fn unauthorized() -> Response {
    let message = "send the key of `admin.key` as `authorization`";
    let status = StatusCode::UNAUTHORIZED;
    let mut response = error_response(status, MediaType::Json, "UNAUTHORIZED", message);
    let bearer = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
    response
}

/// The response to a request whose body was not read.
pub(crate) fn rejected(rejection: &Rejection) -> Response {
    let context = RequestContext {
        media_type: MediaType::Json,
        id: None,
    };
    super::rejected(&context, rejection)
}

/// The response to a body with invalid targets; nothing was invalidated.
pub(crate) fn invalid_targets(problems: &[String]) -> Response {
    let errors = problems.iter().map(|message| RequestErrorBody {
        message,
        locations: Vec::new(),
        extensions: Extensions {
            code: "BAD_REQUEST",
        },
    });
    let status = StatusCode::BAD_REQUEST;
    super::build_response(status, MediaType::Json, errors_body(errors))
}

/// The response with all metrics.
pub(crate) fn metrics(text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    headers.insert(CONTENT_TYPE, text);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
