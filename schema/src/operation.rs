//! Operations: a client's document, parsed, validated and converted to `Operation`.
//!
//! An `Operation` has fields with coerced arguments, inlined fragments and conditions on
//! variables, independent of the parser library. Fields are not merged; the planner does that.

use std::collections::BTreeSet;
use std::sync::Arc;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::ast::Document;
use apollo_compiler::parser::{Parser, SourceMap, SourceSpan};
use apollo_compiler::validation::{Valid, WithErrors};

use crate::graph::Graph;
use crate::input;
pub use crate::input::Argument;
use crate::types::{Name, TypeId};

mod coerce;
mod errors;
mod introspection;
mod read;
mod rules;
mod size;
mod tokens;
mod variables;

pub use self::variables::Variables;

/// One operation of a valid document.
#[derive(Debug)]
pub struct Operation {
    /// Query or mutation.
    pub kind: OperationKind,
    /// The operation name; `None` for an anonymous operation.
    pub name: Option<Name>,
    /// The root type.
    pub root: TypeId,
    /// The root selections in document order.
    pub selections: Vec<OperationSelection>,
    /// The depth of the deepest field; a root field has depth 1.
    pub depth: usize,
    document: Valid<ExecutableDocument>,
}

/// The kinds of operations that can be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// A query.
    Query,
    /// A mutation; its root fields are executed serially.
    Mutation,
}

/// A selection of a selection set, with fragment spreads inlined.
#[derive(Clone, Debug)]
pub enum OperationSelection {
    /// A field.
    Field(Box<FieldSelection>),
    /// An inline fragment or an inlined fragment spread.
    Fragment {
        /// The type condition; `None` for all objects.
        on: Option<TypeId>,
        /// The conditions, all of which must hold.
        conditions: Vec<VariableCondition>,
        /// The fragment's selections in document order.
        selections: Vec<Self>,
    },
}

/// A selected field.
#[derive(Clone, Debug)]
pub struct FieldSelection {
    /// The alias or field name under which the value is returned.
    pub response_key: Name,
    /// The name in the schema; may be `__typename`.
    pub name: Name,
    /// The arguments with a value or a default, in schema order.
    pub arguments: Vec<(Name, Argument)>,
    /// The conditions, all of which must hold.
    pub conditions: Vec<VariableCondition>,
    /// The selections of its value; empty for leaves.
    pub selections: Vec<OperationSelection>,
}

/// A `@skip` or `@include` that depends on a variable.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VariableCondition {
    /// The variable's name.
    pub variable: Name,
    /// The value for which the selection is included.
    pub expected: bool,
}

/// Limits on a document.
#[derive(Clone, Copy, Debug)]
pub struct OperationLimits {
    /// Maximum number of lexical tokens; white space, commas and comments are none.
    pub tokens: usize,
    /// Maximum nesting of fields, in levels.
    pub depth: usize,
    /// Maximum number of fields, those of a fragment counted for each spread.
    pub fields: usize,
    /// Maximum number of selections of all operations: fields, spreads and inline fragments, also
    /// skipped ones and those of introspection, those of a fragment counted for each spread.
    pub selections: usize,
    /// Maximum number of aliases of an operation, those of a fragment counted for each spread.
    pub aliases: usize,
    /// Maximum number of fields at the root of an operation, equal ones counted each.
    pub root_fields: usize,
}

/// A request error (GraphQL §7.1.2): the operation is not executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationError {
    /// The kind of error.
    pub kind: OperationErrorKind,
    /// The message for the client.
    pub message: String,
    /// Lines and columns, both from 1.
    pub locations: Vec<(usize, usize)>,
}

/// The kinds of request errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationErrorKind {
    /// The document has a syntax error.
    Parse,
    /// The document is not valid against the schema.
    Validation,
    /// A variable's value cannot be coerced to its type.
    Variables,
    /// No operation has the requested name, or a name is needed to choose among several.
    OperationName,
    /// The document, or the result of its introspection, exceeds a limit.
    Limit,
    /// Not an error: counts those that are not listed.
    More,
}

impl Operation {
    /// Parses `text` and returns the operation called `name`, or the only one.
    ///
    /// Returns the errors of the document at once, up to 20 and a count of the others. A syntax
    /// error and an exceeded limit are the only error.
    pub fn parse(
        graph: &Graph,
        text: &str,
        name: Option<&str>,
        limits: OperationLimits,
    ) -> Result<Self, Vec<OperationError>> {
        let document = parse(graph, text, limits)?;
        let problems = rules::check(&graph.client.schema, &document);
        if !problems.is_empty() {
            return Err(errors::limited(problems, |problem| problem));
        }
        read::read(graph, document, name, limits).map_err(|problem| vec![problem])
    }

