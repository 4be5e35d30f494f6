//! Hostile requests: none may hold a core for long, keep memory, or delay health checks.
//!
//! `WEIR_BIN=target/release/weir` measures another binary; with `--no-capture` the test prints a
//! table.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use gateway::tasks::Tasks;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::Instant;

use self::corpus::Bomb;
use self::process::{Process, Usage};
use crate::client::{Connection, exchange};
use crate::commands::Folder;

mod corpus;
mod process;

/// How much longer everything takes without optimizations, and beside other tests.
const ALLOWANCE: u32 = 20;

/// Maximum time for which one request may hold a core.
const CPU: Duration = Duration::from_millis(100);

/// Maximum time until a health check is answered.
const HEALTH: Duration = Duration::from_millis(50);

/// Maximum bytes by which the process may grow for good.
const LASTING: usize = 64 * 1024 * 1024;

/// What one request took.
struct Cost {
    status: u16,
    code: String,
    time: Duration,
    cpu: Duration,
    /// The longest health check meanwhile.
    health: Duration,
    before: Usage,
    peak: usize,
    after: Usage,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_requests_are_refused_or_executed_in_time() {
    let (url, _tasks) = rows().await;
    let files = corpus::graph(&url);
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, &**text)).collect();
    let folder = Folder::new("bombs", &files);
    // What the process holds counts, not what its allocator holds back for a second.
    let purge_delay = ("MIMALLOC_PURGE_DELAY", "10");
    let (child, address) = folder.serve_with(&["serve"], purge_delay).await;
    let process = Process::new(child.id().unwrap());
    // The first operation takes what every later one uses.
    exchange(address, "POST /graphql", &JSON, r#"{"query":"{rows{id}}"}"#).await;

    let first = process.usage();
    let mut wrong = Vec::new();
    show(&format!(
        "{:44} {:>7} {:>6} {:>9} {:>8} {:>8} {:>9} {:>9}  code",
        "request", "bytes", "status", "ms", "cpu ms", "health", "peak MiB", "kept MiB"
    ));
    for bomb in corpus::bombs() {
        let cost = cost(&bomb, address, &process).await;
        let line = line(&bomb, &cost);
        show(&line);
        let is_served = cost.status < 500 || cost.status == 503;
        if !is_served || cost.cpu > CPU * ALLOWANCE || cost.health > HEALTH * ALLOWANCE {
            wrong.push(line);
        }
    }
    let kept = settled(&process, first.resident, address).await;
    show(&format!("{} MiB kept", kept >> 20));
    assert!(wrong.is_empty(), "{wrong:#?}");
    // The cache of operations is full then, and the allocator keeps some of what was freed.
    assert!(kept < 2 * LASTING, "{} MiB", kept >> 20);
}

/// The bytes by which a process has grown, when its allocator had time to return what was freed; it
/// does so while it serves requests.
async fn settled(process: &Process, first: usize, address: SocketAddr) -> usize {
    let grown = || process.usage().resident.saturating_sub(first);
    let mut kept = grown();
    for _ in 0..100 {
        if kept < LASTING {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        for _ in 0..4 {
            exchange(address, "POST /graphql", &JSON, r#"{"query":"{rows{id}}"}"#).await;
        }
        kept = kept.min(grown());
    }
    kept
}

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

/// Sends a request, with health checks beside it.
async fn cost(bomb: &Bomb, address: SocketAddr, process: &Process) -> Cost {
    let before = process.usage();
    let start = Instant::now();
    let answer = async {
        let mut connection = Connection::open(address).await;
        connection.request("POST /graphql", &JSON, &bomb.body).await;
        connection.answer().await
    };
    tokio::pin!(answer);
    let (mut peak, mut health) = (before.resident, Duration::ZERO);
    let answer = loop {
        tokio::select! {
            answer = &mut answer => break answer,
            time = health_check(address) => health = health.max(time),
        }
        peak = peak.max(process.usage().resident);
    };
    let time = start.elapsed();
    let after = process.usage();
    let (status, code) = match answer {
        Some(answer) => (answer.status, code(&answer.body)),
        None => (599, String::new()),
    };
    Cost {
        status,
        code,
        time,
        cpu: after.cpu.saturating_sub(before.cpu),
        health,
        before,
        peak: peak.max(after.resident),
        after,
    }
}

async fn health_check(address: SocketAddr) -> Duration {
    let start = Instant::now();
    let answer = exchange(address, "GET /health/live", &[], "").await;
    assert_eq!(answer.status, 200);
    let time = start.elapsed();
    tokio::time::sleep(Duration::from_millis(2)).await;
    time
}

fn code(body: &[u8]) -> String {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = json["errors"][0]["extensions"]["code"].as_str();
    code.unwrap_or_default().to_owned()
}

fn line(bomb: &Bomb, cost: &Cost) -> String {
    let mib = |bytes: usize| f64::from(u32::try_from(bytes >> 10).unwrap()) / 1024.0;
    format!(
        "{:44} {:>7} {:>6} {:>9.1} {:>8} {:>8.1} {:>9.1} {:>9.1}  {}",
        bomb.name,
        bomb.body.len(),
        cost.status,
        cost.time.as_secs_f64() * 1e3,
        cost.cpu.as_millis(),
        cost.health.as_secs_f64() * 1e3,
        mib(cost.peak.saturating_sub(cost.before.resident)),
        mib(cost.after.resident.saturating_sub(cost.before.resident)),
        cost.code,
    )
}

#[expect(
    clippy::print_stdout,
    reason = "the table is the result of a measurement"
)]
fn show(line: &str) {
    println!("{line}");
}

/// A service with 5,000 rows.
async fn rows() -> (String, Tasks) {
    let rows: Vec<Value> = (0..5_000)
        .map(|id| serde_json::json!({ "id": id, "name": "x".repeat(40) }))
        .collect();
    let text = Value::from(rows).to_string();
    let answer = async move || ([(CONTENT_TYPE, "application/json")], text.clone());
    let app = Router::new().route("/rows", get(answer));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let tasks = Tasks::default();
    tasks.spawn("rows", async {
        let _ = axum::serve(listener, app).await;
    });
    (url, tasks)
}
