//! The binary `weir`: parses the arguments and runs a command.

use std::process::ExitCode;

use clap::Parser as _;
use gateway::command::Weir;

/// Several times faster than the system allocator for the many small values of a response, which
/// live as long as a request.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    Weir::parse().run()
}
