//! Fields that several subgraphs give: each must say that it is shared.

use apollo_compiler::Name;
use apollo_compiler::ast::FieldDefinition;
use apollo_compiler::schema::{Component, ExtendedType, ObjectType};

use super::super::Composed;
use super::super::part::Part;
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::sdl::federation::Directive;

pub(super) fn check(composed: &Composed<'_>, problems: &mut Problems) {
    for definition in composed.schema.types.values() {
        if let ExtendedType::Object(object) = definition {
            for field in object.fields.keys() {
                problems.extend(unshared(composed, object, field));
            }
        }
    }
}

/// Who gives a field: under which type, and whether it says that it is shared.
struct Giver<'a> {
    part: &'a Part<'a>,
    field: &'a Component<FieldDefinition>,
    /// The interface that it has as an object.
    through: Option<&'a Name>,
    shares: bool,
}

fn unshared(composed: &Composed<'_>, object: &ObjectType, field: &Name) -> Option<Diagnostic> {
    let givers = givers(composed, object, field);
    let first = givers.iter().find(|giver| !giver.shares)?;
    if givers.len() < 2 {
        return None;
    }
    let owner = &object.name;
    let names: Vec<_> = givers
        .iter()
        .map(|giver| match giver.through {
            Some(interface) => format!("`{}` (as `{interface}`)", giver.part.name()),
            None => format!("`{}`", giver.part.name()),
        })
        .collect();
    let message = format!(
        "`{owner}.{field}` is given by {}, and is not `@shareable` in `{}`",
        names.join(" and "),
        first.part.name()
    );
    let span = first.part.span(first.field.name.location());
    let mut problem = Diagnostic::error(Code::InvalidFieldSharing, span, message);
    for other in givers
        .iter()
        .filter(|it| !std::ptr::eq(it.part, first.part))
    {
        let text = format!("in `{}`", other.part.name());
        problem = problem.label(other.part.span(other.field.name.location()), text);
    }
    Some(problem.help(
        "mark it `@shareable` where it is the same, `@external` where it is another's, or take it over with `@override`"
            .to_owned(),
    ))
}

fn givers<'a>(composed: &'a Composed<'_>, object: &'a ObjectType, name: &Name) -> Vec<Giver<'a>> {
    let mut found = Vec::new();
    for part in &composed.parts {
        if let Some(field) = part.field(&object.name, name) {
            found.extend(giver(part, (&object.name, field), None));
            continue;
        }
        for interface in &object.implements_interfaces {
            let interface = &interface.name;
            if part.is_interface_object(interface)
                && let Some(field) = part.field(interface, name)
            {
                found.extend(giver(part, (interface, field), Some(interface)));
            }
        }
    }
    found
}

/// `None` where the subgraph has the field, and does not give it.
fn giver<'a>(
    part: &'a Part<'_>,
    (owner, field): (&Name, &'a Component<FieldDefinition>),
    through: Option<&'a Name>,
) -> Option<Giver<'a>> {
    let coordinate = (owner.clone(), field.name.clone());
    if part.external.contains(&coordinate) || part.overridden.contains_key(&coordinate) {
        return None;
    }
    let definition = part.get(owner)?;
    let said = part.has_on(&field.directives, Directive::Shareable)
        || part.covers(definition, field, Directive::Shareable);
    let legacy = part.is_legacy() && owner != "Subscription";
    Some(Giver {
        part,
        field,
        through,
        shares: said || legacy || part.sets.key.contains(&coordinate),
    })
}
