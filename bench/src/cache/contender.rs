//! Who is compared, and how each is started.

use std::path::Path;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::graph::Graph;
use crate::failure::Failure;
use crate::gateway::{Gateway, configured};
use crate::server::Services;

/// A gateway, and what it keeps where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contender {
    /// Weir without a cache.
    WeirCold,
    /// Weir with everything in its memory.
    WeirMemory,
    /// Weir with everything in Redis and nothing in its memory.
    WeirRedis,
    /// What a good engineer would write for these queries.
    Handwritten,
    /// The same with its responses in Redis.
    HandwrittenRedis,
}

/// Where everything is that a gateway may need.
#[derive(Debug)]
pub(super) struct Environment<'a> {
    pub(super) services: &'a Services,
    pub(super) redis: &'a str,
    /// The program.
    pub(super) weir: &'a Path,
    pub(super) graph: &'a Graph,
}

impl Contender {
    /// Those of `only`, or all; always in the order of the table.
    pub(super) fn selected(only: &[Self]) -> impl Iterator<Item = Self> {
        let all = Self::value_variants().iter().copied();
        all.filter(move |one| only.is_empty() || only.contains(one))
    }

    /// The name in the table.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::WeirCold => "weir-cold",
            Self::WeirMemory => "weir-memory",
            Self::WeirRedis => "weir-redis",
            Self::Handwritten => "handwritten",
            Self::HandwrittenRedis => "handwritten-redis",
        }
    }

    /// Whether it needs no service once it has been asked.
    pub(super) const fn is_cached(self) -> bool {
        match self {
            Self::WeirCold | Self::Handwritten => false,
            Self::WeirMemory | Self::WeirRedis | Self::HandwrittenRedis => true,
        }
    }

    /// Starts it.
    pub(super) async fn start(self, environment: &Environment<'_>) -> Result<Gateway, Failure> {
        let services = environment.services;
        let weir = async |cache: Value| {
            let mut configuration = configured(services);
            configuration["graph"] = environment.graph.graph_config();
            configuration["cache"] = cache;
            Gateway::start_weir(self.name(), environment.weir, &configuration).await
        };
        match self {
            Self::WeirCold => weir(json!({ "enabled": false })).await,
            Self::WeirMemory => weir(json!({ "memory": "64MiB" })).await,
            Self::WeirRedis => {
                let redis = json!({ "url": environment.redis, "timeout": REDIS_TIMEOUT });
                weir(json!({ "memory": "1B", "redis": redis })).await
            }
            Self::Handwritten => {
                Gateway::start_this_program(self.name(), HANDWRITTEN, services, &[]).await
            }
            Self::HandwrittenRedis => {
                let options = ["--redis", environment.redis];
                Gateway::start_this_program(self.name(), HANDWRITTEN, services, &options).await
            }
        }
    }
}

const HANDWRITTEN: &str = "handwritten";

/// All processes share the cores, and the load takes what they leave: what counts as away in
/// production is an ordinary wait here.
const REDIS_TIMEOUT: &str = "2s";
