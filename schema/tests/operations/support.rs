//! A graph, and its answers to documents.

use schema::diagnostic::Diagnostic;
use schema::graph::Graph;
use schema::link::{self, LinkOptions};
use schema::operation::{Operation, OperationError, OperationLimits};
use schema::span::Document;
use schema::subgraph::Subgraph;

/// Limits with the gateway's default values.
pub(crate) const LIMITS: OperationLimits = OperationLimits {
    tokens: 5_000,
    depth: 25,
    fields: 2_000,
    selections: 10_000,
    aliases: 1_000,
    root_fields: 500,
};

const SDL: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@connect"])
    type Query {
      "A user"
      me: User @connect(http: { GET: "http://a/me" }, selection: "id name color friends { id }")
      n(i: Int, f: Float, id: ID, in: In, one: One, color: Color, at: Time): Int
        @connect(http: { GET: "http://a/n" }, selection: "$")
    }
    type User { id: ID name: String color: Color friends: [Friend] }
    type Friend { id: ID }
    enum Color { RED GREEN }
    scalar Time @specifiedBy(url: "https://example.com/time")
    input In { count: Int! = 1 items: [Item!] color: Color old: Int @deprecated(reason: "gone") }
    input Item { id: ID! rate: Float }
    input One @oneOf { x: Int y: Int }
"#;

pub(crate) fn graph_of(sdl: &str) -> Graph {
    let subgraph = Subgraph {
        name: "shop".into(),
        url: None,
        document: Document::new("shop.graphql", sdl),
    };
    let (graph, diagnostics) = link::link(&[subgraph], LinkOptions::default());
    let rendered: Vec<_> = diagnostics.iter().map(Diagnostic::render).collect();
    assert!(graph.is_some(), "{}", rendered.join("\n"));
    graph.unwrap()
}

pub(crate) fn graph() -> Graph {
    graph_of(SDL)
}

/// The errors of a document, a line for each.
pub(crate) fn refused(document: &str, limits: OperationLimits) -> Vec<String> {
    let errors = Operation::parse(&graph(), document, None, limits).unwrap_err();
    errors.iter().map(line).collect()
}

/// `Kind [line, column]: message`.
pub(crate) fn line(error: &OperationError) -> String {
    format!("{:?} {:?}: {}", error.kind, error.locations, error.message)
}
