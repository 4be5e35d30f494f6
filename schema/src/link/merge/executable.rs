//! Directives for operations (`directive @x on FIELD`): clients may use those that every subgraph
//! defines, where all of them allow it.

use apollo_compiler::ast::{DirectiveDefinition, DirectiveLocation};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::{Name, Node};

use super::inputs::{Arguments, arguments_of};
use super::{Merge, Said};
use crate::diagnostic::{Code, Diagnostic};
use crate::link::compose::part::Part;

type SaidDirective<'a> = Said<'a, Node<DirectiveDefinition>>;

impl<'a> Merge<'a, '_> {
    /// Defines the directives that clients may use; says which of them they may not.
    pub(super) fn executable(&mut self, parts: &'a [Part<'a>]) {
        let mut by_name: IndexMap<Name, Vec<SaidDirective<'a>>> = IndexMap::default();
        for part in parts {
            for (name, it) in &part.sdl.schema.directive_definitions {
                let is_new = !self.schema.directive_definitions.contains_key(name);
                if is_new && is_own(part, it) {
                    let said = by_name.entry(name.clone()).or_default();
                    said.push(Said { part, it });
                }
            }
        }
        for (name, said) in by_name {
            let lacking = parts.iter().find(|part| {
                let mut having = said.iter();
                having.all(|it| it.part.name() != part.name())
            });
            match lacking {
                Some(part) => self.problems.push(lacks(&name, &said, part)),
                None => self.directive(&name, &said),
            }
        }
    }

    fn directive(&mut self, name: &Name, said: &[SaidDirective<'a>]) {
        let Some(first) = said.first().copied() else {
            return;
        };
        let is_common = |location: &DirectiveLocation| {
            let mut all = said.iter();
            is_executable(*location) && all.all(|said| said.it.locations.contains(location))
        };
        let locations = first.it.locations.iter().copied();
        let locations: Vec<_> = locations.filter(is_common).collect();
        if locations.is_empty() {
            let message = format!("`@{name}` may stand at no place in all subgraphs");
            let problem = warning(
                Code::NoExecutableDirectiveLocationsIntersection,
                said,
                message,
            );
            return self.problems.push(problem);
        }
        let lists = said.iter().map(|said| Arguments {
            part: said.part,
            list: &said.it.arguments,
            of: said.it.name.location(),
        });
        let merged = DirectiveDefinition {
            description: said.iter().find_map(|said| said.it.description.clone()),
            name: name.clone(),
            arguments: arguments_of(self, &format!("@{name}"), (&lists.collect::<Vec<_>>(), &[])),
            repeatable: said.iter().all(|said| said.it.repeatable),
            locations,
        };
        let definitions = &mut self.schema.directive_definitions;
        definitions.insert(name.clone(), Node::new(merged));
    }
}

/// Whether it is a directive of the team's own that may stand in operations.
fn is_own(part: &Part<'_>, definition: &Node<DirectiveDefinition>) -> bool {
    let links = &part.sdl.links;
    let mut linked = links.all.iter();
    !definition.is_built_in()
        && links.directives.named(&definition.name).is_none()
        && !linked.any(|linked| linked.link.names(&definition.name))
        && definition.locations.iter().copied().any(is_executable)
}

fn lacks(name: &Name, said: &[SaidDirective<'_>], part: &Part<'_>) -> Diagnostic {
    let message = format!(
        "clients cannot use `@{name}`: it is not defined for operations in `{}`",
        part.name()
    );
    warning(Code::InconsistentExecutableDirectivePresence, said, message)
}

fn warning(code: Code, said: &[SaidDirective<'_>], message: String) -> Diagnostic {
    let spans = said.iter().map(|said| {
        let name = format!("in `{}`", said.part.name());
        (said.part.span(said.it.name.location()), name)
    });
    let mut spans = spans.collect::<Vec<_>>().into_iter();
    let Some((first, _)) = spans.next() else {
        return Diagnostic::unplaced(code, message);
    };
    spans.fold(
        Diagnostic::warning(code, first, message),
        |it, (span, name)| it.label(span, name),
    )
}

/// Whether the place is one in an operation.
pub(in crate::link) fn is_executable(location: DirectiveLocation) -> bool {
    use DirectiveLocation as L;
    matches!(
        location,
        L::Query
            | L::Mutation
            | L::Subscription
            | L::Field
            | L::FragmentDefinition
            | L::FragmentSpread
            | L::InlineFragment
            | L::VariableDefinition
    )
}
