//! A process with few open files, and more clients than it can serve.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::sleep;

use crate::client::exchange;
use crate::commands::{Folder, terminate};
use crate::port::Port;

/// A gateway whose process may open few files, and its service.
struct Limited {
    child: Child,
    address: SocketAddr,
    admin: SocketAddr,
    _service: mocks::Recorded,
    _port: Port,
}

impl Limited {
    async fn start(name: &str, open_files: u32) -> Self {
        let answers = r#"[{ "request": { "method": "GET", "url": "/name" },
            "response": { "body": "Ada" } }]"#;
        let recorded = Folder::new(&format!("{name}-service"), &[("name.json", answers)]);
        let service = mocks::Recorded::start(recorded.path()).await.unwrap();
        let sdl = SDL.replace("URL", service.url());
        let port = Port::free();
        let config = format!(
            "listen: {{ address: '127.0.0.1:0' }}
admin: {{ address: '127.0.0.1:{}', key: 0123456789abcdef }}
graph: {{ subgraphs: {{ users: {{ schema: users.graphql }} }} }}
",
            port.number
        );
        let files = [("weir.yaml", config.as_str()), ("users.graphql", &sdl)];
        let folder = Folder::new(name, &files);
        let (child, address) = folder.serve_with_open_files(open_files).await;
        Self {
            child,
            address,
            admin: SocketAddr::from(([127, 0, 0, 1], port.number)),
            _service: service,
            _port: port,
        }
    }

    async fn connect(&self, count: usize) -> Vec<TcpStream> {
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(TcpStream::connect(self.address).await.unwrap());
        }
        clients
    }

    /// Clock ticks that the process has computed for.
    fn ticks(&self) -> u64 {
        let id = self.child.id().unwrap();
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split(' ').collect();
        fields[12].parse::<u64>().unwrap() + fields[13].parse::<u64>().unwrap()
    }

    async fn log(self) -> String {
        terminate(&self.child).await;
        let ended = self.child.wait_with_output().await.unwrap();
        String::from_utf8_lossy(&ended.stderr).into_owned()
    }
}

const SDL: &str = r#"
extend schema @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@connect"])
type Query { name: String @connect(http: { GET: "URL/name" }, selection: "$") }
"#;

#[tokio::test]
async fn idle_clients_neither_starve_calls_nor_keep_others_out() {
    let gateway = Limited::start("few-open-files", 64).await;

    let idle = gateway.connect(70).await;
    let ready = exchange(gateway.admin, "GET /health/ready", &[], "").await;
    let json = ("content-type", "application/json");
    let query = r#"{"query":"{ name }"}"#;
    let answer = exchange(gateway.address, "POST /graphql", &[json], query).await;

    assert_eq!((ready.status, ready.body), (200, b"ready\n".to_vec()));
    assert_eq!(answer.json()["data"]["name"], "Ada");
    drop(idle);
    let log = gateway.log().await;
    assert!(
        log.contains("allows fewer connections than `listen.connections`"),
        "{log}"
    );
    assert!(
        log.contains("allowed=32") && log.contains("open_files=64"),
        "{log}"
    );
}

#[tokio::test]
async fn a_process_without_free_files_neither_spins_nor_hangs() {
    let gateway = Limited::start("no-open-files", 20).await;
    let idle = gateway.connect(40).await;
    sleep(Duration::from_millis(200)).await;

    let before = gateway.ticks();
    sleep(Duration::from_secs(1)).await;
    let used = gateway.ticks() - before;
    drop(idle);
    let live = exchange(gateway.address, "GET /health/live", &[], "").await;

    // A tick is ten milliseconds.
    assert!(used < 20, "{used} ticks in a second");
    assert_eq!(live.status, 200);
    let log = gateway.log().await;
    assert!(log.contains("cannot accept a connection"), "{log}");
    let lines = log.matches("cannot accept a connection").count();
    assert!(lines < 5, "{lines} lines");
}
