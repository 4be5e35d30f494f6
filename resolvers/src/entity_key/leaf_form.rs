//! The one form of a key's value for each GraphQL type: services write one value as different JSON.

use schema::json::canonical_number;

use crate::cache::canonical_json;
use crate::leaf::{KeyLeaf, is_integer};
use crate::tree::write_canonical;

/// Appends a value of a key, which is JSON, in its one form.
pub(crate) fn write_key_leaf(leaf: KeyLeaf, text: &[u8], out: &mut Vec<u8>) {
    match (leaf, str::from_utf8(text)) {
        (KeyLeaf::Id, _) if is_integer(text) => {
            out.push(b'"');
            out.extend_from_slice(text);
            out.push(b'"');
        }
        (KeyLeaf::Int, Ok(text)) => write_number(unquoted_integer(text).unwrap_or(text), out),
        (KeyLeaf::Float, Ok(number)) => write_number(number, out),
        (KeyLeaf::Exact, Ok(text)) if text.starts_with(['{', '[']) => {
            let canonical = canonical_json(text);
            out.extend_from_slice(canonical.as_deref().unwrap_or(text).as_bytes());
        }
        _ => write_canonical(text, out),
    }
}

fn write_number(text: &str, out: &mut Vec<u8>) {
    if text.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) {
        out.extend_from_slice(canonical_number(text).as_bytes());
    } else {
        write_canonical(text.as_bytes(), out);
    }
}

/// The integer in a string, without leading zeros: `1` of `"1"`.
fn unquoted_integer(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let digits = inner.strip_prefix('-').unwrap_or(inner);
    let has_leading_zero = digits.len() > 1 && digits.starts_with('0');
    (is_integer(inner.as_bytes()) && !has_leading_zero).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(leaf: KeyLeaf, values: &[&str], expected: &str) {
        for value in values {
            let mut out = Vec::new();
            write_key_leaf(leaf, value.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{value}");
        }
    }

    #[test]
    fn one_value_has_one_form() {
        check(KeyLeaf::Id, &["1", "\"1\"", r#""\u0031""#], "\"1\"");
        check(
            KeyLeaf::Id,
            &["-12345678901234567890"],
            "\"-12345678901234567890\"",
        );
        check(KeyLeaf::Int, &["1", "1.0", "10e-1", "\"1\""], "1");
        check(KeyLeaf::Int, &["0", "-0", "-0.0", "\"-0\""], "0");
        check(KeyLeaf::Int, &["\"007\""], "\"007\"");
        check(KeyLeaf::Int, &["\"\""], "\"\"");
        check(KeyLeaf::Float, &["1.50", "1.5", "15e-1"], "1.5");
        check(KeyLeaf::Float, &["100", "1e2", "100.00"], "100");
        check(KeyLeaf::Float, &["\"1\""], "\"1\"");
        check(KeyLeaf::Exact, &["1.50"], "1.50");
        check(KeyLeaf::Exact, &["true"], "true");
        check(KeyLeaf::Exact, &[r#""\u0061""#, "\"a\""], "\"a\"");
        check(
            KeyLeaf::Exact,
            &[r#"{ "b": [ 1.0 ], "a": 1 }"#, r#"{"a":1,"b":[1.0]}"#],
            r#"{"a":1,"b":[1.0]}"#,
        );
    }
}
