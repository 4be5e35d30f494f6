//! Syntax errors of mappings and templates.

use std::fmt;
use std::ops::Range;

/// A syntax error with its position, worded like a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// One sentence, lower case, no full stop, names in back-ticks.
    pub message: String,
    /// The range of the error in the text, in bytes.
    pub range: Range<usize>,
    /// The remedy, in the imperative.
    pub help: Option<String>,
}

impl ParseError {
    pub(crate) fn new(range: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            range,
            help: None,
        }
    }

    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Shifts the range by `offset` bytes, for a text inside another.
    #[must_use]
    pub(crate) fn shifted(mut self, offset: usize) -> Self {
        self.range = self.range.start + offset..self.range.end + offset;
        self
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at byte {}", self.message, self.range.start)
    }
}

impl std::error::Error for ParseError {}
