//! Removes definitions that are for gateways and not for clients: `_entities`, `_service`, and
//! the types of linked specifications.

use apollo_compiler::Name;
use apollo_compiler::ast;
use apollo_compiler::schema::{ExtendedType, FieldDefinition, Schema};

use super::Sdl;
use super::links::Links;

/// Removes them from the schema, together with definitions that are not in the document.
pub(super) fn strip_definitions(sdl: &mut Sdl) {
    let retained: Vec<Name> = sdl
        .schema
        .types
        .iter()
        .filter(|(name, definition)| {
            definition.is_built_in()
                || (sdl.is_written(definition.location())
                    && !is_specification_type(name, &sdl.links))
        })
        .map(|(name, _)| name.clone())
        .collect();
    sdl.schema.types.retain(|name, _| retained.contains(name));
    if !is_used(&sdl.schema, SCOPE) {
        sdl.schema.types.shift_remove(SCOPE);
    }
    strip_query_fields(&mut sdl.schema);
}

/// The enum of `@cacheControl(scope:)`; a document that defines the directive defines it too.
const SCOPE: &str = "CacheControlScope";

/// Whether a field, an argument or an input field has this type.
fn is_used(schema: &Schema, name: &str) -> bool {
    let is = |ty: &ast::Type| ty.inner_named_type() == name;
    let on_field = |field: &FieldDefinition| {
        is(&field.ty) || field.arguments.iter().any(|argument| is(&argument.ty))
    };
    schema.types.values().any(|definition| match definition {
        ExtendedType::Object(it) => it.fields.values().any(|field| on_field(field)),
        ExtendedType::Interface(it) => it.fields.values().any(|field| on_field(field)),
        ExtendedType::InputObject(it) => it.fields.values().any(|field| is(&field.ty)),
        ExtendedType::Scalar(_) | ExtendedType::Union(_) | ExtendedType::Enum(_) => false,
    })
}

fn is_specification_type(name: &Name, links: &Links) -> bool {
    let prefixed = |prefix: &str| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with("__"))
    };
    let linked = links.all.iter().any(|linked| {
        let imported =
            |(original, local): (&str, &str)| !original.starts_with('@') && local == name.as_str();
        prefixed(linked.link.prefix()) || linked.link.imports().any(imported)
    });
    linked || prefixed("link") || FEDERATION_1.contains(&name.as_str())
}

/// Types that documents of federation 1 may define.
const FEDERATION_1: [&str; 5] = ["_Any", "_Entity", "_Service", "_FieldSet", "FieldSet"];

fn strip_query_fields(schema: &mut Schema) {
    let Some(query) = schema.schema_definition.query.as_ref() else {
        return;
    };
    let query = query.name.clone();
    let Some(ExtendedType::Object(object)) = schema.types.get_mut(&query) else {
        return;
    };
    let federation = ["_entities", "_service"];
    if federation
        .iter()
        .any(|name| object.fields.contains_key(*name))
    {
        let fields = &mut object.make_mut().fields;
        fields.retain(|name, _| !federation.contains(&name.as_str()));
    }
    if object.fields.is_empty() {
        schema.types.shift_remove(&query);
        schema.schema_definition.make_mut().query = None;
    }
}
