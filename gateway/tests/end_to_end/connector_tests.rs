//! `weir test`: the demo's own tests, failing tests, and the examples of
//! `docs/connectors.md` and `docs/idioms.md`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use gateway::shop;
use resolvers::connector_test;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{ChildStderr, ChildStdout, Command};

const SDL: &str = r#"
extend schema
  @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
  @source(name: "api", http: { baseURL: "http://api.example.com/{$config.version}" })

type Query {
  user(id: ID!): User
    @connect(source: "api", http: { GET: "/users/{$args.id}" }, selection: "id name: full.name")
}
type User { id: ID! name: String }
"#;

const TESTS: &str = r#"
config: { schema: ../users.graphql }
tests:
  - name: a name is found
    connector: Query.user
    variables: { $args: { id: "7" }, $config: { version: v1 } }
    apiResponseBody: '{ "id": "7", "full": { "name": "Ada" } }'
    expect:
      connectorRequest: { url: "http://api.example.com/v1/users/7" }
      connectorResponse: { name: Ada, id: "7" }
"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    for (name, text) in files {
        let file = path.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    path
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

async fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command(folder, arguments).output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[tokio::test]
async fn every_connector_of_the_demo_has_a_test_that_passes() {
    let files = ["users", "products", "orders"]
        .map(|name| format!("schema/commerce/tests/{name}.connector.yml"));
    let arguments: Vec<&str> = ["test"]
        .into_iter()
        .chain(files.iter().map(String::as_str))
        .collect();

    let (code, out, err) = run(&root(), &arguments).await;

    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.ends_with(" passed, 0 failed, 0 skipped\n"), "{out}");
    let options = schema::link::LinkOptions::default();
    let (graph, _) = schema::link::link(&shop::subgraphs(), options);
    for coordinate in connector_test::coordinates(&graph.unwrap()) {
        let (service, name) = coordinate.split_once(':').unwrap();
        let (name, _) = name.split_once('[').unwrap();
        let file = root().join(format!("schema/commerce/tests/{service}.connector.yml"));
        let text = fs::read_to_string(file).unwrap();
        let named = [
            format!("connector: {name}\n"),
            format!("connector: {coordinate}\n"),
        ];
        assert!(
            named.iter().any(|line| text.contains(line)),
            "no test of {coordinate}"
        );
    }
}

#[tokio::test]
async fn a_failing_test_prints_the_difference() {
    let tests = TESTS.replace("name: Ada, id", "name: Eve, id")
        + "  - { name: left out, connector: Query.user, skip: true }\n";
    let folder = folder(
        "test-fails",
        &[
            ("users.graphql", SDL),
            ("tests/users.connector.yml", &tests),
        ],
    );

    let (code, out, err) = run(&folder, &["test"]).await;

    assert_eq!((code, err.as_str()), (Some(1), ""));
    assert_eq!(
        out,
        "tests/users.connector.yml
  FAIL  a name is found
        connectorResponse (- expected, + found)
            {
              \"id\": \"7\",
          -   \"name\": \"Eve\"
          +   \"name\": \"Ada\"
            }
  skip  left out
0 passed, 1 failed, 1 skipped
"
    );
}

#[tokio::test]
async fn every_part_of_a_request_and_of_an_error_is_compared() {
    let cases = [
        ("method: POST", "- POST\n          + GET"),
        (
            "url: http://api.example.com/v1/users/8",
            "- http://api.example.com/v1/users/8",
        ),
        ("scheme: https", "- https\n          + http"),
        ("origin: example.com", "+ api.example.com"),
        ("path: /users/7", "+ /v1/users/7"),
        ("queryParams: { a: 1 }", "- a=1"),
        ("headers: { accept: null }", "+ accept: application/json"),
        ("body: { a: 1 }", "+ (no body)"),
    ];
    for (index, (part, shown)) in cases.into_iter().enumerate() {
        let tests = TESTS.replace("url: \"http://api.example.com/v1/users/7\"", part);
        let folder = folder(
            &format!("test-part-{index}"),
            &[
                ("users.graphql", SDL),
                ("tests/users.connector.yml", &tests),
            ],
        );

        let (code, out, _) = run(&folder, &["test", "tests"]).await;

        assert_eq!(code, Some(1), "{part}: {out}");
        assert!(out.contains(shown), "{part}: {out}");
    }
}

