//! Recorded requests with their responses, and the matching of requests.
//!
//! A file is a list of `{ "request": { "method", "url", "headers", "form", "json" }, "response":
//! { "status", "headers", "body" } }`. The order of query and form parameters has no meaning.
//! Method, path and query are always compared; headers and the body only if recorded.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;

/// A request and its response.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    request: RecordedRequest,
    response: RecordedResponse,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordedRequest {
    method: String,
    /// Path and query.
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The body as `application/x-www-form-urlencoded`.
    form: Option<String>,
    /// The body as JSON.
    json: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordedResponse {
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
}

fn ok() -> u16 {
    200
}

/// Reads the exchanges in `*.json` of `folder`, in the order of the file names.
pub(super) fn read_exchanges(folder: &Path) -> io::Result<Vec<Exchange>> {
    let entries: io::Result<Vec<_>> = fs::read_dir(folder)?.collect();
    let mut paths: Vec<_> = entries?.into_iter().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    paths.sort();
    let mut exchanges = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path)?;
        let in_file: Vec<Exchange> = serde_json::from_str(&text).map_err(|error| {
            let message = format!("{}: {error}", path.display());
            io::Error::new(io::ErrorKind::InvalidData, message)
        })?;
        exchanges.extend(in_file);
    }
    Ok(exchanges)
}

impl Exchange {
    /// Whether a request matches the recorded one.
    pub(super) fn is_match(&self, parts: &Parts, body: &[u8]) -> bool {
        let recorded = &self.request;
        let (path, query) = recorded.url.split_once('?').unwrap_or((&recorded.url, ""));
        let header = |name: &str| {
            let value = parts.headers.get(name);
            value.and_then(|value| value.to_str().ok())
        };
        recorded.method == parts.method.as_str()
            && path == parts.uri.path()
            && decoded_pairs(query.as_bytes())
                == decoded_pairs(parts.uri.query().unwrap_or_default().as_bytes())
            && recorded
                .headers
                .iter()
                .all(|(name, value)| header(name) == Some(value))
            && recorded.form.as_ref().is_none_or(|form| {
                header("content-type") == Some(FORM)
                    && decoded_pairs(form.as_bytes()) == decoded_pairs(body)
            })
            && recorded.json.as_ref().is_none_or(|json| {
                serde_json::from_slice::<Value>(body).is_ok_and(|body| body == *json)
            })
    }

    /// The recorded response.
    pub(super) fn to_response(&self) -> Response<Bytes> {
        let recorded = &self.response;
        let body = recorded.body.as_ref();
        let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let mut response = json(recorded.status, body);
        for (name, value) in &recorded.headers {
            if let (Ok(name), Ok(value)) = (
                name.parse::<hyper::header::HeaderName>(),
                HeaderValue::from_str(value),
            ) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// The 404 for a request that was not recorded; its message names the request.
pub(super) fn not_recorded(parts: &Parts) -> Response<Bytes> {
    let request = format!("{} {}", parts.method, parts.uri);
    let body =
        serde_json::json!({ "error": { "message": format!("nothing is recorded for {request}") } });
    json(404, Bytes::from(body.to_string()))
}

fn json(status: u16, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let media_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

/// The decoded pairs, sorted.
fn decoded_pairs(text: &[u8]) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = form_urlencoded::parse(text).into_owned().collect();
    pairs.sort();
    pairs
}

const FORM: &str = "application/x-www-form-urlencoded";
