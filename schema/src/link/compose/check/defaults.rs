//! Default values: each must be valid for its merged type.
//!
//! An input type keeps the fields that all subgraphs define, an enum for inputs the values, and a
//! merged type may be required where one subgraph has it optional. A default that fits the types of
//! its own subgraph may not fit the merged ones.

use apollo_compiler::ast::{InputValueDefinition, Type, Value};
use apollo_compiler::schema::{ExtendedType, Schema};
use apollo_compiler::{Name, Node};

use super::super::Composition;
use super::super::part::{SubgraphPart, fields};
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::span::Span;

pub(super) fn check(composition: &Composition<'_>, problems: &mut Problems) {
    for (owner, definition) in &composition.schema.types {
        for input in inputs(owner, definition) {
            problems.extend(input.invalid_default(composition));
        }
    }
}

/// An argument, or a field of an input type.
struct Input<'a> {
    owner: &'a Name,
    /// The field that has the argument; `None` for a field of an input type.
    field: Option<&'a Name>,
    definition: &'a InputValueDefinition,
}

fn inputs<'a>(owner: &'a Name, definition: &'a ExtendedType) -> Vec<Input<'a>> {
    let of_fields = fields(definition).into_iter().flatten();
    let arguments = of_fields.flat_map(|(name, field)| {
        field.arguments.iter().map(move |definition| Input {
            owner,
            field: Some(name),
            definition,
        })
    });
    let input_object = definition.as_input_object().into_iter();
    let input_fields = input_object.flat_map(|it| it.fields.values());
    let input_fields = input_fields.map(|definition| Input {
        owner,
        field: None,
        definition,
    });
    arguments.chain(input_fields).collect()
}

impl Input<'_> {
    fn invalid_default(&self, composition: &Composition<'_>) -> Option<Diagnostic> {
        let Self { definition, .. } = self;
        let default = definition.default_value.as_ref()?;
        let reason = invalid_reason(&composition.schema, &definition.ty, default)?;
        let message = format!("the default value of `{}` {reason}", self.coordinate());
        let mut parts = composition.parts.iter();
        let code = Code::SubgraphConflict;
        let problem = match parts.find_map(|part| self.default_span(part)) {
            Some(span) => Diagnostic::error(code, span, message),
            None => Diagnostic::without_span(code, message),
        };
        let help = "the graph has the input fields and values that all subgraphs define; change the default, or define them in every subgraph";
        Some(problem.help(help.to_owned()))
    }

    /// `Query.find(filter:)` or `Filter.order`.
    fn coordinate(&self) -> String {
        let (owner, name) = (self.owner, &self.definition.name);
        match self.field {
            Some(field) => format!("{owner}.{field}({name}:)"),
            None => format!("{owner}.{name}"),
        }
    }

    /// The default in a subgraph that has one.
    fn default_span(&self, part: &SubgraphPart<'_>) -> Option<Span> {
        let name = &self.definition.name;
        let definition: &Node<InputValueDefinition> = if let Some(field) = self.field {
            let mut arguments = part.field(self.owner, field)?.arguments.iter();
            arguments.find(|argument| argument.name == *name)?
        } else {
            let input = part.get(self.owner)?.as_input_object()?;
            &input.fields.get(name)?.node
        };
        let default = definition.default_value.as_ref()?;
        Some(part.span(default.location()))
    }
}

/// Why a default does not fit a merged type, as the end of a sentence; `None` if it fits.
fn invalid_reason(schema: &Schema, ty: &Type, value: &Value) -> Option<String> {
    match (value, ty) {
        (Value::Null, Type::NonNullNamed(_) | Type::NonNullList(_)) => {
            Some(format!("is null, where the graph has the type `{ty}`"))
        }
        (Value::Null, _) => None,
        (Value::List(items), Type::List(inner) | Type::NonNullList(inner)) => {
            let mut items = items.iter();
            items.find_map(|item| invalid_reason(schema, inner, item))
        }
        (_, Type::List(inner) | Type::NonNullList(inner)) => invalid_reason(schema, inner, value),
        (Value::Enum(name), Type::Named(ty) | Type::NonNullNamed(ty)) => {
            let values = &schema.get_enum(ty)?.values;
            (!values.contains_key(name)).then(|| unknown(ty, name))
        }
        (Value::Object(members), Type::Named(ty) | Type::NonNullNamed(ty)) => {
            invalid_member(schema, ty, members)
        }
        _ => None,
    }
}

fn invalid_member(schema: &Schema, ty: &Name, members: &[(Name, Node<Value>)]) -> Option<String> {
    let fields = &schema.get_input_object(ty)?.fields;
    let of_members = members
        .iter()
        .find_map(|(name, value)| match fields.get(name) {
            None => Some(unknown(ty, name)),
            Some(field) => invalid_reason(schema, &field.ty, value),
        });
    of_members.or_else(|| {
        let is_missing = |name: &Name| members.iter().all(|(known, _)| known != name);
        let mut fields = fields.values();
        let missing = fields.find(|field| field.is_required() && is_missing(&field.name))?;
        Some(format!(
            "lacks `{ty}.{}`, which the graph requires",
            missing.name
        ))
    })
}

fn unknown(ty: &Name, member: &Name) -> String {
    format!("uses `{ty}.{member}`, which the graph does not have")
}
