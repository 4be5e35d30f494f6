//! `Cache-Control` of a response: RFC 9111 §5.2.2 and RFC 5861.
//!
//! Unknown directives are ignored; of a repeated one the smaller value counts; a malformed lifetime
//! is zero, as §4.2.1 advises.

use std::time::Duration;

use http::HeaderMap;
use http::header::CACHE_CONTROL;

/// The cache directives of a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a directive that is present or not"
)]
pub(super) struct Directives {
    /// `no-store`, or `no-cache` without a list of headers.
    pub(super) forbid_reuse: bool,
    pub(super) private: bool,
    pub(super) must_revalidate: bool,
    public: bool,
    proxy_revalidate: bool,
    pub(super) max_age: Option<Duration>,
    pub(super) s_maxage: Option<Duration>,
    pub(super) stale_while_revalidate: Option<Duration>,
    pub(super) stale_if_error: Option<Duration>,
}

impl Directives {
    pub(super) fn parse(headers: &HeaderMap) -> Self {
        let mut directives = Self::default();
        for line in headers.get_all(CACHE_CONTROL) {
            let mut rest = line.as_bytes();
            while !rest.is_empty() {
                let (name, value, after) = parse_directive(rest);
                directives.add(&name.to_ascii_lowercase(), value);
                rest = after;
            }
        }
        directives
    }

    /// Whether the operator's default stale windows must not apply.
    pub(super) fn forbids_stale(&self) -> bool {
        self.must_revalidate || self.proxy_revalidate || self.s_maxage.is_some()
    }

    /// Whether a response to a request with credentials may be shared (RFC 9111 §3.5).
    pub(super) fn allows_sharing(&self) -> bool {
        self.public || self.must_revalidate || self.s_maxage.is_some()
    }

    fn add(&mut self, name: &[u8], value: Option<&[u8]>) {
        match name {
            b"no-store" => self.forbid_reuse = true,
            // A list restricts it to those headers, and headers are not cached (§5.2.2.4).
            b"no-cache" => self.forbid_reuse |= value.is_none_or(<[u8]>::is_empty),
            b"private" => self.private = true,
            b"public" => self.public = true,
            b"must-revalidate" => self.must_revalidate = true,
            b"proxy-revalidate" => self.proxy_revalidate = true,
            b"max-age" => set_min(&mut self.max_age, value),
            b"s-maxage" => set_min(&mut self.s_maxage, value),
            b"stale-while-revalidate" => set_min(&mut self.stale_while_revalidate, value),
            b"stale-if-error" => set_min(&mut self.stale_if_error, value),
            _ => {}
        }
    }
}

fn set_min(current: &mut Option<Duration>, value: Option<&[u8]>) {
    let new = value.and_then(delta_seconds).unwrap_or_default();
    *current = Some(current.map_or(new, |known| known.min(new)));
}

/// Parses delta-seconds (§1.2.2): digits only, clamped to the maximum.
pub(super) fn delta_seconds(text: &[u8]) -> Option<Duration> {
    let text = text.trim_ascii();
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let seconds = text.iter().fold(0_u64, |seconds, digit| {
        let next = seconds * 10 + u64::from(digit - b'0');
        next.min(MAX_DELTA_SECONDS)
    });
    Some(Duration::from_secs(seconds))
}

/// The first directive of `text`, its value, and the rest of the text.
fn parse_directive(text: &[u8]) -> (&[u8], Option<&[u8]>, &[u8]) {
    let end = find_end(text, |byte| matches!(byte, b',' | b'='));
    let (name, rest) = text.split_at(end);
    let Some((b'=', value)) = rest.split_first().map(|(sign, rest)| (*sign, rest)) else {
        return (name.trim_ascii(), None, rest.get(1..).unwrap_or_default());
    };
    let value = value.trim_ascii_start();
    if let Some((quoted, rest)) = quoted(value) {
        let comma = find_end(rest, |byte| byte == b',');
        let after = rest.get(comma + 1..).unwrap_or_default();
        return (name.trim_ascii(), Some(quoted), after);
    }
    let comma = find_end(value, |byte| byte == b',');
    let (value, rest) = value.split_at(comma);
    let after = rest.get(1..).unwrap_or_default();
    (name.trim_ascii(), Some(value.trim_ascii()), after)
}

/// The content of a quoted string, and the rest of the text. An unclosed quote is no quote, so that
/// it cannot hide the directives after it.
fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = text.strip_prefix(b"\"")?;
    let mut escaped = false;
    let end = inside.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    })?;
    Some((inside.get(..end)?, inside.get(end + 1..)?))
}

fn find_end(text: &[u8], is_end: impl Fn(u8) -> bool) -> usize {
    let found = text.iter().position(|byte| is_end(*byte));
    found.unwrap_or(text.len())
}

/// Maximum delta-seconds: 2³¹ (§1.2.2).
const MAX_DELTA_SECONDS: u64 = 1 << 31;
