//! What a section reads its values with: positions, expansion, and the problems found so far.

use std::ops::Range;

use schema::diagnostic::{Code, Diagnostic, Problems, nearest};
use schema::span::{Document, Span};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_saphyr::{Location, Spanned};

use super::expand::{Environment, ExpandError, ExpandErrorKind};
use super::node::Node;
use super::raw::Text;
use super::setting::Setting;
use super::shape::{self, Shape};

/// One reading of one file.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    document: &'a Document,
    environment: &'a Environment,
    problems: Problems,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(document: &'a Document, environment: &'a Environment) -> Self {
        Self {
            document,
            environment,
            problems: Problems::default(),
        }
    }

    /// The file as `T`; `None`, and problems, when it is not YAML or its nesting is wrong.
    pub(super) fn parse_with_schema<T: DeserializeOwned + Default>(
        &mut self,
        schema: &Value,
    ) -> Option<T> {
        let node: Spanned<Node> = self.yaml()?;
        if shape::check(&node, schema, self) == Shape::Broken {
            return None;
        }
        match node.value {
            Node::Null => Some(T::default()),
            _ => self.yaml(),
        }
    }

    pub(crate) fn into_problems(self) -> Problems {
        self.problems
    }

    pub(super) fn has_errors(&self) -> bool {
        self.problems.has_errors()
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.problems.push(diagnostic);
    }

    pub(crate) fn span(&self, location: Location) -> Span {
        Span::new(self.document, byte_range(&self.document.text, location))
    }

    /// The value, or `default` when nothing is written; a wrong value is a problem.
    pub(super) fn value_or<T: Setting>(&mut self, text: Option<Text<T>>, default: T) -> T {
        text.and_then(|text| self.value(&text)).unwrap_or(default)
    }

    /// The value, when something is written and it can be used.
    pub(super) fn value<T: Setting>(&mut self, text: &Text<T>) -> Option<T> {
        let expanded = self.expand(text.as_str(), text.location())?;
        let value = T::parse(expanded.trim());
        if value.is_none() {
            // The value itself may come from a variable and be a secret, so it isn't repeated:
            // the excerpt shows what is written in the file.
            let mut message = format!("expected {}", T::EXPECTED);
            if expanded != text.as_str() {
                message.push_str("; the value of the variable is something else");
            }
            let help = format!("write {}", T::EXAMPLE);
            self.report_invalid(text.location(), message, help);
        }
        value
    }

    /// The same value as JSON, with its texts expanded.
    pub(super) fn json(&mut self, node: &Spanned<Node>) -> Value {
        match &node.value {
            Node::Null => Value::Null,
            Node::Bool(value) => Value::Bool(*value),
            Node::Number(number) => Value::Number(number.clone()),
            Node::Text(text) => self
                .expand(text, node.referenced)
                .map_or(Value::Null, Value::String),
            Node::List(items) => items.iter().map(|item| self.json(item)).collect(),
            Node::Map(entries) => entries
                .iter()
                .map(|(key, value)| (key.value.clone(), self.json(value)))
                .collect(),
        }
    }

    /// Reports that the value at `at` cannot be used.
    pub(crate) fn report_invalid(
        &mut self,
        location: Location,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        let span = self.span(location);
        self.push(Diagnostic::error(Code::ConfigInvalidValue, span, message).help(help));
    }

    fn expand(&mut self, text: &str, location: Location) -> Option<String> {
        match self.environment.expand(text) {
            Ok(expanded) => Some(expanded),
            Err(error) => {
                let diagnostic = self.expand_diagnostic(&error, location);
                self.push(diagnostic);
                None
            }
        }
    }

    fn expand_diagnostic(&self, error: &ExpandError<'_>, location: Location) -> Diagnostic {
        let value = byte_range(&self.document.text, location);
        let within = self.document.text.get(value.clone()).unwrap_or_default();
        // In quotes the text in the file may be escaped; then the whole value is shown.
        let range = within
            .find(error.reference)
            .map_or(value.clone(), |offset| {
                value.start + offset..value.start + offset + error.reference.len()
            });
        let span = Span::new(self.document, range);
        match &error.kind {
            ExpandErrorKind::Unset { name } => {
                let help = nearest(name, self.environment.names()).map_or_else(
                    || format!("set it, or give a default: `${{{name}:…}}`"),
                    |near| {
                        format!(
                            "write `${{{near}}}`, set `{name}`, or give a default: `${{{name}:…}}`"
                        )
                    },
                );
                let message = format!("the variable `{name}` is not set");
                Diagnostic::error(Code::ConfigUnsetVariable, span, message).help(help)
            }
            ExpandErrorKind::InvalidName => Diagnostic::error(
                Code::ConfigInvalidValue,
                span,
                "between `${` and `}` stands the name of a variable",
            )
            .help("write `$${` for the two characters `${`".to_owned()),
            ExpandErrorKind::Unclosed => {
                Diagnostic::error(Code::ConfigInvalidValue, span, "this `${` has no `}`")
                    .help("write `$${` for the two characters `${`".to_owned())
            }
        }
    }

    /// The file as `T`, whatever its keys; `None`, and a problem, when it is not YAML.
    pub(crate) fn yaml<T: DeserializeOwned>(&mut self) -> Option<T> {
        let budget = serde_saphyr::budget! { max_depth: MAX_DEPTH };
        let options = serde_saphyr::options! { budget: budget };
        serde_saphyr::from_str_with_options(&self.document.text, options)
            .map_err(|error| self.report_syntax(&error))
            .ok()
    }

    fn report_syntax(&mut self, error: &serde_saphyr::Error) {
        let location = error.location().unwrap_or(Location::UNKNOWN);
        let message = syntax_message(error);
        let span = self.span(location);
        self.push(Diagnostic::error(Code::ConfigSyntax, span, message));
    }
}

/// Deep enough for any `$config`, shallow enough for any stack.
const MAX_DEPTH: usize = 64;

fn byte_range(text: &str, location: Location) -> Range<usize> {
    let span = location.span();
    let from_span = span.byte_offset().and_then(|start| {
        let start = usize::try_from(start).ok()?;
        let length = usize::try_from(span.byte_len()?).ok()?;
        Some(start..start.checked_add(length)?)
    });
    let range = from_span.unwrap_or_else(|| range_from_line_and_column(text, location));
    let end = range.end.min(text.len());
    trimmed(text, range.start.min(end)..end)
}

/// Errors of the YAML parser carry a line and a column only.
fn range_from_line_and_column(text: &str, location: Location) -> Range<usize> {
    let line = usize::try_from(location.line())
        .unwrap_or(0)
        .saturating_sub(1);
    let column = usize::try_from(location.column())
        .unwrap_or(0)
        .saturating_sub(1);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let line = text.get(start..).unwrap_or_default();
    let offset: usize = line.chars().take(column).map(char::len_utf8).sum();
    start + offset..start + offset
}

/// Block scalars end with the white space before the next key.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let length = text
        .get(range.clone())
        .map_or(0, |text| text.trim_end().len());
    range.start..range.start + length
}

/// What the parser says, without the position and its advice to programmers.
fn syntax_message(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error;

    match error.without_snippet() {
        Error::DuplicateMappingKey { key, .. } => match key {
            Some(key) => format!("the key `{key}` is written twice"),
            None => "a key is written twice".to_owned(),
        },
        Error::MultipleDocuments { .. } => "a configuration is one YAML document".to_owned(),
        other => {
            let text = other.to_string();
            match text.rsplit_once(" at line ") {
                Some((message, _)) => message.to_owned(),
                None => text,
            }
        }
    }
}
