//! The binary `weir`: output and exit codes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::client::exchange;

/// A folder for one test, with some files in it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        for (name, text) in files {
            fs::write(path.join(name), text).unwrap();
        }
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let own = env!("CARGO_BIN_EXE_weir").into();
        let mut command = Command::new(std::env::var_os("WEIR_BIN").unwrap_or(own));
        command
            .args(arguments)
            .current_dir(&self.0)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        Ended(self.command(arguments).output().await.unwrap())
    }

    /// Starts a command that serves, and returns the address of its GraphQL.
    pub(crate) async fn serve(&self, arguments: &[&str]) -> (Child, std::net::SocketAddr) {
        until_served(self.command(arguments)).await
    }

    /// Serves with an environment variable.
    pub(crate) async fn serve_with(
        &self,
        arguments: &[&str],
        (name, value): (&str, &str),
    ) -> (Child, std::net::SocketAddr) {
        let mut command = self.command(arguments);
        command.env(name, value);
        until_served(command).await
    }

    /// Serves the folder's configuration with a maximum of open files.
    pub(crate) async fn serve_with_open_files(&self, limit: u32) -> (Child, std::net::SocketAddr) {
        let script = format!("ulimit -n {limit}; exec \"$0\" serve");
        let mut command = Command::new("sh");
        command
            .args(["-c", &script, env!("CARGO_BIN_EXE_weir")])
            .current_dir(&self.0)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        until_served(command).await
    }
}

async fn until_served(mut command: Command) -> (Child, std::net::SocketAddr) {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some(url) = line.trim_start().strip_prefix("GraphQL ") {
            let address = url.trim().strip_prefix("http://").unwrap();
            let address = address.strip_suffix("/graphql").unwrap().parse().unwrap();
            child.stdout = Some(lines.into_inner().into_inner());
            return (child, address);
        }
    }
    panic!("weir ended before it served");
}

pub(crate) struct Ended(Output);

impl Ended {
    pub(crate) fn code(&self) -> Option<i32> {
        self.0.status.code()
    }

