//! `bench`: measures Weir against a hand-written gateway and the limit in one run, and the gain of
//! caching.
//!
//! Each gateway is a process, as are the services behind them; this program starts, measures and
//! stops them. The two gateways to compare with and the services are subcommands of this binary.
//! Linux only: the figures come from `/proc`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod answers;
mod cache;
mod client;
mod compare;
mod failure;
mod gateway;
mod handwritten;
mod limit;
mod load;
mod plan;
mod print;
mod process;
mod profile;
mod query;
mod report;
mod scratch;
mod server;
mod shop;

use crate::cache::CacheOptions;
use crate::compare::CompareOptions;
use crate::failure::Failure;
use crate::handwritten::HandwrittenOptions;
use crate::profile::ProfileOptions;
use crate::server::Services;

/// The allocator of `weir`, so that the allocator makes no difference.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Weir against a hand-written gateway and the limit.
///
/// Prints a table of medians in Markdown. See docs/benchmarks.md.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    compare: CompareOptions,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure the gain of caching: Q2 without a cache, from memory, and from Redis
    Cache(CacheOptions),
    /// Print where one gateway spends its time for one query, by `perf`
    Profile(ProfileOptions),
    /// Print planning times for graphs and operations of growing size
    Plan(plan::Plan),
    /// Run the services behind the gateways
    #[command(hide = true)]
    Shop,
    /// Run the hand-written gateway
    #[command(hide = true)]
    Handwritten(HandwrittenOptions),
    /// Run the limit
    #[command(hide = true)]
    Limit(Services),
}

#[tokio::main]
async fn main() -> ExitCode {
    // An interrupted run is dropped, which kills the processes that it started.
    let ended = tokio::select! {
        ended = run(Arguments::parse()) => ended,
        interrupted = server::wait_for_stop() => Err(interrupted),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            print::note(&format!("bench: {failure}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        None => compare::run(&arguments.compare).await,
        Some(Command::Cache(cache)) => cache::run(&cache).await,
        Some(Command::Profile(profile)) => profile::run(&profile).await,
        Some(Command::Plan(plan)) => plan::run(&plan),
        Some(Command::Shop) => shop::serve().await,
        Some(Command::Handwritten(options)) => handwritten::serve(&options).await,
        Some(Command::Limit(services)) => limit::serve(&services).await,
    }
}
