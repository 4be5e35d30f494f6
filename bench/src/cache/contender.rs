//! The gateways of the comparison of caches, and how each is started.

use std::path::Path;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::graph::Graph;
use crate::failure::Failure;
use crate::gateway::{Gateway, configured, unshared};
use crate::server::Services;

/// A gateway with its cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contender {
    /// The calls and the response without GraphQL and without a cache.
    Limit,
    /// Weir without a cache, where operations share no calls.
    WeirUnshared,
    /// Weir without a cache.
    WeirCold,
    /// Weir with values in memory.
    WeirMemoryValues,
    /// Weir with values and responses in memory.
    WeirMemory,
    /// Weir with values in Redis and none in memory.
    WeirRedisValues,
    /// Weir with values and responses in Redis and none in memory.
    WeirRedis,
    /// The hand-written gateway without a cache.
    Handwritten,
    /// The hand-written gateway with responses in Redis.
    HandwrittenRedis,
}

/// The services, programs and files that a gateway may need.
#[derive(Debug)]
pub(super) struct Environment<'a> {
    pub(super) services: &'a Services,
    pub(super) redis: &'a str,
    /// The `weir` binary.
    pub(super) weir: &'a Path,
    pub(super) graph: &'a Graph,
}

impl Contender {
    /// The gateways of `only`, or all if it is empty; in the order of the table.
    pub(super) fn selected(only: &[Self]) -> impl Iterator<Item = Self> {
        let all = Self::value_variants().iter().copied();
        all.filter(move |one| only.is_empty() || only.contains(one))
    }

    /// The name in the table.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::WeirUnshared => "weir-unshared",
            Self::WeirCold => "weir-cold",
            Self::WeirMemoryValues => "weir-memory-values",
            Self::WeirMemory => "weir-memory",
            Self::WeirRedisValues => "weir-redis-values",
            Self::WeirRedis => "weir-redis",
            Self::Handwritten => "handwritten",
            Self::HandwrittenRedis => "handwritten-redis",
        }
    }

    /// Whether it calls no service once its cache is filled.
    pub(super) const fn is_cached(self) -> bool {
        match self {
            Self::Limit | Self::WeirUnshared | Self::WeirCold | Self::Handwritten => false,
            Self::WeirMemoryValues
            | Self::WeirMemory
            | Self::WeirRedisValues
            | Self::WeirRedis
            | Self::HandwrittenRedis => true,
        }
    }

    /// Starts the gateway.
    pub(super) async fn start(self, environment: &Environment<'_>) -> Result<Gateway, Failure> {
        let services = environment.services;
        let weir = async |cache: Value| {
            let mut configuration = if self == Self::WeirUnshared {
                unshared(services)
            } else {
                configured(services)
            };
            configuration["graph"] = environment.graph.graph_config();
            configuration["cache"] = cache;
            Gateway::start_weir(self.name(), environment.weir, &configuration).await
        };
        match self {
            Self::Limit => {
                Gateway::start_this_program(self.name(), self.name(), services, &[]).await
            }
            Self::WeirUnshared | Self::WeirCold => weir(json!({ "enabled": false })).await,
            Self::WeirMemoryValues | Self::WeirMemory => {
                weir(json!({ "memory": MEMORY, "responses": self == Self::WeirMemory })).await
            }
            Self::WeirRedisValues | Self::WeirRedis => {
                let redis = json!({
                    "url": environment.redis,
                    "timeout": REDIS_TIMEOUT,
                    // Another contender's values would be hits.
                    "prefix": self.name(),
                });
                let responses = self == Self::WeirRedis;
                weir(json!({ "memory": "1B", "redis": redis, "responses": responses })).await
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

/// Enough for all values and responses of the varied query.
const MEMORY: &str = "512MiB";

const HANDWRITTEN: &str = "handwritten";

/// Maximum time to wait for Redis. All processes and the load share the cores, so waits that would
/// count as an outage in production are normal here.
const REDIS_TIMEOUT: &str = "2s";
