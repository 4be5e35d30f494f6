//! The federation audit's queries, planned: at most as many requests as the best known planner.
//!
//! The suites are read from the folder in `WEIR_AUDIT`, by default `shared/audit` beside the
//! checkout. They are not part of the repository; without them the tests print that they skip.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use resolvers::Engine;
use schema::diagnostic::Diagnostic;
use schema::graph::Graph;
use schema::link::{self, LinkOptions};
use schema::span::Document;
use serde_json::Value;

use crate::support;

/// Number of requests of the best known planner, Hive Router's, for all queries.
const BEST_KNOWN: usize = 406;

#[test]
fn every_query_of_the_audit_is_planned_in_few_requests() {
    plan_all(supergraph);
}

#[test]
fn the_graphs_that_weir_composes_are_planned_as_well() {
    plan_all(composed);
}

#[expect(
    clippy::print_stderr,
    reason = "a skipped test and differing plans are printed"
)]
fn plan_all(graph: fn(&Path) -> Arc<Graph>) {
    let Some(folder) = folder() else {
        eprintln!("skipped: no folder with the federation audit");
        return;
    };
    let known = counts(&folder);
    let (mut total, mut queries, mut failed) = (0, 0, Vec::new());
    let mut table = String::new();
    for suite in suites(&folder) {
        let name = suite.file_name().unwrap().to_str().unwrap().to_owned();
        let engine = Engine::new(graph(&suite), support::settings()).unwrap();
        let tests = fs::read_to_string(suite.join("tests.json")).unwrap();
        let tests: Vec<Value> = serde_json::from_str(&tests).unwrap();
        for (index, test) in tests.iter().enumerate() {
            queries += 1;
            let id = format!("{name}_{index}");
            let query = test["query"].as_str().unwrap();
            match engine.plan_text(query, None) {
                Ok(plan) => {
                    let count = requests(&plan);
                    total += count;
                    let best = known.iter().find(|(known, _)| *known == id);
                    let best = best.and_then(|(_, count)| *count);
                    if best.is_some_and(|best| best != count) {
                        let _ = writeln!(table, "{id}: {count}, best known {best:?}");
                    }
                }
                // Only an error is expected, for example for an unknown field.
                Err(_)
                    if test["expected"]["errors"] == true && test["expected"]["data"].is_null() => {
                }
                Err(errors) => failed.push(format!("{id}: {errors:?}")),
            }
        }
    }
    eprintln!("{table}{total} requests for {queries} queries");
    assert_eq!(failed.join("\n"), "");
    assert_eq!(queries, 199);
    assert!(total <= BEST_KNOWN, "{total} requests\n{table}");
}

fn requests(plan: &str) -> usize {
    let lines = plan.lines();
    lines
        .filter(|line| line.starts_with(|first: char| first.is_ascii_digit()))
        .count()
}

/// The folder of the audit; `None` if none is configured and the default one is missing.
pub(crate) fn folder() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment is the only configuration of a test"
    )]
    let configured = std::env::var("WEIR_AUDIT").ok().map(PathBuf::from);
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/audit");
    configured.or_else(|| Some(default).filter(|folder| folder.is_dir()))
}

pub(crate) fn suites(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut suites: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    suites.sort();
    suites
}

pub(crate) fn supergraph(suite: &Path) -> Arc<Graph> {
    let path = suite.join("supergraph.graphql");
    let text = fs::read_to_string(&path).unwrap();
    let document = Document::new("supergraph.graphql", text);
    let (graph, diagnostics) = link::link_supergraph(&document, LinkOptions::default());
    let rendered: Vec<_> = diagnostics.iter().map(Diagnostic::render).collect();
    assert_eq!(rendered.join("\n"), "", "{}", suite.display());
    Arc::new(graph.unwrap())
}

/// Composes the graph of the suite's subgraphs.
pub(crate) fn composed(suite: &Path) -> Arc<Graph> {
    let files = fs::read_dir(suite).unwrap();
    let mut paths: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "graphql"));
    paths.sort();
    let subgraphs: Vec<(String, String)> = paths
        .iter()
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .filter(|(name, _)| name != "supergraph")
        .map(|(name, path)| (name, fs::read_to_string(path).unwrap()))
        .collect();
    let named: Vec<(&str, &str)> = subgraphs
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    support::graph(&named)
}

/// The number of requests of the best known planner by query; `None` if it has no plan.
fn counts(folder: &Path) -> Vec<(String, Option<usize>)> {
    let text = fs::read_to_string(folder.join("fetch-counts.txt")).unwrap();
    let lines = text.lines();
    lines
        .filter_map(|line| {
            let (id, rest) = line.split_once(':')?;
            let (_, hive) = rest.rsplit_once("hive ")?;
            Some((id.to_owned(), hive.trim().parse().ok()))
        })
        .collect()
}
