//! Strips a supergraph to the merged schema: removes its specifications, and restores the name
//! `@inaccessible`.

use apollo_compiler::ast;
use apollo_compiler::name;
use apollo_compiler::schema::{DirectiveList, ExtendedType, Schema};

use super::join::Join;
use crate::link::merge::CLIENT_DIRECTIVES;

/// The merged schema, `@inaccessible` elements included, with only the directives that `api` reads.
pub(super) fn strip_join(join: &Join<'_>) -> Schema {
    let mut schema = join.document.schema.clone();
    schema
        .types
        .retain(|name, definition| definition.is_built_in() || !join.features.has_type(name));
    let inaccessible = join.features.directive("inaccessible");
    let inaccessible = inaccessible.as_str();
    if let Some(mut definition) = schema.directive_definitions.shift_remove(inaccessible) {
        let name = name!("inaccessible");
        definition.make_mut().name = name.clone();
        schema.directive_definitions.insert(name, definition);
    }
    schema.directive_definitions.retain(|name, definition| {
        definition.is_built_in() || name == "inaccessible" || !join.features.has_directive(name)
    });
    schema.schema_definition.make_mut().directives.clear();
    for definition in schema.types.values_mut() {
        if !definition.is_built_in() {
            strip(definition, inaccessible);
        }
    }
    schema
}

fn strip(definition: &mut ExtendedType, inaccessible: &str) {
    match definition {
        ExtendedType::Scalar(it) => {
            strip_type_directives(&mut it.make_mut().directives, inaccessible);
        }
        ExtendedType::Union(it) => {
            strip_type_directives(&mut it.make_mut().directives, inaccessible);
        }
        ExtendedType::Object(it) => {
            let it = it.make_mut();
            strip_type_directives(&mut it.directives, inaccessible);
            let fields = it.fields.values_mut();
            fields.for_each(|field| strip_field(field.make_mut(), inaccessible));
        }
        ExtendedType::Interface(it) => {
            let it = it.make_mut();
            strip_type_directives(&mut it.directives, inaccessible);
            let fields = it.fields.values_mut();
            fields.for_each(|field| strip_field(field.make_mut(), inaccessible));
        }
        ExtendedType::Enum(it) => {
            let it = it.make_mut();
            strip_type_directives(&mut it.directives, inaccessible);
            for value in it.values.values_mut() {
                strip_node_directives(&mut value.make_mut().directives, inaccessible);
            }
        }
        ExtendedType::InputObject(it) => {
            let it = it.make_mut();
            strip_type_directives(&mut it.directives, inaccessible);
            for field in it.fields.values_mut() {
                strip_node_directives(&mut field.make_mut().directives, inaccessible);
            }
        }
    }
}

fn strip_field(field: &mut ast::FieldDefinition, inaccessible: &str) {
    strip_node_directives(&mut field.directives, inaccessible);
    for argument in &mut field.arguments {
        strip_node_directives(&mut argument.make_mut().directives, inaccessible);
    }
}

fn strip_type_directives(list: &mut DirectiveList, inaccessible: &str) {
    list.retain(|it| it.name == inaccessible || CLIENT_DIRECTIVES.contains(&it.name.as_str()));
    for it in list.iter_mut().filter(|it| it.name == inaccessible) {
        it.make_mut().name = name!("inaccessible");
    }
}

fn strip_node_directives(list: &mut ast::DirectiveList, inaccessible: &str) {
    list.retain(|it| it.name == inaccessible || CLIENT_DIRECTIVES.contains(&it.name.as_str()));
    for it in list.iter_mut().filter(|it| it.name == inaccessible) {
        it.make_mut().name = name!("inaccessible");
    }
}

/// Whether the type has no fields, values or members; never true for a scalar.
pub(super) fn is_empty(definition: &ExtendedType) -> bool {
    match definition {
        ExtendedType::Scalar(_) => false,
        ExtendedType::Object(it) => it.fields.is_empty(),
        ExtendedType::Interface(it) => it.fields.is_empty(),
        ExtendedType::Union(it) => it.members.is_empty(),
        ExtendedType::Enum(it) => it.values.is_empty(),
        ExtendedType::InputObject(it) => it.fields.is_empty(),
    }
}
