//! The three gateways that are compared, and how each is started.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::failure::Failure;
use crate::process::{Process, this_program};
use crate::served::{Services, announced};

/// Which gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// This project's.
    Weir,
    /// What a good engineer would write for these queries with async-graphql.
    Handwritten,
    /// The calls and the answer without GraphQL: what no gateway can beat.
    Limit,
}

impl Kind {
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
    /// Which one.
    pub(crate) kind: Kind,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The process that it is.
    pub(crate) process: Process,
}

impl Gateway {
    /// Starts a gateway in front of `services`; `weir` is where its program is, or `None` to have
    /// cargo build it.
    pub(crate) async fn start(
        kind: Kind,
        services: &Services,
        weir: Option<&Path>,
    ) -> Result<Self, Failure> {
        // Read at the start only.
        let mut configuration = None;
        let command = match (kind, weir) {
            (Kind::Weir, program) => {
                let program = match program {
                    Some(program) => program.to_owned(),
                    None => build().await?,
                };
                let file = configuration.insert(Scratch::write(&configured(services))?);
                let mut command = Command::new(program);
                command.arg("serve").arg("--config").arg(&file.path);
                command
            }
            (Kind::Handwritten | Kind::Limit, _) => {
                let mut command = Command::new(this_program()?);
                command
                    .arg(kind.name())
                    .args(["--users", &services.users])
                    .args(["--products", &services.products])
                    .args(["--orders", &services.orders]);
                command
            }
        };
        let (process, address) = Process::start(kind.name(), command, announced).await?;
        Ok(Self {
            kind,
            address,
            process,
        })
    }
}

/// Builds `weir` as it ships and says where it is.
async fn build() -> Result<PathBuf, Failure> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--release", "--package", "weir"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(ROOT)
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
fn configured(services: &Services) -> Value {
    let schema = |name: &str| json!({ "schema": format!("{ROOT}/schema/commerce/{name}.graphql") });
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
        // The others do not log requests.
        "log": { "level": "warn" },
    })
}

/// A file that is there as long as the value.
#[derive(Debug)]
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn write(content: &Value) -> Result<Self, Failure> {
        let name = format!("weir-bench-{}.yaml", std::process::id());
        let path = std::env::temp_dir().join(name);
        let doing = format!("cannot write {}", path.display());
        std::fs::write(&path, format!("{content:#}\n")).map_err(Failure::io(doing))?;
        Ok(Self { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left behind, it would be a small file among temporary ones.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The workspace that this program was built in.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

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
