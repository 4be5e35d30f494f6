//! Errors of documents: one for each cause, with suggestions, at most [`MAX_ERRORS`].

use std::collections::HashSet;

use apollo_compiler::ast::{Definition, Document};
use apollo_compiler::diagnostic::{Diagnostic, ToCliReport as _};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::{DiagnosticData, DiagnosticList};
use apollo_compiler::{Name, Schema};

use super::tokens::tokens;
use super::{OperationError, OperationErrorKind};
use crate::diagnostic::nearest;

/// Maximum number of errors of one request.
pub(super) const MAX_ERRORS: usize = 20;

/// The first syntax error. Others are mostly consequences of it.
pub(super) fn syntax_error(text: &str, errors: &DiagnosticList) -> Vec<OperationError> {
    let first = errors
        .iter()
        .min_by_key(|error| error.error.location().map(|span| span.offset()));
    let first = first.map(|error| OperationError {
        kind: OperationErrorKind::Parse,
        message: syntax_message(text, &error),
        locations: error_locations(&error),
    });
    first.into_iter().collect()
}

fn syntax_message(text: &str, error: &Diagnostic<'_, DiagnosticData>) -> String {
    let message = error.error.to_string();
    let message = message.strip_prefix("syntax error: ").unwrap_or(&message);
    // The parser names what it expected by the grammar's rules, which clients do not know.
    let is_expectation = message.starts_with("expected") || message.starts_with("Unexpected");
    if !is_expectation {
        return format!("syntax error: {message}");
    }
    let offset = error
        .error
        .location()
        .map_or(text.len(), |span| span.offset());
    match tokens(text).find(|(start, _)| *start >= offset) {
        Some((_, token)) => {
            let token: String = token.chars().take(MAX_TOKEN_LENGTH).collect();
            format!("syntax error: unexpected `{token}`")
        }
        None => "syntax error: unexpected end of the document".to_owned(),
    }
}

/// The errors of validation, without consequences of others.
pub(super) fn validation_errors(
    schema: &Schema,
    document: &Document,
    errors: &DiagnosticList,
) -> Vec<OperationError> {
    let causes = Causes::new(schema, document, errors);
    let mut seen = HashSet::new();
    let errors = errors.iter().filter(|error| {
        let kind = error.error.unstable_error_name();
        !causes.explain(error.error) && seen.insert((kind, error.error.location()))
    });
    limited(errors, |error| OperationError {
        kind: OperationErrorKind::Validation,
        message: validation_message(schema, error.error),
        locations: error_locations(&error),
    })
}

/// The errors of the first [`MAX_ERRORS`] causes, and an entry that counts the others.
pub(super) fn limited<T>(
    causes: impl IntoIterator<Item = T>,
    error: impl Fn(T) -> OperationError,
) -> Vec<OperationError> {
    let mut causes = causes.into_iter();
    let mut errors: Vec<_> = causes.by_ref().take(MAX_ERRORS).map(error).collect();
    errors.extend(more_errors(causes.count()));
    errors
}

/// The entry that counts errors that are not listed.
pub(super) fn more_errors(omitted: usize) -> Option<OperationError> {
    (omitted > 0).then(|| OperationError {
        kind: OperationErrorKind::More,
        message: format!("{omitted} more errors are not listed"),
        locations: Vec::new(),
    })
}

/// The candidate that is closest to a name of a client.
pub(super) fn nearest_name<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Comparing takes time in proportion to the lengths of both names.
    (name.len() <= MAX_COMPARED_LENGTH)
        .then(|| nearest(name, candidates))
        .flatten()
}

/// Errors that make the parser library report others: it drops selections, and then finds that
/// they are missing.
struct Causes<'a> {
    schema: &'a Schema,
    spans: Vec<SourceSpan>,
    fragments: HashSet<&'a str>,
}

impl<'a> Causes<'a> {
    fn new(schema: &'a Schema, document: &'a Document, errors: &DiagnosticList) -> Self {
        let causes = errors.iter().filter(|error| {
            let name = error.error.unstable_error_name();
            name.is_some_and(|name| DROPS_SELECTIONS.contains(&name))
        });
        Self {
            schema,
            spans: causes.filter_map(|error| error.error.location()).collect(),
            fragments: document
                .definitions
                .iter()
                .filter(|it| matches!(it, Definition::FragmentDefinition(_)))
                .filter_map(|it| it.name().map(Name::as_str))
                .collect(),
        }
    }

