//! Waiting for fetches in flight, in the process and among replicas, and the leases behind it.

use std::time::Duration;

use resolvers::cache::{Cache, InFlightWait, LookupOutcome};
use tokio::time::{Instant, sleep, timeout};

use crate::relay::Relay;
use crate::server::Server;
use crate::support::*;

/// The duration of a slow fetch, and of the lease of a stopped replica with some time to notice.
const SLOW: Duration = Duration::from_millis(2500);
const LEASE: Duration = Duration::from_millis(1300);

async fn in_flight(cache: &Cache, name: &str) -> InFlightWait {
    match lookup_one(cache, product(name)).await {
        LookupOutcome::InFlight(wait) => wait,
        other => panic!("not in flight: {}", summary(&other)),
    }
}

async fn lease_count(server: &Server) -> usize {
    let names: Vec<String> = server.command(&["KEYS", "*:l"]).await;
    names.len()
}

#[tokio::test]
async fn a_wait_lasts_as_long_as_the_fetch() {
    let cache = start(settings(&clock()));
    let first = claim(&cache, product("1")).await;
    let wait = in_flight(&cache, "1").await;
    let (found, ()) = tokio::join!(async { summary(&wait.wait().await) }, async {
        sleep(SLOW).await;
        first.store(&body("one"), shared(60));
    });
    assert_eq!(found, "one Coalesced");
    assert_eq!(cache.counts().waits_failed, 0);
}

#[tokio::test]
async fn a_fetch_that_fails_ends_the_waits_for_it() {
    let cache = start(settings(&clock()));
    let first = claim(&cache, product("1")).await;
    let wait = in_flight(&cache, "1").await;
    first.fail();
    let began = Instant::now();
    assert_eq!(summary(&wait.wait().await), "missing");
    assert!(began.elapsed() < Duration::from_millis(100));
    assert_eq!(cache.counts().waits_failed, 1);
}

#[tokio::test]
async fn a_failed_refresh_delays_no_lookup_that_needs_the_value() {
    let clock = clock();
    let cache = start(settings(&clock));
    let stale = resolvers::cache::Reuse::Shared(lifetime(1, 5, 0));
    fill(&cache, "1", "old", stale).await;
    clock.advance(Duration::from_secs(2));
    let LookupOutcome::Stale(_, Some(refresh)) = lookup_one(&cache, product("1")).await else {
        panic!("no refresh is due");
    };
    let mut refresh = refresh.acquire().await.unwrap();
    refresh.pause();
    // The pause is for other refreshes.
    assert_eq!(lookup_summary(&cache, "1").await, "stale old Memory");
    clock.advance(Duration::from_secs(6));
    assert_eq!(lookup_summary(&cache, "1").await, "missing");
    drop(refresh);
}

#[tokio::test]
async fn a_claim_is_not_held_during_another_wait() {
    let cache = start(settings(&clock()));
    let [first, second] = ["1", "2"].map(|name| claim(&cache, product(name)));
    let (first, second) = (first.await, second.await);
    let waits = vec![in_flight(&cache, "1").await, in_flight(&cache, "2").await];
    drop(first);
    let waits = InFlightWait::wait_for_all(waits);
    let outcomes = timeout(Duration::from_secs(1), waits).await.unwrap();
    let [LookupOutcome::Miss(claim), LookupOutcome::InFlight(wait)] =
        <[LookupOutcome; 2]>::try_from(outcomes).unwrap()
    else {
        panic!("one is to be fetched, one in flight");
    };
    claim.store(&body("one"), shared(60));
    second.store(&body("two"), shared(60));
    assert_eq!(summary(&wait.wait().await), "two Coalesced");
}

#[tokio::test]
async fn a_wait_for_another_replica_lasts_as_long_as_its_fetch() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two) = (on(&server, &clock).await, on(&server, &clock).await);
    let first = claim(&one, product("1")).await;
    let wait = in_flight(&two, "1").await;
    let began = Instant::now();
    let (found, ()) = tokio::join!(async { summary(&wait.wait().await) }, async {
        sleep(SLOW).await;
        first.store(&body("one"), shared(60));
    });
    assert_eq!(found, "one Redis");
    assert!(began.elapsed() < SLOW + Duration::from_millis(500));
    assert_eq!(two.counts().waits_failed, 0);
    until(|| async { lease_count(&server).await == 0 }).await;
}

#[tokio::test]
async fn a_replica_that_is_gone_delays_the_others_by_its_lease() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let cache = on(&server, &clock).await;
    // The lease of a process that stopped: nothing renews it.
    let name = format!("weir:1:{{{}}}:l", key("1"));
    server
        .command::<()>(&["SET", &name, "77", "PX", "1000"])
        .await;
    let wait = in_flight(&cache, "1").await;
    let began = Instant::now();
    let outcome = timeout(LEASE, wait.wait()).await.unwrap();
    assert_eq!(summary(&outcome), "missing", "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_release_that_failed_in_a_stall_is_repeated() {
    let Some(server) = Server::start().await else {
        return;
    };
    let cache = on(&server, &clock()).await;
    let first = claim(&cache, product("1")).await;
    assert_eq!(lease_count(&server).await, 1);
    server.stall();
    let name = |_| fastrand::u64(..).to_string();
    let names: Vec<String> = (0..5).map(name).collect();
    let lookups = names.iter().map(|name| claim(&cache, product(name)));
    drop(futures_util::future::join_all(lookups).await);
    assert_eq!(cache.counts().breaker_opened, 1);
    // The breaker is open, so the release is not sent.
    first.fail();
    sleep(Duration::from_millis(100)).await;
    server.resume();
    let took = until(|| async { lease_count(&server).await == 0 }).await;
    assert!(took < Duration::from_millis(500), "{took:?}");
}

#[tokio::test]
async fn a_lease_whose_reply_is_late_is_released() {
    let Some(server) = Server::start().await else {
        return;
    };
    let relay = Relay::start(server.port).await;
    let topology = resolvers::cache::RedisTopology::Single(relay.address());
    let cache = connected(with_redis(&clock(), topology)).await;
    relay.slow_down(LIMIT * 2 / 3);
    let lookup = claim(&cache, product("1"));
    // From the second reply on, that to the lease.
    let slow_down = async {
        sleep(LIMIT / 3).await;
        relay.slow_down(LIMIT * 3);
    };
    let (first, ()) = tokio::join!(lookup, slow_down);
    assert_eq!(lease_count(&server).await, 1);
    relay.slow_down(Duration::ZERO);
    first.fail();
    let took = until(|| async { lease_count(&server).await == 0 }).await;
    assert!(took < Duration::from_millis(500), "{took:?}");
}

#[tokio::test]
async fn a_cancelled_lookup_releases_its_lease() {
    let Some(server) = Server::start().await else {
        return;
    };
    let relay = Relay::start(server.port).await;
    let topology = resolvers::cache::RedisTopology::Single(relay.address());
    let cache = connected(with_redis(&clock(), topology)).await;
    relay.slow_down(LIMIT * 2 / 3);
    let lookup = cache.lookup(vec![product("1")]);
    // Between the request for the lease and the reply.
    assert!(timeout(LIMIT, lookup).await.is_err());
    relay.slow_down(Duration::ZERO);
    let took = until(|| async { lease_count(&server).await == 0 }).await;
    assert!(took < Duration::from_millis(500), "{took:?}");
}
