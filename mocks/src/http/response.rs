//! Successful responses: reads that can be revalidated, writes that must not be cached.

use bytes::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, LOCATION};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};

use crate::http::Lifetime;

/// A complete response, before faults are applied.
pub(crate) type HttpResponse = Response<Bytes>;

/// The response to a read: `json` with `lifetime` and an `ETag` from `hash`; 304 if the client has
/// that version.
pub(crate) fn read_response(
    parts: &Parts,
    lifetime: &Lifetime,
    json: Bytes,
    hash: u64,
) -> HttpResponse {
    let tag = format!("\"{hash:016x}\"");
    let is_current = parts
        .headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .any(|header| names_tag(header.as_bytes(), tag.as_bytes()));
    let mut response = Response::new(if is_current { Bytes::new() } else { json });
    lifetime.apply(&mut response);
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    if is_current {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    }
    response
}

/// 200: the entity after a change, not cacheable.
pub(crate) fn json_response(json: Bytes) -> HttpResponse {
    let mut response = Response::new(json);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// 201: the new entity, and its `location`.
pub(crate) fn created(json: Bytes, location: &str) -> HttpResponse {
    let mut response = json_response(json);
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// 204: success without a body.
pub(crate) fn no_content() -> HttpResponse {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Text of another media type, not cacheable.
pub(crate) fn text_response(media_type: &'static str, text: impl Into<Bytes>) -> HttpResponse {
    let mut response = json_response(text.into());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// Whether `If-None-Match` names `tag`, by the weak comparison of RFC 9110 §13.1.2.
fn names_tag(header: &[u8], tag: &[u8]) -> bool {
    header
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .any(|listed| listed == b"*" || listed.strip_prefix(b"W/").unwrap_or(listed) == tag)
}

const JSON: &str = "application/json";
