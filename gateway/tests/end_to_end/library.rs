//! The example of `docs/library.md` works, and the page shows its code.

use std::fs;
use std::path::{Path, PathBuf};

use gateway::config::Config;
use gateway::config::expand::Environment;
use gateway::project::Project;
use mocks::Recorded;
use schema::span::Document;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::client::exchange;
use crate::commands::Folder;
use crate::running::Running;

#[path = "../../examples/resolvers.rs"]
#[expect(dead_code, reason = "`main` is not used by the tests")]
mod resolvers;

#[tokio::test]
async fn the_example_computes_a_field_in_rust_from_data_of_a_service() {
    let recorded = Recorded::start(&root().join("examples/resolvers/recorded"))
        .await
        .unwrap();
    let project = project(recorded.url());
    let builder = resolvers::with_resolvers(&project);
    let gateway = Running::from_builder(builder, CancellationToken::new()).await;

    let body = json!({ "query": "{ parcels { id duty } }" }).to_string();
    let json = ("content-type", "application/json");
    let answer = exchange(gateway.address, "POST /graphql", &[json], &body).await;

    let duties = json!([
        { "id": "p1", "duty": 1600 },
        { "id": "p2", "duty": 320 },
        { "id": "p3", "duty": null },
    ]);
    assert_eq!(answer.json(), json!({ "data": { "parcels": duties } }));
    assert_eq!(recorded.calls(), ["GET /parcels"]);
}

#[tokio::test]
async fn the_connector_test_of_the_example_passes() {
    let folder = Folder::new("example-resolvers", &[]);
    let tests = root().join("examples/resolvers/tests");

    let ended = folder.run(&["test", tests.to_str().unwrap()]).await;

    assert_eq!(ended.code(), Some(0), "{}{}", ended.out(), ended.err());
    assert!(ended.out().contains("1 passed"), "{}", ended.out());
}

#[test]
fn the_schema_file_of_the_example_matches_its_resolvers() {
    let file = root().join("examples/resolvers/customs.graphql");
    assert_eq!(fs::read_to_string(file).unwrap(), resolvers::sdl());
}

#[test]
fn the_page_shows_the_code_of_the_example() {
    let page = fs::read_to_string(root().join("docs/library.md")).unwrap();
    let code = fs::read_to_string(root().join("gateway/examples/resolvers.rs")).unwrap();
    let yaml = fs::read_to_string(root().join("examples/resolvers/weir.yaml")).unwrap();

    let mut blocks = 0;
    for (language, text) in [("rust", &code), ("yaml", &yaml)] {
        for block in page.split(&format!("```{language}\n")).skip(1) {
            let (block, _) = block.split_once("```").unwrap();
            assert!(text.contains(block), "not in the example:\n{block}");
            blocks += 1;
        }
    }
    assert_eq!(blocks, 7);
}

/// The example's project, with its service at `url`.
fn project(url: &str) -> Project {
    let folder = root().join("examples/resolvers");
    let variables = [("PARCELS_URL".to_owned(), url.to_owned())];
    let environment: Environment = variables.into_iter().collect();
    let text = fs::read_to_string(folder.join("weir.yaml")).unwrap();
    let (config, diagnostics) = Config::read(&Document::new("weir.yaml", text), &environment);
    let mut config = config.unwrap_or_else(|| panic!("{diagnostics:#?}"));
    config.listen.address.set_port(0);
    let (project, diagnostics) = Project::from_config(config, &folder);
    project.unwrap_or_else(|| panic!("{diagnostics:#?}"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
