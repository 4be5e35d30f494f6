//! Caches with the settings of the tests, and short texts for what a lookup returns.

use std::time::Duration;

use bytes::Bytes;
use resolvers::cache::{
    Cache, CacheSettings, CachedValue, Claim, Clock, Key, KeyParts, Lifetime, LookupOutcome,
    LookupRequest, Moment, RedisSettings, RedisTopology, Reuse, Tag,
};
use tokio::time::{Instant, sleep};

use crate::server::Server;

/// Timeout of Redis commands, long enough for two busy cores.
pub(crate) const LIMIT: Duration = Duration::from_millis(150);

pub(crate) fn settings(clock: &Clock) -> CacheSettings {
    CacheSettings {
        jitter_percent: 0,
        clock: clock.clone(),
        ..CacheSettings::with_memory(1 << 20)
    }
}

pub(crate) fn with_redis(clock: &Clock, topology: RedisTopology) -> CacheSettings {
    CacheSettings {
        redis: Some(RedisSettings {
            command_timeout: LIMIT,
            write_timeout: LIMIT * 5,
            ..RedisSettings::new(topology)
        }),
        ..settings(clock)
    }
}

pub(crate) fn clock() -> Clock {
    Clock::manual(Moment(1_700_000_000_000))
}

/// Starts a cache whose background work runs as long as the cache exists.
pub(crate) fn start(settings: CacheSettings) -> Cache {
    let (cache, background) = Cache::start(settings);
    for (_, work) in background {
        #[expect(clippy::disallowed_methods, reason = "ends with the cache")]
        tokio::spawn(work);
    }
    cache
}

/// A cache that is connected to `server`.
pub(crate) async fn on(server: &Server, clock: &Clock) -> Cache {
    connected(with_redis(clock, RedisTopology::Single(server.address()))).await
}

pub(crate) async fn connected(settings: CacheSettings) -> Cache {
    let cache = start(settings);
    assert!(cache.wait_until_connected(Duration::from_secs(10)).await);
    cache
}

pub(crate) fn key(name: &str) -> Key {
    keyed(name, None)
}

fn keyed(name: &str, caller: Option<&str>) -> Key {
    let entity = serde_json::json!({ "id": name }).to_string();
    let parts = KeyParts {
        source: "products",
        type_name: "Product",
        entity: Some(&entity),
        caller,
        ..KeyParts::default()
    };
    Key::from_parts(&parts).unwrap()
}

/// A lookup of the product called `name`.
pub(crate) fn product(name: &str) -> LookupRequest {
    LookupRequest {
        key: key(name),
        private_key: None,
        flight_key: None,
        superset_keys: Vec::new(),
        tags: vec![Tag::type_name("Product"), entity(name)].into(),
    }
}

pub(crate) fn product_for(name: &str, caller: &str) -> LookupRequest {
    LookupRequest {
        private_key: Some(keyed(name, Some(caller))),
        ..product(name)
    }
}

pub(crate) fn entity(name: &str) -> Tag {
    Tag::entity("Product", &serde_json::json!({ "id": name }).to_string())
}

pub(crate) fn lifetime(fresh: u64, stale: u64, on_error: u64) -> Lifetime {
    Lifetime {
        fresh: Duration::from_secs(fresh),
        stale: Duration::from_secs(stale),
        stale_if_error: Duration::from_secs(on_error),
    }
}

pub(crate) fn shared(fresh: u64) -> Reuse {
    Reuse::Shared(lifetime(fresh, 0, 0))
}

pub(crate) fn body(text: &str) -> CachedValue {
    CachedValue::Present(Bytes::copy_from_slice(text.as_bytes()))
}

/// The outcome as a short text.
pub(crate) fn summary(found: &LookupOutcome) -> String {
    let value = |hit: &resolvers::cache::Hit| match &hit.entry().value {
        CachedValue::Present(body) => format!("{} {:?}", String::from_utf8_lossy(body), hit.level),
        CachedValue::Absent => format!("null {:?}", hit.level),
    };
    match found {
        LookupOutcome::Fresh(hit) => value(hit),
        LookupOutcome::Negative(hit) => format!("absent {}", value(hit)),
        LookupOutcome::Stale(hit, Some(_)) => format!("stale {}, to refresh", value(hit)),
        LookupOutcome::Stale(hit, None) => format!("stale {}", value(hit)),
        LookupOutcome::Miss(_) => "missing".to_owned(),
        LookupOutcome::InFlight(_) => "in flight".to_owned(),
    }
}

/// Looks up one value through the batch API.
pub(crate) async fn lookup_one(cache: &Cache, request: LookupRequest) -> LookupOutcome {
    cache.lookup(vec![request]).await.pop().unwrap()
}

pub(crate) async fn lookup_summary(cache: &Cache, name: &str) -> String {
    summary(&lookup_one(cache, product(name)).await)
}

pub(crate) async fn claim(cache: &Cache, request: LookupRequest) -> Claim {
    match lookup_one(cache, request).await {
        LookupOutcome::Miss(claim) => claim,
        other => panic!("not a miss: {}", summary(&other)),
    }
}

/// Stores a value for `name`, as after a fetch.
pub(crate) async fn fill(cache: &Cache, name: &str, text: &str, reuse: Reuse) {
    claim(cache, product(name)).await.store(&body(text), reuse);
}

/// Waits until `is_so` returns true, and returns how long that took.
pub(crate) async fn until<F: Future<Output = bool>>(is_so: impl Fn() -> F) -> Duration {
    let began = Instant::now();
    while !is_so().await {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "the condition never holds"
        );
        sleep(Duration::from_millis(2)).await;
    }
    began.elapsed()
}

/// Waits until Redis has the values of all `keys`.
pub(crate) async fn wait_until_stored(server: &Server, keys: &[&str]) {
    until(|| async {
        let mut command = vec!["EXISTS".to_owned()];
        command.extend(
            keys.iter()
                .map(|name| format!("weir:1:{{{}}}:v", key(name))),
        );
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        server.command::<usize>(&command).await == keys.len()
    })
    .await;
}
