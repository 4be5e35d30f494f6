//! Whole graphs that link: the example of the README, and rare shapes.

use schema::diagnostic::Diagnostic;
use schema::link::{self, LinkOptions};
use schema::span::Document;
use schema::subgraph::Subgraph;

#[test]
fn the_schema_in_the_readme_links() {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("```graphql\n").unwrap();
    let (sdl, _) = rest.split_once("```").unwrap();
    let subgraph = Subgraph {
        name: "shop".into(),
        url: None,
        document: Document::new("README.md", sdl),
    };

    let (graph, diagnostics) = link::link(&[subgraph], LinkOptions::default());

    let rendered: Vec<_> = diagnostics.iter().map(Diagnostic::render).collect();
    assert_eq!(rendered.join("\n"), "");
    assert_eq!(graph.unwrap().sources().len(), 2);
}

#[test]
fn a_graph_of_mutations_alone_links_with_a_warning() {
    let sdl = r#"
        extend schema @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@connect"])
        type Mutation {
          add: Int @connect(http: { POST: "https://api.example.com/add" }, selection: "$.n")
        }
    "#;
    let subgraph = Subgraph {
        name: "shop".into(),
        url: None,
        document: Document::new("shop.graphql", sdl),
    };

    let (graph, diagnostics) = link::link(&[subgraph], LinkOptions::default());

    let rendered: Vec<_> = diagnostics.iter().map(Diagnostic::render).collect();
    assert_eq!(
        rendered,
        [
            "warning[NO_QUERIES]: no subgraph has a field of `Query`: clients can only send mutations"
        ]
    );
    assert_eq!(graph.unwrap().sources().len(), 1);
}
