//! The command line: what can be asked of `weir`, and how it went as an exit code.
//!
//! 0 is success, 1 is a problem that was printed, 2 is a command line that makes no sense. This
//! module and its children are the only ones that print.

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

/// A GraphQL gateway in front of REST services.
///
/// Without a command, `weir` serves the graph of `weir.yaml` in this folder. Where there is none,
/// it serves a shop that comes with it, services included, so that there is something to look at.
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
  weir                                        Look at the shop that comes with it
  weir serve --config shop/weir.yaml          Serve a graph of your own
  weir serve --supergraph supergraph.graphql  Serve what another tool has composed
  weir compose --output supergraph.graphql    Compose subgraphs for another tool
  weir check --format json                    Everything wrong with it, for an editor or CI
  weir test --watch                           Its connector tests, again after each change
  weir explain INVALID_URL                    What a diagnostic means, and how to cure it
  weir plan '{ orders { nodes { id } } }'     Which calls a query takes, and in which order";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the graph of a configuration until told to stop
    ///
    /// SIGTERM and Ctrl-C stop it gracefully: `/health/ready` says no, requests in flight finish
    /// within `shutdown.grace`. A second Ctrl-C stops it at once. Exit code 1 when something was
    /// still in flight then.
    Serve {
        #[command(flatten)]
        origin: GraphArgs,
        #[command(flatten)]
        listen: Listen,
    },
    /// Report everything that is wrong with a configuration and its graph
    ///
    /// Nothing is started or called. Exit code 1 when there is an error; warnings alone are 0.
    Check {
        #[command(flatten)]
        origin: GraphArgs,
        /// For people, or for editors and CI
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Put subgraphs together and print the supergraph, for other tools
    ///
    /// Without a configuration the graph is the shop that comes with Weir. Exit code 1 when there
    /// is an error; nothing is printed or written then.
    Compose(Compose),
    /// Explain the code of a diagnostic, or list all codes
    Explain {
        /// The code, such as `INVALID_URL`
        #[arg(value_parser = explain::code)]
        code: Option<Code>,
    },
    /// Print which calls an operation takes, and in which order
    ///
    /// Nothing is called. Without a configuration the graph is the shop that comes with Weir.
    Plan(describe::Plan),
    /// Run connector tests: an answer in, the request and what is made of the answer out
    ///
    /// Nothing is called. Without files, runs every `*.connector.yml` under `tests`. Exit code 1
    /// when a test fails, or when there is none.
    Test {
        /// Test files, or folders of them
        files: Vec<PathBuf>,
        /// A configuration whose addresses, headers and `$config` the tests are run with
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Run them again whenever a file has changed, until Ctrl-C
        #[arg(long)]
        watch: bool,
    },
    /// Print the schema that clients see, as SDL
    ///
    /// Without a configuration the graph is the shop that comes with Weir.
    Schema {
        #[command(flatten)]
        origin: GraphArgs,
    },
    /// Print the JSON Schema of the configuration file, for editors
    ConfigSchema,
}

#[derive(Debug, Args)]
struct Listen {
    /// The address to listen at, instead of the configured one; port 0 takes any free port
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

const DEFAULT_CONFIG: &str = "weir.yaml";

/// A problem that was printed.
#[derive(Clone, Copy, Debug)]
struct Failed;

impl Weir {
    /// Does what was asked, and says how it went.
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