    /// Coerces the variables of a request, a JSON object (GraphQL §6.1.2).
    ///
    /// Returns the errors of all variables, up to 20 and a count of the others.
    pub fn coerce_variables(
        &self,
        graph: &Graph,
        json: Option<&str>,
    ) -> Result<Variables, Vec<OperationError>> {
        variables::coerce(self, &graph.client, json)
    }

    /// The response keys of `__schema` and `__type` at the root.
    pub fn introspection_keys(&self) -> Vec<Name> {
        introspection::keys(self)
    }

    /// The results of `__schema` and `__type`: response key and JSON text.
    ///
    /// Fails if they have more than `max_bytes` together.
    pub fn introspect(
        &self,
        graph: &Graph,
        variables: &Variables,
        max_bytes: usize,
    ) -> Result<Vec<(Name, String)>, OperationError> {
        introspection::introspect(self, &graph.client, variables, max_bytes)
    }

    /// The override labels that its plan may depend on, by their index in the graph.
    pub fn override_labels(&self, graph: &Graph) -> Vec<usize> {
        let Some(labels) = &graph.override_labels else {
            return Vec::new();
        };
        let mut field_names = BTreeSet::new();
        add_field_names(&self.selections, &mut field_names);
        let all = 0..labels.names.len();
        all.filter(|label| labels.may_affect(*label, &field_names))
            .collect()
    }

    /// The definition of a variable as text: `$first: Int = 10`; `None` for an undefined one.
    pub fn variable_definition(&self, variable: &str) -> Option<String> {
        let mut definitions = self.executable()?.variables.iter();
        let definition = definitions.find(|definition| definition.name == variable)?;
        let mut text = format!("${}: {}", definition.name, definition.ty);
        if let Some(default) = &definition.default_value {
            text.push_str(" = ");
            text.push_str(&input::literal_text(default));
        }
        Some(text)
    }

    fn executable(&self) -> Option<&apollo_compiler::executable::Operation> {
        let operation = self.document.operations.get(self.name.as_deref()).ok()?;
        Some(operation)
    }
}

/// Number of lexical tokens of a document, valid or not (GraphQL §2.1.6).
pub fn count_tokens(document: &str) -> usize {
    tokens::tokens(document).count()
}

fn add_field_names<'a>(selections: &'a [OperationSelection], names: &mut BTreeSet<&'a str>) {
    for selection in selections {
        match selection {
            OperationSelection::Field(field) => {
                names.insert(&field.name);
                add_field_names(&field.selections, names);
            }
            OperationSelection::Fragment { selections, .. } => add_field_names(selections, names),
        }
    }
}

/// Maximum nesting of a document in levels; parsing is recursive.
const RECURSION_LIMIT: usize = 200;

fn parse(
    graph: &Graph,
    text: &str,
    limits: OperationLimits,
) -> Result<Valid<ExecutableDocument>, Vec<OperationError>> {
    let schema = &graph.client.schema;
    let ast = parse_syntax(text, limits)?;
    size::check(&ast, limits).map_err(|error| vec![error])?;
    ast.to_executable_validate(schema)
        .map_err(|WithErrors { errors, .. }| errors::validation_errors(schema, &ast, &errors))
}

fn parse_syntax(text: &str, limits: OperationLimits) -> Result<Document, Vec<OperationError>> {
    // The parser would count white space and commas.
    if tokens::tokens(text)
        .take(limits.tokens.saturating_add(1))
        .count()
        > limits.tokens
    {
        let message = format!(
            "the document has more than {} tokens (`limits.tokens`)",
            limits.tokens
        );
        return Err(vec![limit_error(message)]);
    }
    let mut parser = Parser::new().recursion_limit(RECURSION_LIMIT);
    parser
        .parse_ast(text, "operation")
        .map_err(|WithErrors { errors, .. }| {
            if parser.recursion_reached() > RECURSION_LIMIT {
                vec![too_deep()]
            } else {
                errors::syntax_error(text, &errors)
            }
        })
}

fn too_deep() -> OperationError {
    limit_error(format!(
        "the document nests deeper than {RECURSION_LIMIT} levels"
    ))
}

fn limit_error(message: String) -> OperationError {
    OperationError {
        kind: OperationErrorKind::Limit,
        message,
        locations: Vec::new(),
    }
}

fn locations(span: Option<SourceSpan>, sources: &SourceMap) -> Vec<(usize, usize)> {
    span.and_then(|span| span.line_column(sources))
        .map(|at| (at.line, at.column))
        .into_iter()
        .collect()
}

/// Converts a name of `apollo_compiler`, sharing its text where possible.
fn name(name: &apollo_compiler::Name) -> Name {
    name.to_cloned_arc()
        .unwrap_or_else(|| Arc::from(name.as_str()))
}
