//! Input values and arguments: literals in the form that coercion gives them, variables left in
//! their places.
//!
//! The text was validated before (GraphQL §5.6), so nothing here refuses a value.

use std::fmt;
use std::hash::{Hash, Hasher};

use apollo_compiler::Schema;
use apollo_compiler::ast::{Type, Value};

use crate::types::{Constant, Name};

/// A value of an argument.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Known when the operation is read.
    Constant(Constant),
    /// Known when the operation is executed.
    Variable(Name),
    /// A list with variables in it.
    List(Vec<Self>),
    /// An object with variables in it.
    Object(Vec<(Name, Self)>),
}

/// The value of an argument.
#[derive(Clone, Debug)]
pub struct Argument {
    /// As written, coerced.
    pub value: Input,
    /// Taken when the value is a variable that the client left out (GraphQL §6.4.1).
    pub default: Option<Constant>,
    /// As GraphQL writes it, variables left in their places; `None` where nobody wrote it and it
    /// is the default. Values that are equal otherwise are equal.
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
    /// The value, when no variable is in it.
    pub fn constant(self) -> Option<Constant> {
        match self {
            Self::Constant(constant) => Some(constant),
            Self::Variable(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    fn list(items: Vec<Self>) -> Self {
        let known: Option<Vec<_>> = items.iter().cloned().map(Self::constant).collect();
        known.map_or(Self::List(items), |known| {
            Self::Constant(Constant::List(known))
        })
    }

    fn object(members: Vec<(Name, Self)>) -> Self {
        let known: Option<Vec<_>> = members
            .iter()
            .cloned()
            .map(|(name, value)| Some((name, value.constant()?)))
            .collect();
        known.map_or(Self::Object(members), |known| {
            Self::Constant(Constant::Object(known))
        })
    }
}

impl fmt::Display for Input {
    /// As GraphQL writes it, enum values as text.
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
    /// As GraphQL writes it, enum values as text.
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

/// A literal as GraphQL writes it, on one line.
pub(crate) fn literal_text(value: &Value) -> String {
    value.serialize().no_indent().to_string()
}

/// A valid literal of type `ty`: single values wrapped into lists, enums and ids as text,
/// defaults of input fields filled in (GraphQL §3.10, §3.11).
pub(crate) fn coerce_literal(value: &Value, ty: &Type, schema: &Schema) -> Input {
    match value {
        Value::Variable(name) => Input::Variable(name.as_str().into()),
        Value::Null => Input::Constant(Constant::Null),
        Value::List(items) if ty.is_list() => {
            let item = |item| coerce_literal(item, ty.item_type(), schema);
            Input::list(items.iter().map(|it| item(it)).collect())
        }
        _ if ty.is_list() => Input::list(vec![coerce_literal(value, ty.item_type(), schema)]),
        Value::List(items) => Input::list(
            items
                .iter()
                .map(|it| coerce_literal(it, ty, schema))
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
        // A custom scalar takes any object as it is.
        let coerced = members
            .iter()
            .map(|(key, value)| (Name::from(key.as_str()), coerce_literal(value, ty, schema)));
        return Input::object(coerced.collect());
    };
    let mut coerced_members = Vec::new();
    for (key, field) in &input.fields {
        let written = members.iter().find(|(name, _)| name == key);
        let value = written
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
