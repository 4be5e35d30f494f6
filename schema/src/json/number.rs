//! Numbers as JSON text: parsing and lossless comparison.

use std::borrow::Cow;
use std::cmp::Ordering;

/// A parsed number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    /// An integer of 64 bits.
    Int(i64),
    /// An approximation of an integer that does not fit into 64 bits.
    Big(f64),
    /// A number with a decimal point or an exponent.
    Float(f64),
}

impl Number {
    /// Parses the text of a JSON number.
    pub(crate) fn read(text: &str) -> Self {
        if is_float(text) {
            return Self::Float(float(text));
        }
        text.parse()
            .map_or_else(|_| Self::Big(float(text)), Self::Int)
    }

    /// The closest float.
    #[expect(clippy::cast_precision_loss, reason = "the caller needs a float")]
    pub(crate) fn to_float(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Big(value) | Self::Float(value) => value,
        }
    }
}

/// Whether two numbers are equal as JSON: `1` and `1.0` are not, `1.0` and `1.00` are.
pub(crate) fn is_same_number(left: &str, right: &str) -> bool {
    is_float(left) == is_float(right) && compare(left, right) == Some(Ordering::Equal)
}

/// The one form of all texts of a number: `1`, `1.0` and `10e-1` are `1`. Integers of any length
/// keep their digits.
pub fn canonical_number(text: &str) -> Cow<'_, str> {
    if !is_float(text) {
        return Cow::Borrowed(if text == "-0" { "0" } else { text });
    }
    let value = float(text);
    if value.fract() == 0.0 && value.abs() < MAX_EXACT_INTEGER {
        // Adding zero removes the sign of `-0.0`.
        return Cow::Owned(format!("{:.0}", value + 0.0));
    }
    match serde_json::Number::from_f64(value) {
        Some(number) => Cow::Owned(number.to_string()),
        None => Cow::Borrowed(text),
    }
}

/// Limit of the integers that a float holds exactly.
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;

/// The order of two numbers. Integers of any length are compared exactly.
pub(crate) fn compare(left: &str, right: &str) -> Option<Ordering> {
    if is_float(left) || is_float(right) {
        return float(left).partial_cmp(&float(right));
    }
    let (left, left_negative) = magnitude(left);
    let (right, right_negative) = magnitude(right);
    Some(match (left_negative, right_negative) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => by_length(left, right),
        (true, true) => by_length(right, left),
    })
}

fn by_length(left: &str, right: &str) -> Ordering {
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// The digits and whether the number is negative; JSON integers have no leading zeros.
fn magnitude(text: &str) -> (&str, bool) {
    match text.strip_prefix('-') {
        Some("0") => ("0", false),
        Some(digits) => (digits, true),
        None => (text, false),
    }
}

fn is_float(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
}

fn float(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}
