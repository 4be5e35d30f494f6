//! The configuration of connectors, from the side of the client and of the source.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::{Json, Router};
use gateway::config::Config;
use gateway::config::expand::Environment;
use gateway::tasks::Tasks;
use schema::span::Document;
use schema::subgraph::Subgraph;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::client::exchange;
use crate::commands::{Folder, terminate};
use crate::running::Running;

/// A source that answers every request with its URI, and records it.
struct Echo {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    stop: CancellationToken,
}

impl Echo {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let echo = Self {
            address: listener.local_addr().unwrap(),
            requests: Arc::default(),
            stop: CancellationToken::new(),
        };
        let routes = Router::new()
            .fallback(repeat)
            .with_state(Arc::clone(&echo.requests));
        let stopped = echo.stop.clone().cancelled_owned();
        Tasks::default().spawn("echo", async {
            let serving = axum::serve(listener, routes);
            serving.with_graceful_shutdown(stopped).await.unwrap();
        });
        echo
    }

    /// Paths with their queries, in the order received.
    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn repeat(State(requests): State<Arc<Mutex<Vec<String>>>>, request: Request) -> Json<Value> {
    let uri = request.uri().to_string();
    requests.lock().unwrap().push(uri.clone());
    Json(json!({ "uri": uri }))
}

/// A graph of one subgraph `g` with the sources `one` and `two`, whose query root has `fields`.
fn sdl(fields: &str) -> String {
    let mut text = r#"
extend schema
  @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
  @source(name: "one", http: { baseURL: "http://127.0.0.1:1" })
  @source(name: "two", http: { baseURL: "http://127.0.0.1:1" })
"#
    .to_owned();
    let _ = write!(text, "type Query {{ {fields} }}");
    text
}

/// A gateway for such a graph; `ECHO` in `connectors` is replaced by the address of `echo`.
async fn gateway(fields: &str, echo: &Echo, connectors: &str) -> Running {
    let text = configuration(echo, connectors);
    let (config, diagnostics) =
        Config::read(&Document::new("weir.yaml", text), &Environment::default());
    let config = config.unwrap_or_else(|| panic!("{diagnostics:#?}"));
    let subgraph = Subgraph {
        name: "g".into(),
        url: None,
        document: Document::new("g.graphql", sdl(fields)),
    };
    Running::serving(&config, &[subgraph], CancellationToken::new()).await
}

fn configuration(echo: &Echo, connectors: &str) -> String {
    let connectors = connectors.replace("ECHO", &format!("'http://{}'", echo.address));
    format!(
        "listen: {{ address: '127.0.0.1:0' }}
shutdown: {{ grace: 1s }}
graph: {{ subgraphs: {{ g: {{ schema: g.graphql }} }} }}
connectors:
{connectors}"
    )
}

async fn post(address: SocketAddr, query: &str) -> Value {
    let body = json!({ "query": query }).to_string();
    let json = ("content-type", "application/json");
    exchange(address, "POST /graphql", &[json], &body)
        .await
        .json()
}

#[tokio::test]
async fn an_operation_has_a_maximum_of_calls_to_a_source() {
    let echo = Echo::start().await;
    let fields = r#"
        one(id: Int): String @connect(source: "one", http: { GET: "/one?id={$args.id}" }, selection: "$.uri")
        two(id: Int): String @connect(source: "two", http: { GET: "/two?id={$args.id}" }, selection: "$.uri")
    "#;
    let gateway = gateway(
        fields,
        &echo,
        "  calls_per_operation: 2
  sources:
    g.one: { url: ECHO }
    g.two: { url: ECHO, calls_per_operation: 1 }
",
    )
    .await;

    let query = "{ a: one(id: 1) b: one(id: 2) c: one(id: 3) d: two(id: 1) e: two(id: 2) }";
    let first = post(gateway.address, query).await;
    let calls = echo.requests().len();
    let again = post(gateway.address, "{ a: one(id: 1) b: one(id: 2) }").await;

    assert_eq!(calls, 3, "{:?}", echo.requests());
    let errors = first["errors"].as_array().unwrap();
    let rejected: Vec<_> = errors
        .iter()
        .map(|error| (&error["path"][0], &error["extensions"]["code"]))
        .collect();
    let code = json!("REQUEST_LIMIT_EXCEEDED");
    assert_eq!(rejected, [(&json!("c"), &code), (&json!("e"), &code)]);
    assert_eq!(first["data"]["b"], "/one?id=2");
    assert_eq!(first["data"]["c"], Value::Null);
    assert_eq!(first["data"]["d"], "/two?id=1");
    // The limit holds for each operation, not for all of them.
    assert_eq!(again.get("errors"), None, "{again}");
}

