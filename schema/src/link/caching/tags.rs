//! `@cacheTag`: the names under which something is kept, so that it can be made invalid by them.

use super::tag_formats::{self, FormatScope};
use super::{Reader, ResolvedDirective, argument};
use crate::diagnostic::Code;
use crate::sdl::literal::Literal;
use crate::types::Field;

pub(super) fn read(reader: &mut Reader<'_>, place: ResolvedDirective<'_>) {
    let Some(value) = argument(place, "format") else {
        return; // The validator reports it.
    };
    let what = (Code::CacheTagInvalidFormat, "`format`");
    let Some(literal) = reader.text(value, what) else {
        return;
    };
    match place.field {
        Some(field) => read_field_tag(reader, (place, field), &literal),
        None => read_type_tag(reader, place, &literal),
    }
}

fn read_field_tag(
    reader: &mut Reader<'_>,
    (place, field): (ResolvedDirective<'_>, &Field),
    literal: &Literal,
) {
    if reader.types.query() != Some(place.owner) {
        let message = format!(
            "`{}` is not a field of `Query`, and is not kept by itself",
            reader.coordinate(place)
        );
        let help = "tag the root field that it is found under, or the entity that it is a part of";
        reader.report(place, Code::CacheTagNotOnRootField, message, help);
        return;
    }
    if let Some(format) = tag_formats::read(reader, literal, &FormatScope::Arguments(field)) {
        reader
            .field_directives(place.owner, field)
            .tags
            .push(format);
    }
}

fn read_type_tag(reader: &mut Reader<'_>, place: ResolvedDirective<'_>, literal: &Literal) {
    let keys = reader.keys(place.owner);
    if keys.is_empty() {
        let message = format!(
            "`{}` has no resolvable `@key` here, and is not kept by itself",
            reader.coordinate(place)
        );
        let help = "tag the root fields that return it, or give it a `@key`";
        reader.report(place, Code::CacheTagEntityNotResolvable, message, help);
        return;
    }
    if let Some(format) = tag_formats::read(reader, literal, &FormatScope::Keys(place.owner, &keys))
    {
        reader.type_directives(place.owner).tags.push(format);
    }
}
