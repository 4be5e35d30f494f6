//! Operations: a client's document, read, validated, and turned into our own tree.
//!
//! This and `sdl` are the places that know the library which parses GraphQL. What is left of a
//! document afterwards is `Operation`: fields with coerced arguments, fragments in their places,
//! conditions on variables. Fields are not merged yet; that is the planner's side.

use std::collections::BTreeSet;
use std::sync::Arc;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::parser::{Parser, SourceMap, SourceSpan};
use apollo_compiler::validation::{DiagnosticList, Valid, WithErrors};

use crate::graph::Graph;
use crate::input;
pub use crate::input::Argument;
use crate::types::{Name, TypeId};

mod read;
mod rules;
mod variables;

pub use self::variables::Variables;

/// One operation of a valid document.
#[derive(Debug)]
pub struct Operation {
    /// Query or mutation.
    pub kind: OperationKind,
    /// As written; `None` for an anonymous one.
    pub name: Option<Name>,
    /// The type its fields are of.
    pub root: TypeId,
    /// In document order.
    pub selections: Vec<OperationSelection>,
    /// The deepest field; a root field has depth 1.
    pub depth: usize,
    document: Valid<ExecutableDocument>,
}

/// Kinds of operations that can be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// Reads.
    Query,
    /// Writes; its root fields run one after another.
    Mutation,
}

/// A selection of a selection set, fragments resolved.
#[derive(Clone, Debug)]
pub enum OperationSelection {
    /// A field.
    Field(Box<FieldSelection>),
    /// What a fragment selects.
    Fragment {
        /// Objects of this type only; `None` for all.
        on: Option<TypeId>,
        /// All of these must hold.
        conditions: Vec<VariableCondition>,
        /// In document order.
        selections: Vec<Self>,
    },
}

/// A field that is asked for.
#[derive(Clone, Debug)]
pub struct FieldSelection {
    /// The name in the answer.
    pub response_key: Name,
    /// The name in the schema; may be `__typename`.
    pub name: Name,
    /// Written or defaulted, in the order of the schema.
    pub arguments: Vec<(Name, Argument)>,
    /// All of these must hold.
    pub conditions: Vec<VariableCondition>,
    /// Of its value, for composite types.
    pub selections: Vec<OperationSelection>,
}

/// One `@skip` or `@include` that depends on a variable.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VariableCondition {
    /// The variable.
    pub variable: Name,
    /// The value it must have.
    pub expected: bool,
}

/// Bounds while a document is read.
#[derive(Clone, Copy, Debug)]
pub struct OperationLimits {
    /// Lexical tokens.
    pub tokens: usize,
    /// Field nesting.
    pub depth: usize,
    /// Fields, counted where fragments are used.
    pub fields: usize,
}

/// Why a request has nothing to execute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationError {
    /// What kind of refusal.
    pub kind: OperationErrorKind,
    /// For the client.
    pub message: String,
    /// Line and column, both from 1.
    pub locations: Vec<(usize, usize)>,
}

/// Kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationErrorKind {
    /// Not GraphQL.
    Parse,
    /// Does not fit the schema.
    Validation,
    /// A variable's value does not fit.
    Variables,
    /// No operation of that name, or several and no name.
    OperationName,
    /// Over a limit.
    Limit,
}

impl Operation {
    /// Reads `text` and picks the operation called `name`, or the only one.
    ///
    /// All problems of the document at once; for a limit that one alone.
    pub fn parse(
        graph: &Graph,
        text: &str,
        name: Option<&str>,
        limits: OperationLimits,
    ) -> Result<Self, Vec<OperationError>> {
        let document = parse(graph, text, limits)?;
        let problems = rules::check(&graph.client.schema, &document);
        if !problems.is_empty() {
            return Err(problems);
        }
        read::read(graph, document, name, limits).map_err(|problem| vec![problem])
    }

    /// Coerces variables given as a JSON object (GraphQL §6.1.2).
    pub fn coerce_variables(
        &self,
        graph: &Graph,
        json: Option<&str>,
    ) -> Result<Variables, OperationError> {
        variables::coerce(self, &graph.client.schema, json)
    }

    /// Response keys of `__schema` and `__type` at the root.
    ///
    /// A document whose introspection nests lists too deeply is refused.
    pub fn introspection_keys(&self) -> Result<Vec<Name>, OperationError> {
        read::introspection(self)
    }

    /// The answers to `__schema` and `__type`: response key and JSON text.
    pub fn introspect(
        &self,
        graph: &Graph,
        variables: &Variables,
    ) -> Result<Vec<(Name, String)>, OperationError> {
        read::introspect(self, graph, variables)
    }

    /// Whether a variable is used by introspection or anything else.
    pub fn has_variables(&self) -> bool {
        self.executable().is_some_and(|it| !it.variables.is_empty())
    }

    /// The labels of overrides, by their numbers in the graph, that its plans may depend on.
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

    /// How the client defines a variable: `$first: Int = 10`; `None` for one that it does not.
    pub fn variable_definition(&self, variable: &str) -> Option<String> {
        let definitions = &self.executable()?.variables;
        let definition = definitions.iter().find(|it| it.name == variable)?;
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

/// Nesting that parsing, which is recursive, may reach.
const RECURSION_LIMIT: usize = 200;

fn parse(
    graph: &Graph,
    text: &str,
    limits: OperationLimits,
) -> Result<Valid<ExecutableDocument>, Vec<OperationError>> {
    let schema = &graph.client.schema;
    let mut parser = Parser::new()
        .token_limit(limits.tokens)
        .recursion_limit(RECURSION_LIMIT);
    let ast = parser
        .parse_ast(text, "operation")
        .map_err(|WithErrors { errors, .. }| {
            let over = parser.tokens_reached() > limits.tokens
                || parser.recursion_reached() > RECURSION_LIMIT;
            if over {
                vec![over_limit(&parser, limits)]
            } else {
                operation_errors(&errors, OperationErrorKind::Parse)
            }
        })?;
    ast.to_executable_validate(schema)
        .map_err(|WithErrors { errors, .. }| {
            operation_errors(&errors, OperationErrorKind::Validation)
        })
}

fn over_limit(parser: &Parser, limits: OperationLimits) -> OperationError {
    let message = if parser.tokens_reached() > limits.tokens {
        format!("the document has more than {} tokens", limits.tokens)
    } else {
        format!("the document nests deeper than {RECURSION_LIMIT} levels")
    };
    OperationError {
        kind: OperationErrorKind::Limit,
        message,
        locations: Vec::new(),
    }
}

fn operation_errors(errors: &DiagnosticList, kind: OperationErrorKind) -> Vec<OperationError> {
    errors
        .iter()
        .map(|error| OperationError {
            kind,
            message: error
                .error
                .unstable_compat_message()
                .unwrap_or_else(|| error.error.to_string()),
            locations: error
                .line_column_range()
                .map(|range| (range.start.line, range.start.column))
                .into_iter()
                .collect(),
        })
        .collect()
}

fn locations(span: Option<SourceSpan>, sources: &SourceMap) -> Vec<(usize, usize)> {
    span.and_then(|span| span.line_column(sources))
        .map(|at| (at.line, at.column))
        .into_iter()
        .collect()
}

/// A name of the library as one of ours.
fn name(name: &apollo_compiler::Name) -> Name {
    name.to_cloned_arc()
        .unwrap_or_else(|| Arc::from(name.as_str()))
}
