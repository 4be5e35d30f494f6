//! Failures of Redis fail no lookup, and delay it at most by the timeout.

use std::time::Duration;

use futures_util::future::join_all;
use resolvers::cache::{
    Cache, CacheSettings, LookupOutcome, Propagation, RedisSettings, RedisTopology,
};
use tokio::time::Instant;

use crate::server::Server;
use crate::support::*;

#[tokio::test]
async fn an_unreachable_redis_delays_nothing() {
    let topology = RedisTopology::Single("redis://127.0.0.1:1".to_owned());
    let cache = start(with_redis(&clock(), topology));
    let began = Instant::now();
    fill(&cache, "1", "one", shared(60)).await;
    assert_eq!(lookup_summary(&cache, "1").await, "one Memory");
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
    assert!(!cache.wait_until_connected(Duration::from_millis(50)).await);
}

#[tokio::test]
async fn a_redis_that_dies_is_bypassed_until_it_is_back() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let cache = on(&server, &clock).await;
    fill(&cache, "1", "one", shared(3600)).await;
    wait_until_stored(&server, &["1"]).await;

    server.kill();
    let slowest = slowest_of(&cache, 200).await;
    assert!(slowest < LIMIT * 3, "{slowest:?}");
    assert_eq!(lookup_summary(&cache, "1").await, "one Memory");
    let counts = cache.counts();
    assert!(
        counts.breaker_opened >= 1 && counts.redis_skipped > 0,
        "{counts:?}"
    );

    server.restart().await;
    let took = until(|| async { shares_values(&cache, &server).await }).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(cache.counts().breaker_closed >= 1);
}

#[tokio::test]
async fn a_stalled_redis_delays_lookups_by_the_timeout_and_is_then_bypassed() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let cache = on(&server, &clock).await;
    let names: Vec<String> = (0..100).map(|name| name.to_string()).collect();
    for name in &names {
        fill(&cache, name, name, shared(3600)).await;
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    wait_until_stored(&server, &names).await;

    server.stall();
    // A lookup takes a read and a lease, each with the timeout.
    let slowest = slowest_of(&cache, 200).await;
    assert!(slowest < LIMIT * 3, "{slowest:?}");
    assert!(cache.counts().redis_timeouts > 0);
    // The breaker is open, so no lookup waits.
    let before = cache.counts();
    let mut times = Vec::new();
    for _ in 0..1000 {
        times.push(slowest_of(&cache, 1).await);
    }
    times.sort();
    let after = cache.counts();
    assert_eq!(after.redis_timeouts, before.redis_timeouts);
    assert!(after.redis_skipped >= before.redis_skipped + 1000);
    assert!(times[990] < LIMIT / 10, "{:?}", times[990]);

    server.resume();
    let took = until(|| async { shares_values(&cache, &server).await }).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    // Values from before the stall are found by a cache with an empty memory.
    let fresh = on(&server, &clock).await;
    assert_eq!(lookup_summary(&fresh, "7").await, "7 Redis");
}

#[tokio::test]
async fn invalidations_without_redis_reach_other_replicas_when_it_is_back() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two) = (on(&server, &clock).await, on(&server, &clock).await);
    fill(&one, "1", "old", shared(3600)).await;
    wait_until_stored(&server, &["1"]).await;
    until(|| async { lookup_summary(&two, "1").await == "old Memory" }).await;

    server.stall();
    assert_eq!(
        one.invalidate(&[entity("1")]).await,
        Propagation::ThisProcess
    );
    assert_eq!(lookup_summary(&one, "1").await, "missing");
    assert_eq!(one.counts().invalidations_deferred, 1);

    server.resume();
    until(|| async { !lookup_summary(&two, "1").await.starts_with("old") }).await;
    assert!(!lookup_summary(&one, "1").await.starts_with("old"));
    assert!(
        !lookup_summary(&on(&server, &clock).await, "1")
            .await
            .starts_with("old")
    );
}

