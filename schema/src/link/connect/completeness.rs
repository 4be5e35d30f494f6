//! Rules for all connectors of a subgraph together: a connector provides every field, and every
//! resolvable key has a connector.

use std::collections::HashSet;
use std::sync::Arc;

use apollo_compiler::schema::{ExtendedType, ObjectType};

use super::Reader;
use super::variable_uses::is_root;
use crate::diagnostic::{Code, Diagnostic};
use crate::key::FieldSet;
use crate::link::compose::part::is_resolvable;
use crate::sdl::{directives_named, field_directives_named};
use crate::source::{Source, SourceNode};
use crate::types::{Name, TypeId};

/// Reports fields without a connector, and resolvable keys without an entity connector.
pub(super) fn check(reader: &mut Reader<'_>, sources: &[Source]) {
    let provided: HashSet<(TypeId, Name)> = sources
        .iter()
        .flat_map(|source| &source.nodes)
        .flat_map(|node| provided_fields(reader, node))
        .collect();
    let sdl = reader.sdl;
    for definition in sdl.schema.types.values() {
        if let ExtendedType::Object(object) = definition
            && !definition.is_built_in()
            && let Some(on) = reader.types.find(&object.name)
        {
            let keys = keys(reader, object);
            check_unresolved_fields(reader, object, on, &provided, &keys);
            check_entity_connectors(reader, on, &keys, sources);
        }
    }
}

/// The fields that a node provides, for each possible type of its objects.
fn provided_fields<'a>(
    reader: &Reader<'a>,
    node: &'a SourceNode,
) -> impl Iterator<Item = (TypeId, Name)> + use<'a> {
    let possible = &reader.types.get(node.on).possible_types;
    possible
        .iter()
        .flat_map(|on| node.fields.keys().map(|field| (*on, Arc::clone(field))))
}

/// One `@key` of a type.
struct Key {
    fields: FieldSet,
    resolvable: bool,
    span: crate::span::Span,
}

fn keys(reader: &mut Reader<'_>, object: &ObjectType) -> Vec<Key> {
    let sdl = reader.sdl;
    let name = federation_name(reader, "key");
    let mut keys = Vec::new();
    for directive in directives_named(&object.directives, &name) {
        let text = directive
            .specified_argument_by_name("fields")
            .and_then(|value| value.as_str());
        let span = sdl.span(directive.location());
        let Some(fields) = text.and_then(FieldSet::parse) else {
            reader.problems.push(Diagnostic::error(
                Code::SdlInvalid,
                span,
                "`fields` is not a field set such as `id` or `id address { city }`",
            ));
            continue;
        };
        keys.push(Key {
            fields,
            resolvable: is_resolvable(directive),
            span,
        });
    }
    keys
}

fn federation_name(reader: &Reader<'_>, name: &str) -> String {
    let link = reader.sdl.links.federation.as_ref();
    link.map_or_else(|| name.to_owned(), |link| link.directive(name))
}

fn check_unresolved_fields(
    reader: &mut Reader<'_>,
    object: &ObjectType,
    on: TypeId,
    provided: &HashSet<(TypeId, Name)>,
    keys: &[Key],
) {
    let sdl = reader.sdl;
    let external = federation_name(reader, "external");
    let in_key = |field: &str| {
        keys.iter().any(|key| {
            key.resolvable && key.fields.0.iter().any(|(name, _)| name.as_ref() == field)
        })
    };
    for (name, field) in &object.fields {
        let is_external = field_directives_named(&field.directives, &external)
            .next()
            .is_some()
            || object.directives.has(&external);
        if is_external || in_key(name) || provided.contains(&(on, Name::from(name.as_str()))) {
            continue;
        }
        let help = if is_root(reader.types, &object.name) {
            "add `@connect` to the field"
        } else {
            "add the field to the selection of a connector that returns this type, or add `@connect` to the field"
        };
        reader.problems.push(
            Diagnostic::error(
                Code::ConnectorsUnresolvedField,
                sdl.span(field.name.location()),
                format!("no connector provides `{}.{name}`", object.name),
            )
            .help(Some(help.to_owned())),
        );
    }
}

fn check_entity_connectors(reader: &mut Reader<'_>, on: TypeId, keys: &[Key], sources: &[Source]) {
    let has_entry_point = |key: &Key| {
        sources
            .iter()
            .flat_map(|source| &source.entry_points)
            .any(|entry| {
                entry.on == on && !entry.key.is_empty() && key.fields.is_subset(&entry.key)
            })
    };
    for key in keys.iter().filter(|key| key.resolvable) {
        if !has_entry_point(key) {
            let name = &reader.types.get(on).name;
            reader.problems.push(
                Diagnostic::error(
                    Code::MissingEntityConnector,
                    key.span.clone(),
                    format!("no connector fetches `{name}` by its key `{}`", key.fields),
                )
                .help(Some(
                    "add `@connect` to the type, or `resolvable: false` to the key".to_owned(),
                )),
            );
        }
    }
}
