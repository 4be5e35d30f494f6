//! Fields that several subgraphs resolve: each must be `@shareable`.

use apollo_compiler::Name;
use apollo_compiler::ast::FieldDefinition;
use apollo_compiler::schema::{Component, ExtendedType, ObjectType};

use super::super::Composition;
use super::super::part::SubgraphPart;
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::sdl::federation::Directive;

pub(super) fn check(composition: &Composition<'_>, problems: &mut Problems) {
    for definition in composition.schema.types.values() {
        if let ExtendedType::Object(object) = definition {
            for field in object.fields.keys() {
                problems.extend(unshared(composition, object, field));
            }
        }
    }
}

/// A subgraph that resolves a field.
struct FieldProvider<'a> {
    part: &'a SubgraphPart<'a>,
    field: &'a Component<FieldDefinition>,
    /// The `@interfaceObject` on which the subgraph defines the field.
    interface_object: Option<&'a Name>,
    is_shareable: bool,
}

fn unshared(
    composition: &Composition<'_>,
    object: &ObjectType,
    field: &Name,
) -> Option<Diagnostic> {
    let providers = field_providers(composition, object, field);
    let first = providers.iter().find(|provider| !provider.is_shareable)?;
    if providers.len() < 2 {
        return None;
    }
    let owner = &object.name;
    let names: Vec<_> = providers
        .iter()
        .map(|provider| match provider.interface_object {
            Some(interface) => format!("`{}` (as `{interface}`)", provider.part.name()),
            None => format!("`{}`", provider.part.name()),
        })
        .collect();
    let message = format!(
        "`{owner}.{field}` is resolved by {}, and is not `@shareable` in `{}`",
        names.join(" and "),
        first.part.name()
    );
    let span = first.part.span(first.field.name.location());
    let mut problem = Diagnostic::error(Code::InvalidFieldSharing, span, message);
    for other in providers
        .iter()
        .filter(|it| !std::ptr::eq(it.part, first.part))
    {
        let text = format!("in `{}`", other.part.name());
        problem = problem.label(other.part.span(other.field.name.location()), text);
    }
    Some(problem.help(
        "add `@shareable` in every subgraph that resolves the field, add `@external` where it does not, or use `@override`"
            .to_owned(),
    ))
}

fn field_providers<'a>(
    composition: &'a Composition<'_>,
    object: &'a ObjectType,
    name: &Name,
) -> Vec<FieldProvider<'a>> {
    let mut providers = Vec::new();
    for part in &composition.parts {
        if let Some(field) = part.field(&object.name, name) {
            providers.extend(field_provider(part, &object.name, field, None));
            continue;
        }
        for interface in &object.implements_interfaces {
            let interface = &interface.name;
            if part.is_interface_object(interface)
                && let Some(field) = part.field(interface, name)
            {
                providers.extend(field_provider(part, interface, field, Some(interface)));
            }
        }
    }
    providers
}

/// `None` when the field is overridden in the subgraph, or external and never provided.
///
/// A field that a `@provides` names is resolved at one place at least, so its owner must share it.
fn field_provider<'a>(
    part: &'a SubgraphPart<'_>,
    owner: &Name,
    field: &'a Component<FieldDefinition>,
    interface_object: Option<&'a Name>,
) -> Option<FieldProvider<'a>> {
    let coordinate = (owner.clone(), field.name.clone());
    let is_provided = part.field_sets.provided.contains(&coordinate);
    let is_external = part.external.contains(&coordinate) && !is_provided;
    if is_external || part.overridden.contains_key(&coordinate) {
        return None;
    }
    let definition = part.get(owner)?;
    let is_marked = part.has_directive(&field.directives, Directive::Shareable)
        || part.is_covered_by(definition, field, Directive::Shareable);
    let legacy = part.is_legacy() && owner != "Subscription";
    Some(FieldProvider {
        part,
        field,
        interface_object,
        is_shareable: is_marked
            || legacy
            || is_provided
            || part.field_sets.key.contains(&coordinate),
    })
}
