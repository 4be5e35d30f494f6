//! Which `@external` means that the subgraph does not give the field.
//!
//! On a key field of a type that is another subgraph's (`extend type`, `@extends`), it does not:
//! documents of federation 1 had to write it there, and many of federation 2 still do.

use std::collections::HashSet;

use super::part::{Coordinate, SubgraphPart, fields};
use crate::sdl::federation::Directive;

/// The fields of `part` that are external.
pub(super) fn external_fields(part: &SubgraphPart<'_>) -> HashSet<Coordinate> {
    let mut found = HashSet::new();
    for (name, definition) in part.types() {
        // Of an interface every object says it for itself.
        if !definition.is_object() {
            continue;
        }
        for (field_name, field) in fields(definition).into_iter().flatten() {
            let written = part.has_directive(&field.directives, Directive::External)
                || part.is_covered_by(definition, field, Directive::External);
            let coordinate = (name.clone(), field_name.clone());
            if written && !part.field_sets.key_of_extension.contains(&coordinate) {
                found.insert(coordinate);
            }
        }
    }
    found
}
