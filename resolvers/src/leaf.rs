//! Leaves: JSON text of a source, checked against the type in the schema, and coerced where it is
//! written (GraphQL §3.5, result coercion).

use schema::types::{Name, Scalar, TypeId, TypeKind, Types};

/// The values of a leaf type.
#[derive(Debug)]
pub(crate) enum Leaf {
    Scalar(Scalar),
    /// JSON strings with quotes, sorted.
    Enum(Vec<Box<[u8]>>),
}

impl Leaf {
    pub(crate) fn from_enum_values<'a>(values: impl Iterator<Item = &'a Name>) -> Self {
        let quoted = |name: &Name| format!("\"{name}\"").into_bytes().into_boxed_slice();
        let mut values: Vec<_> = values.map(quoted).collect();
        values.sort();
        Self::Enum(values)
    }

    /// Writes `text` if it is a value of the type; returns whether it is.
    pub(crate) fn write(&self, text: &[u8], out: &mut Vec<u8>) -> bool {
        match self {
            Self::Scalar(Scalar::Id) => write_id(text, out),
            Self::Scalar(Scalar::Int) => match whole_number(text) {
                Some(whole) => {
                    out.extend_from_slice(whole);
                    true
                }
                None => false,
            },
            other => {
                let is_value = other.is_value(text);
                if is_value {
                    out.extend_from_slice(text);
                }
                is_value
            }
        }
    }

    /// Whether `text` is a value of the type.
    pub(crate) fn is_value(&self, text: &[u8]) -> bool {
        match self {
            Self::Enum(values) => values
                .binary_search_by(|value| value.as_ref().cmp(text))
                .is_ok(),
            Self::Scalar(Scalar::String) => text.first() == Some(&b'"'),
            Self::Scalar(Scalar::Id) => text.first() == Some(&b'"') || is_integer(text),
            Self::Scalar(Scalar::Int) => whole_number(text).is_some(),
            Self::Scalar(Scalar::Float) => is_number(text),
            Self::Scalar(Scalar::Boolean) => text == b"true" || text == b"false",
            Self::Scalar(Scalar::Custom) => true,
        }
    }
}

/// Whether JSON text is one of the values of an enum.
pub(crate) fn is_enum_value(values: &[Name], text: &[u8]) -> bool {
    let name = text
        .strip_prefix(b"\"")
        .and_then(|it| it.strip_suffix(b"\""));
    name.is_some_and(|name| values.iter().any(|value| value.as_bytes() == name))
}

/// How the values of a key field compare: by its type, because services write one value as different
/// JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyLeaf {
    /// By text: `1` is `"1"`.
    Id,
    /// By number: `1.0` is `1`, and so is `"1"`, which some services write.
    Int,
    /// By number: `1.50` is `1.5`.
    Float,
    /// By JSON value.
    Exact,
}

impl KeyLeaf {
    /// The comparison of values of type `ty`.
    pub(crate) fn from_type(ty: TypeId, types: &Types) -> Self {
        match types.get(ty).kind {
            TypeKind::Scalar(Scalar::Id) => Self::Id,
            TypeKind::Scalar(Scalar::Int) => Self::Int,
            TypeKind::Scalar(Scalar::Float) => Self::Float,
            _ => Self::Exact,
        }
    }
}

fn is_number(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'-' | b'0'..=b'9'))
}

/// Whether JSON text is a number without point and exponent.
pub(crate) fn is_integer(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// Writes an `ID`: an integer becomes a string (GraphQL §3.5.5).
fn write_id(text: &[u8], out: &mut Vec<u8>) -> bool {
    if text.first() == Some(&b'"') {
        out.extend_from_slice(text);
        return true;
    }
    let is_integer = is_integer(text);
    if is_integer {
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
    }
    is_integer
}

/// The whole number of an `Int` of 32 bits: `2.0` is `2`, `2.5` is rejected.
fn whole_number(text: &[u8]) -> Option<&[u8]> {
    // Any nine digits fit into 32 bits.
    if text.len() <= 9 && text.iter().all(u8::is_ascii_digit) {
        return (!text.is_empty()).then_some(text);
    }
    let text = std::str::from_utf8(text).ok()?;
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
        _ => text,
    };
    whole.parse::<i32>().is_ok().then_some(whole.as_bytes())
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
