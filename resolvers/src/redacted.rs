//! Addresses without their secrets: user, password and query are left out.

use std::fmt;

use url::Url;

/// Displays scheme, host, port and path of a URL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RedactedUrl<'u>(pub(crate) &'u Url);

impl fmt::Display for RedactedUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(url) = self;
        let host = url.host_str().unwrap_or_default();
        write!(f, "{}://{host}", url.scheme())?;
        if let Some(port) = url.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(url.path())
    }
}

/// The text of a URL template without user and password.
pub(crate) fn redacted_template(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_password_and_query_are_left_out() {
        let redacted = |text: &str| RedactedUrl(&text.parse().unwrap()).to_string();
        assert_eq!(
            redacted("https://user:secret@api.example.com:8443/users?api_key=secret"),
            "https://api.example.com:8443/users"
        );
        assert_eq!(redacted("http://[::1]:5001"), "http://[::1]:5001/");
    }

    #[test]
    fn a_template_keeps_its_expressions() {
        assert_eq!(
            redacted_template("https://user:{$env.PASSWORD}@api.example.com/users/{$args.id}"),
            "https://api.example.com/users/{$args.id}"
        );
        assert_eq!(
            redacted_template("/users?first={$args.n}"),
            "/users?first={$args.n}"
        );
    }
}
