//! `/` and `/assets/…`: GraphiQL, embedded in the binary.
//!
//! The files are built by `gateway/ui` and stored compressed. The page loads nothing from other
//! origins, and its content security policy forbids it.

use axum::body::Body;
use axum::extract::Path;
use axum::response::Response;
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::respond;

include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// One file of the page in its stored encodings.
#[derive(Debug)]
struct File {
    /// Relative to `/`.
    path: &'static str,
    brotli: &'static [u8],
    gzip: &'static [u8],
}

/// Whether this binary contains the page.
pub(crate) fn is_built() -> bool {
    file("index.html").is_some()
}

/// The page, or instructions to build it.
pub(crate) async fn index(headers: HeaderMap) -> Response {
    let mut response = match file("index.html") {
        Some(file) => file.respond(&headers, REVALIDATE),
        None => not_built(),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// A script, a style sheet or a font. Its name contains a hash of the content, so it is immutable.
pub(crate) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let path = format!("assets/{name}");
    match file(&path) {
        Some(file) => file.respond(&headers, IMMUTABLE),
        None => respond::not_found(&format!("/{path}")),
    }
}

impl File {
    fn respond(&self, headers: &HeaderMap, cache_control: &'static str) -> Response {
        let (encoding, content) = match accepted_encoding(headers) {
            Some(Encoding::Brotli) => ("br", self.brotli),
            Some(Encoding::Gzip) => ("gzip", self.gzip),
            None => return respond::encoding_not_acceptable(),
        };
        let mut response = Response::new(Body::from(Bytes::from_static(content)));
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(content_type(self.path)),
        );
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache_control));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Brotli,
    Gzip,
}

fn file(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

/// The smallest stored encoding that the client accepts; `None` if it accepts none. Without
/// `Accept-Encoding`, any encoding is acceptable (RFC 9110 §12.5.3).
fn accepted_encoding(headers: &HeaderMap) -> Option<Encoding> {
    let Some(accept) = headers.get(ACCEPT_ENCODING) else {
        return Some(Encoding::Gzip);
    };
    let accept = accept.to_str().unwrap_or_default();
    let accepts = |encoding: &str| {
        accept.split(',').any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            let is_named = parts
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case(encoding));
            let is_zero = |weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
            is_named && !parts.any(is_zero)
        })
    };
    if accepts("br") {
        Some(Encoding::Brotli)
    } else {
        (accepts("gzip") || accepts("*")).then_some(Encoding::Gzip)
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("ttf") => "font/ttf",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

fn not_built() -> Response {
    let mut response = Response::new(Body::from(NOT_BUILT));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

const NOT_BUILT: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>Weir</title>
<h1>Weir is running</h1>
<p>This binary was built without GraphiQL. <code>make install</code> builds one with it.</p>
<p>Send operations to <code>POST /graphql</code>:</p>
<pre>curl -H 'content-type: application/json' -d '{\"query\":\"{ __typename }\"}' http://127.0.0.1:4000/graphql</pre>
</html>
";

/// The content security policy: only this origin. The editor needs inline styles and `data:` icons
/// of its style sheet; inline scripts are forbidden.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     font-src 'self' data:; img-src 'self' data:; connect-src 'self'; worker-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const IMMUTABLE: &str = "public, max-age=31536000, immutable";
const REVALIDATE: &str = "no-cache";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accept: &'static str, expected: Option<Encoding>) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accept));
        assert_eq!(accepted_encoding(&headers), expected, "{accept}");
    }

    #[test]
    fn the_smallest_accepted_encoding_is_sent() {
        check("gzip, deflate, br, zstd", Some(Encoding::Brotli));
        check("gzip;q=1.0, br;q=0", Some(Encoding::Gzip));
        check("*", Some(Encoding::Gzip));
        assert_eq!(accepted_encoding(&HeaderMap::new()), Some(Encoding::Gzip));
    }

    #[test]
    fn a_client_that_accepts_neither_encoding_gets_an_error() {
        check("identity", None);
        check("", None);
    }
}
