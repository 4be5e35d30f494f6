//! `weir` as a process with a configuration file.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::client::{Answer, Connection, exchange};
use crate::port::Port;
use crate::support::until;

/// A running gateway; killed when it is dropped.
pub(crate) struct Weir {
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
    folder: PathBuf,
    _child: Child,
    _port: Port,
}

/// The configuration of a gateway.
#[derive(Clone, Default)]
pub(crate) struct Setup {
    pub(crate) subgraphs: Vec<Subgraph>,
    /// The section `cache`, in YAML.
    pub(crate) cache: String,
}

#[derive(Clone)]
pub(crate) struct Subgraph {
    pub(crate) name: &'static str,
    pub(crate) sdl: String,
    /// The name of its one source.
    pub(crate) source: &'static str,
    pub(crate) url: String,
}

impl Setup {
    /// One subgraph with one service, and a cache as configured in YAML.
    pub(crate) fn new(subgraph: Subgraph, cache: &str) -> Self {
        Self {
            subgraphs: vec![subgraph],
            cache: cache.to_owned(),
        }
    }

    fn yaml(&self, admin: SocketAddr) -> String {
        let (mut graphs, mut sources) = (String::new(), String::new());
        for Subgraph {
            name, source, url, ..
        } in &self.subgraphs
        {
            let _ = writeln!(graphs, "    {name}: {{ schema: {name}.graphql }}");
            let _ = writeln!(sources, "    {name}.{source}: {{ url: '{url}' }}");
        }
        format!(
            "listen: {{ address: '127.0.0.1:0', playground: false }}\n\
             admin: {{ address: '{admin}', key: {KEY} }}\n\
             log: {{ level: error }}\n\
             graph:\n  subgraphs:\n{graphs}connectors:\n  sources:\n{sources}\
             cache: {}\n",
            self.cache
        )
    }
}

impl Weir {
    /// Starts a gateway, and waits until it serves.
    pub(crate) async fn start(setup: &Setup) -> Self {
        let port = Port::free();
        let admin = SocketAddr::from(([127, 0, 0, 1], port.number));
        let name = format!("caching-{}-{}", std::process::id(), admin.port());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("weir.yaml"), setup.yaml(admin)).unwrap();
        for Subgraph { name, sdl, .. } in &setup.subgraphs {
            std::fs::write(folder.join(format!("{name}.graphql")), sdl).unwrap();
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next_line().await.unwrap();
            let line = line.expect("weir ended before it served");
            if let Some(url) = line.trim_start().strip_prefix("GraphQL ") {
                let address = url.trim().strip_prefix("http://").unwrap();
                break address.strip_suffix("/graphql").unwrap().parse().unwrap();
            }
        };
        Self {
            address,
            admin,
            folder,
            _child: child,
            _port: port,
        }
    }

    /// Starts a gateway, and waits until it is connected to Redis and receives invalidations.
    pub(crate) async fn connected(setup: &Setup) -> Self {
        let weir = Self::start(setup).await;
        until(|| async {
            weir.metric("weir_cache_redis_up").await == 1
                && weir.metric("weir_cache_listens_total").await > 0
        })
        .await;
        weir
    }

    /// Executes an operation and returns `data`; panics if there are errors.
    pub(crate) async fn data(&self, query: &str) -> Value {
        data(&self.post(query, &[]).await)
    }

    /// Sends an operation with these headers, and returns the answer.
    pub(crate) async fn post(&self, query: &str, headers: &[(&str, &str)]) -> Answer {
        let mut connection = Connection::open(self.address).await;
        post(&mut connection, &json!({ "query": query }), headers).await;
        connection.answer().await.expect("a response")
    }

    /// Sends an invalidation to the admin address.
    pub(crate) async fn invalidate(&self, body: &Value) -> Answer {
        let headers = [("authorization", KEY), ("content-type", "application/json")];
        let line = "POST /admin/invalidate";
        exchange(self.admin, line, &headers, &body.to_string()).await
    }

    /// The value of a metric, whose `name` includes its labels.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let answer = exchange(self.admin, "GET /metrics", &[], "").await;
        let text = String::from_utf8(answer.body).unwrap();
        let mut lines = text.lines().filter_map(|line| line.strip_prefix(name));
        let value = lines.find_map(|rest| rest.trim().parse().ok());
        value.unwrap_or_else(|| panic!("no {name} in {text}"))
    }
}

impl Drop for Weir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Sends an operation.
pub(crate) async fn post(connection: &mut Connection, body: &Value, headers: &[(&str, &str)]) {
    let mut all = vec![("content-type", "application/json")];
    all.extend_from_slice(headers);
    let line = "POST /graphql";
    connection.request(line, &all, &body.to_string()).await;
}

/// Returns `data` of an answer; panics if there are errors.
pub(crate) fn data(answer: &Answer) -> Value {
    let mut json = answer.json();
    assert!(
        answer.status == 200 && json.get("errors").is_none(),
        "{json}"
    );
    json["data"].take()
}

const KEY: &str = "0123456789abcdef";
