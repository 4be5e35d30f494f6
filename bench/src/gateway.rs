//! Gateways as processes: weir, and the two of this program to compare with.

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

/// The gateways of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GatewayKind {
    /// Weir, the gateway of this project.
    Weir,
    /// Weir where operations share no calls.
    WeirUnshared,
    /// A gateway written by hand for these queries, with async-graphql.
    Handwritten,
    /// The calls and the response without GraphQL: a lower bound for all gateways.
    Limit,
}

impl GatewayKind {
    /// All gateways, in the order of the table.
    pub(crate) const ALL: [Self; 4] = [
        Self::Weir,
        Self::WeirUnshared,
        Self::Handwritten,
        Self::Limit,
    ];

    /// The name in the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Weir => "weir",
            Self::WeirUnshared => "weir-unshared",
            Self::Handwritten => "handwritten",
            Self::Limit => "limit",
        }
    }
}

/// A running gateway; killed when dropped.
#[derive(Debug)]
pub(crate) struct Gateway {
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// The address on which it listens.
    pub(crate) address: SocketAddr,
    /// Its process.
    pub(crate) process: Process,
}

impl Gateway {
    /// Starts a gateway for `services`; `weir` is the path of the `weir` binary.
    pub(crate) async fn start(
        kind: GatewayKind,
        services: &Services,
        weir: &Path,
    ) -> Result<Self, Failure> {
        match kind {
            GatewayKind::Weir => Self::start_weir(kind.name(), weir, &configured(services)).await,
            GatewayKind::WeirUnshared => {
                Self::start_weir(kind.name(), weir, &unshared(services)).await
            }
            GatewayKind::Handwritten | GatewayKind::Limit => {
                Self::start_this_program(kind.name(), kind.name(), services, &[]).await
            }
        }
    }

    /// Starts the `weir` binary `program` with `configuration`.
    pub(crate) async fn start_weir(
        name: &'static str,
        program: &Path,
        configuration: &Value,
    ) -> Result<Self, Failure> {
        // Weir reads the file only at start, so it may be removed afterwards.
        let file = ScratchFile::write(&format!("{name}.yaml"), &format!("{configuration:#}\n"))?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--config").arg(file.path());
        Self::start_process(name, command).await
    }

    /// Starts this program with the subcommand `command`.
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

/// The path of the `weir` binary: `path`, or the one that cargo builds.
pub(crate) async fn weir_program(path: Option<&Path>) -> Result<PathBuf, Failure> {
    match path {
        Some(program) => Ok(program.to_owned()),
        None => build().await,
    }
}

/// Builds `weir` in release mode and returns the path of the binary.
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

/// The path of the executable in a message of cargo.
fn executable(message: &str) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
    }

    serde_json::from_str::<Message>(message).ok()?.executable
}

/// The configuration of weir for the commerce graph and `services`; JSON is valid YAML.
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
        // The other gateways have no cache.
        "cache": { "enabled": false },
        // The other gateways do not log requests.
        "log": { "level": "warn" },
    })
}

/// The same where operations share no calls.
pub(crate) fn unshared(services: &Services) -> Value {
    let mut configuration = configured(services);
    configuration["connectors"]["batching"] = json!("within");
    configuration
}

/// The root of the workspace in which this program was built.
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
