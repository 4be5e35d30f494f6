//! Gateways as processes: weir, and those of this program that it is compared with.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::failure::Failure;
use crate::process::{Process, this_program};
use crate::scratch::ScratchFile;
use crate::server::{Services, parse_announcement};

/// Which gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GatewayKind {
    /// This project's.
    Weir,
    /// What a good engineer would write for these queries with async-graphql.
    Handwritten,
    /// The calls and the answer without GraphQL: what no gateway can beat.
    Limit,
}

impl GatewayKind {
    /// All of them, in the order of the table.
    pub(crate) const ALL: [Self; 3] = [Self::Weir, Self::Handwritten, Self::Limit];

    /// The name in the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Weir => "weir",
            Self::Handwritten => "handwritten",
            Self::Limit => "limit",
        }
    }
}

/// A gateway that answers; it ends with the value.
#[derive(Debug)]
pub(crate) struct Gateway {
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The process that it is.
    pub(crate) process: Process,
}

impl Gateway {
    /// Starts a gateway in front of `services`; `weir` is where its program is, or `None` to have
    /// cargo build it.
    pub(crate) async fn start(
        kind: GatewayKind,
        services: &Services,
        weir: Option<&Path>,
    ) -> Result<Self, Failure> {
        match kind {
            GatewayKind::Weir => {
                let program = weir_program(weir).await?;
                Self::start_weir(kind.name(), &program, &configured(services)).await
            }
            GatewayKind::Handwritten | GatewayKind::Limit => {
                Self::start_this_program(kind.name(), kind.name(), services, &[]).await
            }
        }
    }

    /// Starts the weir at `program` with this configuration.
    pub(crate) async fn start_weir(
        name: &'static str,
        program: &Path,
        configuration: &Value,
    ) -> Result<Self, Failure> {
        // Read at the start only.
        let file = ScratchFile::write(&format!("{name}.yaml"), &format!("{configuration:#}\n"))?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--config").arg(file.path());
        Self::start_process(name, command).await
    }

    /// Starts this program under `command`.
    pub(crate) async fn start_this_program(
        name: &'static str,
        command: &str,
        services: &Services,
        options: &[&str],
    ) -> Result<Self, Failure> {
        let mut program = Command::new(this_program()?);
        program
            .arg(command)
            .args(["--users", &services.users])
            .args(["--products", &services.products])
            .args(["--orders", &services.orders])
            .args(options);
        Self::start_process(name, program).await
    }

    async fn start_process(name: &'static str, command: Command) -> Result<Self, Failure> {
        let (process, address) = Process::start(name, command, parse_announcement).await?;
        Ok(Self {
            name,
            address,
            process,
        })
    }
}

/// Where weir is: at `given`, or where cargo has built it.
pub(crate) async fn weir_program(path: Option<&Path>) -> Result<PathBuf, Failure> {
    match path {
        Some(program) => Ok(program.to_owned()),
        None => build().await,
    }
}

/// Builds `weir` as it ships and says where it is.
async fn build() -> Result<PathBuf, Failure> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--release", "--package", "weir"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(WORKSPACE_ROOT)
        .stderr(std::process::Stdio::inherit())
        .kill_on_drop(true);
    let output = cargo.output().await;
    let output = output.map_err(Failure::io("cannot run cargo"))?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let program = messages.lines().filter_map(executable).next_back();
    match program {
        Some(program) if output.status.success() => Ok(program),
        Some(_) | None => Err(Failure::Build),
    }
}

/// The program that one of cargo's messages announces.
fn executable(message: &str) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
    }

    serde_json::from_str::<Message>(message).ok()?.executable
}

/// The shipped graph on the services of this run; JSON is YAML.
pub(crate) fn configured(services: &Services) -> Value {
    let schema = |name: &str| json!({ "schema": format!("{WORKSPACE_ROOT}/schema/commerce/{name}.graphql") });
    json!({
        "graph": { "subgraphs": {
            "users": schema("users"),
            "products": schema("products"),
            "orders": schema("orders"),
        } },
        "connectors": { "sources": {
            "users.users": { "url": services.users },
            "products.products": { "url": services.products },
            "orders.orders": { "url": services.orders },
        } },
        "listen": { "address": "127.0.0.1:0" },
        // The others keep nothing.
        "cache": { "enabled": false },
        // The others do not log requests.
        "log": { "level": "warn" },
    })
}

/// The workspace that this program was built in.
pub(crate) const WORKSPACE_ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_in_the_message_that_names_an_executable() {
        let built = r#"{"reason":"compiler-artifact","executable":"/target/release/weir"}"#;
        let library = r#"{"reason":"compiler-artifact","executable":null}"#;
        let finished = r#"{"reason":"build-finished","success":true}"#;
        let found: Vec<_> = [library, built, finished, "not JSON"]
            .into_iter()
            .filter_map(executable)
            .collect();
        assert_eq!(found, [PathBuf::from("/target/release/weir")]);
    }
}
