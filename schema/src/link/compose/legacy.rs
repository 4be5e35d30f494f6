//! Adapts federation 1 subgraphs to the rules of federation 2.

use std::collections::HashSet;

use apollo_compiler::Name;
use apollo_compiler::schema::ExtendedType;

use super::field_sets;
use super::part::{Coordinate, SubgraphPart, string_argument};
use crate::sdl::federation::Directive;

/// Makes implicit key fields of federation 1 extensions resolvable, and drops unused external
/// fields.
pub(super) fn adapt(parts: &mut [SubgraphPart<'_>]) {
    for index in 0..parts.len() {
        if parts[index].is_legacy() && !parts[index].has_connectors() {
            let keys = keys_in_other_subgraphs(parts, index);
            parts[index].external.retain(|field| !keys.contains(field));
            drop_unused(&mut parts[index]);
        }
    }
}

/// Fields of extensions without a key of their own that belong to the first key of the type in
/// another subgraph: federation 1 identifies such an extension by that key.
fn keys_in_other_subgraphs(parts: &[SubgraphPart<'_>], index: usize) -> HashSet<Coordinate> {
    let part = &parts[index];
    let mut keys = HashSet::new();
    for (name, definition) in part.types() {
        let extended = definition
            .iter_origins()
            .any(|origin| part.is_extension(definition, origin));
        if !extended || part.has_type_directive(definition.directives(), Directive::Key) {
            continue;
        }
        for (_, other) in parts.iter().enumerate().filter(|(at, _)| *at != index) {
            keys.extend(first_key(other, name));
        }
    }
    keys
}

fn first_key(part: &SubgraphPart<'_>, name: &Name) -> Vec<Coordinate> {
    let definition = part.get(name);
    let key =
        definition.and_then(|it| part.type_directives(it.directives(), Directive::Key).next());
    let text = key.and_then(|key| string_argument(key, "fields"));
    let set = text.and_then(|text| field_sets::parse(&part.schema, name, text));
    let set = set.into_iter();
    set.flat_map(|set| {
        let fields = set.selection_set.fields().map(|field| field.name.clone());
        fields.collect::<Vec<_>>()
    })
    .map(|field| (name.clone(), field))
    .collect()
}

/// Removes external fields that the subgraph does not use: federation 1 allows them.
fn drop_unused(part: &mut SubgraphPart<'_>) {
    let unused: Vec<Coordinate> = part
        .external
        .iter()
        .filter(|field| !part.is_used(field))
        .cloned()
        .collect();
    for (owner, field) in unused {
        if let Some(ExtendedType::Object(object)) = part.schema.types.get_mut(&owner) {
            object.make_mut().fields.shift_remove(&field);
            if object.fields.is_empty() {
                part.schema.types.shift_remove(&owner);
            }
        }
        part.external.remove(&(owner, field));
    }
}

impl SubgraphPart<'_> {
    /// Whether a field set, a context selection or an interface of the subgraph names the field.
    pub(in crate::link) fn is_used(&self, field: &Coordinate) -> bool {
        self.field_sets.key.contains(field)
            || self.field_sets.required.contains(field)
            || self.field_sets.provided.contains(field)
            || self.is_interface_field(field)
    }

    /// Whether an interface that the type implements declares the field.
    fn is_interface_field(&self, (owner, field): &Coordinate) -> bool {
        let object = self.schema.get_object(owner);
        object.is_some_and(|object| {
            let mut interfaces = object.implements_interfaces.iter();
            interfaces.any(|interface| self.field(interface, field).is_some())
        })
    }
}
