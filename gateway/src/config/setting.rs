//! Values as text: `5s`, `64KiB`, `127.0.0.1:4000`.
//!
//! One type for each kind of value, which parses and prints it. All values are parsed from text,
//! so that every kind may come from `${NAME}`.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

/// A kind of value of the configuration.
pub(super) trait Setting: Sized {
    /// The kind with its article; completes "expected …".
    const EXPECTED: &'static str;
    /// Examples of valid text; completes "write …".
    const EXAMPLE: &'static str;

    /// Parses a value; `None` if `text` is invalid.
    fn parse(text: &str) -> Option<Self>;

    /// Text from which `parse` returns this value.
    fn to_text(&self) -> String;

    /// The JSON Schema of the text.
    fn json_schema() -> Value {
        json!({ "type": "string" })
    }
}

/// A duration longer than zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timeout(pub(super) Duration);

/// A number of bytes, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) NonZeroUsize);

/// A percentage from 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Percentage(pub(super) f64);

/// Maximum duration: a longer one is a typing error, and may overflow arithmetic.
const MAX_DURATION: Duration = Duration::from_hours(365 * 24);

const TIME_UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("ms", 1), ("s", 1_000)];

const BYTE_UNITS: [(&str, usize); 4] = [
    ("GiB", 1024 * 1024 * 1024),
    ("MiB", 1024 * 1024),
    ("KiB", 1024),
    ("B", 1),
];

impl Setting for Duration {
    const EXPECTED: &'static str = "a duration";
    const EXAMPLE: &'static str = "a number and a unit, such as `500ms`, `5s`, `2m` or `1h`";

    fn parse(text: &str) -> Option<Self> {
        let (number, unit) = number_and_unit(text)?;
        let (_, millis) = TIME_UNITS.iter().find(|(name, _)| *name == unit)?;
        let duration = Self::from_millis(number.parse::<u64>().ok()?.checked_mul(*millis)?);
        (duration <= MAX_DURATION).then_some(duration)
    }

    fn to_text(&self) -> String {
        let millis = self.as_millis();
        let divides = |(_, unit): &&(&str, u64)| millis.is_multiple_of(u128::from(*unit));
        let (name, unit) = [("h", 3_600_000), ("m", 60_000), ("s", 1_000)]
            .iter()
            .find(divides)
            .filter(|_| millis > 0)
            .unwrap_or(if millis == 0 { &("s", 1) } else { &("ms", 1) });
        format!("{}{name}", millis / u128::from(*unit))
    }

    fn json_schema() -> Value {
        json!({ "type": "string", "pattern": r"^[0-9]+(ms|s|m|h)$|\$\{" })
    }
}

impl Setting for Timeout {
    const EXPECTED: &'static str = "a duration longer than zero";
    const EXAMPLE: &'static str = Duration::EXAMPLE;

    fn parse(text: &str) -> Option<Self> {
        let duration = Duration::parse(text)?;
        (!duration.is_zero()).then_some(Self(duration))
    }

    fn to_text(&self) -> String {
        self.0.to_text()
    }

    fn json_schema() -> Value {
        Duration::json_schema()
    }
}

impl Setting for Bytes {
    const EXPECTED: &'static str = "a number of bytes";
    const EXAMPLE: &'static str = "a number and a unit, such as `512B`, `64KiB` or `1MiB`";

    fn parse(text: &str) -> Option<Self> {
        let (number, unit) = number_and_unit(text)?;
        let (_, bytes) = BYTE_UNITS.iter().find(|(name, _)| *name == unit)?;
        let bytes = number.parse::<usize>().ok()?.checked_mul(*bytes)?;
        NonZeroUsize::new(bytes).map(Self)
    }

    fn to_text(&self) -> String {
        let bytes = self.0.get();
        let divides = |(_, unit): &&(&str, usize)| bytes.is_multiple_of(*unit);
        let (name, unit) = BYTE_UNITS.iter().find(divides).unwrap_or(&("B", 1));
        format!("{}{name}", bytes / unit)
    }

    fn json_schema() -> Value {
        json!({ "type": "string", "pattern": r"^[0-9]+(B|KiB|MiB|GiB)$|\$\{" })
    }
}

impl Setting for NonZeroUsize {
    const EXPECTED: &'static str = "a whole number, at least 1";
    const EXAMPLE: &'static str = "digits, such as `15`";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn to_text(&self) -> String {
        self.to_string()
    }

    fn json_schema() -> Value {
        json!({ "type": ["integer", "string"], "minimum": 1, "pattern": r"^[0-9]+$|\$\{" })
    }
}

