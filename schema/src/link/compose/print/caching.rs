//! Cache directives of subgraphs, as directives of Weir's own specification.
//!
//! `@join__directive` is not used: other gateways copy its content back into subgraph schemas,
//! which do not define these directives. They ignore a specification without a purpose.

use std::collections::HashSet;
use std::fmt::Write as _;

use apollo_compiler::ast::{self, FieldDefinition, Value};
use apollo_compiler::schema::{Component, ExtendedType, Schema};
use apollo_compiler::{Name, Node};

use super::super::part::SubgraphPart;
use super::{links, with_arguments};
use crate::link::merge;
use crate::sdl::federation::{DEFINITIONS, Definition, Directive};

/// The cache directives that the subgraph has on a type.
pub(super) fn type_directives(
    graph: &Name,
    part: &SubgraphPart<'_>,
    definition: &ExtendedType,
) -> Vec<Node<ast::Directive>> {
    let directives = definition.directives().iter();
    directives
        .filter_map(|it| weir_directive(graph, part, &it.node))
        .collect()
}

/// The cache directives that the subgraph has on a field.
pub(super) fn field_directives(
    graph: &Name,
    part: &SubgraphPart<'_>,
    field: &Component<FieldDefinition>,
) -> Vec<Node<ast::Directive>> {
    let directives = field.directives.iter();
    directives
        .filter_map(|it| weir_directive(graph, part, it))
        .collect()
}

fn weir_directive(
    graph: &Name,
    part: &SubgraphPart<'_>,
    directive: &ast::Directive,
) -> Option<Node<ast::Directive>> {
    let known = part.sdl.links.directives.find(&directive.name)?;
    let definition = definitions().find(|it| it.directive == known)?;
    let mut arguments = vec![("graph", Value::Enum(graph.clone()))];
    for argument in &directive.arguments {
        let name = argument.name.as_str();
        if definition.has(name) {
            arguments.push((name, value(name, &argument.value)));
        }
    }
    Some(with_arguments(&weir_name(definition), arguments))
}

/// The value of an argument; the scope becomes an enum value even when the document has a string.
fn value(name: &str, value: &Value) -> Value {
    let scope = value.as_str().filter(|_| name == "scope");
    let scope = scope.and_then(|scope| Name::new(scope).ok());
    scope.map_or_else(|| value.clone(), Value::Enum)
}

/// Defines the cache directives that `schema` uses, and links their specification.
pub(super) fn define(schema: &mut Schema) {
    let used: HashSet<Name> = merge::used_directives(schema);
    let used = definitions().filter(|it| used.contains(weir_name(it).as_str()));
    let mut sdl = String::new();
    for definition in used {
        let arguments = definition.arguments().replace(SCOPE, "weir__Scope");
        // A subgraph with its own definition may omit an argument that Weir's requires.
        let arguments = arguments.replace("Int!", "Int");
        // Writing to a string does not fail.
        let _ = writeln!(
            sdl,
            "directive @{}(graph: join__Graph!, {arguments}) repeatable on OBJECT | INTERFACE | UNION | FIELD_DEFINITION",
            weir_name(definition)
        );
    }
    if sdl.is_empty() {
        return;
    }
    if sdl.contains("weir__Scope") {
        sdl.push_str("enum weir__Scope { PUBLIC PRIVATE }");
    }
    // The only error of the text is a reference to `join__Graph`, which the supergraph defines.
    let parsed = Schema::parse(sdl, "weir.graphql").unwrap_or_else(|error| error.partial);
    let directives = parsed.directive_definitions.into_iter();
    schema
        .directive_definitions
        .extend(directives.filter(|(_, it)| !it.is_built_in()));
    let types = parsed.types.into_iter();
    schema
        .types
        .extend(types.filter(|(_, it)| !it.is_built_in()));
    let link = links::link("https://example.com/weir/v0.1", None, Vec::new());
    let definition = schema.schema_definition.make_mut();
    definition.directives.push(link);
}

const SCOPE: &str = "CacheControlScope";

/// The cache directives that have no specification of their own.
fn definitions() -> impl Iterator<Item = &'static Definition> {
    let all = DEFINITIONS.iter();
    all.filter(|it| it.directive.is_caching() && it.directive != Directive::CacheTag)
}

fn weir_name(definition: &Definition) -> String {
    format!("weir__{}", definition.name)
}
