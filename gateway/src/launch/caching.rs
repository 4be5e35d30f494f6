//! Starts the entity cache of a configuration: the engine's settings, and background tasks.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use resolvers::cache::{
    self, CacheSettings, EventSettings, FailureReporter, RedisFailure, RedisSettings,
};
use resolvers::invalidation::CurrentNames;
use resolvers::settings::{CachePolicy, Caching, ResponseCaching};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::clip::clipped;
use crate::config::cache::redis::{Redis, Topology};
use crate::config::cache::{Cache, CacheMode, Lifetime};
use crate::config::secret::Secret;
use crate::tasks::Tasks;

use self::change_events::GraphEventResolver;

mod change_events;

/// Starts the cache, with its background work in `tasks`; `None` if caching is disabled.
///
/// Does not wait for Redis: until it is connected, only the memory level is used. The tasks end
/// when the last handle of the cache is dropped.
pub(super) fn start(config: &Cache, names: &CurrentNames, tasks: &Tasks) -> Option<Caching> {
    let mut subgraphs = config.subgraphs.values();
    if !is_enabled(config.mode) && !subgraphs.any(|it| is_enabled(it.mode)) {
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
            .map(|(name, it)| (name.clone(), cache_policy(it.mode, &it.lifetime)))
            .collect::<BTreeMap<_, _>>(),
        caller_headers: config.caller_headers.clone(),
        responses: if is_enabled(config.responses) {
            ResponseCaching::Enabled
        } else {
            ResponseCaching::Disabled
        },
    })
}

fn is_enabled(mode: CacheMode) -> bool {
    mode == CacheMode::Enabled
}

fn cache_policy(mode: CacheMode, lifetime: &Lifetime) -> CachePolicy {
    CachePolicy {
        is_enabled: is_enabled(mode),
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
        failure_reporter: Some(Arc::new(FailureLog)),
        // An entry is fresh for at most `max_ttl`, then stale for at most `max_ttl`.
        retention: settings
            .retention
            .max(max_ttl.saturating_mul(2) + RETENTION_MARGIN),
        ..settings
    }
}

fn topology(topology: &Topology) -> cache::RedisTopology {
    let all = |nodes: &[Secret<String>]| nodes.iter().map(|node| node.reveal().clone()).collect();
    match topology {
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

/// Logs failures of Redis.
#[derive(Debug)]
struct FailureLog;

impl FailureReporter for FailureLog {
    fn report(&self, failure: &RedisFailure<'_>) {
        let RedisFailure {
            command,
            error,
            count,
        } = *failure;
        // An error reply may quote arguments.
        let error = &*clipped(error, MAX_ERROR);
        tracing::warn!(command, error, count, "Redis failed");
    }
}

/// Logs each change of the connection to Redis until the cache is dropped.
async fn log_connection(mut connection: watch::Receiver<bool>) {
    let connected = connection.wait_for(|is_up| *is_up);
    if timeout(CONNECT_WARNING_DELAY, connected).await.is_err() {
        tracing::warn!(
            "Redis is unreachable; until it is connected, only the memory cache is used"
        );
    }
    let mut was_up = false;
    loop {
        let is_up = *connection.borrow_and_update();
        match (was_up, is_up) {
            (false, true) => tracing::info!("connected to Redis"),
            (true, false) => {
                tracing::warn!("lost Redis; until it is back, only the memory cache is used");
            }
            (true, true) | (false, false) => {}
        }
        was_up = is_up;
        if connection.changed().await.is_err() {
            return;
        }
    }
}

/// Maximum characters of an error of Redis in the log.
const MAX_ERROR: NonZeroUsize = NonZeroUsize::new(512).unwrap();

/// Time that tag generations in Redis outlive the last entry that they can invalidate.
const RETENTION_MARGIN: Duration = Duration::from_hours(1);

/// Time to connect to Redis before a warning is logged.
const CONNECT_WARNING_DELAY: Duration = Duration::from_secs(1);