#[tokio::test]
async fn connectors_read_environment_variables() {
    let echo = Echo::start().await;
    let fields = r#"
        set: String @connect(source: "one", http: { GET: "/?by={$env.CARGO_PKG_NAME}" }, selection: "$.uri")
        mapped: String @connect(source: "one", http: { GET: "/" }, selection: "$env.CARGO_PKG_NAME")
        unset: String @connect(source: "one", http: { GET: "/?by={$env.WEIR_IS_NOT_SET}" }, selection: "$.uri")
    "#;
    let gateway = gateway(fields, &echo, "  sources: { g.one: { url: ECHO } }\n").await;

    let answer = post(gateway.address, "{ set mapped unset }").await;

    // Cargo sets this variable for every test.
    let name = env!("CARGO_PKG_NAME");
    assert_eq!(answer.get("errors"), None, "{answer}");
    assert_eq!(answer["data"]["set"], format!("/?by={name}"));
    assert_eq!(answer["data"]["mapped"], name);
    assert_eq!(answer["data"]["unset"], "/?by=");
}

const MISSING_PROPERTY: &str = r#"
    item: Item @connect(source: "one", http: { GET: "/item" }, selection: "id: uri name: title")
"#;

#[tokio::test]
async fn mapping_reports_are_returned_if_configured() {
    let echo = Echo::start().await;
    let fields = format!("{MISSING_PROPERTY} }} type Item {{ id: ID name: String");
    let hidden = gateway(&fields, &echo, "  sources: { g.one: { url: ECHO } }\n").await;
    let shown = "  reports: true\n  sources: { g.one: { url: ECHO } }\n";
    let shown = gateway(&fields, &echo, shown).await;

    let query = "{ item { id name } }";
    let without_reports = post(hidden.address, query).await;
    let with_reports = post(shown.address, query).await;

    assert_eq!(without_reports.get("extensions"), None, "{without_reports}");
    assert_eq!(with_reports["data"], without_reports["data"]);
    let reports = with_reports["extensions"]["connectors"]["reports"]
        .as_array()
        .unwrap();
    assert_eq!(reports.len(), 1, "{with_reports}");
    assert_eq!(reports[0]["connector"], "g:Query.item[0]");
    assert_eq!(reports[0]["kind"], "property_missing");
    assert_eq!(reports[0]["path"], json!(["title"]));
    assert_eq!(reports[0]["range"], json!([14, 19]));
    assert!(reports[0]["message"].as_str().unwrap().contains("title"));
}

#[tokio::test]
async fn errors_authored_by_a_mapping_are_always_returned() {
    let echo = Echo::start().await;
    let fields = r#"
        item: String @connect(source: "one", http: { GET: "/item" },
          selection: "$.uri->withError({ message: 'old', extensions: { code: 'OLD' } })->withWarning('mine')")
    "#;
    let gateway = gateway(fields, &echo, "  sources: { g.one: { url: ECHO } }\n").await;

    let answer = post(gateway.address, "{ item }").await;

    assert_eq!(answer["data"]["item"], "/item");
    assert_eq!(answer.get("errors"), None, "{answer}");
    assert_eq!(answer["extensions"].as_object().unwrap().len(), 1);
    let errors = answer["extensions"]["connectorErrors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{answer}");
    assert_eq!(errors[0]["message"], "old");
    assert_eq!(errors[0]["extensions"], json!({ "code": "OLD" }));
}

