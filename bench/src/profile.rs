//! Profile of one gateway for one query, by `perf` under load.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use clap::Args;
use tokio::process::Command;

use crate::answers;
use crate::compare::run_load;
use crate::failure::Failure;
use crate::gateway::{self, Gateway, GatewayKind};
use crate::print;
use crate::query::Query;
use crate::shop::Shop;

/// Options of `bench profile`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ProfileOptions {
    /// The query
    #[arg(long, value_enum, ignore_case = true, default_value_t = Query::Q2)]
    query: Query,
    /// The gateway
    #[arg(long, value_enum, default_value_t = GatewayKind::Weir)]
    gateway: GatewayKind,
    /// Duration of the recording
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Number of symbols
    #[arg(long, value_name = "N", default_value_t = 25)]
    top: usize,
    /// Also print each symbol with its callees; slower, also for the gateway
    #[arg(long)]
    callers: bool,
    /// The `weir` binary to profile; by default it is built first
    #[arg(long, value_name = "FILE")]
    weir: Option<PathBuf>,
}

/// Records the gateway under load, then prints the symbols with most samples.
pub(crate) async fn run(options: &ProfileOptions) -> Result<(), Failure> {
    let weir = gateway::weir_program(options.weir.as_deref()).await?;
    let shop = Shop::start().await?;
    let gateway = Gateway::start(options.gateway, &shop.services, &weir).await?;
    let gateways = [gateway];
    let loads = answers::checked_loads(options.query, &gateways).await?;
    let [gateway] = &gateways;
    let Some(load) = loads.first() else {
        return Err(Failure::Nothing);
    };
    run_load(gateway, load, WARM_UP).await?;

    let data = std::env::temp_dir().join(format!("weir-bench-{}.perf", std::process::id()));
    let recorded = record(gateway, &data, options);
    let time = Duration::from_secs(options.seconds) + LOAD_MARGIN;
    let (recorded, loaded) = tokio::join!(recorded, run_load(gateway, load, time));
    let printed = match recorded.and(loaded) {
        Ok(_) => print(&data, options).await,
        Err(failure) => Err(failure),
    };
    // A leftover temporary file is harmless.
    let _ = std::fs::remove_file(&data);
    printed
}

async fn record(gateway: &Gateway, data: &Path, options: &ProfileOptions) -> Result<(), Failure> {
    let mut perf = Command::new("perf");
    perf.args(["record", "--quiet", "--freq", FREQUENCY])
        .args(["--pid", &gateway.process.id().to_string()])
        .arg("--output")
        .arg(data);
    if options.callers {
        perf.args(["--call-graph", "dwarf,16384"]);
    }
    // `perf` records until this command exits.
    perf.args(["--", "sleep", &options.seconds.to_string()])
        .kill_on_drop(true);
    let status = perf
        .status()
        .await
        .map_err(Failure::io("cannot run perf"))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::Perf("record"))
    }
}

async fn print(data: &Path, options: &ProfileOptions) -> Result<(), Failure> {
    report_by("dso", Share::Own, data, options.top).await?;
    report_by("symbol", Share::Own, data, options.top).await?;
    if options.callers {
        report_by("symbol", Share::WithCalled, data, options.top).await?;
    }
    Ok(())
}

/// The samples that count for a symbol.
#[derive(Clone, Copy, Debug)]
enum Share {
    Own,
    WithCalled,
}

async fn report_by(sort: &str, share: Share, data: &Path, top: usize) -> Result<(), Failure> {
    let (flag, title) = match share {
        Share::Own => ("--no-children", ""),
        Share::WithCalled => ("--children", ", with what it calls"),
    };
    let mut perf = Command::new("perf");
    perf.args(["report", "--stdio", "--no-inline", "--sort", sort, flag])
        .args(["--call-graph", "none", "--input"])
        .arg(data)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let output = perf.output().await;
    let output = output.map_err(Failure::io("cannot run perf"))?;
    if !output.status.success() {
        return Err(Failure::Perf("report"));
    }
    print::output(&format!("\nBy {sort}{title}:\n"));
    let text = String::from_utf8_lossy(&output.stdout);
    for line in text.lines().filter_map(report_line).take(top) {
        print::output(line);
    }
    Ok(())
}

/// A line of the report without its trailing columns; `None` for comments and empty lines.
fn report_line(line: &str) -> Option<&str> {
    let line = match line.trim_end().split_once("    -") {
        Some((figure, _)) => figure.trim_end(),
        None => line.trim_end(),
    };
    (!line.is_empty() && !line.starts_with('#')).then_some(line)
}

/// Samples per second: enough for a resolution of 0.1 % in ten seconds; a prime, to avoid beats with
/// timers.
const FREQUENCY: &str = "1999";

/// Time by which the load outlasts the recording.
const LOAD_MARGIN: Duration = Duration::from_secs(1);

/// Duration of the load before recording: long enough to open connections and fill caches.
const WARM_UP: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_figures_of_a_report_are_printed() {
        let figures: Vec<_> = [
            "# Overhead  Symbol",
            "",
            "     9.17%  [.] parse          -      -  ",
        ]
        .into_iter()
        .filter_map(report_line)
        .collect();
        assert_eq!(figures, ["     9.17%  [.] parse"]);
    }
}
