//! Coercion of JSON to input types (GraphQL §3.5, §3.9, §3.10), with the path of each error.

use std::borrow::Cow;
use std::fmt;

use apollo_compiler::ast::Type;
use apollo_compiler::executable::VariableDefinition;
use apollo_compiler::parser::SourceMap;
use apollo_compiler::schema::{EnumType, ExtendedType, InputObjectType};
use apollo_compiler::{Node, Schema};
use indexmap::IndexMap;

use super::errors::{MAX_ERRORS, more_errors, nearest_name};
use super::{OperationError, OperationErrorKind, locations, rules};
use crate::input;
use crate::json::{self, Kind, Members};
use crate::types::{Constant, Name};

/// The place of a value in a variable, as `$input.items[2].id`; written only for errors, because a
/// list may have a hundred thousand items.
#[derive(Clone, Copy)]
enum Place<'p> {
    Variable(&'p str),
    Member(&'p Self, &'p str),
    Item(&'p Self, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "${name}"),
            Self::Member(object, key) => write!(f, "{object}.{key}"),
            Self::Item(list, index) => write!(f, "{list}[{index}]"),
        }
    }
}

/// The coercion of all variables of a request.
pub(super) struct Coercion<'a> {
    schema: &'a Schema,
    sources: &'a SourceMap,
    /// Where the current variable is defined.
    locations: Vec<(usize, usize)>,
    errors: Vec<OperationError>,
    omitted_errors: usize,
}

impl<'a> Coercion<'a> {
    pub(super) fn new(schema: &'a Schema, sources: &'a SourceMap) -> Self {
        Self {
            schema,
            sources,
            locations: Vec::new(),
            errors: Vec::new(),
            omitted_errors: 0,
        }
    }

    /// The value of a variable; any value if there are errors.
    pub(super) fn variable(
        &mut self,
        definition: &Node<VariableDefinition>,
        value: json::Node<'_>,
    ) -> Constant {
        self.begin(definition);
        self.value(value, &definition.ty, Place::Variable(&definition.name))
    }

    /// Checks that a variable without a value and default may be omitted.
    pub(super) fn omitted(&mut self, definition: &Node<VariableDefinition>) {
        if definition.ty.is_non_null() {
            self.begin(definition);
            let place = Place::Variable(&definition.name);
            self.error(place, || required(&definition.ty));
        }
    }

    /// All errors of the request, at most [`MAX_ERRORS`] and a count of the others.
    pub(super) fn finish(mut self) -> Vec<OperationError> {
        self.errors.extend(more_errors(self.omitted_errors));
        self.errors
    }

    fn begin(&mut self, definition: &Node<VariableDefinition>) {
        self.locations = locations(definition.location(), self.sources);
    }

    fn error(&mut self, place: Place<'_>, message: impl FnOnce() -> String) {
        if self.errors.len() == MAX_ERRORS {
            self.omitted_errors += 1;
            return;
        }
        self.errors.push(OperationError {
            kind: OperationErrorKind::Variables,
            message: format!("variable `{place}`: {}", message()),
            locations: self.locations.clone(),
        });
    }

    fn value(&mut self, value: json::Node<'_>, ty: &Type, place: Place<'_>) -> Constant {
        if value.is_null() {
            if ty.is_non_null() {
                self.error(place, || format!("expected `{ty}`, found null"));
            }
            return Constant::Null;
        }
        if !ty.is_list() {
            return self.named(value, ty, place);
        }
        let Kind::List(items) = value.kind() else {
            // A single value is a list of one (GraphQL §3.11).
            return Constant::List(vec![self.value(value, ty.item_type(), place)]);
        };
        let items = items.enumerate().map(|(index, item)| {
            let place = Place::Item(&place, index);
            self.value(item, ty.item_type(), place)
        });
        Constant::List(items.collect())
    }

    fn named(&mut self, value: json::Node<'_>, ty: &Type, place: Place<'_>) -> Constant {
        let schema = self.schema;
        let coerced = match schema.types.get(ty.inner_named_type()) {
            Some(ExtendedType::InputObject(input)) => {
                if let Kind::Object(members) = value.kind() {
                    return self.object(members, input, place);
                }
                None
            }
            Some(ExtendedType::Enum(enumeration)) => {
                if let Kind::String(text) = value.kind() {
                    return self.enum_value(&text.decode(), enumeration, place);
                }
                None
            }
            Some(ExtendedType::Scalar(scalar)) => scalar_value(value, &scalar.name),
            _ => None, // Validation rejects variables of other types.
        };
        coerced.unwrap_or_else(|| {
            self.error(place, || {
                format!("expected `{}`, found {}", ty, describe(value))
            });
            Constant::Null
        })
    }

    fn enum_value(&mut self, text: &str, enumeration: &EnumType, place: Place<'_>) -> Constant {
        if !enumeration.values.contains_key(text) {
            let names = enumeration.values.keys().map(apollo_compiler::Name::as_str);
            self.error(place, || {
                let hint = did_you_mean(nearest_name(text, names));
                format!("`{}` does not have this value{hint}", enumeration.name)
            });
        }
        Constant::String(text.to_owned())
    }

