//! `@external` that says nothing.

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
            let written = part
                .directives(&field.directives, Directive::External)
                .next();
            if definition.is_interface()
                && let Some(directive) = written
            {
                let message = format!("`{owner}.{name}` is a field of an interface");
                let span = part.span(directive.location());
                let help = "mark the fields of the objects that implement it".to_owned();
                let problem = Diagnostic::error(Code::ExternalOnInterface, span, message);
                problems.push(problem.help(help));
                continue;
            }
            let coordinate = (owner.clone(), name.clone());
            if part.external.contains(&coordinate) {
                problems.extend(ignored(part, owner, field));
            }
            if part.external.contains(&coordinate) && !part.is_used(&coordinate) {
                let message = format!("nothing here uses `{owner}.{name}`, which is `@external`");
                let at = written.map_or_else(|| field.name.location(), Node::location);
                let help = "take the field out, or `@external` if the subgraph gives it".to_owned();
                let problem = Diagnostic::error(Code::ExternalUnused, part.span(at), message);
                problems.push(problem.help(help));
            }
        }
    }
}

/// A directive on the field that the graph would not have, because the field is another's.
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
    let message = format!("`@{name}` of `{owner}.{field}`, which is `@external`, has no effect");
    let code = Code::MergedDirectiveApplicationOnExternal;
    let help = "put it where the field is given".to_owned();
    Some(Diagnostic::error(code, part.span(directive.location()), message).help(help))
}
