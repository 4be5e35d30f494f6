//! Reads values of the file: expands variables, and collects diagnostics with positions.

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

/// Reads one file.
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

    /// Parses the file as `T`; `None`, and diagnostics, if it is not YAML or has the wrong nesting.
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

    /// The value, or `default` if there is none; reports an invalid value.
    pub(super) fn value_or<T: Setting>(&mut self, text: Option<Text<T>>, default: T) -> T {
        text.and_then(|text| self.value(&text)).unwrap_or(default)
    }

    /// The value, if there is one; reports an invalid value.
    pub(super) fn optional<T: Setting>(&mut self, text: Option<Text<T>>) -> Option<T> {
        text.and_then(|text| self.value(&text))
    }

    /// The value; `None`, and a diagnostic, if it is invalid.
    pub(super) fn value<T: Setting>(&mut self, text: &Text<T>) -> Option<T> {
        let expanded = self.expand(text.as_str(), text.location())?;
        let value = T::parse(expanded.trim());
        if value.is_none() {
            // The value may be a secret from a variable, so the message does not repeat it: the
            // excerpt shows the text of the file.
            let mut message = format!("expected {}", T::EXPECTED);
            if expanded != text.as_str() {
                message.push_str("; the value of the variable is not one");
            }
            let help = format!("write {}", T::EXAMPLE);
            self.report_invalid(text.location(), message, help);
        }
        value
    }

    /// Converts a YAML value to JSON, and expands its strings.
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

    /// Reports the value at `location` as invalid.
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
        let span = self.reference_span(error.reference, location);
        let invalid_reference = |message: &str, span| {
            let help = "write `$${` for the two characters `${`".to_owned();
            Diagnostic::error(Code::ConfigInvalidValue, span, message).help(help)
        };
        match &error.kind {
            ExpandErrorKind::Unset { name } => {
                let alternatives = format!("set `{name}`, or add a default: `${{{name}:…}}`");
                let help = match nearest(name, self.environment.names()) {
                    Some(near) => format!("write `${{{near}}}`, {alternatives}"),
                    None => alternatives,
                };
                let message = format!("the environment variable `{name}` is not set");
                Diagnostic::error(Code::ConfigUnsetVariable, span, message).help(help)
            }
            ExpandErrorKind::InvalidName => invalid_reference(
                "`${…}` must contain the name of an environment variable",
                span,
            ),
            ExpandErrorKind::Unclosed => invalid_reference("this `${` has no `}`", span),
        }
    }

    /// The span of `reference`, or of the whole value if the file has it in an escaped form.
    fn reference_span(&self, reference: &str, location: Location) -> Span {
        let value = byte_range(&self.document.text, location);
        let text = self.document.text.get(value.clone()).unwrap_or_default();
        let range = text.find(reference).map_or(value.clone(), |offset| {
            let start = value.start + offset;
            start..start + reference.len()
        });
        Span::new(self.document, range)
    }

    /// Parses the file as `T` with any keys; `None`, and a diagnostic, if it is not YAML.
    pub(crate) fn yaml<T: DeserializeOwned>(&mut self) -> Option<T> {
        let budget = serde_saphyr::budget! { max_depth: MAX_DEPTH };
        // The core schema of YAML 1.2 (§10.3), and digits that a number would lose: `NO` is a
        // country, `0123` a postal code.
        let options = serde_saphyr::options! {
            budget: budget,
            strict_booleans: true,
            underscored_numbers_as_strings: true,
            leading_zero_numbers_as_strings: true,
        };
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

/// Maximum nesting of YAML: enough for any `$config`, and no risk for the stack.
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

/// Converts a line and a column, because errors of the YAML parser have no byte offset.
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

/// Excludes trailing white space: a block scalar extends to the next key.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let length = text
        .get(range.clone())
        .map_or(0, |text| text.trim_end().len());
    range.start..range.start + length
}

/// The parser's message without the position and without advice about its API.
fn syntax_message(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error;

    match error.without_snippet() {
        Error::DuplicateMappingKey { key, .. } => match key {
            Some(key) => format!("duplicate key `{key}`"),
            None => "duplicate key".to_owned(),
        },
        Error::MultipleDocuments { .. } => "the file has several YAML documents".to_owned(),
        other => {
            let text = other.to_string();
            match text.rsplit_once(" at line ") {
                Some((message, _)) => message.to_owned(),
                None => text,
            }
        }
    }
}
