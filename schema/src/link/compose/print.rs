//! Prints a composition as a supergraph: SDL of the join specification v0.5, which other gateways
//! and tools read.

use std::collections::HashSet;

use apollo_compiler::ast::{self, Argument, EnumValueDefinition, Value};
use apollo_compiler::schema::{Component, ExtendedType, Schema};
use apollo_compiler::{Name, Node, name};

use self::graphs::JoinGraphs;
use super::Composition;
use crate::link::merge;

mod caching;
mod connectors;
mod contexts;
mod graphs;
mod links;
mod types;

/// The composition as supergraph SDL.
pub(super) fn print(composition: &Composition<'_>) -> String {
    let graphs = JoinGraphs::new(&composition.parts);
    let mut used = merge::used_directives(&composition.schema);
    used.extend(contexts::used_directive(&composition.parts));
    let mut schema = Schema::new();
    define_specifications(&mut schema, &graphs, &used);
    for (name, definition) in &composition.schema.directive_definitions {
        let known = schema.directive_definitions.contains_key(name);
        if !known && !definition.is_built_in() {
            let definitions = &mut schema.directive_definitions;
            definitions.insert(name.clone(), definition.clone());
        }
    }
    schema.schema_definition = composition.schema.schema_definition.clone();
    let definition = schema.schema_definition.make_mut();
    definition.directives.0.clear();
    for link in links::links(composition, &used) {
        definition.directives.push(link);
    }
    for preserved in connectors::schema_directives(&graphs) {
        definition.directives.push(preserved);
    }
    let merged = composition.schema.types.iter();
    for (name, definition) in merged.filter(|(_, it)| !it.is_built_in()) {
        let mut definition = definition.clone();
        types::join(&graphs, &mut definition);
        schema.types.insert(name.clone(), definition);
    }
    caching::define(&mut schema);
    schema.to_string()
}

/// The definitions of the specifications that the supergraph links.
fn define_specifications(schema: &mut Schema, graphs: &JoinGraphs<'_>, used: &HashSet<Name>) {
    let mut sdl = JOIN_DEFINITIONS.to_owned();
    for (directive, text) in links::DEFINITIONS {
        if directive.iter().any(|name| used.contains(*name)) {
            sdl.push_str(text);
        }
    }
    // The text is a constant without syntax errors; the partial schema is complete.
    let parsed = Schema::parse(sdl, "join.graphql").unwrap_or_else(|error| error.partial);
    let definitions = parsed.directive_definitions.into_iter();
    schema
        .directive_definitions
        .extend(definitions.filter(|(_, it)| !it.is_built_in()));
    for (name, mut definition) in parsed.types {
        if definition.is_built_in() {
            continue;
        }
        if let (ExtendedType::Enum(it), "join__Graph") = (&mut definition, name.as_str()) {
            it.make_mut().values.clear();
            for (value, part) in graphs.iter() {
                let url = part.sdl.url.as_deref().unwrap_or_default();
                let joined = directive(
                    "join__graph",
                    [("name", string(part.name())), ("url", string(url))],
                );
                let enum_value = EnumValueDefinition {
                    description: None,
                    value: value.clone(),
                    directives: ast::DirectiveList(vec![joined]),
                };
                let values = &mut it.make_mut().values;
                values.insert(value.clone(), Component::new(enum_value));
            }
        }
        schema.types.insert(name, definition);
    }
}

/// A directive with these arguments; the names must be valid GraphQL names.
fn directive<const N: usize>(name: &str, arguments: [(&str, Value); N]) -> Node<ast::Directive> {
    with_arguments(name, arguments.into())
}

fn with_arguments(name: &str, arguments: Vec<(&str, Value)>) -> Node<ast::Directive> {
    let arguments = arguments.into_iter().map(|(name, value)| {
        Node::new(Argument {
            name: Name::new_unchecked(name),
            value: Node::new(value),
        })
    });
    Node::new(ast::Directive {
        name: Name::new_unchecked(name),
        arguments: arguments.collect(),
    })
}

fn string(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::List(items.into_iter().map(Node::new).collect())
}

/// `@join__directive`: a directive of one subgraph, for gateways that understand it.
fn join_directive(graph: &Name, directive: &ast::Directive, name: &str) -> Node<ast::Directive> {
    let arguments = directive.arguments.iter();
    let args = arguments.map(|it| (it.name.clone(), it.value.clone()));
    with_arguments(
        "join__directive",
        vec![
            ("graphs", list([Value::Enum(graph.clone())])),
            ("name", string(name)),
            ("args", Value::Object(args.collect())),
        ],
    )
}

/// The query root type of every supergraph.
const QUERY: Name = name!("Query");

const JOIN_DEFINITIONS: &str = r#"
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA

directive @join__graph(name: String!, url: String!) on ENUM_VALUE

directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR

directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean, overrideLabel: String, contextArguments: [join__ContextArgument!]) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION

directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE

directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION

directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE

directive @join__directive(graphs: [join__Graph!], name: String!, args: join__DirectiveArguments) repeatable on SCHEMA | OBJECT | INTERFACE | FIELD_DEFINITION

enum join__Graph {
  NONE
}

scalar join__FieldSet

scalar join__FieldValue

scalar join__DirectiveArguments

input join__ContextArgument {
  name: String!
  type: String!
  context: String!
  selection: join__FieldValue!
}

scalar link__Import

enum link__Purpose {
  """
  `SECURITY` features provide metadata necessary to securely resolve fields.
  """
  SECURITY

  """
  `EXECUTION` features provide metadata necessary for operation execution.
  """
  EXECUTION
}
"#;
