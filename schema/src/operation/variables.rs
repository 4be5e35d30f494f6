//! Variables: the values that a request gives to an operation.

use std::sync::Arc;

use super::coerce::Coercion;
use super::{Operation, OperationError, OperationErrorKind, name};
use crate::client::ClientSchema;
use crate::input::{self, Input};
use crate::json::{Json, Kind};
use crate::types::{Constant, Name};

/// The coerced values of an operation's variables.
#[derive(Clone, Debug)]
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

    /// The variables that have a value, in the order of their definitions.
    pub fn values(&self) -> &[(Name, Constant)] {
        &self.values
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

/// Coerces the members of `json`; those that the operation does not define are ignored.
pub(super) fn coerce(
    operation: &Operation,
    client: &ClientSchema,
    json: Option<&str>,
) -> Result<Variables, Vec<OperationError>> {
    let json = parse(json.unwrap_or("{}")).map_err(|message| vec![variables_error(message)])?;
    let mut values = Vec::new();
    let mut coercion = Coercion::new(&client.schema, &operation.document.sources);
    let definitions = operation.executable().map(|it| it.variables.as_slice());
    for definition in definitions.unwrap_or_default() {
        let value = if let Some(value) = json.root().get(&definition.name) {
            Some(coercion.variable(definition, value))
        } else if let Some(default) = &definition.default_value {
            input::coerce_literal(default, &definition.ty, &client.schema).constant()
        } else {
            coercion.omitted(definition);
            None
        };
        values.extend(value.map(|value| (name(&definition.name), value)));
    }
    let errors = coercion.finish();
    if errors.is_empty() {
        Ok(Variables { values })
    } else {
        Err(errors)
    }
}

fn parse(json: &str) -> Result<Json, String> {
    let parsed = Json::parse(json.as_bytes().to_vec().into())
        .map_err(|error| format!("`variables` is not JSON: {error}"))?;
    match parsed.root().kind() {
        Kind::Object(_) | Kind::Null => Ok(parsed),
        _ => Err("`variables` must be an object".to_owned()),
    }
}

fn variables_error(message: String) -> OperationError {
    OperationError {
        kind: OperationErrorKind::Variables,
        message,
        locations: Vec::new(),
    }
}
