//! What a mutation makes invalid: `@cacheInvalidate`, and `@openfed__cacheInvalidate`.

use apollo_compiler::Node;
use apollo_compiler::ast::Value;

use super::formats::{self, Scope};
use super::{Place, Reader, argument};
use crate::caching::Invalidation;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::types::Field;

/// `@openfed__cacheInvalidate`: the entity that is returned, or each of them.
pub(super) fn returned(reader: &mut Reader<'_>, place: Place<'_>) {
    let Some(field) = of_a_mutation(reader, place) else {
        return;
    };
    let returned = field.ty.named();
    if !reader.is_entity(returned) {
        let message = format!(
            "`{}` returns `{}`, which is no entity that could be kept",
            reader.called(place),
            reader.types.get(returned).name
        );
        let help = "return the entity or a list of them, or say what is invalid with `@cacheInvalidate(tags:, types:)`";
        reader.report(place, Code::CacheInvalidateNoEntity, message, help);
        return;
    }
    keep(reader, (place, field), Invalidation::Returned);
}

/// `@cacheInvalidate(tags:, types:)`.
pub(super) fn named(reader: &mut Reader<'_>, place: Place<'_>) {
    let Some(field) = of_a_mutation(reader, place) else {
        return;
    };
    let tags = listed(place, "tags");
    let types = listed(place, "types");
    if tags.is_empty() && types.is_empty() {
        let message = "`@cacheInvalidate` names nothing that becomes invalid".to_owned();
        let help =
            "name `tags` or `types`; what is returned is meant by `@openfed__cacheInvalidate`";
        reader.report(place, Code::CacheInvalidateInvalid, message, help);
    }
    for value in tags {
        let what = (Code::CacheInvalidateInvalid, "a tag");
        if let Some(literal) = reader.text(value, what)
            && let Some(format) = formats::read(reader, &literal, &Scope::Arguments(field))
        {
            keep(reader, (place, field), Invalidation::Tag(format));
        }
    }
    for value in types {
        if let Some(invalid) = named_type(reader, value) {
            keep(reader, (place, field), invalid);
        }
    }
}

fn keep(reader: &mut Reader<'_>, (place, field): (Place<'_>, &Field), invalid: Invalidation) {
    let known = &mut reader.of_field(place.owner, field).invalidates;
    if !known.contains(&invalid) {
        known.push(invalid);
    }
}

/// The field, when it is one that writes.
fn of_a_mutation<'a>(reader: &mut Reader<'_>, place: Place<'a>) -> Option<&'a Field> {
    let field = place.field?;
    if reader.types.mutation() == Some(place.owner) {
        return Some(field);
    }
    if *place.said.owner == *"Subscription" {
        reader.unused(place, "events make nothing invalid");
        return None;
    }
    let message = format!(
        "`{}` is not a field of `Mutation`, and makes nothing invalid",
        reader.called(place)
    );
    let help = "put it on the mutation after which what is kept is no longer true";
    reader.report(place, Code::CacheInvalidateNotOnMutation, message, help);
    None
}

/// What an argument lists; a single value is a list of one (GraphQL §3.11).
fn listed<'a>(place: Place<'a>, name: &str) -> Vec<&'a Node<Value>> {
    let Some(value) = argument(place, name) else {
        return Vec::new();
    };
    match value.as_list() {
        Some(values) => values.iter().collect(),
        None => vec![value],
    }
}

fn named_type(reader: &mut Reader<'_>, value: &Node<Value>) -> Option<Invalidation> {
    let what = (Code::CacheInvalidateInvalid, "the name of a type");
    let name = reader.text(value, what)?.value;
    let types = reader.types;
    let found = types.find(&name);
    if let Some(found) = found.filter(|found| types.get(*found).is_composite()) {
        return Some(Invalidation::Type(found));
    }
    let message = match found {
        Some(_) => format!("`{name}` is not a type of objects"),
        None => format!("the graph has no type `{name}`"),
    };
    let composite = types.iter().filter(|(_, ty)| ty.is_composite());
    let help = nearest(&name, composite.map(|(_, ty)| &*ty.name));
    let help = help.map(|name| format!("write `{name}`"));
    let at = reader.span(value.location());
    let problem = Diagnostic::error(Code::CacheInvalidateUnknownType, at, message);
    reader.problems.push(problem.help(help));
    None
}
