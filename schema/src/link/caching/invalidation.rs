//! Cache entries that a mutation invalidates: `@cacheInvalidate` and `@openfed__cacheInvalidate`.

use apollo_compiler::Node;
use apollo_compiler::ast::Value;

use super::tag_formats::{self, FormatScope};
use super::{Reader, ResolvedDirective, argument};
use crate::caching::Invalidation;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::types::Field;

/// Reads `@openfed__cacheInvalidate`, which invalidates each returned entity.
pub(super) fn invalidate_returned(reader: &mut Reader<'_>, resolved: ResolvedDirective<'_>) {
    let Some(field) = mutation_field(reader, resolved) else {
        return;
    };
    let returned = field.ty.named_type();
    if !reader.is_entity(returned) {
        let message = format!(
            "`{}` returns `{}`, which is not an entity that can be cached",
            reader.coordinate(resolved),
            reader.types.get(returned).name
        );
        let help = "return an entity or a list of entities, or name the entries with `@cacheInvalidate(tags:, types:)`";
        reader.report(resolved, Code::CacheInvalidateNoEntity, message, help);
        return;
    }
    add_invalidation(reader, resolved, field, Invalidation::Returned);
}

/// Reads `@cacheInvalidate(tags:, types:)`.
pub(super) fn invalidate_named(reader: &mut Reader<'_>, resolved: ResolvedDirective<'_>) {
    let Some(field) = mutation_field(reader, resolved) else {
        return;
    };
    let tags = list_argument(resolved, "tags");
    let types = list_argument(resolved, "types");
    if tags.is_empty() && types.is_empty() {
        let message = "`@cacheInvalidate` names no entries to invalidate".to_owned();
        let help =
            "name `tags` or `types`; `@openfed__cacheInvalidate` invalidates the returned entities";
        reader.report(resolved, Code::CacheInvalidateInvalid, message, help);
    }
    for value in tags {
        if let Some(literal) = reader.text(value, Code::CacheInvalidateInvalid, "a tag")
            && let Some(format) =
                tag_formats::read(reader, &literal, &FormatScope::Arguments(field))
        {
            add_invalidation(reader, resolved, field, Invalidation::Tag(format));
        }
    }
    for value in types {
        if let Some(invalidation) = invalidated_type(reader, value) {
            add_invalidation(reader, resolved, field, invalidation);
        }
    }
}

fn add_invalidation(
    reader: &mut Reader<'_>,
    resolved: ResolvedDirective<'_>,
    field: &Field,
    invalidation: Invalidation,
) {
    let known = &mut reader.field_directives(resolved.owner, field).invalidates;
    if !known.contains(&invalidation) {
        known.push(invalidation);
    }
}

/// The field of `Mutation` that has the directive; reports any other place.
fn mutation_field<'a>(
    reader: &mut Reader<'_>,
    resolved: ResolvedDirective<'a>,
) -> Option<&'a Field> {
    let field = resolved.field?;
    if reader.types.mutation() == Some(resolved.owner) {
        return Some(field);
    }
    if *resolved.directive.owner == *"Subscription" {
        reader.report_unused(
            resolved,
            "events of subscriptions invalidate no cache entries",
        );
        return None;
    }
    let message = format!(
        "`{}` is not a field of `Mutation`, and invalidates nothing",
        reader.coordinate(resolved)
    );
    let help = "move it to the mutation that makes the cached data obsolete";
    reader.report(resolved, Code::CacheInvalidateNotOnMutation, message, help);
    None
}

/// The elements of a list argument; a single value is a list of one (GraphQL §3.11).
fn list_argument<'a>(resolved: ResolvedDirective<'a>, name: &str) -> Vec<&'a Node<Value>> {
    let Some(value) = argument(resolved, name) else {
        return Vec::new();
    };
    match value.as_list() {
        Some(values) => values.iter().collect(),
        None => vec![value],
    }
}

fn invalidated_type(reader: &mut Reader<'_>, value: &Node<Value>) -> Option<Invalidation> {
    let name = reader
        .text(value, Code::CacheInvalidateInvalid, "the name of a type")?
        .value;
    let types = reader.types;
    let ty = types.find(&name);
    if let Some(ty) = ty.filter(|ty| types.get(*ty).is_composite()) {
        return Some(Invalidation::Type(ty));
    }
    let message = match ty {
        Some(_) => format!("`{name}` is not an object, interface or union type"),
        None => format!("the graph has no type `{name}`"),
    };
    let composite = types.iter().filter(|(_, ty)| ty.is_composite());
    let help = nearest(&name, composite.map(|(_, ty)| &*ty.name));
    let help = help.map(|name| format!("write `{name}`"));
    let span = reader.span(value.location());
    let problem = Diagnostic::error(Code::CacheInvalidateUnknownType, span, message);
    reader.problems.push(problem.help(help));
    None
}
