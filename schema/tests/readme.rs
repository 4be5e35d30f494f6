//! What the README shows is true.

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
        document: Document::new("README.md", sdl),
    };

    let (graph, diagnostics) = link::link(&[subgraph], LinkOptions::default());

    let rendered: Vec<_> = diagnostics.iter().map(Diagnostic::render).collect();
    assert_eq!(rendered.join("\n"), "");
    assert_eq!(graph.unwrap().sources().len(), 2);
}
