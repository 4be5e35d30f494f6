//! Two caches on one Redis, like two gateways.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use resolvers::cache::{
    Cache, Clock, LookupOutcome, LookupRequest, Propagation, RedisTopology, Reuse, Tag,
};
use tokio::time::{Instant, sleep};

use crate::server::Server;
use crate::support::*;

#[tokio::test]
async fn one_of_two_replicas_fetches_a_missing_value() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two) = (on(&server, &clock).await, on(&server, &clock).await);
    let first = claim(&one, product("1")).await;
    let LookupOutcome::InFlight(waiting) = lookup_one(&two, product("1")).await else {
        panic!("both fetch");
    };
    let waiting = async { summary(&waiting.wait().await) };
    let (found, ()) = tokio::join!(waiting, async { first.store(&body("one"), shared(60)) });
    assert_eq!(found, "one Redis");
    assert_eq!(two.counts().waits_fleet, 1);
}

#[tokio::test]
async fn a_released_lease_goes_to_the_other_replica() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two) = (on(&server, &clock).await, on(&server, &clock).await);
    let first = claim(&one, product("1")).await;
    let LookupOutcome::InFlight(waiting) = lookup_one(&two, product("1")).await else {
        panic!("both fetch");
    };
    let began = Instant::now();
    first.fail();
    assert_eq!(summary(&waiting.wait().await), "missing");
    assert!(
        began.elapsed() < Duration::from_millis(900),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(two.counts().waits_failed, 0);
}

#[tokio::test]
async fn one_of_two_replicas_refreshes_a_stale_value() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two) = (on(&server, &clock).await, on(&server, &clock).await);
    fill(&one, "1", "old", Reuse::Shared(lifetime(1, 60, 0))).await;
    wait_until_stored(&server, &["1"]).await;
    assert_eq!(lookup_summary(&two, "1").await, "old Redis");
    clock.advance(Duration::from_secs(2));
    let refresh = async |cache: &Cache| match lookup_one(cache, product("1")).await {
        LookupOutcome::Stale(_, Some(refresh)) => refresh,
        other => panic!("{}", summary(&other)),
    };
    let (first, second) = (refresh(&one).await, refresh(&two).await);
    let first = first.acquire().await.expect("the only refresh");
    let (second, ()) = tokio::join!(second.acquire(), async {
        first.store(&body("new"), shared(60));
    });
    assert!(second.is_none(), "both refresh");
    assert_eq!(lookup_summary(&two, "1").await, "new Memory");
}

#[tokio::test]
async fn a_hot_key_is_fetched_once_each_time_it_expires() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    // With short timeouts a busy machine would bypass Redis, and each process would fetch.
    let patient = || {
        let mut settings = with_redis(&clock, RedisTopology::Single(server.address()));
        let redis = settings.redis.as_mut().unwrap();
        (redis.command_timeout, redis.write_timeout) = (PATIENCE, PATIENCE);
        redis.lease_ttl = PATIENCE;
        connected(settings)
    };
    let caches = [patient().await, patient().await];
    let fetches = AtomicUsize::new(0);
    for round in 1..=5 {
        let clients = (0..200).map(|index: usize| client(&caches[index % 2], &fetches));
        let found = join_all(clients).await;
        assert!(
            found.iter().all(|summary| summary.starts_with("hot")),
            "{found:?}"
        );
        assert_eq!(
            fetches.load(Ordering::Relaxed),
            round,
            "fetches up to round {round}"
        );
        // The last value is stored, and then it expires.
        wait_until_stored(&server, &["hot"]).await;
        clock.advance(Duration::from_secs(2));
    }
}

const PATIENCE: Duration = Duration::from_secs(10);

/// A client that fetches on a miss.
async fn client(cache: &Cache, fetches: &AtomicUsize) -> String {
    let mut found = lookup_one(cache, product("hot")).await;
    if let LookupOutcome::InFlight(waiting) = found {
        found = waiting.wait().await;
    }
    let LookupOutcome::Miss(claim) = found else {
        return summary(&found);
    };
    fetches.fetch_add(1, Ordering::Relaxed);
    // The duration of a fetch.
    sleep(Duration::from_millis(30)).await;
    claim.store(&body("hot"), shared(1));
    "hot, fetched".to_owned()
}

#[tokio::test]
async fn an_invalidation_reaches_the_other_memory_within_a_second() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two) = (on(&server, &clock).await, on(&server, &clock).await);
    for (round, tag) in [entity("1"), Tag::type_name("Product"), Tag::everything()]
        .into_iter()
        .enumerate()
    {
        let text = format!("round {round}");
        fill(&one, "1", &text, shared(3600)).await;
        wait_until_stored(&server, &["1"]).await;
        until(|| async { lookup_summary(&two, "1").await == format!("{text} Memory") }).await;

        assert_eq!(one.invalidate(&[tag]).await, Propagation::AllReplicas);
        assert_eq!(lookup_summary(&one, "1").await, "missing");
        let took = until(|| async { lookup_summary(&two, "1").await == "missing" }).await;
        assert!(took < Duration::from_secs(1), "{took:?}");
        server
            .command::<()>(&["DEL", &format!("weir:1:{{{}}}:v", key("1"))])
            .await;
    }
    assert!(two.counts().invalidations_received >= 3);
}

