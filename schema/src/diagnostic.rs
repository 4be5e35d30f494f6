//! The one message shown to people who write graphs and configuration.
//!
//! A `Diagnostic` says what is wrong, where, and what to do. Nothing here decides *whether*
//! something is wrong; whoever finds a problem makes one of these and goes on looking.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use crate::span::{Document, Span};

pub use self::code::{Code, Family};
pub use self::nearest::nearest;

mod code;
mod nearest;

/// Something wrong, or doubtful, in what the user wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable and searchable.
    pub code: Code,
    /// Whether it stops the start.
    pub severity: Severity,
    /// One sentence, lower case, no full stop, names in back-ticks.
    pub message: String,
    /// First: where it is wrong. Others: why ("declared here").
    pub labels: Vec<Label>,
    /// What to do, imperative.
    pub help: Option<String>,
}

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Weir starts, and does what the message says.
    Warning,
    /// Weir does not start with this.
    Error,
}

/// A place that belongs to a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is to be seen there; may be empty for the first label.
    pub text: String,
}

impl Diagnostic {
    /// A problem at `span` that stops the start.
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

    /// A doubt about `span` that does not stop the start.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message)
        }
    }

    /// A problem that has no place in any document, such as a file that cannot be read.
    pub fn without_span(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            labels: Vec::new(),
            help: None,
        }
    }

    /// The same with another place that explains it.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// The same with advice; `None` leaves it without.
    #[must_use]
    pub fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }

    /// Text with the excerpt, as a terminal shows it.
    ///
    /// Plain text; a newline at the end is left to the caller.
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

    /// The documents of the labels, each once, that of the first label first.
    fn documents(&self) -> Vec<&Document> {
        let mut documents: Vec<&Document> = Vec::new();
        for label in &self.labels {
            if !documents.contains(&&label.span.document) {
                documents.push(&label.span.document);
            }
        }
        documents
    }

    /// The excerpt of one document with all labels in it.
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

/// What is wrong with a set of documents; all of it, not the first thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Diagnostic>);

impl Problems {
    /// Remembers a diagnostic.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// The value, or `None` with the problem remembered, so that the next thing can be judged.
    pub fn ok_or_push<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|diagnostic| self.push(diagnostic)).ok()
    }

    /// A place in the order found, for `has_errors_since`.
    pub(crate) fn mark(&self) -> usize {
        self.0.len()
    }

    /// Whether one that was found after `mark` stops the start.
    pub(crate) fn has_errors_since(&self, mark: usize) -> bool {
        let mut found = self.0.iter().skip(mark);
        found.any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether one of them stops the start.
    pub fn has_errors(&self) -> bool {
        self.0
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// All of them, in the order found.
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
    fn a_diagnostic_shows_code_place_excerpt_and_help() {
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