    pub(crate) fn out(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    pub(crate) fn err(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }
}

const CONFIG: &str = "listen: { address: '127.0.0.1:0' }
graph: { subgraphs: { users: { schema: users.graphql } } }
connectors: { sources: { users.api: { url: 'http://127.0.0.1:1' } } }
";

const USERS: &str = r#"
extend schema
  @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
  @source(name: "api", http: { baseURL: "http://127.0.0.1:1" })

type Query {
  name: String @connect(source: "api", http: { GET: "/name" }, selection: "$")
}
"#;

#[tokio::test]
async fn checking_a_valid_configuration_succeeds() {
    let folder = Folder::new(
        "check-good",
        &[("weir.yaml", CONFIG), ("users.graphql", USERS)],
    );

    let text = folder.run(&["check"]).await;
    let json = folder.run(&["check", "--format", "json"]).await;

    assert_eq!(
        (text.code(), text.out().as_str()),
        (Some(0), "no problems found\n"),
        "{}",
        text.err()
    );
    let json: serde_json::Value = serde_json::from_str(&json.out()).unwrap();
    assert_eq!(json, serde_json::json!({ "diagnostics": [] }));
}

#[tokio::test]
async fn problems_of_the_graph_and_of_files_are_reported_together() {
    let config = "graph: { subgraphs: { users: { schema: users.graphql }, orders: { schema: orders.graphql } } }
connectors: { sources: { users.apu: { timeout: 1s } } }
";
    let broken = USERS.replace("\"$\"", "\"$.{\"");
    let folder = Folder::new(
        "check-bad",
        &[("weir.yaml", config), ("users.graphql", &broken)],
    );

    let ended = folder.run(&["check"]).await;
    let json = folder.run(&["check", "--format", "json"]).await;

    assert_eq!((ended.code(), json.code()), (Some(1), Some(1)));
    assert!(
        ended.out().contains("error[INVALID_SELECTION]"),
        "{}",
        ended.out()
    );
    assert!(
        ended.out().contains("error[FILE_UNREADABLE]"),
        "{}",
        ended.out()
    );
    assert!(ended.out().contains("weir.yaml:1:75"), "{}", ended.out());
    let json: serde_json::Value = serde_json::from_str(&json.out()).unwrap();
    assert_eq!(json["diagnostics"].as_array().unwrap().len(), 2, "{json}");
}

#[tokio::test]
async fn a_source_that_the_graph_does_not_have_is_a_problem_of_the_configuration() {
    let config = CONFIG.replace("users.api", "users.apu");
    let folder = Folder::new(
        "check-source",
        &[("weir.yaml", &config), ("users.graphql", USERS)],
    );

    let ended = folder.run(&["check"]).await;

    assert_eq!(ended.code(), Some(1));
    assert!(
        ended.out().contains("the graph has no source `users.apu`"),
        "{}",
        ended.out()
    );
    assert!(ended.out().contains("write `users.api`"), "{}", ended.out());
}

#[tokio::test]
async fn a_missing_configuration_exits_with_1_and_a_wrong_argument_with_2() {
    let folder = Folder::new("missing", &[]);

    let missing = folder.run(&["serve"]).await;
    let misuse = folder.run(&["serve", "--prot", "80"]).await;

    assert_eq!(missing.code(), Some(1));
    assert!(
        missing.err().contains("cannot read `weir.yaml`"),
        "{}",
        missing.err()
    );
    assert_eq!(misuse.code(), Some(2));
}

#[tokio::test]
async fn plan_and_schema_call_no_service() {
    let folder = Folder::new(
        "describe",
        &[(
            "q.graphql",
            "query A { users { nodes { name } } } query B { nope }",
        )],
    );

    let plan = folder
        .run(&[
            "plan",
            "{ orders(first: 3) { nodes { customer { name } } } }",
        ])
        .await;
    let invalid = folder.run(&["plan", "@q.graphql", "--name", "A"]).await;
    let json = folder
        .run(&["plan", "--json", "{ user(id: 1) { name } }"])
        .await;
    let schema = folder.run(&["schema"]).await;
    let file = folder.run(&["plan", "q.graphql"]).await;

    assert_eq!(plan.code(), Some(0), "{}", plan.err());
    assert!(
        plan.out().contains("1. ") && plan.out().contains("2. "),
        "{}",
        plan.out()
    );
    let json: serde_json::Value = serde_json::from_str(&json.out()).unwrap();
    assert!(json.to_string().contains("users:Query.user[0]"), "{json}");
    assert_eq!(invalid.code(), Some(1));
    assert!(
        invalid.err().contains("--> q.graphql:1:48"),
        "{}",
        invalid.err()
    );
    assert_eq!(file.code(), Some(1));
    let message = file.err();
    assert!(message.contains("write `@q.graphql`"), "{message}");
    assert!(schema.out().contains("type Query"), "{}", schema.out());
    assert!(!schema.out().contains("@connect"), "{}", schema.out());
}

#[tokio::test]
async fn the_demo_is_served_without_a_configuration() {
    let folder = Folder::new("shop", &[]);
    let (mut child, address) = folder.serve(&["--listen", "127.0.0.1:0"]).await;

    let json = ("content-type", "application/json");
    let body = r#"{"query":"{ user(id: 1) { id } }"}"#;
    let answer = exchange(address, "POST /graphql", &[json], body).await;
    let occupied = folder.run(&["--listen", &address.to_string()]).await;
    terminate(&child).await;

    assert_eq!(answer.json()["data"]["user"]["id"], "1");
    assert_eq!(occupied.code(), Some(1));
    assert!(
        occupied
            .err()
            .contains(&format!("error: cannot listen at {address}")),
        "{}",
        occupied.err()
    );
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
}

#[tokio::test]
async fn a_configuration_is_served_and_requests_are_logged() {
    let config = format!("{CONFIG}log: {{ format: json }}\n");
    let folder = Folder::new("serve", &[("weir.yaml", &config), ("users.graphql", USERS)]);
    let (child, address) = folder.serve(&[]).await;

    let headers = [
        ("content-type", "application/json"),
        ("x-request-id", "tuesday"),
    ];
    let answer = exchange(
        address,
        "POST /graphql",
        &headers,
        r#"{"query":"{ name }"}"#,
    )
    .await;
    terminate(&child).await;
    let log = child.wait_with_output().await.unwrap();

    assert_eq!(
        (answer.status, answer.code().as_str()),
        (200, "SOURCE_UNAVAILABLE")
    );
    let text = String::from_utf8_lossy(&log.stderr).into_owned();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let request = lines
        .iter()
        .find(|line| line["message"] == "request")
        .expect("a log line for the request");
    assert_eq!(request["request_id"], "tuesday");
    assert_eq!(
        (&request["status"], &request["errors"]),
        (&200.into(), &1.into())
    );
    assert_eq!(request["code"], "SOURCE_UNAVAILABLE");
    let failure = lines
        .iter()
        .find(|line| line["service"] == "users")
        .expect("a log line for the failure");
    assert_eq!(failure["request_id"], "tuesday");
    assert!(
        failure["error"].as_str().unwrap().contains("refused"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_code_is_explained_with_an_example_and_all_codes_are_listed() {
    let folder = Folder::new("explain", &[]);

    let one = folder.run(&["explain", "invalid_url"]).await;
    let all = folder.run(&["explain"]).await;

    assert_eq!(one.code(), Some(0), "{}", one.err());
    let text = one.out();
    assert!(text.starts_with("INVALID_URL: A URL, or"), "{text}");
    assert!(text.contains("percent-encoded"), "{text}");
    assert!(text.contains("Fixed:\n\n```graphql\n"), "{text}");
    assert_eq!(all.code(), Some(0), "{}", all.err());
    for code in schema::diagnostic::Code::ALL {
        let (name, list) = (code.as_str(), all.out());
        let lines = list.lines().filter(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(name) && words.next().is_some()
        });
        assert_eq!(lines.count(), 1, "{name}: {list}");
    }
}

#[tokio::test]
async fn an_unknown_code_is_answered_with_the_nearest() {
    let folder = Folder::new("explain-unknown", &[]);

    let close = folder.run(&["explain", "invalid_urls"]).await;
    let word = folder.run(&["explain", "header"]).await;
    let nothing = folder.run(&["explain", "weather-forecast"]).await;

    assert_eq!(close.code(), Some(2));
    assert!(
        close.err().contains("did you mean INVALID_URL?"),
        "{}",
        close.err()
    );
    assert_eq!(word.code(), Some(2));
    assert!(
        word.err().contains("similar codes: INVALID_HEADER, HTTP"),
        "{}",
        word.err()
    );
    assert_eq!(nothing.code(), Some(2));
    assert!(
        nothing.err().contains("`weir explain` lists"),
        "{}",
        nothing.err()
    );
}

#[tokio::test]
async fn the_json_schema_names_every_section() {
    let folder = Folder::new("config-schema", &[]);

    let ended = folder.run(&["config-schema"]).await;

    let schema: serde_json::Value = serde_json::from_str(&ended.out()).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(
        schema["properties"]["limits"]["properties"]["depth"]["default"],
        "25"
    );
}

pub(crate) async fn terminate(child: &Child) {
    let id = child.id().expect("a running process").to_string();
    let killed = Command::new("kill")
        .args(["-TERM", &id])
        .status()
        .await
        .unwrap();
    assert!(killed.success());
}
