//! Four validation rules of GraphQL that `apollo_compiler` 1.33 does not check.
//!
//! * `@oneOf` input objects have exactly one member, not null (§5.6.5 of the draft);
//! * input object members have unique names (§5.6.3);
//! * a variable with a null default is not allowed in a non-null position (§5.8.5);
//! * a nullable variable is not allowed in a non-null list item or member (§5.8.5).

use std::collections::HashSet;

use apollo_compiler::ast::{Type, Value};
use apollo_compiler::executable as exe;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Node, Schema};

use super::{OperationError, OperationErrorKind, locations};

/// The violations of these rules in `document`.
pub(super) fn check(
    schema: &Valid<Schema>,
    document: &Valid<ExecutableDocument>,
) -> Vec<OperationError> {
    let mut problems = Vec::new();
    for operation in document.operations.iter() {
        let mut check = Check {
            schema,
            document,
            variables: &operation.variables,
            visited: HashSet::new(),
            problems: &mut problems,
        };
        for variable in &operation.variables {
            if let Some(value) = &variable.default_value {
                check.value(value, &variable.ty);
            }
        }
        check.selections(&operation.selection_set);
    }
    // A fragment that two operations use is checked for each, but reported once.
    let mut seen = HashSet::new();
    problems.retain(|problem| seen.insert((problem.message.clone(), problem.locations.clone())));
    problems
}

struct Check<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    variables: &'a [Node<exe::VariableDefinition>],
    visited: HashSet<&'a str>,
    problems: &'a mut Vec<OperationError>,
}

impl<'a> Check<'a> {
    fn selections(&mut self, set: &'a exe::SelectionSet) {
        for selection in &set.selections {
            match selection {
                exe::Selection::Field(field) => {
                    self.arguments(field);
                    self.selections(&field.selection_set);
                }
                exe::Selection::InlineFragment(fragment) => {
                    self.selections(&fragment.selection_set);
                }
                exe::Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get(&spread.fragment_name);
                    if let Some(fragment) = fragment
                        && self.visited.insert(fragment.name.as_str())
                    {
                        self.selections(&fragment.selection_set);
                    }
                }
            }
        }
    }

    fn arguments(&mut self, field: &exe::Field) {
        for argument in &field.arguments {
            let definition = field.definition.argument_by_name(&argument.name);
            if let Some(definition) = definition {
                let has_default = definition.default_value.is_some();
                self.position(&argument.value, &definition.ty, has_default);
            }
        }
    }

    /// Checks a value in a position of type `ty`, which may have a default.
    fn position(&mut self, value: &Node<Value>, ty: &Type, has_default: bool) {
        if let Some(variable) = value.as_variable() {
            self.variable(value, variable, ty, has_default);
        } else {
            self.value(value, ty);
        }
    }

    fn variable(&mut self, at: &Node<Value>, name: &str, ty: &Type, has_default: bool) {
        let mut variables = self.variables.iter();
        let Some(definition) = variables.find(|variable| variable.name == name) else {
            return;
        };
        let default = definition.default_value.as_ref();
        let may_be_null = ty.is_non_null() && !definition.ty.is_non_null();
        if may_be_null && !has_default && default.is_none_or(|value| value.is_null()) {
            self.report(
                at,
                format!(
                    "variable `${name}` of type `{}` may be null where `{ty}` is expected",
                    definition.ty
                ),
            );
        }
    }

    fn value(&mut self, value: &Node<Value>, ty: &Type) {
        match value.as_ref() {
            Value::List(items) => {
                let item = if ty.is_list() { ty.item_type() } else { ty };
                for value in items {
                    self.position(value, item, false);
                }
            }
            Value::Object(members) => self.object(value, members, ty),
            _ => {}
        }
    }

    fn object(&mut self, at: &Node<Value>, members: &[(exe::Name, Node<Value>)], ty: &Type) {
        let mut names = HashSet::new();
        for (name, value) in members {
            if !names.insert(name) {
                self.report(value, format!("there can be only one member `{name}`"));
            }
        }
        let Some(input) = self.schema.get_input_object(ty.inner_named_type()) else {
            return;
        };
        let one_of = input.directives.has("oneOf");
        if one_of && (members.len() != 1 || members.iter().any(|(_, value)| value.is_null())) {
            self.report(at, one_of_message(&input.name));
        }
        for (name, value) in members {
            if let Some(field) = input.fields.get(name) {
                if one_of && let Some(variable) = value.as_variable() {
                    self.variable(
                        value,
                        variable,
                        &field.ty.as_ref().clone().non_null(),
                        false,
                    );
                } else {
                    self.position(value, &field.ty, field.default_value.is_some());
                }
            }
        }
    }

    fn report(&mut self, at: &Node<Value>, message: String) {
        self.problems.push(OperationError {
            kind: OperationErrorKind::Validation,
            message,
            locations: locations(at.location(), &self.document.sources),
        });
    }
}

pub(super) fn one_of_message(name: &str) -> String {
    format!("`{name}` must have exactly one member, which must not be null")
}
