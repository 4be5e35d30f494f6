//! `@composeDirective`: custom directives that the supergraph preserves.

use super::super::part::{SubgraphPart, string_argument};
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::sdl::federation::Directive;

pub(super) fn check(part: &SubgraphPart<'_>, problems: &mut Problems) {
    let directives = &part.schema.schema_definition.directives;
    for directive in part.type_directives(directives, Directive::Compose) {
        let Some(name) = string_argument(directive, "name") else {
            continue; // The validator reports it.
        };
        let Some(why) = reason_not_composable(part, name) else {
            continue;
        };
        let span = part.span(directive.location());
        let message = format!("`{name}` cannot be composed: {why}");
        let problem = Diagnostic::error(Code::DirectiveCompositionError, span, message);
        problems.push(problem.help(
            "define the directive in this subgraph, and `@link` the specification that it is imported from".to_owned(),
        ));
    }
}

fn reason_not_composable(part: &SubgraphPart<'_>, name: &str) -> Option<&'static str> {
    let Some(local) = name.strip_prefix('@') else {
        return Some("the name must begin with `@`");
    };
    if part.sdl.links.directives.find(local).is_some() {
        return Some("it is a federation directive");
    }
    if !part.schema.directive_definitions.contains_key(local) {
        return Some("the subgraph does not define it");
    }
    let mut links = part.sdl.links.all.iter();
    let linked = links.any(|linked| linked.link.has_directive(local));
    (!linked).then_some("the subgraph links no specification that has it")
}
