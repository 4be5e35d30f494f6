//! A `redis-server` for one run, on a free port and without persistence.

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::process::Command;

use crate::failure::Failure;
use crate::process::Process;

/// A running server; killed when dropped.
#[derive(Debug)]
pub(super) struct Redis {
    url: String,
    process: Process,
}

impl Redis {
    /// Starts the server; `None` if `redis-server` is not installed.
    pub(super) async fn start() -> Result<Option<Self>, Failure> {
        let version = Command::new(PROGRAM).arg("--version").output().await;
        match version {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::io("cannot run redis-server")(error)),
            Ok(_) => {}
        }
        let port = free_port().await.map_err(Failure::io("no port is free"))?;
        let mut command = Command::new(PROGRAM);
        command
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no"])
            .current_dir(std::env::temp_dir());
        let ready = |line: &str| line.contains("Ready to accept connections").then_some(());
        let (process, ()) = Process::start(PROGRAM, command, ready).await?;
        Ok(Some(Self {
            url: format!("redis://127.0.0.1:{port}"),
            process,
        }))
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// CPU time of the server since its start.
    pub(super) fn cpu(&self) -> Result<Duration, Failure> {
        self.process.cpu()
    }
}

async fn free_port() -> std::io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    Ok(listener.local_addr()?.port())
}

const PROGRAM: &str = "redis-server";