impl Setting for bool {
    const EXPECTED: &'static str = "a boolean";
    const EXAMPLE: &'static str = "`true` or `false`";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn to_text(&self) -> String {
        self.to_string()
    }

    fn json_schema() -> Value {
        json!({ "type": ["boolean", "string"], "pattern": r"^(true|false)$|\$\{" })
    }
}

impl Setting for Percentage {
    const EXPECTED: &'static str = "a boolean or a percentage";
    const EXAMPLE: &'static str = "`true`, `false`, or a percentage, such as `5%` or `12.5%`";

    fn parse(text: &str) -> Option<Self> {
        let Some(number) = text.strip_suffix('%') else {
            return bool::parse(text).map(|is_active| Self(if is_active { 100.0 } else { 0.0 }));
        };
        let is_plain = number
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        let percent: f64 = number.parse().ok().filter(|_| is_plain)?;
        (percent <= 100.0).then_some(Self(percent))
    }

    fn to_text(&self) -> String {
        format!("{}%", self.0)
    }

    fn json_schema() -> Value {
        let pattern = r"^(true|false|[0-9]+(\.[0-9]+)?%)$|\$\{";
        json!({ "type": ["boolean", "string"], "pattern": pattern })
    }
}

impl Setting for SocketAddr {
    const EXPECTED: &'static str = "an IP address with a port";
    const EXAMPLE: &'static str =
        "an address and a port, such as `127.0.0.1:4000` or `0.0.0.0:4000`";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn to_text(&self) -> String {
        self.to_string()
    }
}

impl Setting for Url {
    const EXPECTED: &'static str = "an `http` or `https` URL without a user";
    const EXAMPLE: &'static str = "an absolute URL, such as `http://users.example.com/v1`, and credentials as \
                                   `authorization` in `headers`";

    fn parse(text: &str) -> Option<Self> {
        let url: Self = text.parse().ok()?;
        // Clients would not send it.
        let has_user = !url.username().is_empty() || url.password().is_some();
        let is_http = matches!(url.scheme(), "http" | "https") && url.has_host();
        (is_http && !has_user).then_some(url)
    }

    fn to_text(&self) -> String {
        self.to_string()
    }
}

impl Setting for String {
    const EXPECTED: &'static str = "non-empty text";
    const EXAMPLE: &'static str = "at least one character";

    fn parse(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn to_text(&self) -> String {
        self.clone()
    }
}

fn number_and_unit(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|char: char| !char.is_ascii_digit())?;
    text.split_at_checked(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_round_trip<T: Setting + PartialEq + std::fmt::Debug>(texts: &[&str]) {
        for text in texts {
            let value = T::parse(text).expect(text);
            assert_eq!(value.to_text(), *text);
        }
    }

    #[track_caller]
    fn check_rejected<T: Setting>(texts: &[&str]) {
        for text in texts {
            assert!(T::parse(text).is_none(), "{text:?} was accepted");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        check_round_trip::<Duration>(&["500ms", "1500ms", "5s", "2m", "1h", "0s"]);
        check_rejected::<Duration>(&[
            "5",
            "",
            "s",
            "-1s",
            "5 s",
            "1.5s",
            "5S",
            "99999999999999999999s",
        ]);
        check_rejected::<Duration>(&["9000h", "18446744073709551615h", "5é"]);
        check_rejected::<Timeout>(&["0s", "0ms"]);
    }

    #[test]
    fn bytes_have_a_unit_of_1024() {
        check_round_trip::<Bytes>(&["1B", "1023B", "64KiB", "3MiB", "2GiB"]);
        check_rejected::<Bytes>(&["64", "64kb", "0KiB", "-1B", "18446744073709551615KiB"]);
    }

    #[test]
    fn percentages_are_booleans_or_numbers() {
        check_round_trip::<Percentage>(&["0%", "5%", "12.5%", "100%"]);
        check_rejected::<Percentage>(&[
            "5", "%", "-1%", "101%", "1e1%", "inf%", "NaN%", "yes", ".",
        ]);
        assert_eq!(Percentage::parse("true"), Some(Percentage(100.0)));
        assert_eq!(Percentage::parse("false"), Some(Percentage(0.0)));
    }

    #[test]
    fn urls_are_absolute_and_use_http() {
        check_rejected::<Url>(&["users", "/users", "ftp://a/b", "http://", "mailto:a@b"]);
        assert!(Url::parse("https://users.example.com/v1").is_ok());
    }
}
