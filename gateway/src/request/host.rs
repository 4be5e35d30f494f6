//! `Host`: exactly one of each HTTP/1.1 request, with a valid value (RFC 9112 §3.2).
//!
//! Which hosts are served is not checked: Weir serves one graph under any name.

use std::net::Ipv6Addr;

use http::header::HOST;
use http::{HeaderMap, Version};

/// Why a request has no valid host, as a sentence for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidHost(pub(crate) &'static str);

/// Checks the `Host` of a request. HTTP/1.0 does not require one.
pub(crate) fn check(version: Version, headers: &HeaderMap) -> Result<(), InvalidHost> {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if version < Version::HTTP_11 => Ok(()),
        (None, _) => Err(InvalidHost("the request has no `Host`")),
        (Some(_), Some(_)) => Err(InvalidHost("the request has more than one `Host`")),
        (Some(host), None) if is_valid(host.as_bytes()) => Ok(()),
        (Some(_), None) => Err(InvalidHost("the value of `Host` is not a host")),
    }
}

/// Whether the value is `uri-host [ ":" port ]` (RFC 3986 §3.2.2, §3.2.3). It may be empty: that is
/// the host of a target without an authority.
fn is_valid(host: &[u8]) -> bool {
    let port = match host {
        [b'[', rest @ ..] => after_address(rest),
        _ => after_name(host),
    };
    match port {
        Some([]) => true,
        Some([b':', digits @ ..]) => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// What follows an IPv6 address and its closing bracket; `None` if it is not an address.
fn after_address(host: &[u8]) -> Option<&[u8]> {
    let end = host.iter().position(|byte| *byte == b']')?;
    let (address, rest) = host.split_at(end);
    let address = std::str::from_utf8(address).ok()?;
    address.parse::<Ipv6Addr>().ok()?;
    rest.get(1..)
}

/// What follows a name or an IPv4 address; `None` if it is not a name.
fn after_name(host: &[u8]) -> Option<&[u8]> {
    let end = host.iter().position(|byte| *byte == b':');
    let (name, rest) = host.split_at(end.unwrap_or(host.len()));
    name.iter().all(|byte| is_name_byte(*byte)).then_some(rest)
}

/// Unreserved characters, sub-delimiters, and the percent sign of escapes.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check_hosts(version: Version, hosts: &[&'static str], is_valid: bool) {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_static(host));
        }
        let checked = check(version, &headers);
        assert_eq!(checked.is_ok(), is_valid, "{version:?} {hosts:?}");
    }

    #[test]
    fn http_1_1_requires_one_host() {
        check_hosts(Version::HTTP_11, &["weir.example"], true);
        check_hosts(Version::HTTP_11, &[], false);
        check_hosts(Version::HTTP_11, &["a", "a"], false);
        check_hosts(Version::HTTP_10, &[], true);
        check_hosts(Version::HTTP_10, &["a", "b"], false);
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_an_optional_port() {
        for host in [
            "",
            "a",
            "A-1.example.com:80",
            "127.0.0.1:4000",
            "[::1]",
            "[::1]:4000",
            "a_b.svc",
            "h:",
        ] {
            check_hosts(Version::HTTP_11, &[host], true);
        }
        for host in [
            "user@host",
            "a b",
            "a/b",
            "http://a",
            "a:80:90",
            "a:port",
            "[::1",
            "[x]",
            "[::1]80",
            "a,b@",
            "a\\b",
            "a?b",
            "a#b",
        ] {
            check_hosts(Version::HTTP_11, &[host], false);
        }
    }
}
