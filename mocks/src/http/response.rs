//! Good answers: reads that can be revalidated, writes that must not be kept.

use bytes::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, LOCATION};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};

use crate::http::Lifetime;

/// A whole answer, before anything is done to it on the way out.
pub(crate) type HttpResponse = Response<Bytes>;

/// A read: `json`, whose version is `hash`, for as long as `lifetime` says; 304 when the client
/// has that version.
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

/// The entity after a change.
pub(crate) fn json_response(json: Bytes) -> HttpResponse {
    let mut response = Response::new(json);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// 201: the new entity, which is at `location` from now on.
pub(crate) fn created(json: Bytes, location: &str) -> HttpResponse {
    let mut response = json_response(json);
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// 204: done, nothing to say.
pub(crate) fn no_content() -> HttpResponse {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Text of another media type; never kept.
pub(crate) fn text_response(media_type: &'static str, text: impl Into<Bytes>) -> HttpResponse {
    let mut response = json_response(text.into());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// Whether `If-None-Match` names `tag`; compared weakly, as RFC 9110 §13.1.2 wants.
fn names_tag(header: &[u8], tag: &[u8]) -> bool {
    header
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .any(|listed| listed == b"*" || listed.strip_prefix(b"W/").unwrap_or(listed) == tag)
}

const JSON: &str = "application/json";
