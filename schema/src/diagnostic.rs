//! Diagnostics: messages for authors of graphs and configuration.
//!
//! A `Diagnostic` names a problem, its position and the remedy. Checks live elsewhere; a check
//! collects its diagnostics in `Problems` and continues.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use crate::span::{Document, Span};

pub use self::code::{Code, Family};
pub use self::nearest::nearest;

mod code;
mod nearest;

/// An error or warning about a graph, a configuration or the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code of this kind of problem.
    pub code: Code,
    /// Whether it prevents the start.
    pub severity: Severity,
    /// One sentence, lower case, no full stop, names in back-ticks.
    pub message: String,
    /// First the position of the problem, then positions that explain it ("declared here").
    pub labels: Vec<Label>,
    /// The remedy, in the imperative.
    pub help: Option<String>,
}

/// The severity of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Weir starts, with the effect that the message describes.
    Warning,
    /// Weir does not start.
    Error,
}

/// A position with a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The position.
    pub span: Span,
    /// The note; may be empty for the first label.
    pub text: String,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            labels: vec![Label {
                span,
                text: String::new(),
            }],
            help: None,
        }
    }

    /// A warning at `span`.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message)
        }
    }

    /// An error without a position, such as an unreadable file.
    pub fn without_span(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            labels: Vec::new(),
            help: None,
        }
    }

    /// Adds a position that explains the problem.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Sets or clears the remedy.
    #[must_use]
    pub fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }

    /// Renders the diagnostic for a terminal, with excerpts of the documents.
    ///
    /// Plain text without a final newline.
    pub fn render(&self) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(
            level
                .primary_title(self.message.as_str())
                .id(self.code.as_str()),
        );
        for document in self.documents() {
            group = group.element(self.snippet(document));
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        Renderer::plain()
            .decor_style(DecorStyle::Ascii)
            .render(&[group])
    }

    /// The distinct documents of the labels; the first label's comes first.
    fn documents(&self) -> Vec<&Document> {
        let mut documents: Vec<&Document> = Vec::new();
        for label in &self.labels {
            if !documents.contains(&&label.span.document) {
                documents.push(&label.span.document);
            }
        }
        documents
    }

    /// The excerpt of one document with its labels.
    fn snippet<'a>(&'a self, document: &'a Document) -> Snippet<'a, Annotation<'a>> {
        let labels = self.labels.iter().enumerate();
        let annotations = labels
            .filter(|(_, label)| label.span.document == *document)
            .map(|(index, label)| match index {
                0 => annotation(label, AnnotationKind::Primary),
                _ => annotation(label, AnnotationKind::Context),
            });
        Snippet::source(document.text.as_ref())
            .path(document.name.as_ref())
            .annotations(annotations)
    }
}

fn annotation(label: &Label, kind: AnnotationKind) -> Annotation<'_> {
    let text = &label.span.document.text;
    let start = text.floor_char_boundary(label.span.range.start.min(text.len()));
    let end = text.ceil_char_boundary(label.span.range.end.clamp(start, text.len()));
    let annotation = kind.span(start..end);
    if label.text.is_empty() {
        annotation
    } else {
        annotation.label(label.text.as_str())
    }
}

/// All diagnostics of a check, in the order found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Diagnostic>);

impl Problems {
    /// Adds a diagnostic.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Returns the value, or adds the diagnostic and returns `None`, so that checking continues.
    pub fn ok_or_push<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|diagnostic| self.push(diagnostic)).ok()
    }

    /// The current position, for `has_errors_since`.
    pub(crate) fn mark(&self) -> usize {
        self.0.len()
    }

    /// Whether an error was added after `mark`.
    pub(crate) fn has_errors_since(&self, mark: usize) -> bool {
        let mut added = self.0.iter().skip(mark);
        added.any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether there is an error.
    pub fn has_errors(&self) -> bool {
        self.0
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Makes errors of the warnings with `code`, with another help.
    pub(crate) fn deny(&mut self, code: Code, help: &str) {
        let denied = self.0.iter_mut().filter(|it| it.code == code);
        for diagnostic in denied {
            diagnostic.severity = Severity::Error;
            diagnostic.help = Some(help.to_owned());
        }
    }

    /// The diagnostics in the order found.
    pub fn into_vec(self) -> Vec<Diagnostic> {
        self.0
    }
}

impl Extend<Diagnostic> for Problems {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: I) {
        self.0.extend(diagnostics);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_renders_code_position_excerpt_and_help() {
        let document = Document::new("users.graphql", "type Query {\n  user(id: ID!): User\n}\n");
        let diagnostic = Diagnostic::error(
            Code::UndefinedArgument,
            Span::new(&document, 20..22),
            "`$args.idd` is not an argument of `Query.user`",
        )
        .help(Some("write `$args.id`".to_owned()));

        insta::assert_snapshot!(diagnostic.render(), @r"
    error[UNDEFINED_ARGUMENT]: `$args.idd` is not an argument of `Query.user`
     --> users.graphql:2:8
      |
    2 |   user(id: ID!): User
      |        ^^
      |
      = help: write `$args.id`
    ");
    }
}
