//! `@cacheTag`: names by which cache entries are invalidated.

use super::tag_formats::{self, FormatScope};
use super::{Reader, ResolvedDirective, argument};
use crate::diagnostic::Code;
use crate::sdl::literal::Literal;
use crate::types::Field;

/// Reads `@cacheTag` of a type or field.
pub(super) fn read(reader: &mut Reader<'_>, resolved: ResolvedDirective<'_>) {
    let Some(value) = argument(resolved, "format") else {
        return; // The validator reports it.
    };
    let Some(literal) = reader.text(value, Code::CacheTagInvalidFormat, "`format`") else {
        return;
    };
    match resolved.field {
        Some(field) => read_field_tag(reader, resolved, field, &literal),
        None => read_type_tag(reader, resolved, &literal),
    }
}

fn read_field_tag(
    reader: &mut Reader<'_>,
    resolved: ResolvedDirective<'_>,
    field: &Field,
    literal: &Literal,
) {
    if reader.types.query() != Some(resolved.owner) {
        let message = format!(
            "`{}` is not a field of `Query`, and has no cache entry of its own",
            reader.coordinate(resolved)
        );
        let help = "tag the root field or the entity that it belongs to";
        reader.report(resolved, Code::CacheTagNotOnRootField, message, help);
        return;
    }
    if let Some(format) = tag_formats::read(reader, literal, &FormatScope::Arguments(field)) {
        reader
            .field_directives(resolved.owner, field)
            .tags
            .push(format);
    }
}

fn read_type_tag(reader: &mut Reader<'_>, resolved: ResolvedDirective<'_>, literal: &Literal) {
    let keys = reader.keys(resolved.owner);
    if keys.is_empty() {
        let message = format!(
            "`{}` has no resolvable `@key` here, and has no cache entries of its own",
            reader.coordinate(resolved)
        );
        let help = "tag the root fields that return it, or add a `@key`";
        reader.report(resolved, Code::CacheTagEntityNotResolvable, message, help);
        return;
    }
    if let Some(format) =
        tag_formats::read(reader, literal, &FormatScope::Keys(resolved.owner, &keys))
    {
        reader.type_directives(resolved.owner).tags.push(format);
    }
}