    /// Whether an error is a consequence of these.
    fn explain(&self, error: &DiagnosticData) -> bool {
        match error.unstable_error_name() {
            Some("MissingSubselection") => {
                let span = error.location();
                span.is_some_and(|span| self.spans.iter().any(|it| is_inside(*it, span)))
            }
            Some("UnusedVariable" | "UnusedFragment") => !self.spans.is_empty(),
            Some("UndefinedFragment") => {
                let message = error.unstable_compat_message().unwrap_or_default();
                quoted(&message, 0).is_some_and(|name| self.fragments.contains(name))
            }
            // Of an unknown type, which is an error of the definition.
            Some("DisallowedVariableUsage") => {
                let message = error.unstable_compat_message().unwrap_or_default();
                let ty = quoted(&message, 1).map(|ty| ty.trim_matches(['[', ']', '!']));
                ty.is_some_and(|ty| !self.schema.types.contains_key(ty))
            }
            _ => false,
        }
    }
}

const DROPS_SELECTIONS: [&str; 5] = [
    "UndefinedField",
    "UndefinedTypeInNamedFragmentTypeCondition",
    "UndefinedTypeInInlineFragmentTypeCondition",
    "SubselectionOnScalarType",
    "SubselectionOnEnumType",
];

fn is_inside(inner: SourceSpan, outer: SourceSpan) -> bool {
    outer.offset() < inner.offset() && inner.end_offset() <= outer.end_offset()
}

fn validation_message(schema: &Schema, error: &DiagnosticData) -> String {
    let message = error
        .unstable_compat_message()
        .unwrap_or_else(|| error.to_string());
    let suggestion = error
        .unstable_error_name()
        .and_then(|kind| suggestion(schema, kind, &message));
    match suggestion {
        Some(name) => format!("{message} Did you mean \"{name}\"?"),
        None => shortened(message),
    }
}

/// A message may contain a value of the document, of any length.
fn shortened(mut message: String) -> String {
    if message.len() > MAX_MESSAGE_LENGTH {
        message.truncate(message.floor_char_boundary(MAX_MESSAGE_LENGTH));
        message.push('…');
    }
    message
}

/// The known name that is closest to the unknown one of a message.
fn suggestion<'a>(schema: &'a Schema, kind: &str, message: &str) -> Option<&'a str> {
    let unknown = quoted(message, 0)?;
    let parent = quoted(message, 1);
    let ty = |name: Option<&str>| schema.types.get(name?);
    match kind {
        "UndefinedField" => nearest_name(unknown, field_names(ty(parent)?)),
        "UndefinedArgument" => {
            let (type_name, field) = parent?.split_once('.')?;
            let field = schema.type_field(type_name, field).ok()?;
            nearest_name(unknown, field.arguments.iter().map(|it| it.name.as_str()))
        }
        "UndefinedEnumValue" => {
            let values = &ty(parent)?.as_enum()?.values;
            nearest_name(unknown, values.keys().map(Name::as_str))
        }
        "UndefinedInputValue" => {
            let fields = &ty(parent)?.as_input_object()?.fields;
            nearest_name(unknown, fields.keys().map(Name::as_str))
        }
        "UndefinedDirective" => {
            let names = schema.directive_definitions.keys();
            nearest_name(unknown.strip_prefix('@')?, names.map(Name::as_str))
        }
        "UndefinedDefinition"
        | "UndefinedTypeInNamedFragmentTypeCondition"
        | "UndefinedTypeInInlineFragmentTypeCondition" => {
            let names = schema.types.keys().map(Name::as_str);
            nearest_name(unknown, names.filter(|name| !name.starts_with("__")))
        }
        _ => None,
    }
}

fn field_names(ty: &ExtendedType) -> Vec<&str> {
    match ty {
        ExtendedType::Object(ty) => ty.fields.keys().map(Name::as_str).collect(),
        ExtendedType::Interface(ty) => ty.fields.keys().map(Name::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The text in the pair of quotation marks at `index`.
fn quoted(message: &str, index: usize) -> Option<&str> {
    message.split('"').nth(index * 2 + 1)
}

fn error_locations(error: &Diagnostic<'_, DiagnosticData>) -> Vec<(usize, usize)> {
    error
        .line_column_range()
        .map(|range| (range.start.line, range.start.column))
        .into_iter()
        .collect()
}

/// Maximum bytes of a message.
const MAX_MESSAGE_LENGTH: usize = 500;

/// Maximum bytes of an unknown name that suggestions are searched for.
const MAX_COMPARED_LENGTH: usize = 64;

/// Maximum characters of a token in a message.
const MAX_TOKEN_LENGTH: usize = 40;
