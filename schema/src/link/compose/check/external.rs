//! `@external` that is unused, on an interface, or next to directives without effect.

use apollo_compiler::ast::FieldDefinition;
use apollo_compiler::schema::Component;
use apollo_compiler::{Name, Node};

use super::super::part::{SubgraphPart, fields};
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::link::merge::PRESERVED_DIRECTIVES;
use crate::sdl::federation::Directive;

pub(super) fn check(part: &SubgraphPart<'_>, problems: &mut Problems) {
    for (owner, definition) in part.types() {
        for (name, field) in fields(definition).into_iter().flatten() {
            let directive = part
                .directives(&field.directives, Directive::External)
                .next();
            if definition.is_interface()
                && let Some(directive) = directive
            {
                let message =
                    format!("`@external` is on `{owner}.{name}`, a field of an interface");
                let span = part.span(directive.location());
                let help =
                    "move `@external` to the fields of the implementing object types".to_owned();
                let problem = Diagnostic::error(Code::ExternalOnInterface, span, message);
                problems.push(problem.help(help));
                continue;
            }
            let coordinate = (owner.clone(), name.clone());
            if part.external.contains(&coordinate) {
                problems.extend(ignored(part, owner, field));
            }
            if part.external.contains(&coordinate) && !part.is_used(&coordinate) {
                let message =
                    format!("`{owner}.{name}` is `@external`, and the subgraph does not use it");
                let at = directive.map_or_else(|| field.name.location(), Node::location);
                let help =
                    "remove the field, or remove `@external` if the subgraph resolves the field"
                        .to_owned();
                let problem = Diagnostic::error(Code::ExternalUnused, part.span(at), message);
                problems.push(problem.help(help));
            }
        }
    }
}

/// Reports a directive that the merged field would have if the field were not external here.
fn ignored(
    part: &SubgraphPart<'_>,
    owner: &Name,
    field: &Component<FieldDefinition>,
) -> Option<Diagnostic> {
    let directives = &part.sdl.links.directives;
    let mut all = field.directives.iter();
    let directive = all.find(|it| {
        let known = directives.find(&it.name);
        known.is_some_and(|known| PRESERVED_DIRECTIVES.contains(&known))
    })?;
    let (name, field) = (&directive.name, &field.name);
    let message = format!("`@{name}` has no effect on `{owner}.{field}`, which is `@external`");
    let code = Code::MergedDirectiveApplicationOnExternal;
    let help = "move the directive to the subgraph that resolves the field".to_owned();
    Some(Diagnostic::error(code, part.span(directive.location()), message).help(help))
}
