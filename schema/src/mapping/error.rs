//! Why a text is not a mapping or a template.

use std::fmt;
use std::ops::Range;

/// What is wrong with a text, and where. Its texts follow the rules of diagnostics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// One sentence, lower case, no full stop, names in back-ticks.
    pub message: String,
    /// Bytes of the text that it is about.
    pub range: Range<usize>,
    /// What to do, imperative.
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

    /// The same for a text that stands `offset` bytes behind the start of another.
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
