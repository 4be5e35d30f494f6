//! Gain of caching: one query without a cache, from memory, and from Redis, each for Weir; and the
//! hand-written gateway without and with responses in Redis.
//!
//! Gateways with a cache have their own services, which are paused once the caches are filled. So
//! only hits are measured: a miss would wait for a paused service, and is counted when the services
//! resume.

mod contender;
mod graph;
mod redis;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use self::contender::{Contender, Environment};
use self::graph::Graph;
use self::redis::Redis;
use self::table::{Measurement, Row};
use crate::answers;
use crate::compare::{WARM_UP, measure, measure_with_calls, run_load};
use crate::failure::Failure;
use crate::gateway::{self, Gateway};
use crate::load::Load;
use crate::print;
use crate::query::Query;
use crate::shop::Shop;

/// Options of `bench cache`.
#[derive(Args, Clone, Debug)]
pub(crate) struct CacheOptions {
    /// Number of measurements of each gateway; the table has medians
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Duration of each measurement
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Number of concurrent clients; with one, no request can share a fetch in flight
    #[arg(long, value_name = "N", value_parser = parse_clients)]
    clients: Option<usize>,
    /// The query
    #[arg(long, value_enum, ignore_case = true, default_value_t = Query::Q2)]
    query: Query,
    /// Measure only these gateways
    #[arg(long, value_name = "GATEWAYS", value_delimiter = ',')]
    gateways: Vec<Contender>,
    /// The `weir` binary to measure; by default it is built first
    #[arg(long, value_name = "FILE")]
    weir: Option<PathBuf>,
}

/// Measures and prints the table; without a `redis-server` prints a note only.
pub(crate) async fn run(options: &CacheOptions) -> Result<(), Failure> {
    if cfg!(debug_assertions) {
        return Err(Failure::Debug);
    }
    let Some(redis) = Redis::start().await? else {
        print::note("skipped: `redis-server` is not installed");
        return Ok(());
    };
    let program = gateway::weir_program(options.weir.as_deref()).await?;
    let graph = Graph::write()?;
    let shops = ShopPair {
        running: Shop::start().await?,
        paused: Shop::start().await?,
    };
    let mut runners = Vec::new();
    for contender in Contender::selected(&options.gateways) {
        let environment = Environment {
            services: &shops.for_contender(contender).services,
            redis: redis.url(),
            weir: &program,
            graph: &graph,
        };
        runners.push((contender, contender.start(&environment).await?));
    }
    let rows = compare(&runners, &shops, &redis, options).await?;
    print::output(&table::markdown(&rows));
    Ok(())
}

/// The services of gateways without a cache, and those of gateways with one.
struct ShopPair {
    running: Shop,
    paused: Shop,
}

impl ShopPair {
    fn for_contender(&self, contender: Contender) -> &Shop {
        if contender.is_cached() {
            &self.paused
        } else {
            &self.running
        }
    }
}

type Runner = (Contender, Gateway);

async fn compare(
    runners: &[Runner],
    shops: &ShopPair,
    redis: &Redis,
    options: &CacheOptions,
) -> Result<Vec<Row>, Failure> {
    let gateways: Vec<&Gateway> = runners.iter().map(|(_, gateway)| gateway).collect();
    let mut loads = answers::checked_loads(options.query, &gateways).await?;
    for load in &mut loads {
        load.connections = options.clients.unwrap_or(load.connections);
    }
    print::note("the responses are equal");
    for (gateway, load) in gateways.iter().zip(&loads) {
        run_load(gateway, load, WARM_UP).await?;
    }
    let before = shops.paused.calls().await?;
    shops.paused.pause().await?;
    print::note("the services of the gateways with a cache are paused");
    let rounds = rounds(runners, &loads, &shops.running, redis, options).await?;
    shops.paused.resume().await?;
    let missed = shops.paused.calls().await?.saturating_sub(before);
    if missed > 0 {
        return Err(Failure::CacheMisses(missed));
    }
    print::note("the paused services resumed, and received no calls meanwhile");
    let rows = runners
        .iter()
        .zip(rounds)
        .map(|((contender, gateway), measurements)| {
            Ok(Row {
                contender: *contender,
                measurements,
                peak_kibibytes: gateway.process.peak_kibibytes()?,
            })
        });
    rows.collect()
}

async fn rounds(
    runners: &[Runner],
    loads: &[Load],
    shop: &Shop,
    redis: &Redis,
    options: &CacheOptions,
) -> Result<Vec<Vec<Measurement>>, Failure> {
    let time = Duration::from_secs(options.seconds);
    let pairs: Vec<_> = runners.iter().zip(loads).collect();
    let mut rounds: Vec<Vec<Measurement>> = vec![Vec::new(); pairs.len()];
    for round in 0..options.rounds as usize {
        // The order rotates, so that no gateway always follows the same one.
        for offset in 0..pairs.len() {
            let index = (offset + round) % pairs.len();
            let (Some(((contender, gateway), load)), Some(measurements)) =
                (pairs.get(index), rounds.get_mut(index))
            else {
                continue;
            };
            let before = redis.cpu()?;
            let sample = if contender.is_cached() {
                measure(gateway, load, time).await?
            } else {
                measure_with_calls(gateway, load, shop, time).await?
            };
            let redis_cpu_seconds = redis.cpu()?.saturating_sub(before).as_secs_f64();
            measurements.push(Measurement {
                sample,
                redis_cpu_seconds,
            });
        }
    }
    Ok(rounds)
}

fn parse_clients(argument: &str) -> Result<usize, String> {
    let clients = argument.parse().ok();
    let clients = clients.filter(|clients| (1..=MAX_CLIENTS).contains(clients));
    clients.ok_or_else(|| format!("must be a number from 1 to {MAX_CLIENTS}"))
}

/// Maximum number of clients; more would measure the memory of the machine.
const MAX_CLIENTS: usize = 1_000;
