//! `Content-Type`: whether a body is declared as JSON in UTF-8.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// Whether the body is declared as JSON; UTF-8 is the default encoding ("POST").
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE);
    let Some(Ok(content_type)) = content_type.map(http::HeaderValue::to_str) else {
        return false;
    };
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    is_json && parts.all(is_utf8)
}

fn is_utf8(parameter: &str) -> bool {
    match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(content_type: &'static str, expected: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        assert_eq!(is_json(&headers), expected, "{content_type}");
    }

    #[test]
    fn only_json_in_utf8_is_accepted() {
        check("application/json", true);
        check("Application/JSON; Charset=\"UTF-8\"", true);
        check("application/json; boundary=x", true);
        check("application/json; charset=utf-16", false);
        check("application/graphql", false);
        check("text/plain", false);
        assert!(!is_json(&HeaderMap::new()));
    }
}
