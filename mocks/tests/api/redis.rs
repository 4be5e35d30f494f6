//! A `redis-server` of a test's own: on a port that was free, in a folder that goes with it.

#![expect(clippy::print_stderr, reason = "why a test was skipped")]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::FromRedisValue;
use tokio::time::{Instant, sleep};

/// A port with a server behind it or without one; what runs ends with the value.
pub(crate) struct Redis {
    port: u16,
    folder: PathBuf,
    child: Option<Child>,
}

impl Redis {
    /// A port for a server that does not run yet; `None` where there is none on this machine.
    pub(crate) fn absent() -> Option<Self> {
        let version = Command::new("redis-server").arg("--version").output();
        if version.is_err() {
            let required = option_env("WEIR_REQUIRE_REDIS").is_some_and(|value| value == "1");
            assert!(!required, "no redis-server on this machine");
            eprintln!("skipped: no redis-server on this machine");
            return None;
        }
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = port.local_addr().unwrap().port();
        let folder = std::env::temp_dir().join(format!("mocks-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Some(Self {
            port,
            folder,
            child: None,
        })
    }

    /// A server that answers.
    pub(crate) async fn start() -> Option<Self> {
        let mut redis = Self::absent()?;
        redis.run().await;
        Some(redis)
    }

    /// Starts the server, empty, and waits until it answers.
    pub(crate) async fn run(&mut self) {
        self.child = Some(spawn(&self.folder, self.port));
        let patience = Instant::now() + Duration::from_secs(10);
        while self.try_ask::<String>(&["PING"]).await.is_err() {
            assert!(Instant::now() < patience, "no answer of Redis");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends the server at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What it says to one command.
    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &[&str]) -> T {
        self.try_ask(command).await.unwrap()
    }

    async fn try_ask<T: FromRedisValue>(&self, command: &[&str]) -> redis::RedisResult<T> {
        let client = redis::Client::open(self.url())?;
        let mut link = client.get_multiplexed_async_connection().await?;
        let (name, arguments) = command.split_first().unwrap();
        redis::cmd(name).arg(arguments).query_async(&mut link).await
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn spawn(folder: &Path, port: u16) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no"])
        .current_dir(folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test is configured by nothing else"
)]
fn option_env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
