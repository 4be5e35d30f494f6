//! Parses and validates the supergraph document, with source locations.

use apollo_compiler::Schema;
use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::parser::{FileId, Parser, SourceSpan};
use apollo_compiler::schema::SchemaBuilder;
use apollo_compiler::validation::{DiagnosticData, DiagnosticList, Valid, WithErrors};

use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::span::{Document, Span};

/// A document that is a valid schema, including the definitions of its specifications.
pub(super) struct SupergraphDocument {
    pub(super) file: Document,
    pub(super) schema: Schema,
}

/// Maximum number of tokens: enough for thousands of types, too few to exhaust memory.
const TOKEN_LIMIT: usize = 20_000_000;

/// Maximum nesting depth: parsing is recursive.
const RECURSION_LIMIT: usize = 200;

/// Parses the document; reports syntax and validation errors and returns `None`.
pub(super) fn read(document: &Document, problems: &mut Problems) -> Option<SupergraphDocument> {
    let parsed = Parser::new()
        .token_limit(TOKEN_LIMIT)
        .recursion_limit(RECURSION_LIMIT)
        .parse_ast(document.text.as_ref(), document.name.as_ref());
    let ast = match parsed {
        Ok(ast) => ast,
        Err(WithErrors { errors, .. }) => {
            report(document, &errors, Code::SdlSyntax, problems);
            return None;
        }
    };
    let built = SchemaBuilder::new().add_ast(&ast).build();
    let valid = built.and_then(Schema::validate);
    match valid {
        Ok(schema) => Some(SupergraphDocument {
            file: document.clone(),
            schema: schema.into_inner(),
        }),
        Err(WithErrors { errors, .. }) => {
            report(document, &errors, Code::SdlInvalid, problems);
            None
        }
    }
}

fn report(document: &Document, errors: &DiagnosticList, code: Code, problems: &mut Problems) {
    for error in errors.iter() {
        problems.push(diagnostic(document, error.error, code));
    }
}

fn diagnostic(document: &Document, error: &DiagnosticData, code: Code) -> Diagnostic {
    let message = error.to_string();
    let message = message.strip_prefix("syntax error: ").unwrap_or(&message);
    match error.location() {
        Some(location) => Diagnostic::error(code, span(document, Some(location)), message),
        None => Diagnostic::without_span(code, message),
    }
}

/// The span of a location; the start of the document for built-in definitions.
fn span(document: &Document, location: Option<SourceSpan>) -> Span {
    let location = location.filter(|it| it.file_id() != FileId::BUILT_IN);
    let range = location.map_or(0..0, |it| it.offset()..it.end_offset());
    Span::new(document, range)
}

impl SupergraphDocument {
    /// The span of a node of the document.
    pub(super) fn span(&self, location: Option<SourceSpan>) -> Span {
        span(&self.file, location)
    }

    /// Validates a schema derived from this one.
    pub(super) fn validated(&self, schema: Schema) -> Result<Valid<Schema>, Diagnostic> {
        schema.validate().map_err(|WithErrors { errors, .. }| {
            let first = errors.iter().next();
            first.map_or_else(
                || {
                    Diagnostic::without_span(
                        Code::SupergraphInvalid,
                        "the supergraph is not a valid schema",
                    )
                },
                |error| diagnostic(&self.file, error.error, Code::SupergraphInvalid),
            )
        })
    }
}
