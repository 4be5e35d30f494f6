//! A `redis-server` for one test, on a reserved port and in a temporary folder.

#![expect(clippy::print_stderr, reason = "a skipped test is printed")]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::port::Port;

/// A running server; killed when it is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    _port: Port,
    folder: PathBuf,
    child: Child,
    arguments: Vec<String>,
}

impl Server {
    /// Starts a server; `None` if `redis-server` is not installed.
    pub(crate) async fn start() -> Option<Self> {
        Self::with(&[]).await
    }

    /// Starts a server with more arguments; `None` if `redis-server` is not installed.
    pub(crate) async fn with(arguments: &[&str]) -> Option<Self> {
        let port = Port::free();
        let mut all = vec!["--port".to_owned(), port.number.to_string()];
        all.extend(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"].map(str::to_owned));
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        Self::run(port, all, None).await
    }

    /// Starts a Sentinel that watches the server on port `master`.
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
            assert!(!required, "redis-server is not installed");
            eprintln!("skipped: redis-server is not installed");
            return None;
        };
        let server = Self {
            port: port.number,
            _port: port,
            folder,
            child,
            arguments,
        };
        server.wait_until_ready().await;
        Some(server)
    }

    pub(crate) fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills the server, like a crash.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts the server again, empty.
    pub(crate) async fn restart(&mut self) {
        self.child = spawn(&self.folder, &self.arguments).unwrap();
        self.wait_until_ready().await;
    }

    /// Stops the process; its sockets stay open.
    pub(crate) fn stall(&self) {
        self.signal("-STOP");
    }

    /// Lets the process continue.
    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    /// Sends a command and returns the reply.
    pub(crate) async fn command<T: redis::FromRedisValue>(&self, command: &[&str]) -> T {
        self.try_command(command).await.unwrap()
    }

    pub(crate) async fn try_command<T: redis::FromRedisValue>(
        &self,
        command: &[&str],
    ) -> Result<T, redis::RedisError> {
        let client = redis::Client::open(self.address())?;
        let mut link = client.get_multiplexed_async_connection().await?;
        let (name, arguments) = command.split_first().unwrap();
        redis::cmd(name).arg(arguments).query_async(&mut link).await
    }

    async fn wait_until_ready(&self) {
        let patience = Instant::now() + Duration::from_secs(10);
        while self.try_command::<String>(&["PING"]).await.is_err() {
            assert!(Instant::now() < patience, "no reply of Redis");
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
    reason = "the environment is the only configuration of a test"
)]
fn option_env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
