//! `@composeDirective`: directives of a team's own that the graph keeps.

use super::super::part::{Part, text};
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::sdl::federation::Directive;

pub(super) fn check(part: &Part<'_>, problems: &mut Problems) {
    let directives = &part.schema.schema_definition.directives;
    for directive in part.on_type(directives, Directive::Compose) {
        let Some(name) = text(directive, "name") else {
            continue; // The validator reports it.
        };
        let Some(why) = wrong(part, name) else {
            continue;
        };
        let span = part.span(directive.location());
        let message = format!("`{name}` cannot be kept: {why}");
        let problem = Diagnostic::error(Code::DirectiveCompositionError, span, message);
        problems.push(problem.help(
            "define it here, and import it from a specification that is linked here".to_owned(),
        ));
    }
}

fn wrong(part: &Part<'_>, name: &str) -> Option<&'static str> {
    let Some(local) = name.strip_prefix('@') else {
        return Some("its name begins with `@`");
    };
    if part.sdl.links.directives.named(local).is_some() {
        return Some("it is federation's own");
    }
    if !part.schema.directive_definitions.contains_key(local) {
        return Some("the subgraph does not define it");
    }
    let mut links = part.sdl.links.all.iter();
    let linked = links.any(|linked| linked.link.names(local));
    (!linked).then_some("the subgraph links no specification of it")
}
