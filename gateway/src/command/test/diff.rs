//! Differences of two texts by line, and a JSON format whose lines can be compared.

use std::fmt::Write as _;

use schema::json::{Fields, Value, View};
use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

/// Formats a value over several lines, with sorted members, so that equal values have equal text.
/// Numbers are not normalized: `1` and `1.0` differ.
pub(super) fn pretty_json(value: &Value<'_>) -> String {
    let mut text = String::new();
    write_value(value, 0, &mut text);
    text
}

/// The differences with context lines: `-` marks expected lines, `+` marks found ones.
pub(super) fn unified_diff(expected: &str, found: &str) -> String {
    let (expected, found) = (lines(expected), lines(found));
    let ops = capture_diff_slices(Algorithm::Myers, &expected, &found);
    let mut text = String::new();
    for (index, group) in group_diff_ops(ops, CONTEXT_LINES).iter().enumerate() {
        if index > 0 {
            text.push_str("  …\n");
        }
        for op in group {
            write_hunk(op, &expected, &found, &mut text);
        }
    }
    text
}

/// Number of equal lines shown before and after a difference.
const CONTEXT_LINES: usize = 3;

/// Maximum lines that are compared one by one; the rest counts as one line.
const MAX_LINES: usize = 5_000;

fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.splitn(MAX_LINES, '\n').collect();
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines
}

fn write_hunk(op: &DiffOp, expected: &[&str], found: &[&str], text: &mut String) {
    let is_equal = matches!(op, DiffOp::Equal { .. });
    for line in expected.get(op.old_range()).unwrap_or_default() {
        let _ = writeln!(text, "{} {line}", if is_equal { ' ' } else { '-' });
    }
    if !is_equal {
        for line in found.get(op.new_range()).unwrap_or_default() {
            let _ = writeln!(text, "+ {line}");
        }
    }
}

/// Recursive: the JSON parser limits the depth.
fn write_value(value: &Value<'_>, depth: usize, text: &mut String) {
    match value.view() {
        View::List(items) if !items.is_empty() => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                begin_item(index, depth + 1, text);
                write_value(&item, depth + 1, text);
            }
            close_bracket(depth, ']', text);
        }
        View::Object(members) if !members.is_empty() => write_object(members, depth, text),
        View::String(decoded) => text.push_str(&Value::string(decoded.as_ref()).to_json()),
        _ => text.push_str(&value.to_json()),
    }
}

fn write_object(members: Fields<'_, '_>, depth: usize, text: &mut String) {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by(|(left, _), (right, _)| left.cmp(right));
    text.push('{');
    for (index, (key, value)) in members.iter().enumerate() {
        begin_item(index, depth + 1, text);
        text.push_str(&Value::string(key.as_ref()).to_json());
        text.push_str(": ");
        write_value(value, depth + 1, text);
    }
    close_bracket(depth, '}', text);
}

fn begin_item(index: usize, depth: usize, text: &mut String) {
    text.push_str(if index > 0 { ",\n" } else { "\n" });
    indent(depth, text);
}

fn close_bracket(depth: usize, bracket: char, text: &mut String) {
    text.push('\n');
    indent(depth, text);
    text.push(bracket);
}

fn indent(depth: usize, text: &mut String) {
    for _ in 0..depth {
        text.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use schema::json::Json;

    use super::*;

    fn json(text: &'static str) -> String {
        let json = Json::parse(Bytes::from_static(text.as_bytes())).unwrap();
        pretty_json(&Value::from(&json))
    }

    #[test]
    fn equal_values_have_equal_pretty_json() {
        assert_eq!(
            json(r#"{"b":[1,{"c":"\u00e9"}],"a":{},"d":[]}"#),
            json(r#"{ "a": {}, "b": [1, {"c": "é"}], "d": [ ] }"#),
        );
        assert_ne!(json("1"), json("1.0"));
        assert_ne!(json("[1,2]"), json("[2,1]"));
    }

    #[test]
    fn a_difference_is_shown_with_context_lines() {
        let expected = json(r#"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}"#);
        let found = json(r#"{"a":1,"b":2,"c":3,"d":4,"e":7,"f":6}"#);

        assert_eq!(
            unified_diff(&expected, &found),
            "    \"b\": 2,\n    \"c\": 3,\n    \"d\": 4,\n-   \"e\": 5,\n+   \"e\": 7,\n    \"f\": 6\n  }\n",
        );
        assert_eq!(unified_diff(&expected, &expected), "");
    }
}