#[tokio::test]
async fn a_different_request_is_printed_with_its_reports() {
    let sdl = SDL.replace(
        "{$args.id}\"",
        "{$args.id}\", queryParams: \"a: $config.a\"",
    );
    let url = "url: \"http://api.example.com/v1/users/7\"";
    let tests = TESTS.replace(url, "queryParams: { a: 1 }");
    let files = [
        ("users.graphql", sdl.as_str()),
        ("tests/users.connector.yml", &tests),
    ];
    let folder = folder("test-request-reports", &files);

    let (code, out, _) = run(&folder, &["test", "tests"]).await;

    assert_eq!(code, Some(1), "{out}");
    let shown = "- a=1\n          mapping report: $config.a: ";
    assert!(out.contains(shown), "{out}");
}

#[tokio::test]
async fn an_unexpected_error_fails_and_an_expected_one_passes() {
    let failing = TESTS.replace(
        "    apiResponseBody",
        "    status: 503\n    apiResponseBody",
    );
    let (before, _) = failing.split_once("      connectorResponse").unwrap();
    let expected = format!(
        "{before}      error: {{ message: the source refused the call, extensions: {{ code: CONNECTOR_FETCH }} }}\n"
    );
    let folder = folder(
        "test-errors",
        &[
            ("users.graphql", SDL),
            ("tests/a.connector.yml", &failing),
            ("tests/b.connector.yml", &expected),
        ],
    );

    let (unexpected, out, _) = run(&folder, &["test", "tests/a.connector.yml"]).await;
    let (expected, ..) = run(&folder, &["test", "tests/b.connector.yml"]).await;

    assert_eq!((unexpected, expected), (Some(1), Some(0)), "{out}");
    assert!(out.contains("\"status\": 503"), "{out}");
}

#[tokio::test]
async fn all_extensions_of_an_error_are_compared() {
    let errors = r#", errors: { extensions: "connector: $('mine') code: $(5) http: $status" })"#;
    let sdl = SDL.replace("full.name\")", &format!("full.name\"{errors}"));
    let tests = TESTS.replace(
        "    apiResponseBody",
        "    status: 503\n    apiResponseBody",
    );
    let (before, _) = tests.split_once("      connectorResponse").unwrap();
    let extensions = "{ connector: mine, code: 5, http: 503, service: users }";
    let tests = format!("{before}      error: {{ extensions: {extensions} }}\n");
    let folder = folder(
        "test-extensions",
        &[("users.graphql", &sdl), ("tests/a.connector.yml", &tests)],
    );

    let (code, out, err) = run(&folder, &["test"]).await;

    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
}

#[tokio::test]
async fn every_mistake_in_a_file_is_reported_with_its_position() {
    let tests = "config: { schema: ../users.graphql, nmae: {} }
tests:
  - { nam: x, connector: Query.user, status: tuesday }
  - { name: y, connector: Query.user, apiResponseBodyFile: none.json, expect: { problem: [] } }
";
    let unknown = TESTS.replace("Query.user", "Query.usr");
    let folder = folder(
        "test-wrong",
        &[
            ("users.graphql", SDL),
            ("a.connector.yml", tests),
            ("b.connector.yml", &unknown.replace("../", "")),
        ],
    );
    fs::write(folder.join("a.connector.yml"), tests.replace("../", "")).unwrap();

    let (code, out, err) = run(&folder, &["test", "a.connector.yml", "b.connector.yml"]).await;

    assert_eq!(code, Some(1), "{out}");
    for expected in [
        "`config` has no key `nmae`",
        "a.connector.yml:1:34",
        "write `name`",
        "a test has no key `nam`",
        "the test has no `name`",
        "the status must be a number from 100 to 999",
        "a.connector.yml:3:46",
        "cannot read `none.json`",
        "`expect` has no key `problem`",
        "there is no connector `Query.usr`",
        "b.connector.yml:5:16",
        "write `Query.user`",
    ] {
        assert!(err.contains(expected), "{expected} is not in\n{err}");
    }
}

#[tokio::test]
async fn a_folder_without_tests_fails() {
    let folder = folder("test-none", &[("users.graphql", SDL)]);

    let (code, out, _) = run(&folder, &["test"]).await;

    assert_eq!(code, Some(1));
    assert!(out.starts_with("there are no tests"), "{out}");
}

