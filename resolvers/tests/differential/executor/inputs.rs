//! Coercion of arguments (§6.4.1) and of literals.

use apollo_compiler::Schema;
use apollo_compiler::ast::{Type, Value};
use apollo_compiler::executable::Field;
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::schema::{ExtendedType, FieldDefinition};

/// The arguments of a field, with defaults.
pub(super) fn arguments(
    schema: &Schema,
    definition: &FieldDefinition,
    field: &Field,
    variables: &JsonMap,
) -> JsonMap {
    let mut arguments = JsonMap::new();
    for argument in &definition.arguments {
        let mut given = field.arguments.iter();
        let value = given
            .find(|it| it.name == argument.name)
            .and_then(|it| coerced(schema, &argument.ty, &it.value, variables));
        let default = || {
            let default = argument.default_value.as_ref()?;
            coerced(schema, &argument.ty, default, variables)
        };
        if let Some(value) = value.or_else(default) {
            arguments.insert(argument.name.as_str(), value);
        }
    }
    arguments
}

/// The condition of `@skip` or `@include`.
pub(super) fn boolean(value: &Value, variables: &JsonMap) -> Option<bool> {
    match value {
        Value::Boolean(value) => Some(*value),
        Value::Variable(name) => variables.get(name.as_str())?.as_bool(),
        _ => None,
    }
}

/// A literal as JSON; `None` for a variable without a value. Variables have been coerced.
fn coerced(schema: &Schema, ty: &Type, value: &Value, variables: &JsonMap) -> Option<JsonValue> {
    match (value, ty) {
        (Value::Variable(name), _) => variables.get(name.as_str()).cloned(),
        (Value::Null, _) => Some(JsonValue::Null),
        (Value::List(items), Type::List(inner) | Type::NonNullList(inner)) => {
            let items = items.iter();
            let items = items
                .map(|item| coerced(schema, inner, item, variables).unwrap_or(JsonValue::Null));
            Some(JsonValue::Array(items.collect()))
        }
        // A single value is a list of one (§3.11).
        (one, Type::List(inner) | Type::NonNullList(inner)) => {
            let one = coerced(schema, inner, one, variables)?;
            Some(JsonValue::Array(vec![one]))
        }
        (Value::Object(members), Type::Named(name) | Type::NonNullNamed(name)) => {
            match schema.types.get(name) {
                Some(ExtendedType::InputObject(definition)) => {
                    let mut object = JsonMap::new();
                    for (name, field) in &definition.fields {
                        let given = members.iter().find(|(it, _)| it == name);
                        let given = given
                            .map(|(_, value)| value)
                            .or(field.default_value.as_ref());
                        let value = given.and_then(|it| coerced(schema, &field.ty, it, variables));
                        if let Some(value) = value {
                            object.insert(name.as_str(), value);
                        }
                    }
                    Some(object.into())
                }
                _ => Some(plain(value, variables)),
            }
        }
        (value, _) => Some(plain(value, variables)),
    }
}

/// A literal without a type: of a scalar, or of a custom scalar.
fn plain(value: &Value, variables: &JsonMap) -> JsonValue {
    match value {
        Value::Null => JsonValue::Null,
        Value::Enum(name) => name.as_str().into(),
        Value::Variable(name) => variables.get(name.as_str()).cloned().unwrap_or_default(),
        Value::String(text) => text.as_str().into(),
        Value::Boolean(value) => (*value).into(),
        Value::Int(number) => number.try_to_i32().map_or(JsonValue::Null, Into::into),
        Value::Float(number) => number.try_to_f64().map_or(JsonValue::Null, Into::into),
        Value::List(items) => items.iter().map(|item| plain(item, variables)).collect(),
        Value::Object(members) => {
            let mut object = JsonMap::new();
            for (name, value) in members {
                object.insert(name.as_str(), plain(value, variables));
            }
            object.into()
        }
    }
}
