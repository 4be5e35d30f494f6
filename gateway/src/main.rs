//! `weir`: reads the arguments, runs a command, and says how it went.

use std::process::ExitCode;

use clap::Parser as _;
use gateway::command::Weir;

/// Answers are many small values that live as long as a request; this serves them several times
/// faster than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    Weir::parse().run()
}
