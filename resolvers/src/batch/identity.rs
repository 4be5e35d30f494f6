//! Identities of calls: the bytes that must be equal for a call to be shared, compared completely,
//! never by hash alone.
//!
//! Header values are compared as bytes (their `Debug` form redacts secrets, which would make
//! different ones equal). URLs and headers contain no line breaks, so identities are unambiguous.

use http::{HeaderMap, HeaderName};

use crate::source_client::request::Request;

/// The identity of a request: method, URL, headers, body.
pub(crate) fn request_identity(request: &Request) -> Vec<u8> {
    let body = request.body.as_deref().unwrap_or_default();
    let mut text = Vec::with_capacity(256 + body.len());
    text.extend_from_slice(request.method.as_str().as_bytes());
    text.push(b' ');
    text.extend_from_slice(request.url.as_str().as_bytes());
    write_headers(&request.headers, &mut text);
    text.extend_from_slice(b"\n\n");
    text.extend_from_slice(body);
    text
}

/// Appends a line for each header value.
pub(super) fn write_headers(headers: &HeaderMap, text: &mut Vec<u8>) {
    for (name, value) in headers {
        text.push(b'\n');
        text.extend_from_slice(name.as_str().as_bytes());
        text.push(b':');
        text.extend_from_slice(value.as_bytes());
    }
}

/// The client headers named in `names`; all of them for `None`.
pub(super) fn select_headers(
    client_headers: &HeaderMap,
    names: Option<&[HeaderName]>,
) -> HeaderMap {
    let Some(names) = names else {
        return client_headers.clone();
    };
    let mut headers = HeaderMap::with_capacity(names.len());
    for name in names {
        for value in client_headers.get_all(name) {
            headers.append(name.clone(), value.clone());
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method};

    use super::*;

    fn request(token: &'static str, body: &'static str) -> Request {
        let mut token = HeaderValue::from_static(token);
        token.set_sensitive(true);
        Request {
            method: Method::POST,
            url: "http://service.example.com/".parse().unwrap(),
            headers: HeaderMap::from_iter([(http::header::AUTHORIZATION, token)]),
            body: Some(body.into()),
            is_idempotent: true,
            memory: None,
            gate: None,
            clock: None,
        }
    }

    #[test]
    fn secrets_and_bodies_distinguish_requests() {
        let one = request_identity(&request("Bearer a", "{}"));

        assert_eq!(one, request_identity(&request("Bearer a", "{}")));
        assert_ne!(one, request_identity(&request("Bearer b", "{}")));
        assert_ne!(one, request_identity(&request("Bearer a", "{ }")));
    }
}