#[tokio::test]
async fn a_configuration_provides_url_headers_and_config_and_secrets_are_redacted() {
    let config = "graph: { subgraphs: { people: { schema: users.graphql } } }
connectors:
  sources:
    people.api: { url: 'http://127.0.0.1:9/here', headers: { authorization: Bearer hunter2 } }
";
    let url = "http://127.0.0.1:9/here/users/7";
    let tests = TESTS.replace("http://api.example.com/v1/users/7", url);
    let good = tests.replace(
        "{ url:",
        "{ headers: { authorization: Bearer hunter2 }, url:",
    );
    let bad = tests.replace("{ url:", "{ headers: { authorization: Bearer other }, url:");
    let folder = folder(
        "test-config",
        &[
            ("weir.yaml", config),
            ("users.graphql", SDL),
            ("tests/good.connector.yml", &good),
            ("tests/bad.connector.yml", &bad),
        ],
    );

    let arguments = ["test", "--config", "weir.yaml", "tests/good.connector.yml"];
    let (good, out, err) = run(&folder, &arguments).await;
    let arguments = ["test", "--config", "weir.yaml", "tests/bad.connector.yml"];
    let (bad, shown, _) = run(&folder, &arguments).await;

    assert_eq!((good, bad), (Some(0), Some(1)), "{out}{err}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn tests_run_again_when_the_schema_changes() {
    let folder = folder(
        "test-watch",
        &[("users.graphql", SDL), ("tests/users.connector.yml", TESTS)],
    );
    let mut child = command(&folder, &["test", "--watch"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut err = BufReader::new(child.stderr.take().unwrap()).lines();

    let first = finish_run(&mut out, &mut err).await;
    let broken = SDL.replace("full.name", "full.nickname");
    fs::write(folder.join("users.graphql"), broken).unwrap();
    let second = finish_run(&mut out, &mut err).await;

    assert_eq!(first, "1 passed, 0 failed, 0 skipped");
    assert_eq!(second, "0 passed, 1 failed, 0 skipped");
}

#[tokio::test]
async fn every_example_of_the_connectors_page_is_valid() {
    check_page("connectors").await;
}

#[tokio::test]
async fn every_idiom_has_a_test_that_passes() {
    check_page("idioms").await;
}

/// Checks each SDL of a page of the documentation, and runs the tests beside it.
async fn check_page(name: &str) {
    let page = fs::read_to_string(root().join(format!("docs/{name}.md"))).unwrap();
    let blocks = blocks(&page);
    let head = blocks[0].1;
    let folder = folder(&format!("test-{name}"), &[("motd.graphql", SDL)]);
    let (mut sdl, mut files) = (String::new(), vec!["test".to_owned()]);
    for (number, (kind, text)) in blocks.iter().enumerate() {
        match kind.split_once([' ', '=']) {
            Some(("graphql", "head")) => {}
            Some(("graphql", rest)) => {
                sdl = if text.contains("extend schema") {
                    (*text).to_owned()
                } else {
                    format!("{head}{text}")
                };
                let expected: Vec<&str> = rest.strip_prefix("error=").into_iter().collect();
                assert_eq!(codes(&sdl), expected, "{text}");
            }
            Some(("yaml", "test")) => {
                fs::write(folder.join(format!("{number}.graphql")), &sdl).unwrap();
                let file = format!("{number}.connector.yml");
                let text = format!("config: {{ schema: {number}.graphql }}\n{text}");
                fs::write(folder.join(&file), text).unwrap();
                files.push(file);
            }
            Some(("yaml", "config")) => {
                fs::write(folder.join("motd.graphql"), &sdl).unwrap();
                fs::write(folder.join("weir.yaml"), text).unwrap();
                let (code, out, err) = run(&folder, &["check"]).await;
                assert_eq!(code, Some(0), "{out}{err}");
            }
            _ => assert_eq!(*kind, "yaml", "{text}"),
        }
    }

    let arguments: Vec<&str> = files.iter().map(String::as_str).collect();
    let (code, out, err) = run(&folder, &arguments).await;

    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(files.len() > 6, "{out}");
}

/// The fenced blocks of a page: the info string, and the text.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let fenced = page.split("```").skip(1).step_by(2);
    fenced
        .map(|block| block.split_once('\n').unwrap())
        .collect()
}

/// The codes of the diagnostics for an SDL.
fn codes(sdl: &str) -> Vec<&'static str> {
    let subgraph = schema::subgraph::Subgraph {
        name: "page".into(),
        url: None,
        document: schema::span::Document::new("page.graphql", sdl),
    };
    let options = schema::link::LinkOptions::default();
    let (_, diagnostics) = schema::link::link(&[subgraph], options);
    diagnostics
        .iter()
        .map(|found| found.code.as_str())
        .collect()
}

/// The summary line of a run, once the command waits for changes.
async fn finish_run(
    out: &mut Lines<BufReader<ChildStdout>>,
    err: &mut Lines<BufReader<ChildStderr>>,
) -> String {
    let reading = async {
        let summary = loop {
            let line = out.next_line().await.unwrap().unwrap();
            if line.ends_with(" skipped") {
                break line;
            }
        };
        while !err
            .next_line()
            .await
            .unwrap()
            .unwrap()
            .starts_with("waiting")
        {}
        summary
    };
    tokio::time::timeout(Duration::from_secs(10), reading)
        .await
        .unwrap()
}
