//! Input values and arguments: coerced literals, with variables not yet substituted.
//!
//! Validation happened before (GraphQL §5.6), so coercion here never fails.

use std::fmt;
use std::hash::{Hash, Hasher};

use apollo_compiler::Schema;
use apollo_compiler::ast::{Type, Value};

use crate::types::{Constant, Name};

/// An input value, which may contain variables.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// A value without variables.
    Constant(Constant),
    /// A variable, substituted when the operation is executed.
    Variable(Name),
    /// A list that contains variables.
    List(Vec<Self>),
    /// An object that contains variables.
    Object(Vec<(Name, Self)>),
}

/// The value of an argument with its default.
#[derive(Clone, Debug)]
pub struct Argument {
    /// The coerced value.
    pub value: Input,
    /// The value if `value` is a variable that the client omitted (GraphQL §6.4.1).
    pub default: Option<Constant>,
    /// The GraphQL text of the value with its variables; `None` for an implied default. Ignored
    /// by comparison and hashing.
    pub text: Option<Name>,
}

impl PartialEq for Argument {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value && self.default == other.default
    }
}

impl Eq for Argument {}

impl Hash for Argument {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
        self.default.hash(state);
    }
}

impl Input {
    /// The constant; `None` if the value contains a variable.
    pub fn constant(self) -> Option<Constant> {
        match self {
            Self::Constant(constant) => Some(constant),
            Self::Variable(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    fn list(items: Vec<Self>) -> Self {
        let constants: Option<Vec<_>> = items.iter().cloned().map(Self::constant).collect();
        constants.map_or(Self::List(items), |constants| {
            Self::Constant(Constant::List(constants))
        })
    }

    fn object(members: Vec<(Name, Self)>) -> Self {
        let constants: Option<Vec<_>> = members
            .iter()
            .cloned()
            .map(|(name, value)| Some((name, value.constant()?)))
            .collect();
        constants.map_or(Self::Object(members), |constants| {
            Self::Constant(Constant::Object(constants))
        })
    }
}

impl fmt::Display for Input {
    /// Writes GraphQL syntax, with enum values as strings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(constant) => constant.fmt(f),
            Self::Variable(name) => write!(f, "${name}"),
            Self::List(items) => write_list(f, items),
            Self::Object(members) => write_object(f, members),
        }
    }
}

impl fmt::Display for Constant {
    /// Writes GraphQL syntax, with enum values as strings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Number(text) => f.write_str(text),
            Self::String(text) => write!(f, "{text:?}"),
            Self::List(items) => write_list(f, items),
            Self::Object(members) => write_object(f, members),
        }
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, items: &[impl fmt::Display]) -> fmt::Result {
    f.write_str("[")?;
    for (index, item) in items.iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        write!(f, "{comma}{item}")?;
    }
    f.write_str("]")
}

fn write_object(f: &mut fmt::Formatter<'_>, members: &[(Name, impl fmt::Display)]) -> fmt::Result {
    f.write_str("{")?;
    for (index, (name, value)) in members.iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        write!(f, "{comma}{name}: {value}")?;
    }
    f.write_str("}")
}

/// The GraphQL text of a literal on one line.
pub(crate) fn literal_text(value: &Value) -> String {
    value.serialize().no_indent().to_string()
}

/// Coerces a valid literal to type `ty`: wraps single values into lists, turns enum values and
/// ids into strings, fills in defaults of input fields (GraphQL §3.10, §3.11).
pub(crate) fn coerce_literal(value: &Value, ty: &Type, schema: &Schema) -> Input {
    match value {
        Value::Variable(name) => Input::Variable(name.as_str().into()),
        Value::Null => Input::Constant(Constant::Null),
        Value::List(items) if ty.is_list() => {
            let item = |item| coerce_literal(item, ty.item_type(), schema);
            Input::list(items.iter().map(|value| item(value)).collect())
        }
        _ if ty.is_list() => Input::list(vec![coerce_literal(value, ty.item_type(), schema)]),
        Value::List(items) => Input::list(
            items
                .iter()
                .map(|item| coerce_literal(item, ty, schema))
                .collect(),
        ),
        Value::Object(members) => object(members, ty, schema),
        leaf => Input::Constant(self::leaf(leaf, ty.inner_named_type())),
    }
}

fn leaf(value: &Value, ty: &str) -> Constant {
    match value {
        Value::Boolean(value) => Constant::Boolean(*value),
        Value::Int(value) if ty == "ID" => Constant::String(value.as_str().to_owned()),
        Value::Int(value) => Constant::Number(value.as_str().to_owned()),
        Value::Float(value) => Constant::Number(value.as_str().to_owned()),
        Value::String(value) => Constant::String(value.clone()),
        Value::Enum(value) => Constant::String(value.to_string()),
        Value::Null | Value::Variable(_) | Value::List(_) | Value::Object(_) => Constant::Null,
    }
}

fn object(
    members: &[(apollo_compiler::Name, apollo_compiler::Node<Value>)],
    ty: &Type,
    schema: &Schema,
) -> Input {
    let Some(input) = schema.get_input_object(ty.inner_named_type()) else {
        // A custom scalar accepts any object.
        let coerced = members
            .iter()
            .map(|(key, value)| (Name::from(key.as_str()), coerce_literal(value, ty, schema)));
        return Input::object(coerced.collect());
    };
    let mut coerced_members = Vec::new();
    for (key, field) in &input.fields {
        let literal = members.iter().find(|(name, _)| name == key);
        let value = literal
            .map(|(_, value)| value)
            .or(field.default_value.as_ref());
        if let Some(value) = value {
            coerced_members.push((
                Name::from(key.as_str()),
                coerce_literal(value, &field.ty, schema),
            ));
        }
    }
    Input::object(coerced_members)
}
