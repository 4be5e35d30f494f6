//! The API schema: the merged schema without `@inaccessible` elements, and without the directives
//! that only gateways read.

use std::collections::HashSet;

use apollo_compiler::Name;
use apollo_compiler::ast;
use apollo_compiler::schema::{DirectiveList, ExtendedType, Schema};

use super::merge::{self, CLIENT_DIRECTIVES};

/// The part of `schema` that clients may see.
pub(super) fn visible(schema: &Schema) -> Schema {
    let mut visible = schema.clone();
    visible
        .types
        .retain(|_, definition| !definition.directives().has(INACCESSIBLE));
    let names: HashSet<_> = visible.types.keys().cloned().collect();
    for definition in visible.types.values_mut() {
        strip(definition, &names);
    }
    let definitions = &mut visible.directive_definitions;
    definitions.retain(|name, definition| {
        definition.is_built_in()
            || CLIENT_DIRECTIVES.contains(&name.as_str())
            || is_executable(definition, schema)
    });
    let definition = visible.schema_definition.make_mut();
    retain_client_directives(&mut definition.directives);
    for root in [
        &mut definition.query,
        &mut definition.mutation,
        &mut definition.subscription,
    ] {
        if root
            .as_ref()
            .is_some_and(|root| !names.contains(&root.name))
        {
            *root = None;
        }
    }
    visible
}

const INACCESSIBLE: &str = "inaccessible";

/// Whether the directive is executable, and the types of its arguments are visible.
fn is_executable(definition: &ast::DirectiveDefinition, schema: &Schema) -> bool {
    let is_visible = |name: &Name| {
        let ty = schema.types.get(name);
        ty.is_none_or(|ty| !ty.directives().has(INACCESSIBLE))
    };
    let mut arguments = definition.arguments.iter();
    definition
        .locations
        .iter()
        .copied()
        .any(merge::is_executable)
        && arguments.all(|it| is_visible(it.ty.inner_named_type()))
}

/// Removes the hidden elements of a type; `names` are the visible types.
fn strip(definition: &mut ExtendedType, names: &HashSet<Name>) {
    let is_hidden = |list: &ast::DirectiveList| list.has(INACCESSIBLE);
    match definition {
        ExtendedType::Scalar(it) => retain_client_directives(&mut it.make_mut().directives),
        ExtendedType::Object(it) => {
            let it = it.make_mut();
            retain_client_directives(&mut it.directives);
            it.implements_interfaces
                .retain(|name| names.contains(&name.name));
            it.fields.retain(|_, field| !is_hidden(&field.directives));
            it.fields
                .values_mut()
                .for_each(|it| strip_field(it.make_mut()));
        }
        ExtendedType::Interface(it) => {
            let it = it.make_mut();
            retain_client_directives(&mut it.directives);
            it.implements_interfaces
                .retain(|name| names.contains(&name.name));
            it.fields.retain(|_, field| !is_hidden(&field.directives));
            it.fields
                .values_mut()
                .for_each(|it| strip_field(it.make_mut()));
        }
        ExtendedType::Union(it) => {
            let it = it.make_mut();
            retain_client_directives(&mut it.directives);
            it.members.retain(|name| names.contains(&name.name));
        }
        ExtendedType::Enum(it) => {
            let it = it.make_mut();
            retain_client_directives(&mut it.directives);
            it.values.retain(|_, value| !is_hidden(&value.directives));
            for value in it.values.values_mut() {
                retain_client_node_directives(&mut value.make_mut().directives);
            }
        }
        ExtendedType::InputObject(it) => {
            let it = it.make_mut();
            retain_client_directives(&mut it.directives);
            it.fields.retain(|_, field| !is_hidden(&field.directives));
            for field in it.fields.values_mut() {
                retain_client_node_directives(&mut field.make_mut().directives);
            }
        }
    }
}

fn strip_field(field: &mut ast::FieldDefinition) {
    retain_client_node_directives(&mut field.directives);
    field
        .arguments
        .retain(|argument| !argument.directives.has(INACCESSIBLE));
    for argument in &mut field.arguments {
        retain_client_node_directives(&mut argument.make_mut().directives);
    }
}

fn retain_client_directives(list: &mut DirectiveList) {
    list.0
        .retain(|it| CLIENT_DIRECTIVES.contains(&it.name.as_str()));
}

fn retain_client_node_directives(list: &mut ast::DirectiveList) {
    list.0
        .retain(|it| CLIENT_DIRECTIVES.contains(&it.name.as_str()));
}
