//! Executable directives (`directive @x on FIELD`): clients may use those that every subgraph
//! defines, at the locations common to all.

use apollo_compiler::ast::{DirectiveDefinition, DirectiveLocation};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::{Name, Node};

use super::inputs::{Arguments, merged_arguments};
use super::{Declaration, Merge};
use crate::diagnostic::{Code, Diagnostic};
use crate::link::compose::part::SubgraphPart;

type DirectiveDeclaration<'a> = Declaration<'a, Node<DirectiveDefinition>>;

impl<'a> Merge<'a, '_> {
    /// Defines the executable directives common to all subgraphs; warns of the others.
    pub(super) fn merge_executable_directives(&mut self, parts: &'a [SubgraphPart<'a>]) {
        let mut by_name: IndexMap<Name, Vec<DirectiveDeclaration<'a>>> = IndexMap::default();
        for part in parts {
            for (name, it) in &part.sdl.schema.directive_definitions {
                let is_new = !self.schema.directive_definitions.contains_key(name);
                if is_new && is_own(part, it) {
                    by_name.entry(name.clone()).or_default().push(Declaration {
                        part,
                        definition: it,
                    });
                }
            }
        }
        for (name, declarations) in by_name {
            let without = parts.iter().find(|part| {
                let mut declarations = declarations.iter();
                declarations.all(|it| it.part.name() != part.name())
            });
            match without {
                Some(part) => self
                    .problems
                    .push(missing_definition(&name, &declarations, part)),
                None => self.merge_directive(&name, &declarations),
            }
        }
    }

    fn merge_directive(&mut self, name: &Name, declarations: &[DirectiveDeclaration<'a>]) {
        let Some(first) = declarations.first().copied() else {
            return;
        };
        let is_common = |location: &DirectiveLocation| {
            let mut all = declarations.iter();
            is_executable(*location)
                && all.all(|declaration| declaration.definition.locations.contains(location))
        };
        let locations = first.definition.locations.iter().copied();
        let locations: Vec<_> = locations.filter(is_common).collect();
        if locations.is_empty() {
            let message = format!("`@{name}` has no executable location that all subgraphs share");
            let problem = warning(
                Code::NoExecutableDirectiveLocationsIntersection,
                declarations,
                message,
            );
            return self.problems.push(problem);
        }
        let lists = declarations.iter().map(|declaration| Arguments {
            part: declaration.part,
            list: &declaration.definition.arguments,
            location: declaration.definition.name.location(),
        });
        let merged = DirectiveDefinition {
            description: declarations
                .iter()
                .find_map(|declaration| declaration.definition.description.clone()),
            name: name.clone(),
            arguments: merged_arguments(self, &format!("@{name}"), &lists.collect::<Vec<_>>(), &[]),
            repeatable: declarations
                .iter()
                .all(|declaration| declaration.definition.repeatable),
            locations,
        };
        let definitions = &mut self.schema.directive_definitions;
        definitions.insert(name.clone(), Node::new(merged));
    }
}

/// Whether the directive is executable, and neither built in nor of a linked specification.
fn is_own(part: &SubgraphPart<'_>, definition: &Node<DirectiveDefinition>) -> bool {
    let links = &part.sdl.links;
    let mut linked = links.all.iter();
    !definition.is_built_in()
        && links.directives.find(&definition.name).is_none()
        && !linked.any(|linked| linked.link.has_directive(&definition.name))
        && definition.locations.iter().copied().any(is_executable)
}

fn missing_definition(
    name: &Name,
    declarations: &[DirectiveDeclaration<'_>],
    part: &SubgraphPart<'_>,
) -> Diagnostic {
    let message = format!(
        "clients cannot use `@{name}`: `{}` does not define it as executable",
        part.name()
    );
    warning(
        Code::InconsistentExecutableDirectivePresence,
        declarations,
        message,
    )
}

fn warning(code: Code, declarations: &[DirectiveDeclaration<'_>], message: String) -> Diagnostic {
    let spans = declarations.iter().map(|declaration| {
        let name = format!("in `{}`", declaration.part.name());
        (declaration.span(), name)
    });
    let mut spans = spans.collect::<Vec<_>>().into_iter();
    let Some((first, _)) = spans.next() else {
        return Diagnostic::without_span(code, message);
    };
    spans.fold(
        Diagnostic::warning(code, first, message),
        |it, (span, name)| it.label(span, name),
    )
}

/// Whether the location is in executable documents (GraphQL §3.13).
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