const CONFIGURED: &str = r#"
    one: String @connect(source: "one", http: { GET: "/{$config.tenant}" }, selection: "$.uri")
    two: String @connect(source: "two", http: { GET: "/{$config.tenant}" }, selection: "$.uri")
"#;

#[tokio::test]
async fn the_config_of_a_subgraph_applies_to_all_its_sources() {
    let echo = Echo::start().await;
    let gateway = gateway(
        CONFIGURED,
        &echo,
        "  sources:
    g.one: { url: ECHO, $config: { tenant: replaced } }
  subgraphs:
    g:
      $config: { tenant: all }
      sources: { two: { override_url: ECHO } }
",
    )
    .await;

    let answer = post(gateway.address, "{ one two }").await;

    assert_eq!(answer["data"], json!({ "one": "/all", "two": "/all" }));
}

#[tokio::test]
async fn the_config_of_a_subgraph_applies_to_connectors_without_a_source() {
    let echo = Echo::start().await;
    let fields = r#"
        alone: String
          @connect(http: { GET: "ECHO/{$config.tenant}" }, selection: "$.uri")
    "#
    .replace("ECHO", &format!("http://{}", echo.address));
    let gateway = gateway(
        &fields,
        &echo,
        "  subgraphs: { g: { $config: { tenant: all } } }\n",
    )
    .await;

    let answer = post(gateway.address, "{ alone }").await;

    assert_eq!(answer["data"], json!({ "alone": "/all" }));
}

#[tokio::test]
async fn an_older_spelling_is_served_with_a_warning() {
    let echo = Echo::start().await;
    let config = configuration(
        &echo,
        "  max_requests_per_operation_per_source: 1
  sources: { g.two: { override_url: ECHO, $config: { tenant: two } } }
  subgraphs: { g: { sources: { one: { override_url: ECHO, $config: { tenant: one } } } } }
",
    );
    let graph = sdl(CONFIGURED);
    let files = [("weir.yaml", &*config), ("g.graphql", &*graph)];
    let folder = Folder::new("older-spelling", &files);

    let checked = folder.run(&["check"]).await;
    let (child, address) = folder.serve(&[]).await;
    let answer = post(address, "{ one two }").await;
    terminate(&child).await;
    let ended = child.wait_with_output().await.unwrap();

    assert_eq!(checked.code(), Some(0), "{}", checked.err());
    for instead in ["g.two.url", "g.one.url", "g.one.$config"] {
        let help = format!("write `connectors.sources.{instead}`");
        assert!(checked.out().contains(&help), "{}", checked.out());
    }
    assert_eq!(answer["data"], json!({ "one": "/one", "two": "/two" }));
    let log = String::from_utf8_lossy(&ended.stderr);
    let warnings = log.matches("warning[CONFIG_OLD_SPELLING]").count();
    assert_eq!(warnings, 4, "{log}");
}

#[tokio::test]
async fn returning_reports_is_logged_as_a_warning_at_the_start() {
    let echo = Echo::start().await;
    let connectors = "  reports: true\n  sources: { g.one: { url: ECHO }, g.two: { url: ECHO } }\n";
    let config = configuration(&echo, connectors);
    let graph = sdl(CONFIGURED);
    let files = [("weir.yaml", &*config), ("g.graphql", &*graph)];
    let folder = Folder::new("reports", &files);

    let (child, _) = folder.serve(&[]).await;
    terminate(&child).await;
    let ended = child.wait_with_output().await.unwrap();

    let log = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(
        log.matches("`connectors.reports` shows").count(),
        1,
        "{log}"
    );
}
