//! The fields that a subgraph marks `@external` and does not resolve.
//!
//! A key field of a type extension (`extend type`, `@extends`) is resolved in spite of `@external`:
//! federation 1 required the directive there, and many federation 2 documents still have it.

use std::collections::HashSet;

use super::part::{Coordinate, SubgraphPart, fields};
use crate::sdl::federation::Directive;

/// The external fields of the object types of `part`.
pub(super) fn external_fields(part: &SubgraphPart<'_>) -> HashSet<Coordinate> {
    let mut external = HashSet::new();
    for (name, definition) in part.types() {
        // A field of an interface is external where the implementing types say so.
        if !definition.is_object() {
            continue;
        }
        for (field_name, field) in fields(definition).into_iter().flatten() {
            let is_marked = part.has_directive(&field.directives, Directive::External)
                || part.is_covered_by(definition, field, Directive::External);
            let coordinate = (name.clone(), field_name.clone());
            if is_marked && !part.field_sets.key_of_extension.contains(&coordinate) {
                external.insert(coordinate);
            }
        }
    }
    external
}
