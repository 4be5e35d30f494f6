//! The examples of `docs/federation.md`: subgraphs, and their graph or diagnostics; and those of
//! `docs/caching.md`, which link without diagnostics.

use schema::diagnostic::Diagnostic;
use schema::graph::Graph;
use schema::link::{self, LinkOptions};

use super::support::{linked, subgraph};

#[test]
fn the_examples_of_the_federation_guide_are_true() {
    let page = include_str!("../../../docs/federation.md");
    let mut examples = page.split("\n```graphql ").skip(1);
    let (mut linked, mut refused) = (0, 0);
    while let Some(example) = examples.next() {
        let (kind, rest) = example.split_once('\n').unwrap();
        let (text, after) = rest.split_once("\n```").unwrap();
        match kind {
            "subgraphs" => {
                let (kind, rest) = examples.next().unwrap().split_once('\n').unwrap();
                assert_eq!(kind, "graph");
                let (graph, _) = rest.split_once("\n```").unwrap();
                assert_eq!(client(text), graph);
                linked += 1;
            }
            "refused" => {
                let (_, rest) = after.split_once("```text diagnostics\n").unwrap();
                let (expected, _) = rest.split_once("\n```").unwrap();
                assert_eq!(messages(text), expected);
                refused += 1;
            }
            other => panic!("`{other}` is no kind of example"),
        }
    }
    assert_eq!((linked, refused), (4, 1));
}

#[test]
fn the_examples_about_caching_link() {
    let page = include_str!("../../../docs/caching.md");
    let examples = page.split("\n```graphql subgraphs\n").skip(1);
    let mut linked = 0;
    for example in examples {
        let (text, _) = example.split_once("\n```").unwrap();
        assert_eq!(problems(text), "", "{text}");
        linked += 1;
    }
    assert_eq!(linked, 1);
}

fn client(text: &str) -> String {
    let parts = parts(text);
    linked(&parts).client_sdl().trim_end().to_owned()
}

fn messages(text: &str) -> String {
    let (graph, diagnostics) = load(text);
    assert!(graph.is_none());
    diagnostics
}

fn problems(text: &str) -> String {
    let (graph, diagnostics) = load(text);
    assert!(graph.is_some(), "{diagnostics}");
    diagnostics
}

fn load(text: &str) -> (Option<Graph>, String) {
    let subgraphs: Vec<_> = parts(text)
        .iter()
        .map(|(name, sdl)| subgraph(name, sdl))
        .collect();
    let (graph, diagnostics) = link::link(&subgraphs, LinkOptions::default());
    let rendered: Vec<_> = diagnostics.iter().map(Diagnostic::render).collect();
    (graph, rendered.join("\n\n"))
}

fn parts(text: &str) -> Vec<(&str, &str)> {
    let parts = text.split("#--- ").skip(1);
    parts.map(|part| part.split_once('\n').unwrap()).collect()
}
