//! Runs the validation cases of the connectors dialect in `cases/`: small schemas, and the codes of
//! the errors that they must produce.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "clippy does not see the helpers of tests as tests"
)]

use bytes::Bytes;
use schema::diagnostic::{Diagnostic, Severity};
use schema::json::{Json, Kind, Node};
use schema::link::{self, LinkOptions};
use schema::span::Document;
use schema::subgraph::Subgraph;
use std::collections::BTreeSet;

/// Cases that Weir rejects and the reference implementation loads: the start of the name of the
/// case, the expected codes, and the reason.
const STRICTER: &[(&str, &[&str], &str)] = &[
    (
        "batch maxSize 0",
        &["GRAPHQL_ERROR"],
        "a batch of no representations makes no progress",
    ),
    (
        "negative batch maxSize",
        &["GRAPHQL_ERROR"],
        "the reference implementation rejects it later, when it loads the schema",
    ),
    (
        "type connector without $this or $batch",
        &["CONNECTORS_CANNOT_RESOLVE_KEY"],
        "it cannot be called, since no variable identifies the entity",
    ),
];

#[test]
fn schemas_have_the_codes_of_the_cases() {
    let file = include_bytes!("cases/validation-cases.json");
    let json = Json::parse(Bytes::from_static(file)).expect("the case file is JSON");
    let mut failures = Vec::new();
    let mut count = 0;
    for case in json.root().elements() {
        count += 1;
        if let Err(failure) = check(case) {
            failures.push(failure);
        }
    }
    assert!(count > 0, "the case file has no cases");
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
    let deviation = STRICTER
        .iter()
        .find(|(start, _, _)| name.starts_with(start));
    let expected: BTreeSet<String> = match deviation {
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

fn text(node: Node<'_>) -> String {
    match node.kind() {
        Kind::String(text) => text.decode().into_owned(),
        _ => panic!("a string is expected instead of {node:?}"),
    }
}
