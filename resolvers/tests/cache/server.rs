//! A `redis-server` of a test's own: on a port that is kept for it, in a folder that goes with it.

#![expect(clippy::print_stderr, reason = "why a test was skipped")]

use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// A server under way; killed when it is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    _kept: UdpSocket,
    folder: PathBuf,
    child: Child,
    arguments: Vec<String>,
}

impl Server {
    /// A server that answers; `None` where there is none on this machine.
    pub(crate) async fn start() -> Option<Self> {
        Self::with(&[]).await
    }

    /// The same, with more arguments.
    pub(crate) async fn with(arguments: &[&str]) -> Option<Self> {
        let port = Port::free();
        let mut all = vec!["--port".to_owned(), port.number.to_string()];
        all.extend(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"].map(str::to_owned));
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        Self::run(port, all, None).await
    }

    /// A Sentinel that watches the server at `master`.
    pub(crate) async fn sentinel(master: u16) -> Option<Self> {
        let port = Port::free();
        let text = format!(
            "port {}\nbind 127.0.0.1\nsentinel monitor shop 127.0.0.1 {master} 1\n\
             sentinel down-after-milliseconds shop 500\nsentinel failover-timeout shop 2000\n",
            port.number
        );
        Self::run(
            port,
            vec!["sentinel.conf".to_owned(), "--sentinel".to_owned()],
            Some(&text),
        )
        .await
    }

    async fn run(port: Port, arguments: Vec<String>, config: Option<&str>) -> Option<Self> {
        let name = format!("weir-{}-{}", std::process::id(), port.number);
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        if let Some(text) = config {
            std::fs::write(folder.join("sentinel.conf"), text).unwrap();
        }
        let Some(child) = spawn(&folder, &arguments) else {
            let required = option_env("WEIR_REQUIRE_REDIS").is_some_and(|value| value == "1");
            assert!(!required, "no redis-server on this machine");
            eprintln!("skipped: no redis-server on this machine");
            return None;
        };
        let server = Self {
            port: port.number,
            _kept: port.kept,
            folder,
            child,
            arguments,
        };
        server.answers().await;
        Some(server)
    }

    pub(crate) fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, empty.
    pub(crate) async fn restart(&mut self) {
        self.child = spawn(&self.folder, &self.arguments).unwrap();
        self.answers().await;
    }

    /// Stops it from running; its sockets stay open.
    pub(crate) fn stall(&self) {
        self.signal("-STOP");
    }

    /// Lets it run again.
    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    /// What it says to one command.
    pub(crate) async fn ask<T: redis::FromRedisValue>(&self, command: &[&str]) -> T {
        self.try_ask(command).await.unwrap()
    }

    pub(crate) async fn try_ask<T: redis::FromRedisValue>(
        &self,
        command: &[&str],
    ) -> Result<T, redis::RedisError> {
        let client = redis::Client::open(self.address())?;
        let mut link = client.get_multiplexed_async_connection().await?;
        let (name, arguments) = command.split_first().unwrap();
        redis::cmd(name).arg(arguments).query_async(&mut link).await
    }

    async fn answers(&self) {
        let patience = Instant::now() + Duration::from_secs(10);
        while self.try_ask::<String>(&["PING"]).await.is_err() {
            assert!(Instant::now() < patience, "no answer of Redis");
            sleep(Duration::from_millis(10)).await;
        }
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn spawn(folder: &PathBuf, arguments: &[String]) -> Option<Child> {
    Command::new("redis-server")
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .spawn()
        .ok()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test is configured by nothing else"
)]
fn option_env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A port that nobody has, and that no other test takes as long as `kept` is open: tests run as
/// processes beside each other, and a server that is killed is to come back at its place.
pub(crate) struct Port {
    pub(crate) number: u16,
    pub(crate) kept: UdpSocket,
}

impl Port {
    /// Below what Linux gives to clients (32768), with the second port of a Cluster's node.
    pub(crate) fn free() -> Self {
        loop {
            let number = fastrand::u16(10_000..22_000);
            let Ok(kept) = UdpSocket::bind(("127.0.0.1", number)) else {
                continue;
            };
            let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
            if is_free(number) && is_free(number + 10_000) {
                return Self { number, kept };
            }
        }
    }
}
