//! Whether somebody knows a secret.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use subtle::ConstantTimeEq as _;

use crate::config::secret::Secret;

/// Whether `shown` is `secret`; takes the same time for everything of the same length.
pub(crate) fn is_match(secret: &Secret<String>, presented: &[u8]) -> bool {
    secret.reveal().as_bytes().ct_eq(presented).into()
}

/// Whether `authorization` has `secret`, as it is or as a bearer's.
pub(crate) fn is_authorized(headers: &HeaderMap, secret: &Secret<String>) -> bool {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(shown), None) = (values.next(), values.next()) else {
        return false;
    };
    let value = shown.as_bytes().trim_ascii();
    let bearer = match value.split_first_chunk::<7>() {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token.trim_ascii(),
        _ => value,
    };
    is_match(secret, bearer)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(shown: &[&'static str], expected: bool) {
        let mut headers = HeaderMap::new();
        for value in shown {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(is_authorized(&headers, &secret), expected, "{shown:?}");
    }

    #[test]
    fn a_key_is_sent_plain_or_as_a_bearer_token() {
        check(&["hunter2"], true);
        check(&["Bearer hunter2"], true);
        check(&["bearer  hunter2"], true);
    }

    #[test]
    fn anything_else_is_refused() {
        check(&[], false);
        check(&[""], false);
        check(&["hunter"], false);
        check(&["hunter22"], false);
        check(&["Basic hunter2"], false);
        check(&["Bearer"], false);
        check(&["hunter2", "hunter2"], false);
    }
}
