//! The cache as the configuration wants it: what the engine is told of it, and its tasks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use resolvers::cache::{self, CacheSettings, EventSettings, RedisSettings};
use resolvers::invalidation::CurrentNames;
use resolvers::settings::{CachePolicy, Caching};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::config::cache::redis::{Redis, Topology};
use crate::config::cache::{self as config, Cache, Lifetime};
use crate::config::secret::Secret;
use crate::tasks::Tasks;

use self::change_events::GraphEventResolver;

mod change_events;

/// The cache that `config` wants, at work in `tasks`; `None` when nothing is to be kept.
///
/// Does not wait for Redis: until that is reached the cache is this process's own. The tasks end
/// when nobody has the cache any more.
pub(super) fn start(config: &Cache, names: &CurrentNames, tasks: &Tasks) -> Option<Caching> {
    let is_enabled = |keeping: config::CacheMode| keeping == config::CacheMode::Enabled;
    let mut subgraphs = config.subgraphs.values();
    if !is_enabled(config.mode) && !subgraphs.any(|it| is_enabled(it.keeping)) {
        return None;
    }
    let (cache, background) = cache::Cache::start(cache_settings(config, names));
    for (name, task) in background {
        tasks.spawn(name, task);
    }
    if let Some(connection) = cache.connection_status() {
        tasks.spawn("cache log", log_connection(connection));
    }
    let subgraphs = config.subgraphs.iter();
    Some(Caching {
        cache,
        default: cache_policy(config.mode, &config.lifetime),
        subgraphs: subgraphs
            .map(|(name, it)| (name.clone(), cache_policy(it.keeping, &it.lifetime)))
            .collect::<BTreeMap<_, _>>(),
        caller_headers: config.caller_headers.clone(),
    })
}

fn cache_policy(keeping: config::CacheMode, lifetime: &Lifetime) -> CachePolicy {
    CachePolicy {
        is_enabled: keeping == config::CacheMode::Enabled,
        default_ttl: lifetime.default,
        max_ttl: lifetime.max,
        stale_while_revalidate: lifetime.stale_while_revalidate,
        stale_if_error: lifetime.stale_if_error,
        negative_ttl: lifetime.negative,
    }
}

fn cache_settings(config: &Cache, names: &CurrentNames) -> CacheSettings {
    let own = config.subgraphs.values().map(|it| it.lifetime.max);
    let max_ttl = own.fold(config.lifetime.max, Duration::max);
    CacheSettings {
        redis: config
            .redis
            .as_ref()
            .map(|redis| redis_settings(redis, max_ttl, names)),
        ..CacheSettings::with_memory(config.memory_bytes.get())
    }
}

fn redis_settings(config: &Redis, max_ttl: Duration, names: &CurrentNames) -> RedisSettings {
    let settings = RedisSettings::new(topology(&config.topology));
    RedisSettings {
        prefix: config.prefix.clone(),
        command_timeout: config.timeout,
        write_timeout: config.write_timeout,
        connect_timeout: config.connect_timeout,
        max_value_bytes: config.max_value_bytes.get(),
        events: config.events.as_ref().map(|events| EventSettings {
            stream: events.stream.clone(),
            group: events.group.clone(),
            resolver: Arc::new(GraphEventResolver::new(names.clone())),
        }),
        // An entry is fresh for at most `max_ttl`, then stale for at most `max_ttl`.
        retention: settings
            .retention
            .max(max_ttl.saturating_mul(2) + RETENTION_MARGIN),
        ..settings
    }
}

fn topology(place: &Topology) -> cache::RedisTopology {
    let all = |nodes: &[Secret<String>]| nodes.iter().map(|node| node.reveal().clone()).collect();
    match place {
        Topology::Single(address) => cache::RedisTopology::Single(address.reveal().clone()),
        Topology::Sentinel {
            nodes,
            master,
            server,
        } => cache::RedisTopology::Sentinel {
            sentinels: all(nodes),
            master: master.clone(),
            server: server.as_ref().map(|server| server.reveal().clone()),
        },
        Topology::Cluster(nodes) => cache::RedisTopology::Cluster(all(nodes)),
    }
}

/// Says when Redis is reached, lost and back, until the cache is gone.
async fn log_connection(mut connection: watch::Receiver<bool>) {
    let connected = connection.wait_for(|is_up| *is_up);
    if timeout(CONNECT_WARNING_DELAY, connected).await.is_err() {
        tracing::warn!("Redis is not reached: until it is, each process has its own cache");
    }
    let mut was_up = false;
    loop {
        let is_up = *connection.borrow_and_update();
        match (was_up, is_up) {
            (false, true) => tracing::info!("Redis is reached"),
            (true, false) => {
                tracing::warn!("Redis is lost: until it is back, each process has its own cache");
            }
            (true, true) | (false, false) => {}
        }
        was_up = is_up;
        if connection.changed().await.is_err() {
            return;
        }
    }
}

/// What is kept in Redis to tell what is invalid outlasts what it is about.
const RETENTION_MARGIN: Duration = Duration::from_hours(1);

/// How long Redis may take before somebody is told.
const CONNECT_WARNING_DELAY: Duration = Duration::from_secs(1);
