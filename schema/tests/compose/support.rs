//! Builders of subgraphs for tests.

use schema::diagnostic::{Diagnostic, Severity};
use schema::graph::Graph;
use schema::link::{self, LinkOptions};
use schema::span::Document;
use schema::subgraph::Subgraph;

/// A subgraph `name` with its own URL.
pub(crate) fn subgraph(name: &str, sdl: &str) -> Subgraph {
    Subgraph {
        name: name.into(),
        url: Some(format!("http://{name}.example.com/graphql").into()),
        document: Document::new(format!("{name}.graphql"), sdl),
    }
}

/// `sdl` with a link to federation 2 that imports these directives.
pub(crate) fn v2(imports: &[&str], sdl: &str) -> String {
    let imports: Vec<_> = imports.iter().map(|name| format!("\"@{name}\"")).collect();
    let url = "https://specs.apollo.dev/federation/v2.12";
    format!(
        "extend schema @link(url: \"{url}\", import: [{}])\n{sdl}",
        imports.join(", ")
    )
}

/// The graph of the subgraphs; panics if there are errors.
#[track_caller]
pub(crate) fn linked(subgraphs: &[(&str, &str)]) -> Graph {
    let (graph, diagnostics) = link::link(&all(subgraphs), LinkOptions::default());
    no_errors(&diagnostics);
    graph.unwrap()
}

/// The supergraph of the subgraphs; panics if there are errors.
#[track_caller]
pub(crate) fn composed(subgraphs: &[(&str, &str)]) -> String {
    let (text, diagnostics) = link::compose(&all(subgraphs), LinkOptions::default());
    no_errors(&diagnostics);
    text.unwrap()
}

fn all(subgraphs: &[(&str, &str)]) -> Vec<Subgraph> {
    let subgraphs = subgraphs.iter();
    subgraphs.map(|(name, sdl)| subgraph(name, sdl)).collect()
}

#[track_caller]
fn no_errors(diagnostics: &[Diagnostic]) {
    let errors: Vec<_> = diagnostics
        .iter()
        .filter(|it| it.severity == Severity::Error)
        .map(Diagnostic::render)
        .collect();
    assert_eq!(errors.join("\n"), "");
}
