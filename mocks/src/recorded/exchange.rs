//! Recorded requests and their answers, and which of them a request is.
//!
//! A file is a list of `{ "request": { "method", "url", "headers", "form", "json" }, "response":
//! { "status", "headers", "body" } }`. Order of query and form members has no meaning; of headers
//! those that are written must be there. What is not written is not compared, but for the query.

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

/// A request and its answer.
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
    /// The body, `application/x-www-form-urlencoded`.
    form: Option<String>,
    /// The body, JSON.
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

/// Every exchange in the `*.json` of `folder`, file by file in the order of their names.
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
    /// Whether it is the one that a request asks for.
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

    /// Its answer.
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

/// The answer where nothing is recorded; says what was asked.
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

/// Decoded and in a fixed order.
fn decoded_pairs(text: &[u8]) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = form_urlencoded::parse(text).into_owned().collect();
    pairs.sort();
    pairs
}

const FORM: &str = "application/x-www-form-urlencoded";
