//! Sets up the log.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::config::log::{Log, LogFormat, LogLevel};

/// Starts logging to standard error. Only the first call in a process has an effect.
pub fn start(log: Log) {
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter(log.level))
        .with_writer(io::stderr)
        .with_target(false);
    let started = match log.format {
        LogFormat::Text => lines
            .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
            .try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    if started.is_ok() {
        log_panics();
    }
}

/// Excludes log lines of libraries below `error`, except at `trace`.
fn filter(level: LogLevel) -> EnvFilter {
    let name = level.as_str();
    match level {
        LogLevel::Trace => EnvFilter::new(name),
        _ => EnvFilter::new(format!(
            "error,gateway={name},resolvers={name},schema={name},mocks={name}"
        )),
    }
}

/// Logs panics in the configured format.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str().unwrap_or("a panic");
        tracing::error!(location, message, "panic");
    }));
}
