//! Variables: a client's JSON, coerced to the types that the operation declares.

use std::sync::Arc;

use apollo_compiler::Schema;
use apollo_compiler::ast::Type;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::validation::Valid;

use super::{Operation, OperationError, OperationErrorKind, locations, name, rules};
use crate::input::Input;
use crate::types::{Constant, Name};

/// The coerced values of an operation's variables.
#[derive(Debug)]
pub struct Variables {
    values: Vec<(Name, Constant)>,
}

impl Variables {
    /// The value of a variable; `None` if the client omitted it and it has no default.
    pub fn value(&self, variable: &str) -> Option<&Constant> {
        self.values
            .iter()
            .find(|(name, _)| name.as_ref() == variable)
            .map(|(_, value)| value)
    }

    /// Whether a variable of type `Boolean!` is true.
    pub fn is_true(&self, variable: &str) -> bool {
        matches!(self.value(variable), Some(Constant::Boolean(true)))
    }

    /// Substitutes the variables in an argument; `None` if it has no value (GraphQL §6.4.1).
    pub fn argument(&self, argument: &super::Argument) -> Option<Constant> {
        match self.input(&argument.value) {
            Some(value) => Some(value),
            None => argument.default.clone(),
        }
    }

    /// Substitutes variables; one without a value is omitted from objects and null in lists.
    fn input(&self, input: &Input) -> Option<Constant> {
        Some(match input {
            Input::Constant(constant) => constant.clone(),
            Input::Variable(variable) => return self.value(variable).cloned(),
            Input::List(items) => {
                let value = |item| self.input(item).unwrap_or(Constant::Null);
                Constant::List(items.iter().map(value).collect())
            }
            Input::Object(members) => Constant::Object(
                members
                    .iter()
                    .filter_map(|(name, value)| Some((Arc::clone(name), self.input(value)?)))
                    .collect(),
            ),
        })
    }
}

pub(super) fn coerce(
    operation: &Operation,
    schema: &Valid<Schema>,
    json: Option<&str>,
) -> Result<Variables, OperationError> {
    let json_map = json.map_or_else(|| Ok(JsonMap::new()), parse)?;
    let Some(parsed) = operation.executable() else {
        return Err(variables_error("the operation is missing".to_owned()));
    };
    let coerced =
        coerce_variable_values(schema, parsed, &json_map).map_err(|error| OperationError {
            kind: OperationErrorKind::Variables,
            message: error.message().to_string(),
            locations: locations(error.location(), &operation.document.sources),
        })?;
    let mut values = Vec::with_capacity(parsed.variables.len());
    for definition in &parsed.variables {
        let Some(value) = coerced.get(definition.name.as_str()) else {
            continue;
        };
        rules::check_one_of(schema, &definition.ty, value)
            .map_err(|message| variables_error(format!("`${}`: {message}", definition.name)))?;
        values.push((
            name(&definition.name),
            constant(value, &definition.ty, schema),
        ));
    }
    Ok(Variables { values })
}

fn parse(json: &str) -> Result<JsonMap, OperationError> {
    match serde_json::from_str(json) {
        Ok(JsonValue::Object(map)) => Ok(map),
        Ok(JsonValue::Null) => Ok(JsonMap::new()),
        Ok(_) => Err(variables_error("`variables` must be an object".to_owned())),
        Err(error) => Err(variables_error(format!("`variables` is not JSON: {error}"))),
    }
}

fn variables_error(message: String) -> OperationError {
    OperationError {
        kind: OperationErrorKind::Variables,
        message,
        locations: Vec::new(),
    }
}

/// Converts a coerced value; integers for an `ID` become strings (GraphQL §3.5.5).
fn constant(value: &JsonValue, ty: &Type, schema: &Schema) -> Constant {
    let item = if ty.is_list() { ty.item_type() } else { ty };
    match value {
        JsonValue::Null => Constant::Null,
        JsonValue::Bool(value) => Constant::Boolean(*value),
        JsonValue::Number(value) if ty.inner_named_type() == "ID" => {
            Constant::String(value.to_string())
        }
        JsonValue::Number(value) => Constant::Number(value.to_string()),
        JsonValue::String(value) => Constant::String(value.as_str().to_owned()),
        JsonValue::Array(items) => {
            let items = items.iter();
            Constant::List(items.map(|value| constant(value, item, schema)).collect())
        }
        JsonValue::Object(members) => {
            let input = schema.get_input_object(ty.inner_named_type());
            let member = |key: &str, value| {
                let field = input.and_then(|input| input.fields.get(key));
                let ty = field.map_or(ty, |field| &field.ty);
                (Name::from(key), constant(value, ty, schema))
            };
            let members = members.iter();
            Constant::Object(
                members
                    .map(|(key, value)| member(key.as_str(), value))
                    .collect(),
            )
        }
    }
}
