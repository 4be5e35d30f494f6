//! Two caches on one Redis, as two gateways have them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use resolvers::cache::{Cache, Clock, LookupOutcome, Propagation, RedisTopology, Reuse, Tag};
use tokio::time::{Instant, sleep};

use crate::server::Server;
use crate::support::*;

#[tokio::test]
async fn one_of_two_fetches_what_neither_has() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two) = (on(&server, &clock).await, on(&server, &clock).await);
    let first = claim(&one, product("1")).await;
    let LookupOutcome::InFlight(waiting) = lookup_one(&two, product("1")).await else {
        panic!("both fetch");
    };
    let waiting = async { said(&waiting.wait().await) };
    let (found, ()) = tokio::join!(waiting, async { first.store(&body("one"), shared(60)) });
    assert_eq!(found, "one Redis");
    assert_eq!(two.counts().waits_fleet, 1);
}

#[tokio::test]
async fn a_lease_that_is_given_up_goes_to_the_other() {
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
    assert_eq!(said(&waiting.wait().await), "missing");
    assert!(
        began.elapsed() < Duration::from_millis(900),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(two.counts().waits_failed, 0);
}

#[tokio::test]
async fn one_of_two_renews_what_is_stale() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two) = (on(&server, &clock).await, on(&server, &clock).await);
    fill(&one, "1", "old", Reuse::Shared(lifetime(1, 60, 0))).await;
    written(&server, &["1"]).await;
    assert_eq!(look(&two, "1").await, "old Redis");
    clock.advance(Duration::from_secs(2));
    let renewal = async |cache: &Cache| match lookup_one(cache, product("1")).await {
        LookupOutcome::Stale(_, Some(renewal)) => renewal,
        other => panic!("{}", said(&other)),
    };
    let (first, second) = (renewal(&one).await, renewal(&two).await);
    let first = first.acquire().await.expect("nobody else renews");
    let (second, ()) = tokio::join!(second.acquire(), async {
        first.store(&body("new"), shared(60));
    });
    assert!(second.is_none(), "both renew");
    assert_eq!(look(&two, "1").await, "new Memory");
}

#[tokio::test]
async fn a_hot_key_is_fetched_once_each_time_it_expires() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    // A busy machine must not make Redis look away: then each process fetches for itself.
    let patient = || {
        let mut settings = with_redis(&clock, RedisTopology::Single(server.address()));
        let redis = settings.redis.as_mut().unwrap();
        (redis.command_timeout, redis.write_timeout) = (PATIENCE, PATIENCE);
        settings.wait_timeout = PATIENCE;
        settings.lease_ttl = PATIENCE;
        connected(settings)
    };
    let caches = [patient().await, patient().await];
    let fetches = AtomicUsize::new(0);
    for round in 1..=5 {
        let clients = (0..200).map(|client: usize| client_asks(&caches[client % 2], &fetches));
        let found = join_all(clients).await;
        assert!(
            found.iter().all(|said| said.starts_with("hot")),
            "{found:?}"
        );
        assert_eq!(
            fetches.load(Ordering::Relaxed),
            round,
            "fetches up to round {round}"
        );
        // What the last one wrote is there, and then it is over.
        written(&server, &["hot"]).await;
        clock.advance(Duration::from_secs(2));
    }
}

const PATIENCE: Duration = Duration::from_secs(10);

/// A client that has what it asks for fetched, where nobody else does.
async fn client_asks(cache: &Cache, fetches: &AtomicUsize) -> String {
    let mut found = lookup_one(cache, product("hot")).await;
    if let LookupOutcome::InFlight(waiting) = found {
        found = waiting.wait().await;
    }
    let LookupOutcome::Miss(claim) = found else {
        return said(&found);
    };
    fetches.fetch_add(1, Ordering::Relaxed);
    // As long as a fetch may take.
    sleep(Duration::from_millis(30)).await;
    claim.store(&body("hot"), shared(1));
    "hot, fetched".to_owned()
}

#[tokio::test]
async fn an_invalidation_reaches_the_others_memory_within_a_second() {
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
        written(&server, &["1"]).await;
        until(|| async { look(&two, "1").await == format!("{text} Memory") }).await;

        assert_eq!(one.invalidate(&[tag]).await, Propagation::AllReplicas);
        assert_eq!(look(&one, "1").await, "missing");
        let took = until(|| async { look(&two, "1").await == "missing" }).await;
        assert!(took < Duration::from_secs(1), "{took:?}");
        server
            .ask::<()>(&["DEL", &format!("weir:1:{{{}}}:v", key("1"))])
            .await;
    }
    assert!(two.counts().invalidations_received >= 3);
}

#[tokio::test]
async fn what_was_fetched_before_an_invalidation_elsewhere_is_not_used() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two) = (on(&server, &clock).await, on(&server, &clock).await);
    let under_way = claim(&one, product("1")).await;
    two.invalidate(&[entity("1")]).await;
    until(|| async { one.counts().invalidations_received > 0 }).await;
    under_way.store(&body("from before"), shared(60));
    assert_eq!(look(&one, "1").await, "missing");
    assert_eq!(look(&two, "1").await, "missing");
}

#[tokio::test]
async fn one_who_was_away_hears_what_was_said() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two) = (on(&server, &clock).await, on(&server, &clock).await);
    fill(&one, "1", "one", shared(3600)).await;
    written(&server, &["1"]).await;
    until(|| async { look(&two, "1").await == "one Memory" }).await;
    // Everybody's connections, but not the server, go.
    server
        .ask::<()>(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
        .await;
    until(|| async { one.invalidate(&[entity("1")]).await == Propagation::AllReplicas }).await;
    let took = until(|| async { look(&two, "1").await != "one Memory" }).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn caches_agree_on_generations_that_both_named() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two) = (on(&server, &clock).await, on(&server, &clock).await);
    // Both meet the tags when Redis knows none of them, and each names them.
    let (first, second) = (
        claim(&one, product("1")).await,
        claim(&two, product("2")).await,
    );
    first.store(&body("one"), shared(3600));
    second.store(&body("two"), shared(3600));
    written(&server, &["1", "2"]).await;
    for _ in 0..3 {
        for (cache, name) in [(&one, "2"), (&two, "1"), (&one, "1"), (&two, "2")] {
            if let LookupOutcome::Miss(claim) = lookup_one(cache, product(name)).await {
                claim.store(&body(name), shared(3600));
                written(&server, &[name]).await;
            }
        }
    }
    for (cache, name) in [(&one, "1"), (&one, "2"), (&two, "1"), (&two, "2")] {
        let said = look(cache, name).await;
        assert!(said.ends_with("Memory"), "{name}: {said}");
    }
    let fresh = on(&server, &Clock::clone(&clock)).await;
    for name in ["1", "2"] {
        let said = look(&fresh, name).await;
        assert!(said.ends_with("Redis"), "{name}: {said}");
    }
}
