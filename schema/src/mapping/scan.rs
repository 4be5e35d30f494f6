//! Scans the tokens of a mapping: names, strings, numbers, white space and comments.
//!
//! Independent of the grammar. Every method advances the position past its token, and leaves it
//! unchanged if there is none.

use std::ops::Range;

use super::error::ParseError;

/// A position in a mapping's text.
#[derive(Clone, Debug)]
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// The position of the next character.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Returns to an earlier position.
    pub(super) fn reset_to(&mut self, at: usize) {
        self.at = at;
    }

    /// The rest of the text.
    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The text before the position.
    pub(super) fn text_before(&self) -> &'t str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// The next character, white space included.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The previous character, white space included.
    pub(super) fn before(&self) -> Option<char> {
        self.text_before().chars().next_back()
    }

    /// Consumes `token` if it is next.
    pub(super) fn eat(&mut self, token: &str) -> bool {
        let is_next = self.rest().starts_with(token);
        if is_next {
            self.at += token.len();
        }
        is_next
    }

    /// Skips white space and comments.
    pub(super) fn skip_trivia(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\r' | '\n') => self.at += 1,
                Some('#') => {
                    let line = self.rest().find('\n').unwrap_or(self.rest().len());
                    self.at += line;
                }
                _ => return,
            }
        }
    }

    /// Scans a name: `[A-Za-z_][A-Za-z0-9_]*`.
    pub(super) fn name(&mut self) -> Option<(&'t str, Range<usize>)> {
        let rest = self.rest();
        if !rest.starts_with(is_name_start) {
            return None;
        }
        let len = rest.find(|c| !is_name_part(c)).unwrap_or(rest.len());
        let start = self.at;
        self.at += len;
        Some((rest.get(..len)?, start..self.at))
    }

    /// Scans a string in single or double quotes; returns its value.
    pub(super) fn string(&mut self) -> Option<Result<(String, Range<usize>), ParseError>> {
        let quote = self.peek().filter(|c| matches!(c, '\'' | '"'))?;
        let start = self.at;
        let mut value = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((offset, character)) = chars.next() {
            match character {
                '\\' => match chars.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, escaped)) => value.push(escaped),
                    None => break,
                },
                _ if character == quote => {
                    self.at = start + offset + 1;
                    return Some(Ok((value, start..self.at)));
                }
                _ => value.push(character),
            }
        }
        let error = ParseError::new(start..self.text.len(), "unclosed string")
            .help(format!("close it with {quote}"));
        Some(Err(error))
    }

    /// Scans a number; returns it normalized to JSON.
    pub(super) fn number(&mut self) -> Option<(String, Range<usize>)> {
        let start = self.at;
        let is_negative = self.eat("-");
        if is_negative {
            self.skip_trivia();
        }
        let whole = self.digits();
        let has_point = self.rest().starts_with('.')
            && !self.rest().starts_with("..")
            && (!whole.is_empty() || self.point_digit());
        let fraction = if has_point {
            self.at += 1;
            self.digits()
        } else {
            ""
        };
        if whole.is_empty() && fraction.is_empty() {
            self.at = start;
            return None;
        }
        let number = json_number(is_negative, whole, has_point.then_some(fraction));
        Some((number, start..self.at))
    }

    fn digits(&mut self) -> &'t str {
        let rest = self.rest();
        let len = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    fn point_digit(&self) -> bool {
        matches!(self.rest().as_bytes(), [b'.', b'0'..=b'9', ..])
    }
}

/// Whether a name may contain this character after its first.
pub(super) fn is_name_part(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn is_name_start(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_'
}

fn json_number(is_negative: bool, whole: &str, fraction: Option<&str>) -> String {
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    let minus = if is_negative && !(whole == "0" && fraction.is_none()) {
        "-"
    } else {
        ""
    };
    match fraction {
        None => format!("{minus}{whole}"),
        Some("") => format!("{minus}{whole}.0"),
        Some(fraction) => format!("{minus}{whole}.{fraction}"),
    }
}
