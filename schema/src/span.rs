//! Positions in documents.

use std::ops::Range;
use std::sync::Arc;

/// A source document with its name, for positions in diagnostics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The path or another name, printed before the line number.
    pub name: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
}

impl Document {
    /// A document called `name`.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }

    /// The line and column of a byte offset, both from 1; columns count characters.
    ///
    /// An offset past the end or inside a character is rounded down to a character boundary.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..self.floor(offset)).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    fn floor(&self, offset: usize) -> usize {
        self.text.floor_char_boundary(offset.min(self.text.len()))
    }
}

/// A range of bytes in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The document.
    pub document: Document,
    /// Bytes `start..end`; empty for a position between two characters.
    pub range: Range<usize>,
}

impl Span {
    /// The bytes `range` of `document`.
    pub fn new(document: &Document, range: Range<usize>) -> Self {
        Self {
            document: document.clone(),
            range,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_and_count_characters() {
        let document = Document::new("a.graphql", "né\nxyz");

        assert_eq!(document.line_column(0), (1, 1));
        assert_eq!(document.line_column(3), (1, 3));
        assert_eq!(document.line_column(5), (2, 2));
        assert_eq!(document.line_column(500), (2, 4));
    }
}
