//! Warns about access-control directives: they stay in the schema, and Weir does not enforce them.

use apollo_compiler::{Node, ast};

use super::super::part::{SubgraphPart, fields};
use crate::diagnostic::Problems;
use crate::sdl::federation::Directive;
use crate::sdl::links;

/// Warns once for each directive that the subgraph uses.
pub(super) fn check(part: &SubgraphPart<'_>, problems: &mut Problems) {
    for kind in [
        Directive::Authenticated,
        Directive::RequiresScopes,
        Directive::Policy,
    ] {
        if let Some(directive) = first_use(part, kind) {
            let span = part.span(directive.location());
            problems.push(links::not_enforced(kind.name(), span));
        }
    }
}

fn first_use<'a>(part: &'a SubgraphPart<'_>, kind: Directive) -> Option<&'a Node<ast::Directive>> {
    part.types().find_map(|(_, definition)| {
        let on_type = part.type_directives(definition.directives(), kind).next();
        let mut fields = fields(definition).into_iter().flat_map(|it| it.values());
        on_type
            .map(|it| &it.node)
            .or_else(|| fields.find_map(|field| part.directives(&field.directives, kind).next()))
    })
}