#[tokio::test]
async fn a_fetch_from_before_an_invalidation_elsewhere_is_not_stored() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two) = (on(&server, &clock).await, on(&server, &clock).await);
    let in_flight = claim(&one, product("1")).await;
    two.invalidate(&[entity("1")]).await;
    until(|| async { one.counts().invalidations_received > 0 }).await;
    in_flight.store(&body("from before"), shared(60));
    assert_eq!(lookup_summary(&one, "1").await, "missing");
    assert_eq!(lookup_summary(&two, "1").await, "missing");
}

#[tokio::test]
async fn a_reconnected_replica_applies_missed_invalidations() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two) = (on(&server, &clock).await, on(&server, &clock).await);
    fill(&one, "1", "one", shared(3600)).await;
    wait_until_stored(&server, &["1"]).await;
    until(|| async { lookup_summary(&two, "1").await == "one Memory" }).await;
    // All connections are cut, but the server stays.
    server
        .command::<()>(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
        .await;
    until(|| async { one.invalidate(&[entity("1")]).await == Propagation::AllReplicas }).await;
    let took = until(|| async { lookup_summary(&two, "1").await != "one Memory" }).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn caches_agree_on_generations_that_both_created() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two) = (on(&server, &clock).await, on(&server, &clock).await);
    // Both use the tags before Redis knows their generations, and each creates some.
    let (first, second) = (
        claim(&one, product("1")).await,
        claim(&two, product("2")).await,
    );
    first.store(&body("one"), shared(3600));
    second.store(&body("two"), shared(3600));
    wait_until_stored(&server, &["1", "2"]).await;
    for _ in 0..3 {
        for (cache, name) in [(&one, "2"), (&two, "1"), (&one, "1"), (&two, "2")] {
            if let LookupOutcome::Miss(claim) = lookup_one(cache, product(name)).await {
                claim.store(&body(name), shared(3600));
                wait_until_stored(&server, &[name]).await;
            }
        }
    }
    for (cache, name) in [(&one, "1"), (&one, "2"), (&two, "1"), (&two, "2")] {
        let summary = lookup_summary(cache, name).await;
        assert!(summary.ends_with("Memory"), "{name}: {summary}");
    }
    let fresh = on(&server, &Clock::clone(&clock)).await;
    for name in ["1", "2"] {
        let summary = lookup_summary(&fresh, name).await;
        assert!(summary.ends_with("Redis"), "{name}: {summary}");
    }
}

/// A cache whose messages from other replicas are not received.
async fn without_messages(server: &Server, clock: &Clock) -> Cache {
    let topology = RedisTopology::Single(server.address());
    let (cache, background) = Cache::start(with_redis(clock, topology));
    for (name, work) in background {
        if name != "cache messages" {
            #[expect(clippy::disallowed_methods, reason = "ends with the cache")]
            tokio::spawn(work);
        }
    }
    let mut connected = cache.connection_status().unwrap();
    connected.wait_for(|is_up| *is_up).await.unwrap();
    cache
}

#[tokio::test]
async fn without_messages_only_generations_that_redis_has_are_trusted() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let one = on(&server, &clock).await;
    let two = without_messages(&server, &clock).await;
    fill(&one, "1", "one", shared(3600)).await;
    wait_until_stored(&server, &["1"]).await;
    until(|| async { lookup_summary(&two, "1").await == "one Redis" }).await;

    // Redis evicts the generation of the tag after an invalidation; the value stays.
    one.invalidate(&[entity("1")]).await;
    let generation = format!("weir:1:{{{}}}:g", entity("1"));
    server.command::<()>(&["DEL", &generation]).await;

    assert_eq!(lookup_summary(&two, "1").await, "missing");
}

#[tokio::test]
async fn without_messages_the_tags_of_the_parts_are_read() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let one = on(&server, &clock).await;
    let two = without_messages(&server, &clock).await;
    fill(&one, "1", "one", shared(3600)).await;
    wait_until_stored(&server, &["1"]).await;
    // The lookup of an assembled value knows none of its tags.
    let assembled = || LookupRequest {
        tags: Vec::new().into(),
        ..product("1")
    };
    let found = async |cache: &Cache| match cache.lookup_assembled(assembled()).await {
        Some(outcome) => summary(&outcome),
        None => "first".to_owned(),
    };
    assert_eq!(found(&two).await, "first");
    until(|| async { found(&two).await == "one Redis" }).await;

    one.invalidate(&[entity("1")]).await;

    assert_eq!(found(&two).await, "missing");
}
