//! `weir` as a process of its own, configured by a file, as people run it.

use std::fmt::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::client::{Answer, Connection, ask};
use crate::server::Port;
use crate::support::until;

/// A gateway under way; killed when it is dropped.
pub(crate) struct Weir {
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
    folder: PathBuf,
    _child: Child,
    _kept: UdpSocket,
}

/// What a gateway is told.
#[derive(Clone, Default)]
pub(crate) struct Setup {
    /// Name, SDL, and where its one source is.
    pub(crate) subgraphs: Vec<Subgraph>,
    /// What stands under `cache`.
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
    /// One subgraph before one service, with a cache as `cache` says in YAML.
    pub(crate) fn of(subgraph: Subgraph, cache: &str) -> Self {
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
    /// A gateway that serves.
    pub(crate) async fn start(setup: &Setup) -> Self {
        let port = Port::free();
        let admin = SocketAddr::from(([127, 0, 0, 1], port.number));
        let name = format!("kept-{}-{}", std::process::id(), admin.port());
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
            let line = line.expect("it ended before it served");
            if let Some((_, url)) = line.split_once("GraphQL ") {
                let address = url.trim().strip_prefix("http://").unwrap();
                break address.strip_suffix("/graphql").unwrap().parse().unwrap();
            }
        };
        Self {
            address,
            admin,
            folder,
            _child: child,
            _kept: port.kept,
        }
    }

    /// The same, once it has reached its Redis and hears what others say there.
    pub(crate) async fn connected(setup: &Setup) -> Self {
        let weir = Self::start(setup).await;
        until(|| async {
            weir.counted("weir_cache_redis_up").await == 1
                && weir.counted("weir_cache_listens_total").await > 0
        })
        .await;
        weir
    }

    /// `data` of an operation; panics when there are errors.
    pub(crate) async fn data(&self, query: &str) -> Value {
        data(&self.post(query, &[]).await)
    }

    /// The answer to an operation of somebody with these headers.
    pub(crate) async fn post(&self, query: &str, headers: &[(&str, &str)]) -> Answer {
        let mut connection = Connection::open(self.address).await;
        post(&mut connection, &json!({ "query": query }), headers).await;
        connection.answer().await.expect("an answer")
    }

    /// Has an operator invalidate what `body` names.
    pub(crate) async fn invalidate(&self, body: &Value) -> Answer {
        let headers = [("authorization", KEY), ("content-type", "application/json")];
        let line = "POST /admin/invalidate";
        ask(self.admin, line, &headers, &body.to_string()).await
    }

    /// What the metrics say of `name`, with its labels.
    pub(crate) async fn counted(&self, name: &str) -> u64 {
        let answer = ask(self.admin, "GET /metrics", &[], "").await;
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

/// `data` of an answer; panics when there are errors.
pub(crate) fn data(answer: &Answer) -> Value {
    let mut json = answer.json();
    assert!(
        answer.status == 200 && json.get("errors").is_none(),
        "{json}"
    );
    json["data"].take()
}

const KEY: &str = "0123456789abcdef";
