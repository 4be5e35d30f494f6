//! Rules for interfaces: implementing types have their fields, and their keys reach every
//! implementing type.

use apollo_compiler::Name;
use apollo_compiler::ast;
use apollo_compiler::schema::{Component, ExtendedType, ObjectType};

use super::super::Composition;
use super::super::part::{SubgraphPart, is_resolvable, string_argument};
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::key::FieldSet;
use crate::sdl::federation::Directive;

pub(super) fn check(composition: &Composition<'_>, problems: &mut Problems) {
    for definition in composition.schema.types.values() {
        match definition {
            ExtendedType::Object(object) => check_implementation(composition, object, problems),
            ExtendedType::Interface(interface) => {
                for part in composition.parts.iter().filter(|part| !part.is_legacy()) {
                    check_keys(composition, part, &interface.name, problems);
                    check_interface_object(composition, part, &interface.name, problems);
                }
            }
            _ => {}
        }
    }
}

/// Reports fields of the interfaces of `object` that no subgraph defines on it.
fn check_implementation(
    composition: &Composition<'_>,
    object: &ObjectType,
    problems: &mut Problems,
) {
    for interface in &object.implements_interfaces {
        let Some(definition) = composition.schema.get_interface(interface) else {
            continue;
        };
        for field in definition.fields.keys() {
            if object.fields.contains_key(field) {
                continue;
            }
            let owner = &object.name;
            let message = format!(
                "`{owner}` implements `{interface}`, but no subgraph defines `{owner}.{field}`"
            );
            let Some((first, at)) = definition_location(composition, owner) else {
                continue;
            };
            let code = Code::InterfaceFieldNoImplem;
            let mut problem = Diagnostic::error(code, first.span(at), message);
            let mut parts = composition.parts.iter();
            let with = parts.find_map(|part| Some((part, part.field(interface, field)?)));
            if let Some((part, field)) = with {
                let text = format!("in `{}`", part.name());
                problem = problem.label(part.span(field.name.location()), text);
            }
            problems.push(problem.help(format!("add `{field}` to `{owner}`")));
        }
    }
}

fn definition_location<'a>(
    composition: &'a Composition<'a>,
    name: &Name,
) -> Option<(
    &'a SubgraphPart<'a>,
    Option<apollo_compiler::parser::SourceSpan>,
)> {
    let mut parts = composition.parts.iter();
    parts.find_map(|part| Some((part, part.get(name)?.name().location())))
}

/// Reports implementing types that lack a key of the interface, or that a subgraph with a
/// resolvable key of the interface does not define.
fn check_keys(
    composition: &Composition<'_>,
    part: &SubgraphPart<'_>,
    name: &Name,
    problems: &mut Problems,
) {
    let Some(definition) = part.get(name).filter(|it| it.is_interface()) else {
        return;
    };
    let mut resolvable = None;
    for key in part.type_directives(definition.directives(), Directive::Key) {
        check_implementation_keys(part, name, key, problems);
        if is_resolvable(key) {
            resolvable = resolvable.or(Some(key));
        }
    }
    let Some(key) = resolvable else {
        return;
    };
    let missing: Vec<_> = implementing_objects(composition, name)
        .filter(|object| !implements(part.get(&object.name), name))
        .map(|object| format!("`{}`", object.name))
        .collect();
    if !missing.is_empty() {
        let message = format!(
            "`{}` resolves interface `{name}` by key, and does not define {}",
            part.name(),
            missing.join(", ")
        );
        let code = Code::InterfaceKeyMissingImplementationType;
        let problem = Diagnostic::error(code, part.span(key.location()), message);
        let help = format!("define the missing types in `{}`", part.name());
        problems.push(problem.help(help));
    }
}

/// Reports implementing types of the subgraph without the key of their interface.
fn check_implementation_keys(
    part: &SubgraphPart<'_>,
    name: &Name,
    key: &Component<ast::Directive>,
    problems: &mut Problems,
) {
    let set =
        |directive: &ast::Directive| string_argument(directive, "fields").and_then(FieldSet::parse);
    let Some(expected) = set(key) else {
        return;
    };
    for (object, definition) in part.types() {
        let mut keys = part.type_directives(definition.directives(), Directive::Key);
        let has = keys.any(|it| {
            let same = |set: FieldSet| set.is_subset(&expected) && expected.is_subset(&set);
            let is_enough = is_resolvable(it) || !is_resolvable(key);
            is_enough && set(it).is_some_and(same)
        });
        if implements(Some(definition), name) && !has {
            let message =
                format!("`{object}` has no `@key` `{expected}`, a key of its interface `{name}`");
            let span = part.span(definition.name().location());
            let problem = Diagnostic::error(Code::InterfaceKeyNotOnImplementation, span, message);
            let problem = problem.label(part.span(key.location()), "the key of the interface");
            problems
                .push(problem.help(format!("add `@key(fields: \"{expected}\")` to `{object}`")));
        }
    }
}

/// Reports a subgraph with both an interface object and an implementing type of the interface.
fn check_interface_object(
    composition: &Composition<'_>,
    part: &SubgraphPart<'_>,
    name: &Name,
    problems: &mut Problems,
) {
    if !part.is_interface_object(name) {
        return;
    }
    for object in implementing_objects(composition, name) {
        let Some(definition) = part.get(&object.name) else {
            continue;
        };
        let message = format!(
            "`{name}` is an `@interfaceObject` in `{}`, which also defines the implementing type `{}`",
            part.name(),
            object.name
        );
        let span = part.span(definition.name().location());
        let help = format!("define the fields of `{}` on `{name}`", object.name);
        let problem = Diagnostic::error(Code::InterfaceObjectUsageError, span, message);
        problems.push(problem.help(help));
    }
}

/// The object types of the merged schema that implement `interface`.
fn implementing_objects<'a>(
    composition: &'a Composition<'_>,
    interface: &'a Name,
) -> impl Iterator<Item = &'a ObjectType> {
    let types = composition.schema.types.values();
    types
        .filter_map(ExtendedType::as_object)
        .filter(|object| object.implements_interfaces.contains(interface.as_str()))
}

fn implements(definition: Option<&ExtendedType>, interface: &Name) -> bool {
    let object = definition.and_then(ExtendedType::as_object);
    object.is_some_and(|it| it.implements_interfaces.contains(interface.as_str()))
}
