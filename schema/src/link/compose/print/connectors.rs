//! `@join__directive`: connectors and cache tags of a subgraph, preserved verbatim for gateways that
//! understand them.

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{self, FieldDefinition};
use apollo_compiler::schema::{Component, ExtendedType};

use super::super::part::SubgraphPart;
use super::graphs::JoinGraphs;
use super::join_directive;
use crate::sdl::federation::Directive;
use crate::sdl::links::ConnectLink;

/// The `@source` directives, and the links to the connect specification.
pub(super) fn schema_directives(graphs: &JoinGraphs<'_>) -> Vec<Component<ast::Directive>> {
    let mut preserved = Vec::new();
    for (graph, part) in graphs.iter() {
        let Some(connect) = &part.sdl.links.connect else {
            continue;
        };
        let directives = &part.sdl.schema.schema_definition.directives;
        for directive in directives {
            let is_link =
                directive.name == "link" && part.span(directive.location()) == connect.span;
            if is_link || *directive.name == *connect.source {
                preserved.push(Component::from(join_directive(
                    graph,
                    directive,
                    &directive.name,
                )));
            }
        }
    }
    preserved
}

/// The preserved directives of a type.
pub(super) fn type_directives(
    graph: &Name,
    part: &SubgraphPart<'_>,
    definition: &ExtendedType,
) -> Vec<Node<ast::Directive>> {
    let directives = definition.directives().iter();
    let directives = directives.map(|it| &it.node);
    preserved_directives(graph, part, directives)
}

/// The preserved directives of a field.
pub(super) fn field_directives(
    graph: &Name,
    part: &SubgraphPart<'_>,
    field: &Component<FieldDefinition>,
) -> Vec<Node<ast::Directive>> {
    preserved_directives(graph, part, field.directives.iter())
}

fn preserved_directives<'a>(
    graph: &Name,
    part: &SubgraphPart<'_>,
    directives: impl Iterator<Item = &'a Node<ast::Directive>>,
) -> Vec<Node<ast::Directive>> {
    let connect = part.sdl.links.connect.as_ref();
    let is_connect = |connect: &ConnectLink, name: &str| connect.connect == name;
    directives
        .filter_map(|directive| {
            let local = directive.name.as_str();
            if connect.is_some_and(|connect| is_connect(connect, local)) {
                return Some(join_directive(graph, directive, local));
            }
            let known = part.sdl.links.directives.find(local);
            let prefixed = format!("federation__{}", Directive::CacheTag.name());
            (known == Some(Directive::CacheTag))
                .then(|| join_directive(graph, directive, &prefixed))
        })
        .collect()
}
