//! Directives that say who may see what: they are kept, and Weir does not heed them yet.

use apollo_compiler::{Node, ast};

use super::super::part::{Part, fields};
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::sdl::federation::Directive;

/// Says so once for each of them.
pub(super) fn check(part: &Part<'_>, problems: &mut Problems) {
    for wanted in [
        Directive::Authenticated,
        Directive::RequiresScopes,
        Directive::Policy,
    ] {
        if let Some(directive) = first(part, wanted) {
            let name = wanted.name();
            let message = format!("`@{name}` is not enforced: everybody may ask for what has it");
            let span = part.span(directive.location());
            let problem = Diagnostic::warning(Code::AccessNotChecked, span, message);
            let help = "let the service check who asks, or a gateway in front of this one";
            problems.push(problem.help(help.to_owned()));
        }
    }
}

fn first<'a>(part: &'a Part<'_>, wanted: Directive) -> Option<&'a Node<ast::Directive>> {
    part.types().find_map(|(_, definition)| {
        let on_type = part.on_type(definition.directives(), wanted).next();
        let mut fields = fields(definition).into_iter().flat_map(|it| it.values());
        on_type
            .map(|it| &it.node)
            .or_else(|| fields.find_map(|field| part.on(&field.directives, wanted).next()))
    })
}
