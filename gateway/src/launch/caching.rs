//! The cache as the configuration wants it: what the engine is told of it, and its tasks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use resolvers::cache::{self, CacheSettings, EventSettings, RedisSettings};
use resolvers::invalidation::CurrentNames;
use resolvers::settings::{Caching, Keeping};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::config::cache::redis::{Place, Redis};
use crate::config::cache::{self as config, Cache, Lifetime};
use crate::config::secret::Secret;
use crate::tasks::Tasks;

use self::told::Told;

mod told;

/// The cache that `config` wants, at work in `tasks`; `None` when nothing is to be kept.
///
/// Does not wait for Redis: until that is reached the cache is this process's own. The tasks end
/// when nobody has the cache any more.
pub(super) fn start(config: &Cache, names: &CurrentNames, tasks: &Tasks) -> Option<Caching> {
    let keeps_something = |keeping: config::Keeping| keeping == config::Keeping::Allowed;
    let mut subgraphs = config.subgraphs.values();
    if !keeps_something(config.keeping) && !subgraphs.any(|it| keeps_something(it.keeping)) {
        return None;
    }
    let (cache, background) = cache::Cache::start(settings(config, names));
    for (name, task) in background {
        tasks.spawn(name, task);
    }
    if let Some(connection) = cache.connection() {
        tasks.spawn("cache log", log(connection));
    }
    let subgraphs = config.subgraphs.iter();
    Some(Caching {
        cache,
        default: keeping(config.keeping, &config.lifetime),
        subgraphs: subgraphs
            .map(|(name, it)| (name.clone(), keeping(it.keeping, &it.lifetime)))
            .collect::<BTreeMap<_, _>>(),
        caller: config.caller_headers.clone(),
    })
}

fn keeping(keeping: config::Keeping, lifetime: &Lifetime) -> Keeping {
    Keeping {
        is_on: keeping == config::Keeping::Allowed,
        default: lifetime.default,
        max: lifetime.max,
        stale: lifetime.stale,
        on_error: lifetime.stale_if_error,
        negative: lifetime.negative,
    }
}

fn settings(config: &Cache, names: &CurrentNames) -> CacheSettings {
    let lifetimes = config.subgraphs.values().map(|it| it.lifetime);
    let max = lifetimes
        .map(|it| it.max)
        .fold(config.lifetime.max, Duration::max);
    CacheSettings {
        redis: config
            .redis
            .as_ref()
            .map(|redis| of_redis(redis, (max, names))),
        ..CacheSettings::in_memory(config.memory.get())
    }
}

fn of_redis(config: &Redis, (max, names): (Duration, &CurrentNames)) -> RedisSettings {
    let settings = RedisSettings::at(place(&config.place));
    RedisSettings {
        prefix: config.prefix.clone(),
        limit: config.timeout,
        write_limit: config.write_timeout,
        connect_limit: config.connect_timeout,
        value_limit: config.value_size.get(),
        events: config.events.as_ref().map(|events| EventSettings {
            stream: events.stream.clone(),
            group: events.group.clone(),
            meanings: Arc::new(Told::new(names.clone())),
        }),
        // An entry is fresh for `max` at most and then stale for `max` at most.
        retention: settings.retention.max(max.saturating_mul(2) + SLACK),
        ..settings
    }
}

fn place(place: &Place) -> cache::Place {
    let all = |nodes: &[Secret<String>]| nodes.iter().map(|node| node.reveal().clone()).collect();
    match place {
        Place::Single(address) => cache::Place::Single(address.reveal().clone()),
        Place::Sentinel {
            nodes,
            master,
            server,
        } => cache::Place::Sentinel {
            sentinels: all(nodes),
            master: master.clone(),
            server: server.as_ref().map(|server| server.reveal().clone()),
        },
        Place::Cluster(nodes) => cache::Place::Cluster(all(nodes)),
    }
}

/// Says when Redis is reached, lost and back, until the cache is gone.
async fn log(mut connection: watch::Receiver<bool>) {
    let reached = connection.wait_for(|is_up| *is_up);
    if timeout(PATIENCE, reached).await.is_err() {
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
const SLACK: Duration = Duration::from_hours(1);

/// How long Redis may take before somebody is told.
const PATIENCE: Duration = Duration::from_secs(1);
