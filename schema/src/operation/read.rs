//! Converts a valid document to an `Operation`, within limits.

use apollo_compiler::ExecutableDocument;
use apollo_compiler::ast::Value;
use apollo_compiler::executable as exe;
use apollo_compiler::request::RequestError;
use apollo_compiler::validation::Valid;

use super::{
    Argument, FieldSelection, Operation, OperationError, OperationErrorKind, OperationKind,
    OperationLimits, OperationSelection, VariableCondition, introspection::is_introspection,
    locations, name,
};
use crate::graph::Graph;
use crate::input;
use crate::types::{Name, TypeId};

pub(super) fn read(
    graph: &Graph,
    document: Valid<ExecutableDocument>,
    operation_name: Option<&str>,
    limits: OperationLimits,
) -> Result<Operation, OperationError> {
    let operation = document
        .operations
        .get(operation_name)
        .map_err(|error| name_error(&error, &document, operation_name))?;
    let kind = match operation.operation_type {
        exe::OperationType::Query => OperationKind::Query,
        exe::OperationType::Mutation => OperationKind::Mutation,
        exe::OperationType::Subscription => {
            return Err(validation_error(
                "subscriptions are not supported".to_owned(),
            ));
        }
    };
    let root = graph
        .types
        .find(operation.object_type())
        .ok_or_else(|| validation_error("the operation's root type is unknown".to_owned()))?;
    let mut reader = Reader {
        graph,
        document: &document,
        limits,
        fields: 0,
        max_depth: 0,
    };
    let selections = reader.selections(&operation.selection_set, 1)?;
    Ok(Operation {
        kind,
        name: operation.name.as_ref().map(name),
        root,
        selections,
        depth: reader.max_depth,
        document,
    })
}

fn name_error(
    error: &RequestError,
    document: &ExecutableDocument,
    operation_name: Option<&str>,
) -> OperationError {
    let names: Vec<_> = document
        .operations
        .named
        .keys()
        .map(|name| format!("`{name}`"))
        .collect();
    let message = match (operation_name, names.is_empty()) {
        (None, false) => format!(
            "the document has several operations ({}); name one in `operationName`",
            names.join(", ")
        ),
        (Some(name), false) => format!(
            "the document has no operation `{name}`; it has {}",
            names.join(", ")
        ),
        _ => error.message().to_string(),
    };
    OperationError {
        kind: OperationErrorKind::OperationName,
        message,
        locations: Vec::new(),
    }
}

fn validation_error(message: String) -> OperationError {
    OperationError {
        kind: OperationErrorKind::Validation,
        message,
        locations: Vec::new(),
    }
}

struct Reader<'a> {
    graph: &'a Graph,
    document: &'a ExecutableDocument,
    limits: OperationLimits,
    fields: usize,
    max_depth: usize,
}

impl Reader<'_> {
    fn selections(
        &mut self,
        set: &exe::SelectionSet,
        depth: usize,
    ) -> Result<Vec<OperationSelection>, OperationError> {
        let mut selections = Vec::with_capacity(set.selections.len());
        for selection in &set.selections {
            selections.extend(self.selection(selection, depth)?);
        }
        Ok(selections)
    }

    fn selection(
        &mut self,
        selection: &exe::Selection,
        depth: usize,
    ) -> Result<Option<OperationSelection>, OperationError> {
        match selection {
            exe::Selection::Field(field) => self.field(field, depth),
            exe::Selection::InlineFragment(fragment) => {
                let on = fragment.type_condition.as_ref();
                self.fragment(on, &fragment.directives, &fragment.selection_set, depth)
            }
            exe::Selection::FragmentSpread(spread) => {
                let Some(fragment) = spread.fragment_def(self.document) else {
                    return Ok(None); // A valid document defines the fragment.
                };
                let on = Some(fragment.type_condition());
                self.fragment(on, &spread.directives, &fragment.selection_set, depth)
            }
        }
    }

    fn fragment(
        &mut self,
        on: Option<&apollo_compiler::Name>,
        directives: &exe::DirectiveList,
        set: &exe::SelectionSet,
        depth: usize,
    ) -> Result<Option<OperationSelection>, OperationError> {
        let Some(conditions) = conditions(directives) else {
            return Ok(None);
        };
        let selections = self.selections(set, depth)?;
        let on: Option<TypeId> = on.and_then(|on| self.graph.types.find(on));
        Ok(Some(OperationSelection::Fragment {
            on,
            conditions,
            selections,
        }))
    }

    fn field(
        &mut self,
        field: &exe::Field,
        depth: usize,
    ) -> Result<Option<OperationSelection>, OperationError> {
        let Some(conditions) = conditions(&field.directives) else {
            return Ok(None);
        };
        self.count(field, depth)?;
        // `introspection` answers these.
        let selections = if is_introspection(&field.name) {
            Vec::new()
        } else {
            self.selections(&field.selection_set, depth + 1)?
        };
        Ok(Some(OperationSelection::Field(Box::new(FieldSelection {
            response_key: name(field.response_key()),
            name: name(&field.name),
            arguments: self.arguments(field),
            conditions,
            selections,
        }))))
    }

    fn count(&mut self, field: &exe::Field, depth: usize) -> Result<(), OperationError> {
        self.fields += 1;
        self.max_depth = self.max_depth.max(depth);
        let message = if depth > self.limits.depth {
            format!(
                "`{}` is nested deeper than {} fields (`limits.depth`)",
                field.name, self.limits.depth
            )
        } else if self.fields > self.limits.fields {
            format!(
                "the operation has more than {} fields (`limits.fields`)",
                self.limits.fields
            )
        } else {
            return Ok(());
        };
        Err(OperationError {
            kind: OperationErrorKind::Limit,
            message,
            locations: locations(field.name.location(), &self.document.sources),
        })
    }

    fn arguments(&self, field: &exe::Field) -> Vec<(Name, Argument)> {
        let schema = &self.graph.client.schema;
        let mut arguments = Vec::new();
        for definition in &field.definition.arguments {
            let default = definition
                .default_value
                .as_ref()
                .and_then(|value| input::coerce_literal(value, &definition.ty, schema).constant());
            let literal = field.specified_argument_by_name(&definition.name);
            let value = match literal {
                Some(value) => input::coerce_literal(value, &definition.ty, schema),
                None => match default.clone() {
                    Some(default) => input::Input::Constant(default),
                    None => continue,
                },
            };
            let argument = Argument {
                value,
                default,
                text: literal.map(|value| input::literal_text(value).into()),
            };
            arguments.push((name(&definition.name), argument));
        }
        arguments
    }
}

/// The variable conditions of `@skip` and `@include`; `None` if a literal excludes the selection.
pub(super) fn conditions(directives: &exe::DirectiveList) -> Option<Vec<VariableCondition>> {
    let mut conditions = Vec::new();
    for (directive, expected) in [("skip", false), ("include", true)] {
        let condition = directives
            .get(directive)
            .and_then(|directive| directive.specified_argument_by_name("if"));
        match condition.map(AsRef::as_ref) {
            Some(Value::Boolean(value)) if *value != expected => return None,
            Some(Value::Variable(variable)) => conditions.push(VariableCondition {
                variable: name(variable),
                expected,
            }),
            _ => {}
        }
    }
    Some(conditions)
}
