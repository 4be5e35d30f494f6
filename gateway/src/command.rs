//! The command line of `weir`.
//!
//! Exit codes: 0 is success, 1 a problem that was printed, 2 an invalid command line. Only this
//! module and its children print.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use schema::diagnostic::Code;

use self::compose::Compose;
use self::graph_args::GraphArgs;

mod check;
mod compose;
mod describe;
mod explain;
mod graph_args;
mod introspect;
mod print;
mod serve;
mod test;

/// A GraphQL gateway for REST services and GraphQL subgraphs.
///
/// Without a command, `weir` serves the graph of `weir.yaml` in the current folder. If there is no
/// such file, it serves a demo: the graph of a shop, including its services.
#[derive(Debug, Parser)]
#[command(name = "weir", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Weir {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    listen: Listen,
}

const EXAMPLES: &str = "\
Examples:
  weir                                        Serve the demo
  weir serve --config shop/weir.yaml          Serve the graph of a configuration
  weir serve --supergraph supergraph.graphql  Serve a composed supergraph
  weir compose --output supergraph.graphql    Compose subgraphs into a supergraph
  weir check --format json                    Validate, with JSON for editors and CI
  weir test --watch                           Run connector tests after each change
  weir explain INVALID_URL                    Explain a diagnostic code
  weir plan '{ orders { nodes { id } } }'     Print the query plan of an operation";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a graph over HTTP
    ///
    /// SIGTERM or Ctrl-C starts a graceful shutdown: `/health/ready` fails, and requests in flight
    /// have `shutdown.grace` to finish. A second signal exits immediately. Exit code 1 if requests
    /// were cut off.
    Serve {
        #[command(flatten)]
        origin: GraphArgs,
        #[command(flatten)]
        listen: Listen,
    },
    /// Validate a configuration and its graph
    ///
    /// Reports all problems at once, without starting a server or calling sources. Exit code 1 if
    /// there is an error; warnings alone exit with 0.
    Check {
        #[command(flatten)]
        origin: GraphArgs,
        /// Output format: text for people, JSON for editors and CI
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Compose subgraphs into a supergraph for other tools
    ///
    /// Without a configuration, composes the demo. On an error, prints and writes no supergraph and
    /// exits with 1.
    Compose(Compose),
    /// Explain a diagnostic code, or list all codes
    Explain {
        /// The code, such as `INVALID_URL`
        #[arg(value_parser = explain::code)]
        code: Option<Code>,
    },
    /// Print the query plan of an operation
    ///
    /// Calls no source. Without a configuration, plans over the demo.
    Plan(describe::Plan),
    /// Run connector tests
    ///
    /// Compares the request of a connector, and its mapping of a recorded response, with expected
    /// values. Calls no source. Without files, runs every `*.connector.yml` under `tests`. Exit code 1
    /// if a test fails, or if there are no tests.
    Test {
        /// Test files, or folders with test files
        files: Vec<PathBuf>,
        /// Configuration with the URLs, headers and `$config` for the tests
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Run the tests again after each change of a file, until Ctrl-C
        #[arg(long)]
        watch: bool,
    },
    /// Print the API schema: the SDL that clients see
    ///
    /// Without a configuration, prints the schema of the demo.
    Schema {
        #[command(flatten)]
        origin: GraphArgs,
    },
    /// Print the JSON Schema of the configuration file, for editors
    ConfigSchema,
}

#[derive(Debug, Args)]
struct Listen {
    /// Address to listen on, instead of `listen.address`; port 0 selects a free port
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

const DEFAULT_CONFIG: &str = "weir.yaml";

/// A problem that was already printed.
#[derive(Clone, Copy, Debug)]
struct Failed;

impl Weir {
    /// Runs the command.
    pub fn run(self) -> ExitCode {
        let result = match self.command {
            None if Path::new(DEFAULT_CONFIG).exists() => {
                serve::serve_project(&GraphArgs::default(), self.listen.listen)
            }
            None => serve::serve_shop(self.listen.listen),
            Some(Command::Serve { origin, listen }) => serve::serve_project(&origin, listen.listen),
            Some(Command::Check { origin, format }) => check::run(&origin, format),
            Some(Command::Compose(compose)) => compose::run(&compose),
            Some(Command::Explain { code }) => {
                explain::run(code);
                Ok(())
            }
            Some(Command::Plan(plan)) => plan.run(),
            Some(Command::Test {
                files,
                config,
                watch: false,
            }) => test::run(&files, config.as_deref()),
            Some(Command::Test { files, config, .. }) => test::watch(&files, config.as_deref()),
            Some(Command::Schema { origin }) => describe::schema(&origin),
            Some(Command::ConfigSchema) => {
                describe::config_schema();
                Ok(())
            }
        };
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(Failed) => ExitCode::FAILURE,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Weir::command().debug_assert();
    }
}
