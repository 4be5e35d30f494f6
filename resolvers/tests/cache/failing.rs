//! Redis is never a reason to fail, nor to wait.

use std::time::Duration;

use futures_util::future::join_all;
use resolvers::cache::{
    Cache, CacheSettings, LookupOutcome, Propagation, RedisSettings, RedisTopology,
};
use tokio::time::Instant;

use crate::server::Server;
use crate::support::*;

#[tokio::test]
async fn a_redis_that_was_never_there_costs_nothing() {
    let place = RedisTopology::Single("redis://127.0.0.1:1".to_owned());
    let cache = start(with_redis(&clock(), place));
    let began = Instant::now();
    fill(&cache, "1", "one", shared(60)).await;
    assert_eq!(look(&cache, "1").await, "one Memory");
    assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
    assert!(!cache.wait_until_connected(Duration::from_millis(50)).await);
}

#[tokio::test]
async fn a_redis_that_dies_is_left_alone_and_found_again() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let cache = on(&server, &clock).await;
    fill(&cache, "1", "one", shared(3600)).await;
    written(&server, &["1"]).await;

    server.kill();
    let slowest = slowest_of(&cache, 200).await;
    assert!(slowest < LIMIT * 3, "{slowest:?}");
    assert_eq!(look(&cache, "1").await, "one Memory");
    let counts = cache.counts();
    assert!(
        counts.breaker_opened >= 1 && counts.redis_skipped > 0,
        "{counts:?}"
    );

    server.restart().await;
    let took = until(|| async { shares_again(&cache, &server).await }).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(cache.counts().breaker_closed >= 1);
}

#[tokio::test]
async fn a_redis_that_stalls_costs_its_limit_for_a_moment_and_then_nothing() {
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
    written(&server, &names).await;

    server.stall();
    // A read and a lease, each within its limit.
    let slowest = slowest_of(&cache, 200).await;
    assert!(slowest < LIMIT * 3, "{slowest:?}");
    assert!(cache.counts().redis_timeouts > 0);
    // From now on nobody waits.
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
    let took = until(|| async { shares_again(&cache, &server).await }).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    // What was kept before is there again for one that has an empty memory.
    let fresh = on(&server, &clock).await;
    assert_eq!(look(&fresh, "7").await, "7 Redis");
}

#[tokio::test]
async fn invalidations_made_without_redis_reach_the_others_when_it_is_back() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two) = (on(&server, &clock).await, on(&server, &clock).await);
    fill(&one, "1", "old", shared(3600)).await;
    written(&server, &["1"]).await;
    until(|| async { look(&two, "1").await == "old Memory" }).await;

    server.stall();
    assert_eq!(
        one.invalidate(&[entity("1")]).await,
        Propagation::ThisProcess
    );
    assert_eq!(look(&one, "1").await, "missing");
    assert_eq!(one.counts().invalidations_deferred, 1);

    server.resume();
    until(|| async { !look(&two, "1").await.starts_with("old") }).await;
    assert!(!look(&one, "1").await.starts_with("old"));
    assert!(
        !look(&on(&server, &clock).await, "1")
            .await
            .starts_with("old")
    );
}

#[tokio::test]
async fn a_redis_that_comes_back_empty_is_filled_again() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two) = (on(&server, &clock).await, on(&server, &clock).await);
    fill(&one, "1", "one", shared(3600)).await;
    written(&server, &["1"]).await;
    server.ask::<()>(&["FLUSHALL"]).await;
    fill(&one, "2", "two", shared(3600)).await;
    written(&server, &["2"]).await;
    assert_eq!(look(&two, "2").await, "two Redis");
}

#[tokio::test]
async fn writes_that_find_no_place_are_dropped_and_counted() {
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
async fn values_over_the_limit_stay_in_memory() {
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
    written(&server, &["small"]).await;
    let name = format!("weir:1:{{{}}}:v", key("large"));
    assert_eq!(server.ask::<usize>(&["EXISTS", &name]).await, 0);
    assert!(look(&cache, "large").await.ends_with("Memory"));
}

/// How long the slowest of so many clients that ask at once for something new had to wait.
async fn slowest_of(cache: &Cache, clients: usize) -> Duration {
    let asks = (0..clients).map(|_| async {
        let began = Instant::now();
        let name = fastrand::u64(..).to_string();
        let found = lookup_one(cache, product(&name)).await;
        assert!(matches!(found, LookupOutcome::Miss(_)), "{}", said(&found));
        began.elapsed()
    });
    join_all(asks).await.into_iter().max().unwrap()
}

/// Whether a value that this cache keeps can be found by another.
async fn shares_again(cache: &Cache, server: &Server) -> bool {
    let name = fastrand::u64(..).to_string();
    match lookup_one(cache, product(&name)).await {
        LookupOutcome::Miss(claim) => claim.store(&body("new"), shared(60)),
        _ => return false,
    }
    let name = format!("weir:1:{{{}}}:v", key(&name));
    for _ in 0..20 {
        if server
            .try_ask::<usize>(&["EXISTS", &name])
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

// Polled here, so that a panic for want of a cipher suite would be seen.
#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_not_reached_by_tls() {
    let Some(server) = Server::start().await else {
        return;
    };
    let address = server.address().replace("redis://", "rediss://");
    let (cache, background) = Cache::start(with_redis(&clock(), RedisTopology::Single(address)));
    let work = join_all(background.into_iter().map(|(_, work)| work));
    tokio::select! {
        _ = work => panic!("the work ended"),
        connected = cache.wait_until_connected(Duration::from_millis(700)) => assert!(!connected),
    }
}
