//! Directives that say who may see what: they are kept, and Weir does not heed them yet.

use apollo_compiler::{Node, ast};

use super::super::part::{SubgraphPart, fields};
use crate::diagnostic::Problems;
use crate::sdl::federation::Directive;
use crate::sdl::links;

/// Says so once for each of them.
pub(super) fn check(part: &SubgraphPart<'_>, problems: &mut Problems) {
    for wanted in [
        Directive::Authenticated,
        Directive::RequiresScopes,
        Directive::Policy,
    ] {
        if let Some(directive) = first(part, wanted) {
            let span = part.span(directive.location());
            problems.push(links::not_enforced(wanted.name(), span));
        }
    }
}

fn first<'a>(part: &'a SubgraphPart<'_>, wanted: Directive) -> Option<&'a Node<ast::Directive>> {
    part.types().find_map(|(_, definition)| {
        let on_type = part.type_directives(definition.directives(), wanted).next();
        let mut fields = fields(definition).into_iter().flat_map(|it| it.values());
        on_type
            .map(|it| &it.node)
            .or_else(|| fields.find_map(|field| part.directives(&field.directives, wanted).next()))
    })
}
