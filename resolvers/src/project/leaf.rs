//! Leaves: JSON text of a source, coerced to the type in the schema and written (GraphQL §3.5,
//! result coercion).

use schema::types::{Name, Scalar};

/// The values of a leaf type.
#[derive(Debug)]
pub(super) enum Leaf {
    Scalar(Scalar),
    /// JSON strings with quotes, sorted.
    Enum(Vec<Box<[u8]>>),
}

impl Leaf {
    pub(super) fn from_enum_values<'a>(values: impl Iterator<Item = &'a Name>) -> Self {
        let quoted = |name: &Name| format!("\"{name}\"").into_bytes().into_boxed_slice();
        let mut values: Vec<_> = values.map(quoted).collect();
        values.sort();
        Self::Enum(values)
    }

    /// Writes `text` if it is a value of the type; returns whether it is.
    pub(super) fn write(&self, text: &[u8], out: &mut Vec<u8>) -> bool {
        let fits = match self {
            Self::Enum(values) => values
                .binary_search_by(|value| value.as_ref().cmp(text))
                .is_ok(),
            Self::Scalar(Scalar::String) => text.first() == Some(&b'"'),
            Self::Scalar(Scalar::Id) => return write_id(text, out),
            Self::Scalar(Scalar::Int) => return write_int(text, out),
            Self::Scalar(Scalar::Float) => is_number(text),
            Self::Scalar(Scalar::Boolean) => text == b"true" || text == b"false",
            Self::Scalar(Scalar::Custom) => true,
        };
        if fits {
            out.extend_from_slice(text);
        }
        fits
    }
}

fn is_number(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'-' | b'0'..=b'9'))
}

/// Writes an `ID`: an integer becomes a string (GraphQL §3.5.5).
fn write_id(text: &[u8], out: &mut Vec<u8>) -> bool {
    if text.first() == Some(&b'"') {
        out.extend_from_slice(text);
        return true;
    }
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let is_integer = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if is_integer {
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
    }
    is_integer
}

/// Writes an `Int` of 32 bits: `2.0` becomes `2`, `2.5` is rejected.
fn write_int(text: &[u8], out: &mut Vec<u8>) -> bool {
    // Any nine digits fit into 32 bits.
    if text.len() <= 9 && text.iter().all(u8::is_ascii_digit) {
        out.extend_from_slice(text);
        return !text.is_empty();
    }
    let Ok(text) = std::str::from_utf8(text) else {
        return false;
    };
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
        _ => text,
    };
    let fits = whole.parse::<i32>().is_ok();
    if fits {
        out.extend_from_slice(whole.as_bytes());
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(leaf: &Leaf, text: &str, expected: Option<&str>) {
        let mut out = Vec::new();
        let fits = leaf.write(text.as_bytes(), &mut out);
        let written = String::from_utf8(out).unwrap();
        assert_eq!(fits.then_some(written.as_str()), expected, "{text}");
    }

    #[test]
    fn int_has_32_bits_and_no_fraction() {
        let int = Leaf::Scalar(Scalar::Int);
        check(&int, "2147483647", Some("2147483647"));
        check(&int, "2147483648", None);
        check(&int, "-1", Some("-1"));
        check(&int, "2.0", Some("2"));
        check(&int, "2.5", None);
        check(&int, "1e3", None);
        check(&int, "\"1\"", None);
    }

    #[test]
    fn id_is_written_as_string() {
        let id = Leaf::Scalar(Scalar::Id);
        check(&id, "7", Some("\"7\""));
        check(&id, "-7", Some("\"-7\""));
        check(&id, "\"a\"", Some("\"a\""));
        check(&id, "7.5", None);
        check(&id, "true", None);
    }

    #[test]
    fn other_leaves_are_written_verbatim_or_rejected() {
        check(&Leaf::Scalar(Scalar::String), "\"a\\n\"", Some("\"a\\n\""));
        check(&Leaf::Scalar(Scalar::String), "5", None);
        check(&Leaf::Scalar(Scalar::Float), "1.50", Some("1.50"));
        check(&Leaf::Scalar(Scalar::Boolean), "true", Some("true"));
        check(&Leaf::Scalar(Scalar::Boolean), "1", None);
        check(
            &Leaf::Scalar(Scalar::Custom),
            "{\"a\":[1]}",
            Some("{\"a\":[1]}"),
        );
        let status = Leaf::from_enum_values(["PLACED".into(), "PAID".into()].iter());
        check(&status, "\"PAID\"", Some("\"PAID\""));
        check(&status, "\"LOST\"", None);
    }
}
