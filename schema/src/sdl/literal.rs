//! String literals of SDL, with the position of every character of their value in the file.
//!
//! A mapping is parsed from a string's *value*, but its errors point into the *file*. The two
//! differ by escapes and by the indentation that a block string loses (GraphQL §2.9.4).

use std::ops::Range;

/// A string literal with the file position of each byte of its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    /// The value.
    pub(crate) value: String,
    /// For each contiguous segment: its start in the value and its start in the file.
    segments: Vec<(usize, usize)>,
    /// The range of the literal in the file, quotes included.
    range: Range<usize>,
}

impl Literal {
    /// The literal at `range` of `text`, whose value is `value`.
    pub(crate) fn new(text: &str, range: Range<usize>, value: &str) -> Self {
        let raw = text.get(range.clone()).unwrap_or_default();
        let segments = if raw.starts_with("\"\"\"") {
            block(raw, value)
        } else {
            quoted(raw)
        };
        Self {
            value: value.to_owned(),
            segments: segments
                .into_iter()
                .map(|(value_at, raw_at)| (value_at, raw_at + range.start))
                .collect(),
            range,
        }
    }

    /// The range in the file of a range of the value.
    pub(crate) fn source_range(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.offset(range.start);
        let end = match range.end.checked_sub(1) {
            Some(last) if range.end > range.start => self.offset(last) + 1,
            _ => start,
        };
        start..end.max(start)
    }

    fn offset(&self, at: usize) -> usize {
        let index = self
            .segments
            .partition_point(|(value_at, _)| *value_at <= at);
        let Some((value_at, raw_at)) = index.checked_sub(1).and_then(|i| self.segments.get(i))
        else {
            return self.range.start;
        };
        (raw_at + (at - value_at)).min(self.range.end)
    }
}

/// The segments of `"…"`: one after the quote, and one after each escape.
fn quoted(raw: &str) -> Vec<(usize, usize)> {
    let mut segments = vec![(0, 1)];
    let mut value_at = 0;
    let mut characters = raw.char_indices().skip(1).peekable();
    while let Some((_, character)) = characters.next() {
        if character != '\\' {
            value_at += character.len_utf8();
            continue;
        }
        value_at += escape(&mut characters);
        if let Some((raw_at, _)) = characters.peek() {
            segments.push((value_at, *raw_at));
        }
    }
    segments
}

/// Reads the rest of an escape after its backslash; returns the length of its value in bytes.
fn escape(characters: &mut std::iter::Peekable<impl Iterator<Item = (usize, char)>>) -> usize {
    let Some((_, 'u')) = characters.next() else {
        return 1;
    };
    let mut code = 0;
    if characters.next_if(|(_, c)| *c == '{').is_some() {
        while let Some((_, digit)) = characters.next_if(|(_, c)| *c != '}') {
            code = code * 16 + digit.to_digit(16).unwrap_or(0);
        }
        characters.next();
    } else {
        for _ in 0..4 {
            let digit = characters.next().and_then(|(_, c)| c.to_digit(16));
            code = code * 16 + digit.unwrap_or(0);
        }
    }
    char::from_u32(code).map_or(1, char::len_utf8)
}

/// The segments of `"""…"""`: one for each line of the value, in the same order as in the file.
fn block(raw: &str, value: &str) -> Vec<(usize, usize)> {
    let mut segments = Vec::new();
    let (mut value_at, mut raw_at) = (0, 3);
    for line in value.split('\n') {
        // The file has `\"""` where the value has `"""`.
        let escaped = line.replace("\"\"\"", "\\\"\"\"");
        let found = raw
            .get(raw_at..)
            .and_then(|rest| rest.find(escaped.as_str()))
            .map_or(raw_at, |at| raw_at + at);
        segments.push((value_at, found));
        value_at += line.len() + 1;
        raw_at = raw
            .get(found + escaped.len()..)
            .and_then(|rest| rest.find('\n'))
            .map_or(raw.len(), |at| found + escaped.len() + at + 1);
        raw_at = raw.ceil_char_boundary(raw_at.min(raw.len()));
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(file: &str, value: &str, part: &str, expected: &str) {
        let start = file.find('"').unwrap();
        let literal = Literal::new(file, start..file.len(), value);
        let at = value.find(part).unwrap();
        let range = literal.source_range(&(at..at + part.len()));
        assert_eq!(file.get(range), Some(expected));
    }

    #[test]
    fn positions_in_a_quoted_string_count_escapes() {
        check(r#"x: "id name""#, "id name", "name", "name");
        check(r#"x: "a\"b\" name""#, "a\"b\" name", "name", "name");
        check(r#"x: "\u00e9 name""#, "é name", "name", "name");
        check(r#"x: "\u{e9}é name""#, "éé name", "name", "name");
    }

    #[test]
    fn positions_in_a_block_string_count_the_removed_indentation() {
        let file = "x: \"\"\"\n    id\n      address {\n        city\n      }\n    \"\"\"";
        check(file, "id\n  address {\n    city\n  }", "city", "city");
        check(file, "id\n  address {\n    city\n  }", "id", "id");
    }
}
