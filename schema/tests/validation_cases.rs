//! Runs the dialect's validation cases: small schemas, and the codes that they must give.
//!
//! The file is not part of the repository. It is looked for in the folder that `WEIR_CASES`
//! names, else beside the checkout; without it this test says that it skips.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests are not seen as tests, and a skipped test has to say so"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use schema::diagnostic::{Diagnostic, Severity};
use schema::json::{Json, Kind, Node};
use schema::link::{self, LinkOptions};
use schema::span::Document;
use schema::subgraph::Subgraph;

/// Where we refuse what the reference loads: how the case's name begins, what we say, and why.
const STRICTER: &[(&str, &[&str], &str)] = &[
    (
        "batch maxSize 0",
        &["GRAPHQL_ERROR"],
        "a batch of nothing never ends",
    ),
    (
        "negative batch maxSize",
        &["GRAPHQL_ERROR"],
        "the reference fails when the schema is loaded, which is later than here",
    ),
    (
        "type connector without $this or $batch",
        &["CONNECTORS_CANNOT_RESOLVE_KEY"],
        "it could never be called, since nothing says for which entity",
    ),
];

#[test]
fn schemas_give_the_codes_that_the_cases_say() {
    let file = "validation-cases.json";
    let Some(text) = folder().and_then(|folder| fs::read(folder.join(file)).ok()) else {
        println!("skipped: no {file}; name its folder in WEIR_CASES");
        return;
    };
    let json = Json::parse(Bytes::from(text)).expect("the case file is JSON");
    let mut failures = Vec::new();
    let mut count = 0;
    for case in json.root().elements() {
        count += 1;
        if let Err(failure) = check(case) {
            failures.push(failure);
        }
    }
    println!("{file}: {count} cases, {} differ", failures.len());
    assert!(count > 0, "{file} has cases");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn check(case: Node<'_>) -> Result<(), String> {
    let name = text(case.get("name").expect("a case has a name"));
    let subgraph = Subgraph {
        name: "s".into(),
        url: None,
        document: Document::new("s.graphql", text(case.get("sdl").expect("a case has SDL"))),
    };
    let (_, diagnostics) = link::link(&[subgraph], LinkOptions::default());
    let found: BTreeSet<String> = diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .map(|found| found.code.as_str().to_owned())
        .collect();
    let decided = STRICTER
        .iter()
        .find(|(start, _, _)| name.starts_with(start));
    let expected: BTreeSet<String> = match decided {
        Some((_, codes, _)) => codes.iter().map(|code| (*code).to_owned()).collect(),
        None => case
            .get("codes")
            .expect("a case has codes")
            .elements()
            .map(text)
            .collect(),
    };
    if found == expected {
        return Ok(());
    }
    let rendered: Vec<_> = diagnostics.iter().map(Diagnostic::render).collect();
    Err(format!(
        "{name}: expected {expected:?}, found {found:?}\n{}\n",
        rendered.join("\n")
    ))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the case files stand outside of the repository"
)]
fn folder() -> Option<PathBuf> {
    let named = std::env::var("WEIR_CASES").ok().map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases");
    Some(named.unwrap_or(beside)).filter(|folder| folder.is_dir())
}

fn text(node: Node<'_>) -> String {
    match node.kind() {
        Kind::String(text) => text.decode().into_owned(),
        _ => panic!("a string is expected instead of {node:?}"),
    }
}
