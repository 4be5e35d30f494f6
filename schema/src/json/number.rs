//! Numbers that are text: which kind they are, and comparing them without losing digits.

use std::cmp::Ordering;

/// What arithmetic can do with a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    /// Neither point nor exponent, and it fits.
    Int(i64),
    /// Neither point nor exponent, and it does not fit into 64 bits; this is close to it.
    Big(f64),
    /// With point or exponent.
    Float(f64),
}

impl Number {
    /// Reads the text of a JSON number.
    pub(crate) fn read(text: &str) -> Self {
        if is_float(text) {
            return Self::Float(float(text));
        }
        text.parse()
            .map_or_else(|_| Self::Big(float(text)), Self::Int)
    }

    /// As a float, digits lost where it cannot be helped.
    #[expect(clippy::cast_precision_loss, reason = "the caller asked for a float")]
    pub(crate) fn to_float(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Big(value) | Self::Float(value) => value,
        }
    }
}

/// Whether two numbers are one JSON value: `1` and `1.0` are not, `1.0` and `1.00` are.
pub(crate) fn is_same_number(left: &str, right: &str) -> bool {
    is_float(left) == is_float(right) && compare(left, right) == Some(Ordering::Equal)
}

/// The order of two numbers. Integers are compared exactly however long they are.
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

/// Digits, and whether a minus stands before them; JSON integers have no leading zeros.
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