#[tokio::test]
async fn a_redis_that_lost_its_data_is_filled_again() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two) = (on(&server, &clock).await, on(&server, &clock).await);
    fill(&one, "1", "one", shared(3600)).await;
    wait_until_stored(&server, &["1"]).await;
    server.command::<()>(&["FLUSHALL"]).await;
    fill(&one, "2", "two", shared(3600)).await;
    wait_until_stored(&server, &["2"]).await;
    assert_eq!(lookup_summary(&two, "2").await, "two Redis");
}

#[tokio::test]
async fn writes_beyond_the_queue_are_dropped_and_counted() {
    let Some(server) = Server::start().await else {
        return;
    };
    let settings = with_redis(&clock(), RedisTopology::Single(server.address()));
    let redis = RedisSettings {
        max_queued_writes: 4,
        write_timeout: Duration::from_millis(400),
        ..settings.redis.clone().unwrap()
    };
    let cache = connected(CacheSettings {
        redis: Some(redis),
        ..settings
    })
    .await;
    let mut claims = Vec::new();
    for name in 0..500 {
        claims.push(claim(&cache, product(&name.to_string())).await);
    }
    server.stall();
    let began = Instant::now();
    for claim in claims {
        claim.store(&body("value"), shared(60));
    }
    assert!(
        began.elapsed() < Duration::from_millis(200),
        "{:?}",
        began.elapsed()
    );
    assert!(cache.counts().writes_dropped > 300, "{:?}", cache.counts());
    server.resume();
}

#[tokio::test]
async fn values_over_the_size_limit_stay_in_memory() {
    let Some(server) = Server::start().await else {
        return;
    };
    let settings = with_redis(&clock(), RedisTopology::Single(server.address()));
    let redis = RedisSettings {
        max_value_bytes: 100,
        ..settings.redis.clone().unwrap()
    };
    let cache = connected(CacheSettings {
        redis: Some(redis),
        ..settings
    })
    .await;
    fill(&cache, "large", &"x".repeat(101), shared(60)).await;
    fill(&cache, "small", "x", shared(60)).await;
    wait_until_stored(&server, &["small"]).await;
    let name = format!("weir:1:{{{}}}:v", key("large"));
    assert_eq!(server.command::<usize>(&["EXISTS", &name]).await, 0);
    assert!(lookup_summary(&cache, "large").await.ends_with("Memory"));
}

/// The duration of the slowest of `clients` concurrent lookups of new keys.
async fn slowest_of(cache: &Cache, clients: usize) -> Duration {
    let lookups = (0..clients).map(|_| async {
        let began = Instant::now();
        let name = fastrand::u64(..).to_string();
        let found = lookup_one(cache, product(&name)).await;
        assert!(
            matches!(found, LookupOutcome::Miss(_)),
            "{}",
            summary(&found)
        );
        began.elapsed()
    });
    join_all(lookups).await.into_iter().max().unwrap()
}

/// Whether another cache can find a value that this cache stores.
async fn shares_values(cache: &Cache, server: &Server) -> bool {
    let name = fastrand::u64(..).to_string();
    match lookup_one(cache, product(&name)).await {
        LookupOutcome::Miss(claim) => claim.store(&body("new"), shared(60)),
        _ => return false,
    }
    let name = format!("weir:1:{{{}}}:v", key(&name));
    for _ in 0..20 {
        if server
            .try_command::<usize>(&["EXISTS", &name])
            .await
            .unwrap_or(0)
            == 1
        {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    false
}

// The work is polled here, so that a panic for want of a cipher suite would fail the test.
#[tokio::test]
async fn a_server_without_tls_is_not_connected_by_tls() {
    let Some(server) = Server::start().await else {
        return;
    };
    let address = server.address().replace("redis://", "rediss://");
    let (cache, background) = Cache::start(with_redis(&clock(), RedisTopology::Single(address)));
    let work = join_all(background.into_iter().map(|(_, work)| work));
    tokio::select! {
        _ = work => panic!("the background work ended"),
        connected = cache.wait_until_connected(Duration::from_millis(700)) => assert!(!connected),
    }
}