    fn object(
        &mut self,
        members: Members<'_>,
        input: &InputObjectType,
        place: Place<'_>,
    ) -> Constant {
        // Of equal keys, the last value counts.
        let members: IndexMap<Cow<'_, str>, json::Node<'_>> =
            members.map(|(key, value)| (key.decode(), value)).collect();
        let is_one = members.len() == 1 && members.values().all(|value| !value.is_null());
        if input.directives.has("oneOf") && !is_one {
            self.error(place, || rules::one_of_message(&input.name));
            return Constant::Null;
        }
        let mut coerced = Vec::with_capacity(members.len());
        for (key, value) in &members {
            match input.fields.get(key.as_ref()) {
                Some(field) => {
                    let value = self.value(*value, &field.ty, Place::Member(&place, key));
                    coerced.push((Name::from(key.as_ref()), value));
                }
                None => self.unknown_member(key, input, place),
            }
        }
        self.add_defaults(&members, input, &mut coerced, place);
        Constant::Object(coerced)
    }

    fn unknown_member(&mut self, key: &str, input: &InputObjectType, place: Place<'_>) {
        let names = input.fields.keys().map(apollo_compiler::Name::as_str);
        self.error(place, || {
            let hint = did_you_mean(nearest_name(key, names));
            let key: String = key.chars().take(MAX_KEY_LENGTH).collect();
            format!("`{}` does not have a field `{key}`{hint}", input.name)
        });
    }

    fn add_defaults(
        &mut self,
        members: &IndexMap<Cow<'_, str>, json::Node<'_>>,
        input: &InputObjectType,
        coerced: &mut Vec<(Name, Constant)>,
        place: Place<'_>,
    ) {
        for (key, field) in &input.fields {
            if members.contains_key(key.as_str()) {
                continue;
            }
            if let Some(default) = &field.default_value {
                let default = input::coerce_literal(default, &field.ty, self.schema).constant();
                coerced.extend(default.map(|value| (Name::from(key.as_str()), value)));
            } else if field.ty.is_non_null() {
                self.error(Place::Member(&place, key), || required(&field.ty));
            }
        }
    }
}

/// A value of a scalar type; `None` if the type does not have it.
fn scalar_value(value: json::Node<'_>, scalar: &str) -> Option<Constant> {
    let kind = value.kind();
    Some(match (scalar, kind) {
        ("Int", Kind::Number(text)) => {
            Constant::Number(i32::try_from(integer(text)?).ok()?.to_string())
        }
        ("Float", Kind::Number(text)) => {
            let number = text.parse::<f64>().ok()?;
            Constant::Number(number.is_finite().then(|| text.to_owned())?)
        }
        ("ID", Kind::Number(text)) if is_integer(text) => Constant::String(text.to_owned()),
        ("ID", Kind::Number(text)) => Constant::String(integer(text)?.to_string()),
        ("ID" | "String", Kind::String(text)) => Constant::String(text.decode().into_owned()),
        ("Boolean", Kind::Bool(value)) => Constant::Boolean(value),
        ("Int" | "Float" | "ID" | "String" | "Boolean", _) => return None,
        _ => any(value),
    })
}

/// A value of a custom scalar.
fn any(value: json::Node<'_>) -> Constant {
    match value.kind() {
        Kind::Null => Constant::Null,
        Kind::Bool(value) => Constant::Boolean(value),
        Kind::Number(text) => Constant::Number(text.to_owned()),
        Kind::String(text) => Constant::String(text.decode().into_owned()),
        Kind::List(items) => Constant::List(items.map(any).collect()),
        Kind::Object(members) => {
            let members: IndexMap<Cow<'_, str>, json::Node<'_>> =
                members.map(|(key, value)| (key.decode(), value)).collect();
            let members = members.into_iter();
            Constant::Object(
                members
                    .map(|(key, value)| (Name::from(key.as_ref()), any(value)))
                    .collect(),
            )
        }
    }
}

fn is_integer(number: &str) -> bool {
    !number.contains(['.', 'e', 'E'])
}

/// The value of a JSON number without a fraction: `1`, `1.0` and `1e0` are the same.
fn integer(number: &str) -> Option<i64> {
    if is_integer(number) {
        return number.parse().ok();
    }
    let float = number.parse::<f64>().ok()?;
    let is_exact = float.fract() == 0.0 && float.abs() <= MAX_EXACT_INTEGER;
    // `as` is exact for these.
    #[expect(clippy::cast_possible_truncation, reason = "checked")]
    is_exact.then_some(float as i64)
}

fn required(ty: &Type) -> String {
    format!("a value of type `{ty}` is required")
}

fn did_you_mean(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// The kind of a value; values themselves may be secret.
fn describe(value: json::Node<'_>) -> &'static str {
    match value.kind() {
        Kind::Null => "null",
        Kind::Bool(_) => "a boolean",
        Kind::Number(text) if is_integer(text) => "an integer",
        Kind::Number(_) => "a number",
        Kind::String(_) => "a string",
        Kind::List(_) => "a list",
        Kind::Object(_) => "an object",
    }
}

/// Maximum characters of an unknown key in a message.
const MAX_KEY_LENGTH: usize = 64;

/// Up to here a float has every integer: 2 to the power of 53.
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;
