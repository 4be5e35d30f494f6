//! The federation audit's queries, executed against its running subgraphs.
//!
//! `WEIR_AUDIT_URL` is the URL of the audit's own server (`http://127.0.0.1:4200`). Without it, or
//! without the folder of `audit.rs`, the tests print that they skip.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use resolvers::settings::SubgraphSettings;
use resolvers::{Engine, Outcome};
use schema::graph::Graph;
use serde_json::Value;

use crate::audit::{composed, folder, suites, supergraph};
use crate::support;

#[tokio::test]
async fn every_query_of_the_audit_is_answered_as_expected() {
    check_all(supergraph).await;
}

#[tokio::test]
async fn every_query_is_answered_alike_over_the_graphs_that_weir_composes() {
    check_all(composed).await;
}

async fn check_all(graph: fn(&Path) -> Arc<Graph>) {
    #[expect(
        clippy::disallowed_methods,
        clippy::print_stderr,
        reason = "the environment is the only configuration of a test; skipping is printed"
    )]
    let (Ok(url), Some(folder)) = (std::env::var("WEIR_AUDIT_URL"), folder()) else {
        eprintln!("skipped: `WEIR_AUDIT_URL` or the folder of the audit is missing");
        return;
    };
    let (mut queries, mut failed) = (0, Vec::new());
    for suite in suites(&folder) {
        let name = suite.file_name().unwrap().to_str().unwrap().to_owned();
        let engine = engine(graph(&suite), &format!("{url}/{name}"));
        let tests = fs::read_to_string(suite.join("tests.json")).unwrap();
        // The audit's services hold values that were added under a name for as long as they run.
        let tests = tests.replace(ADDED, &format!("{:012x}", fastrand::u64(..1 << 48)));
        let tests: Vec<Value> = serde_json::from_str(&tests).unwrap();
        for (index, test) in tests.iter().enumerate() {
            queries += 1;
            if let Err(message) = check(&engine, test).await {
                failed.push(format!("{name}_{index}: {message}"));
            }
        }
    }
    assert_eq!(queries, 199);
    let right = queries - failed.len();
    assert!(
        failed.is_empty(),
        "{right} of 199 as expected\n{}",
        failed.join("\n\n")
    );
}

/// The name in the audit's mutations that each run replaces by one of its own.
const ADDED: &str = "775f9be9a3766";

fn engine(graph: Arc<Graph>, url: &str) -> Engine {
    let mut settings = support::settings();
    for (_, source) in graph.sources() {
        let service = SubgraphSettings {
            url: Some(format!("{url}/{}", source.subgraph).parse().unwrap()),
            ..SubgraphSettings::default()
        };
        settings
            .subgraphs
            .insert(source.subgraph.to_string(), service);
    }
    Engine::new(graph, settings).unwrap()
}

async fn check(engine: &Engine, test: &Value) -> Result<(), String> {
    let query = test["query"].as_str().unwrap();
    let request = support::request(query);
    let mut out = Vec::new();
    let (data, errors): (Value, Vec<String>) = match engine.execute(request, &mut out).await {
        Outcome::Executed { errors, .. } => (
            serde_json::from_slice(&out).unwrap(),
            errors.iter().map(|it| format!("{it:?}")).collect(),
        ),
        Outcome::Cached { response, .. } => panic!("nothing is cached: {response:?}"),
        Outcome::Refused { errors } => (
            Value::Null,
            errors.into_iter().map(|it| it.message).collect(),
        ),
    };
    let expected = &test["expected"];
    let same_errors = expected["errors"]
        .as_bool()
        .is_none_or(|expected| expected != errors.is_empty());
    if data == expected["data"] && same_errors {
        return Ok(());
    }
    let plan = engine.plan_text(query, None).unwrap_or_default();
    Err(format!(
        "{query}\nexpected {expected}\nanswered {data}\nerrors {}\n{plan}",
        errors.join("\n       "),
    ))
}
