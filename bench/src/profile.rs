//! Where one gateway spends its time under one query: `perf` while the load runs.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use clap::Args;
use tokio::process::Command;

use crate::answers;
use crate::compare::run_load;
use crate::failure::Failure;
use crate::gateway::{Gateway, GatewayKind};
use crate::print;
use crate::query::Query;
use crate::shop::Shop;

/// What is profiled, and for how long.
#[derive(Args, Clone, Debug)]
pub(crate) struct ProfileOptions {
    /// Which query
    #[arg(long, value_enum, ignore_case = true, default_value_t = Query::Q2)]
    query: Query,
    /// Which gateway
    #[arg(long, value_enum, default_value_t = GatewayKind::Weir)]
    gateway: GatewayKind,
    /// For how long
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How many symbols
    #[arg(long, value_name = "N", default_value_t = 25)]
    top: usize,
    /// Also count for each symbol what it calls; slower, and it slows the gateway down
    #[arg(long)]
    callers: bool,
    /// The weir to profile, instead of one that is built first
    #[arg(long, value_name = "FILE")]
    weir: Option<PathBuf>,
}

/// Records while the gateway is under load, then prints the symbols with most samples.
pub(crate) async fn run(options: &ProfileOptions) -> Result<(), Failure> {
    let shop = Shop::start().await?;
    let gateway = Gateway::start(options.gateway, &shop.services, options.weir.as_deref()).await?;
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
    // Left behind, it would be a file among temporary ones.
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
    // Records for as long as this lives.
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

/// What a line of the report counts.
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

/// A line of the report that is neither a comment nor empty, without the columns behind it.
fn report_line(line: &str) -> Option<&str> {
    let line = match line.trim_end().split_once("    -") {
        Some((figure, _)) => figure.trim_end(),
        None => line.trim_end(),
    };
    (!line.is_empty() && !line.starts_with('#')).then_some(line)
}

/// As often as needed for a tenth of a percent in ten seconds; a prime, so as not to beat in time
/// with any timer.
const FREQUENCY: &str = "1999";

/// The load begins before the record does and ends after it.
const LOAD_MARGIN: Duration = Duration::from_secs(1);

/// Long enough for every connection to be open and every cache to be filled.
const WARM_UP: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_figures_of_a_report_are_shown() {
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
