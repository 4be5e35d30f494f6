//! Compares secrets in constant time.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use subtle::ConstantTimeEq as _;

use crate::config::secret::Secret;

/// Whether `presented` equals `secret`; the duration depends only on the length.
pub(crate) fn is_match(secret: &Secret<String>, presented: &[u8]) -> bool {
    secret.reveal().as_bytes().ct_eq(presented).into()
}

/// Whether `authorization` is `secret`, plain or as a bearer token.
pub(crate) fn is_authorized(headers: &HeaderMap, secret: &Secret<String>) -> bool {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let value = value.as_bytes().trim_ascii();
    let token = match value.split_first_chunk::<7>() {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token.trim_ascii(),
        _ => value,
    };
    is_match(secret, token)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(values: &[&'static str], expected: bool) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(is_authorized(&headers, &secret), expected, "{values:?}");
    }

    #[test]
    fn a_key_is_sent_plain_or_as_a_bearer_token() {
        check(&["hunter2"], true);
        check(&["Bearer hunter2"], true);
        check(&["bearer  hunter2"], true);
    }

    #[test]
    fn other_values_are_rejected() {
        check(&[], false);
        check(&[""], false);
        check(&["hunter"], false);
        check(&["hunter22"], false);
        check(&["Basic hunter2"], false);
        check(&["Bearer"], false);
        check(&["hunter2", "hunter2"], false);
    }
}
