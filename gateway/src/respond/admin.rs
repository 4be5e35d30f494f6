//! What operators are told.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use resolvers::cache::Reached;
use serde::Serialize;

use super::{Extensions, GraphqlError, Reply, append_json, one_error, only_errors};
use crate::request::Rejection;
use crate::request::accept::MediaType;

/// The answer to an invalidation that has been made.
pub(crate) fn invalidated(tags: usize, reached: Reached) -> Response {
    #[derive(Serialize)]
    struct Told {
        tags: usize,
        reached: &'static str,
    }

    let reached = match reached {
        Reached::Everyone => "everyone",
        Reached::ThisProcess => "this_process",
    };
    let mut body = Vec::new();
    append_json(&Told { tags, reached }, &mut body);
    super::respond(StatusCode::ACCEPTED, MediaType::Json, body)
}

/// The answer to who does not show the key.
pub(crate) fn unauthorized() -> Response {
    let message = "show the key of `admin.key` as `authorization`";
    let status = StatusCode::UNAUTHORIZED;
    let mut response = one_error(status, MediaType::Json, "UNAUTHORIZED", message);
    let bearer = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
    response
}

/// The answer to a request whose body was not read.
pub(crate) fn rejected(rejection: &Rejection) -> Response {
    let reply = Reply {
        media_type: MediaType::Json,
        id: None,
    };
    super::rejected(&reply, rejection)
}

/// The answer to a body with `problems`; nothing of it was done.
pub(crate) fn unusable(problems: &[String]) -> Response {
    let errors = problems.iter().map(|message| GraphqlError {
        message,
        locations: Vec::new(),
        extensions: Extensions {
            code: "BAD_REQUEST",
        },
    });
    let status = StatusCode::BAD_REQUEST;
    super::respond(status, MediaType::Json, only_errors(errors))
}

/// The answer to who collects numbers.
pub(crate) fn metrics(text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    headers.insert(CONTENT_TYPE, text);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
