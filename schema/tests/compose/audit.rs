//! The federation audit: each suite composes into the graph of its supergraph, which another
//! composer produced. The suites are outside of the repository; `WEIR_AUDIT` names their folder.

use std::path::{Path, PathBuf};

use schema::diagnostic::Diagnostic;
use schema::graph::Graph;
use schema::link::{self, LinkOptions};
use schema::span::Document;
use schema::subgraph::Subgraph;

use super::canonical;

/// Suites whose graph may differ, with the reason.
const DIFFERENT: &[(&str, &str)] = &[];

#[test]
fn every_suite_composes_into_the_graph_of_its_supergraph() {
    let Some(suites) = suites() else {
        return skipped();
    };
    let mut wrong = Vec::new();
    for suite in &suites {
        let name = suite.file_name().unwrap().to_string_lossy();
        let ours = graph(link::link(&subgraphs(suite), LinkOptions::default()));
        let text = std::fs::read_to_string(suite.join("supergraph.graphql")).unwrap();
        let document = Document::new(&*name, text);
        let theirs = graph(link::link_supergraph(&document, LinkOptions::default()));
        if DIFFERENT.iter().any(|(known, _)| **known == *name) {
            continue;
        }
        for text in [canonical::views, canonical::types, canonical::client] {
            wrong.extend(difference(&name, &text(&ours), &text(&theirs)));
        }
    }
    assert_eq!(suites.len(), 46);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_suite_round_trips_through_its_printed_supergraph() {
    let Some(suites) = suites() else {
        return skipped();
    };
    let mut wrong = Vec::new();
    for suite in &suites {
        let name = suite.file_name().unwrap().to_string_lossy();
        let subgraphs = subgraphs(suite);
        let (text, diagnostics) = link::compose(&subgraphs, LinkOptions::default());
        assert_eq!(diagnostics, []);
        let document = Document::new(&*name, text.unwrap());
        let read = graph(link::link_supergraph(&document, LinkOptions::default()));
        let ours = graph(link::link(&subgraphs, LinkOptions::default()));
        for text in [canonical::views, canonical::types, canonical::client] {
            wrong.extend(difference(&name, &text(&read), &text(&ours)));
        }
    }
    assert_eq!(suites.len(), 46);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[expect(clippy::print_stdout, reason = "a skipped test is printed")]
fn skipped() {
    println!("skipped: the folder with the federation audit is missing");
}

#[track_caller]
fn graph((graph, diagnostics): (Option<Graph>, Vec<Diagnostic>)) -> Graph {
    let rendered: Vec<_> = diagnostics.iter().map(Diagnostic::render).collect();
    assert_eq!(rendered.join("\n"), "");
    graph.unwrap()
}

fn difference(suite: &str, ours: &str, theirs: &str) -> Option<String> {
    if ours == theirs {
        return None;
    }
    let only = |left: &str, right: &str, sign: &str| -> String {
        let missing = left
            .lines()
            .filter(|line| right.lines().all(|it| it != *line));
        let lines: Vec<_> = missing.map(|line| format!("{sign} {line}")).collect();
        lines.join("\n")
    };
    let (ours_only, theirs_only) = (only(ours, theirs, "+"), only(theirs, ours, "-"));
    Some(format!("# {suite}\n{ours_only}\n{theirs_only}"))
}

pub(crate) fn subgraphs(suite: &Path) -> Vec<Subgraph> {
    let mut files: Vec<_> = std::fs::read_dir(suite)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "graphql"))
        .filter(|path| path.file_stem().is_some_and(|it| it != "supergraph"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| Subgraph {
            name: file.file_stem().unwrap().to_string_lossy().into(),
            url: None,
            document: Document::new(
                file.file_name().unwrap().to_string_lossy(),
                std::fs::read_to_string(file).unwrap(),
            ),
        })
        .collect()
}

/// The suites of the audit; `None` if no folder is configured and the default one is missing.
pub(crate) fn suites() -> Option<Vec<PathBuf>> {
    let configured = std::env::var_os("WEIR_AUDIT").map(PathBuf::from);
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/audit");
    if configured.is_none() && !default.is_dir() {
        return None;
    }
    let mut suites: Vec<_> = std::fs::read_dir(configured.unwrap_or(default))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    suites.sort();
    Some(suites)
}
