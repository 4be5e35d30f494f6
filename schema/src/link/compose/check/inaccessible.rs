//! `@inaccessible`: the API schema must be valid without the inaccessible elements.

use apollo_compiler::Name;
use apollo_compiler::ast::{self, FieldDefinition, InputValueDefinition, Value};
use apollo_compiler::schema::{ExtendedType, ObjectType, Schema};

use super::super::Composition;
use super::super::part::{SubgraphPart, fields};
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::span::Span;

pub(super) fn check(composition: &Composition<'_>, problems: &mut Problems) {
    let mut check = InaccessibleCheck {
        composition,
        problems,
    };
    for definition in composition.schema.types.values() {
        if !is_hidden_type(definition) {
            check.check_type(definition);
        }
    }
}

struct InaccessibleCheck<'a, 'p> {
    composition: &'a Composition<'a>,
    problems: &'p mut Problems,
}

/// A type of the schema, or a field of it.
#[derive(Clone, Copy)]
struct SchemaCoordinate<'b> {
    owner: &'b Name,
    field: Option<&'b Name>,
}

impl InaccessibleCheck<'_, '_> {
    fn schema(&self) -> &Schema {
        &self.composition.schema
    }

    fn report(&mut self, code: Code, at: SchemaCoordinate<'_>, message: String) {
        let mut parts = self.composition.parts.iter();
        let problem = match parts.find_map(|part| span(part, at)) {
            Some(span) => Diagnostic::error(code, span, message),
            None => Diagnostic::without_span(code, message),
        };
        self.problems.push(problem);
    }

    /// Checks an accessible type.
    fn check_type(&mut self, definition: &ExtendedType) {
        let name = definition.name();
        let of_type = SchemaCoordinate {
            owner: name,
            field: None,
        };
        for field in fields(definition).into_iter().flat_map(|it| it.values()) {
            if is_hidden(&field.directives) {
                continue;
            }
            let of_field = SchemaCoordinate {
                field: Some(&field.name),
                ..of_type
            };
            self.check_reference(name, field);
            for argument in &field.arguments {
                let coordinate = format!("{name}.{}({}:)", field.name, argument.name);
                self.check_input(of_field, &coordinate, argument);
            }
        }
        if let ExtendedType::InputObject(input) = definition {
            for field in input.fields.values() {
                let coordinate = format!("{name}.{}", field.name);
                self.check_input(of_type, &coordinate, field);
            }
        }
        if let ExtendedType::Object(object) = definition {
            self.check_implementations(object);
        }
        if self.is_all_hidden(definition) {
            let message =
                format!("`{name}` has no accessible members: all of them are `@inaccessible`");
            self.report(Code::OnlyInaccessibleChildren, of_type, message);
        }
    }

    fn check_reference(&mut self, owner: &Name, field: &FieldDefinition) {
        let (field, ty) = (&field.name, field.ty.inner_named_type());
        if self.schema().types.get(ty).is_some_and(is_hidden_type) {
            let at = SchemaCoordinate {
                owner,
                field: Some(field),
            };
            let message = format!("`{owner}.{field}` has type `{ty}`, which is `@inaccessible`");
            self.report(Code::ReferencedInaccessible, at, message);
        }
    }

    fn check_input(
        &mut self,
        at: SchemaCoordinate<'_>,
        coordinate: &str,
        value: &InputValueDefinition,
    ) {
        if is_hidden(&value.directives) {
            if value.is_required() {
                let message = format!("`{coordinate}` is required, and `@inaccessible`");
                self.report(Code::RequiredInaccessible, at, message);
            }
            return;
        }
        let ty = value.ty.inner_named_type();
        if self.schema().types.get(ty).is_some_and(is_hidden_type) {
            let message = format!("`{coordinate}` has type `{ty}`, which is `@inaccessible`");
            self.report(Code::ReferencedInaccessible, at, message);
        }
        if let Some(default) = &value.default_value
            && let Some(used) = hidden_value(self.schema(), ty, default)
        {
            let message = format!(
                "the default value of `{coordinate}` uses `{used}`, which is `@inaccessible`"
            );
            self.report(Code::DefaultValueUsesInaccessible, at, message);
        }
    }

    fn check_implementations(&mut self, object: &ObjectType) {
        for interface in &object.implements_interfaces {
            let Some(definition) = self.schema().get_interface(interface).cloned() else {
                continue;
            };
            if definition.directives.has(INACCESSIBLE) {
                continue;
            }
            for field in definition.fields.values() {
                let implementation = object.fields.get(&field.name);
                if !is_hidden(&field.directives)
                    && implementation.is_some_and(|it| is_hidden(&it.directives))
                {
                    let (owner, name) = (&object.name, &field.name);
                    let message = format!(
                        "`{owner}.{name}` is `@inaccessible`, and `{interface}.{name}`, which it implements, is not"
                    );
                    let at = SchemaCoordinate {
                        owner,
                        field: Some(name),
                    };
                    self.report(Code::ImplementedByInaccessible, at, message);
                }
            }
        }
    }

    /// Whether the type has fields, values or members, and all of them are inaccessible.
    fn is_all_hidden(&self, definition: &ExtendedType) -> bool {
        let all_hidden =
            |hidden: Vec<bool>| !hidden.is_empty() && hidden.iter().all(|hidden| *hidden);
        match definition {
            ExtendedType::Scalar(_) => false,
            ExtendedType::Union(it) => {
                let members = it.members.iter();
                let hidden = members.map(|name| self.schema().types.get(&name.name));
                all_hidden(hidden.map(|it| it.is_some_and(is_hidden_type)).collect())
            }
            ExtendedType::Enum(it) => all_hidden(
                it.values
                    .values()
                    .map(|it| is_hidden(&it.directives))
                    .collect(),
            ),
            ExtendedType::InputObject(it) => all_hidden(
                it.fields
                    .values()
                    .map(|it| is_hidden(&it.directives))
                    .collect(),
            ),
            ExtendedType::Object(_) | ExtendedType::Interface(_) => {
                let fields = fields(definition).into_iter().flat_map(|it| it.values());
                all_hidden(fields.map(|it| is_hidden(&it.directives)).collect())
            }
        }
    }
}

/// The first inaccessible enum value or input field in a default value.
fn hidden_value(schema: &Schema, ty: &Name, value: &Value) -> Option<String> {
    match value {
        Value::List(items) => items.iter().find_map(|item| hidden_value(schema, ty, item)),
        Value::Enum(name) => {
            let value = schema.get_enum(ty)?.values.get(name)?;
            is_hidden(&value.directives).then(|| format!("{ty}.{name}"))
        }
        Value::Object(members) => {
            let input = schema.get_input_object(ty)?;
            members.iter().find_map(|(name, value)| {
                let field = input.fields.get(name)?;
                if is_hidden(&field.directives) {
                    return Some(format!("{ty}.{name}"));
                }
                hidden_value(schema, field.ty.inner_named_type(), value)
            })
        }
        _ => None,
    }
}

fn span(part: &SubgraphPart<'_>, at: SchemaCoordinate<'_>) -> Option<Span> {
    let location = match at.field {
        Some(field) => part.field(at.owner, field)?.name.location(),
        None => part.get(at.owner)?.name().location(),
    };
    Some(part.span(location))
}

fn is_hidden_type(definition: &ExtendedType) -> bool {
    definition.directives().has(INACCESSIBLE)
}

fn is_hidden(list: &ast::DirectiveList) -> bool {
    list.has(INACCESSIBLE)
}

const INACCESSIBLE: &str = "inaccessible";
