//! `@cacheTag`: the names under which something is kept, so that it can be made invalid by them.

use super::formats::{self, Scope};
use super::{Place, Reader, argument};
use crate::diagnostic::Code;
use crate::sdl::literal::Literal;
use crate::types::Field;

pub(super) fn read(reader: &mut Reader<'_>, place: Place<'_>) {
    let Some(value) = argument(place, "format") else {
        return; // The validator reports it.
    };
    let what = (Code::CacheTagInvalidFormat, "`format`");
    let Some(literal) = reader.text(value, what) else {
        return;
    };
    match place.field {
        Some(field) => on_field(reader, (place, field), &literal),
        None => on_type(reader, place, &literal),
    }
}

fn on_field(reader: &mut Reader<'_>, (place, field): (Place<'_>, &Field), literal: &Literal) {
    if reader.types.query() != Some(place.owner) {
        let message = format!(
            "`{}` is not a field of `Query`, and is not kept by itself",
            reader.called(place)
        );
        let help = "tag the root field that it is found under, or the entity that it is a part of";
        reader.report(place, Code::CacheTagNotOnRootField, message, help);
        return;
    }
    if let Some(format) = formats::read(reader, literal, &Scope::Arguments(field)) {
        reader.of_field(place.owner, field).tags.push(format);
    }
}

fn on_type(reader: &mut Reader<'_>, place: Place<'_>, literal: &Literal) {
    let keys = reader.keys(place.owner);
    if keys.is_empty() {
        let message = format!(
            "`{}` has no resolvable `@key` here, and is not kept by itself",
            reader.called(place)
        );
        let help = "tag the root fields that return it, or give it a `@key`";
        reader.report(place, Code::CacheTagEntityNotResolvable, message, help);
        return;
    }
    if let Some(format) = formats::read(reader, literal, &Scope::Keys(place.owner, &keys)) {
        reader.of_type(place.owner).tags.push(format);
    }
}
