//! Small supergraphs: complete ones, from the lines that a test is about.

use std::fmt::Write as _;

use schema::diagnostic::Diagnostic;
use schema::graph::Graph;
use schema::link::{self, LinkOptions};
use schema::span::Document;

use super::dump::dump;

/// The sources of a supergraph with the subgraphs `graphs` and the types `types`.
#[track_caller]
pub(crate) fn views(graphs: &[&str], types: &str) -> String {
    dump(&graph(&supergraph(graphs, types)))
}

/// The graph of a supergraph; panics if there are diagnostics.
#[track_caller]
pub(crate) fn graph(text: &str) -> Graph {
    let (graph, problems) = load(text);
    assert_eq!(problems, "");
    graph.unwrap()
}

/// The graph of a supergraph, if any, and its rendered diagnostics.
pub(crate) fn load(text: &str) -> (Option<Graph>, String) {
    let document = Document::new("supergraph.graphql", text);
    let (graph, problems) = link::link_supergraph(&document, LinkOptions::default());
    let problems: Vec<_> = problems.iter().map(Diagnostic::render).collect();
    (graph, problems.join("\n\n"))
}

/// A supergraph of join v0.5.
pub(crate) fn supergraph(graphs: &[&str], types: &str) -> String {
    let graphs = self::graphs(graphs, "join");
    format!("{LINKS}\n{types}\n{graphs}\n{}", definitions("join"))
}

const LINKS: &str = r#"schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)
{ query: Query }"#;

/// The enum of subgraphs.
pub(crate) fn graphs(graphs: &[&str], join: &str) -> String {
    let mut text = format!("enum {join}__Graph {{\n");
    for graph in graphs {
        let name = graph.to_uppercase();
        let url = format!("http://{graph}.example.com");
        let _ = writeln!(
            text,
            "  {name} @{join}__graph(name: \"{graph}\", url: \"{url}\")"
        );
    }
    text + "}\n"
}

/// The definitions that a federation 2 composer writes into each supergraph.
pub(crate) fn definitions(join: &str) -> String {
    DEFINITIONS.replace("join__", &format!("{join}__"))
}

const DEFINITIONS: &str = r"
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION
directive @join__directive(graphs: [join__Graph!], name: String!, args: join__DirectiveArguments) repeatable on SCHEMA | OBJECT | INTERFACE | FIELD_DEFINITION
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean, overrideLabel: String, contextArguments: [join__ContextArgument!]) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
scalar join__DirectiveArguments
scalar join__FieldSet
scalar join__FieldValue
input join__ContextArgument { name: String! type: String! context: String! selection: join__FieldValue! }
";
