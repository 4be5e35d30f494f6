//! The comparison: starts the gateways, checks their responses, measures in rounds, prints the table.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::answers;
use crate::client::ClientError;
use crate::failure::Failure;
use crate::gateway::{self, Gateway, GatewayKind};
use crate::load::{Load, LoadResult};
use crate::print;
use crate::query::Query;
use crate::report::{self, Row, Sample};
use crate::shop::Shop;

/// Options of the comparison.
#[derive(Args, Clone, Debug)]
pub(crate) struct CompareOptions {
    /// Number of measurements of each gateway with each query; the table has medians
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Duration of each measurement
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Measure only these queries
    #[arg(
        long,
        value_name = "QUERIES",
        value_delimiter = ',',
        ignore_case = true
    )]
    only: Vec<Query>,
    /// Measure only these gateways
    #[arg(long, value_name = "GATEWAYS", value_delimiter = ',')]
    gateways: Vec<GatewayKind>,
    /// The `weir` binary to measure; by default it is built first
    #[arg(long, value_name = "FILE")]
    weir: Option<PathBuf>,
}

/// Measures and prints the table.
pub(crate) async fn run(options: &CompareOptions) -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        return Err(Failure::Debug);
    }
    let queries = selected(&Query::ALL, &options.only);
    let kinds = selected(&GatewayKind::ALL, &options.gateways);
    // First, as the services close connections that are idle for as long as a compiler runs.
    let weir = gateway::weir_program(options.weir.as_deref()).await?;
    let shop = Shop::start().await?;
    let mut gateways = Vec::with_capacity(kinds.len());
    for kind in &kinds {
        gateways.push(Gateway::start(*kind, &shop.services, &weir).await?);
    }
    let mut rows = Vec::new();
    for query in queries {
        let samples = measure_query(query, &gateways, &shop, options).await?;
        for ((gateway, kind), samples) in gateways.iter().zip(&kinds).zip(samples) {
            rows.push(Row {
                query,
                gateway: *kind,
                samples,
                peak_kibibytes: gateway.process.peak_kibibytes()?,
            });
        }
    }
    if rows.is_empty() {
        return Err(Failure::Nothing);
    }
    print::output(&report::table(&rows));
    Ok(())
}

/// The items of `only`, or all if it is empty; in the order of `all`.
fn selected<T: Copy + PartialEq>(all: &[T], only: &[T]) -> Vec<T> {
    let is_selected = |one: &T| only.is_empty() || only.contains(one);
    all.iter().copied().filter(is_selected).collect()
}

async fn measure_query(
    query: Query,
    gateways: &[Gateway],
    shop: &Shop,
    options: &CompareOptions,
) -> Result<Vec<Vec<Sample>>, Failure> {
    let loads = answers::checked_loads(query, gateways).await?;
    print::note(&format!("{query:?}: the responses are equal"));
    let pairs: Vec<_> = gateways.iter().zip(loads).collect();
    for (gateway, load) in &pairs {
        run_load(gateway, load, WARM_UP).await?;
    }
    let mut rounds: Vec<Vec<Sample>> = vec![Vec::new(); pairs.len()];
    for round in 0..options.rounds as usize {
        // The order rotates, so that no gateway always follows the same one.
        for offset in 0..pairs.len() {
            let index = (offset + round) % pairs.len();
            if let (Some((gateway, load)), Some(samples)) =
                (pairs.get(index), rounds.get_mut(index))
            {
                let time = Duration::from_secs(options.seconds);
                samples.push(measure_with_calls(gateway, load, shop, time).await?);
            }
        }
    }
    Ok(rounds)
}

/// Measures one gateway, with the calls that the services receive; the other gateways are idle.
pub(crate) async fn measure_with_calls(
    gateway: &Gateway,
    load: &Load,
    shop: &Shop,
    time: Duration,
) -> Result<Sample, Failure> {
    let before = shop.calls().await?;
    let sample = measure(gateway, load, time).await?;
    let calls = shop.calls().await?.saturating_sub(before);
    #[expect(clippy::cast_precision_loss, reason = "counts of a few seconds")]
    let calls = calls as f64;
    Ok(Sample { calls, ..sample })
}

/// Measures one gateway without counting calls; `calls` of the result is 0.
pub(crate) async fn measure(
    gateway: &Gateway,
    load: &Load,
    time: Duration,
) -> Result<Sample, Failure> {
    let cpu = gateway.process.cpu()?;
    let result = run_load(gateway, load, time).await?;
    let cpu = gateway.process.cpu()?.saturating_sub(cpu);
    #[expect(clippy::cast_precision_loss, reason = "counts of a few seconds")]
    let requests = result.requests() as f64;
    Ok(Sample {
        requests,
        seconds: result.elapsed.as_secs_f64(),
        cpu: cpu.as_secs_f64(),
        p50: result.percentile(0.5),
        p99: result.percentile(0.99),
        calls: 0.0,
    })
}

/// Runs the clients of `load` for `time`.
pub(crate) async fn run_load(
    gateway: &Gateway,
    load: &Load,
    time: Duration,
) -> Result<LoadResult, Failure> {
    let failed = |error: ClientError| Failure::Request {
        name: gateway.name,
        error: Box::new(error),
    };
    let clients = load.connect(gateway.address).await.map_err(failed)?;
    clients.run(time).await.map_err(failed)
}

/// Duration of the load before measuring: long enough to open connections and fill caches.
pub(crate) const WARM_UP: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_selection_everything_is_measured() {
        assert_eq!(selected(&Query::ALL, &[]), Query::ALL);
        assert_eq!(
            selected(&Query::ALL, &[Query::Q4, Query::Q1]),
            [Query::Q1, Query::Q4]
        );
    }
}
