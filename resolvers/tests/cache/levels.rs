//! Lookups by level and lifetime, claims, and invalidation.

use std::time::Duration;

use resolvers::cache::{
    CachedValue, Level, LookupOutcome, LookupRequest, RedisTopology, Reuse, Tag,
};

use crate::server::Server;
use crate::support::*;

#[tokio::test]
async fn a_value_is_fresh_then_stale_then_a_fallback_then_gone() {
    let clock = clock();
    let cache = start(settings(&clock));
    fill(&cache, "1", "one", Reuse::Shared(lifetime(10, 5, 20))).await;
    assert_eq!(lookup_summary(&cache, "1").await, "one Memory");

    clock.advance(Duration::from_secs(12));
    let first = lookup_one(&cache, product("1")).await;
    assert_eq!(summary(&first), "stale one Memory, to refresh");
    assert_eq!(lookup_summary(&cache, "1").await, "stale one Memory");
    drop(first);
    assert_eq!(
        lookup_summary(&cache, "1").await,
        "stale one Memory, to refresh"
    );

    clock.advance(Duration::from_secs(10));
    let claim = claim(&cache, product("1")).await;
    let fallback = claim.stale_fallback().expect("a stale value for errors");
    assert_eq!(fallback.entry().value, body("one"));
    drop(claim);

    clock.advance(Duration::from_secs(10));
    assert!(
        crate::support::claim(&cache, product("1"))
            .await
            .stale_fallback()
            .is_none()
    );
}

#[tokio::test]
async fn a_refresh_replaces_a_stale_value() {
    let clock = clock();
    let cache = start(settings(&clock));
    fill(&cache, "1", "old", Reuse::Shared(lifetime(1, 60, 0))).await;
    clock.advance(Duration::from_secs(2));
    let LookupOutcome::Stale(_, Some(refresh)) = lookup_one(&cache, product("1")).await else {
        panic!("no refresh is due");
    };
    let (done, is_done) = tokio::sync::oneshot::channel();
    cache.spawn_background(Box::pin(async move {
        let claim = refresh.acquire().await.expect("the only refresh");
        claim.store(&body("new"), shared(60));
        let _ = done.send(());
    }));
    is_done.await.unwrap();
    assert_eq!(lookup_summary(&cache, "1").await, "new Memory");
    assert_eq!(cache.counts().refreshes, 1);
}

#[tokio::test]
async fn absent_values_are_cached() {
    let cache = start(settings(&clock()));
    claim(&cache, product("1"))
        .await
        .store(&CachedValue::Absent, shared(5));
    assert_eq!(lookup_summary(&cache, "1").await, "absent null Memory");
}

#[tokio::test]
async fn an_uncacheable_value_serves_its_waiters_and_later_lookups_do_not_wait() {
    let clock = clock();
    let cache = start(settings(&clock));
    let first = claim(&cache, product("1")).await;
    let LookupOutcome::InFlight(waiting) = lookup_one(&cache, product("1")).await else {
        panic!("not waiting");
    };
    first.store(&body("secret"), Reuse::Never);
    assert_eq!(summary(&waiting.wait().await), "secret Coalesced");
    // Later lookups of the key do not wait for each other.
    let _one = claim(&cache, product("1")).await;
    let _two = claim(&cache, product("1")).await;
    assert_eq!(cache.counts().uncacheable, 2);
    clock.advance(Duration::from_secs(6));
    let _three = claim(&cache, product("1")).await;
    assert_eq!(lookup_summary(&cache, "1").await, "in flight");
}

#[tokio::test]
async fn private_values_are_returned_to_their_caller_only() {
    let cache = start(settings(&clock()));
    let private = Reuse::PerCaller(lifetime(60, 0, 0));
    let ann = claim(&cache, product_for("1", "ann")).await;
    // A caller does not wait for a value that may be another's.
    let bob = claim(&cache, product_for("1", "bob")).await;
    ann.store(&body("of ann"), private);
    bob.store(&body("of bob"), private);
    assert_eq!(
        summary(&lookup_one(&cache, product_for("1", "ann")).await),
        "of ann Memory"
    );
    assert_eq!(
        summary(&lookup_one(&cache, product_for("1", "bob")).await),
        "of bob Memory"
    );
    assert_eq!(lookup_summary(&cache, "1").await, "missing");
}

#[tokio::test]
async fn private_values_of_unidentified_callers_are_not_cached() {
    let cache = start(settings(&clock()));
    let with_credentials = |credentials| LookupRequest {
        flight_key: Some(key(credentials)),
        ..product("1")
    };
    let first = claim(&cache, with_credentials("token a")).await;
    // A request with other credentials does not wait for it.
    let other = claim(&cache, with_credentials("token b")).await;
    let LookupOutcome::InFlight(waiting) = lookup_one(&cache, with_credentials("token a")).await
    else {
        panic!("not waiting");
    };
    first.store(&body("of whom"), Reuse::PerCaller(lifetime(60, 0, 0)));
    // An equal request was in flight, so it may share the value.
    assert_eq!(summary(&waiting.wait().await), "of whom Coalesced");
    assert_eq!(
        summary(&lookup_one(&cache, with_credentials("token b")).await),
        "in flight"
    );
    drop(other);
    for credentials in ["token a", "token b", "token c"] {
        assert_eq!(
            summary(&lookup_one(&cache, with_credentials(credentials)).await),
            "missing"
        );
    }
}

#[tokio::test]
async fn no_lookup_waits_for_a_fetch_from_before_a_write() {
    let cache = start(settings(&clock()));
    let before = claim(&cache, product("1")).await;
    cache.bump_write_epoch();
    let after = claim(&cache, product("1")).await;
    before.store(&body("old"), Reuse::Never);
    assert_eq!(lookup_summary(&cache, "1").await, "missing");
    drop(after);
}

#[tokio::test]
async fn a_value_of_a_superset_key_is_a_hit() {
    let cache = start(settings(&clock()));
    fill(&cache, "wide", "all of it", shared(60)).await;
    let narrow = LookupRequest {
        superset_keys: vec![key("wider still"), key("wide")],
        ..product("narrow")
    };
    let LookupOutcome::Fresh(hit) = lookup_one(&cache, narrow).await else {
        panic!("not found");
    };
    assert_eq!(hit.key, key("wide"));
}

#[tokio::test]
async fn waiters_share_the_value_of_one_fetch() {
    let cache = start(settings(&clock()));
    let first = claim(&cache, product("1")).await;
    let others = (0..50).map(|_| async {
        match lookup_one(&cache, product("1")).await {
            LookupOutcome::InFlight(waiting) => summary(&waiting.wait().await),
            other => summary(&other),
        }
    });
    let others = futures_util::future::join_all(others);
    let (all, ()) = tokio::join!(others, async { first.store(&body("one"), shared(60)) });
    assert!(
        all.iter().all(|summary| summary == "one Coalesced"),
        "{all:?}"
    );
}

#[tokio::test]
async fn a_dropped_claim_goes_to_a_waiter() {
    let cache = start(settings(&clock()));
    let first = claim(&cache, product("1")).await;
    let waiting = |found| match found {
        LookupOutcome::InFlight(waiting) => waiting,
        _ => panic!("not waiting"),
    };
    let one = waiting(lookup_one(&cache, product("1")).await);
    let two = waiting(lookup_one(&cache, product("1")).await);
    drop(first);
    let LookupOutcome::Miss(claim) = one.wait().await else {
        panic!("the waiter does not take over");
    };
    let two = async { summary(&two.wait().await) };
    let (two, ()) = tokio::join!(two, async { claim.store(&body("one"), shared(60)) });
    assert_eq!(two, "one Coalesced");
}

#[tokio::test]
async fn a_value_invalidated_during_its_fetch_is_not_stored() {
    let cache = start(settings(&clock()));
    let in_flight = claim(&cache, product("1")).await;
    let LookupOutcome::InFlight(waiting) = lookup_one(&cache, product("1")).await else {
        panic!("not waiting");
    };
    cache.invalidate(&[entity("1")]).await;
    in_flight.store(&body("from before"), shared(60));
    assert_eq!(summary(&waiting.wait().await), "missing");
    assert_eq!(lookup_summary(&cache, "1").await, "missing");
}

#[tokio::test]
async fn tags_invalidate_only_values_that_have_them() {
    let cache = start(settings(&clock()));
    for (tag, missing) in [
        (entity("1"), "1"),
        (Tag::type_name("Product"), "12"),
        (Tag::everything(), "12"),
        (Tag::named("unknown"), ""),
    ] {
        for name in ["1", "2"] {
            if let LookupOutcome::Miss(claim) = lookup_one(&cache, product(name)).await {
                claim.store(&body(name), shared(60));
            }
        }
        cache.invalidate(&[tag]).await;
        for name in ["1", "2"] {
            let found = lookup_summary(&cache, name).await;
            assert_eq!(
                found == "missing",
                missing.contains(name),
                "{tag:?} {name}: {found}"
            );
        }
    }
}

#[tokio::test]
async fn background_work_ends_with_the_cache() {
    let (cache, background) = resolvers::cache::Cache::start(with_redis(
        &clock(),
        RedisTopology::Single("redis://127.0.0.1:1".to_owned()),
    ));
    let work = futures_util::future::join_all(background.into_iter().map(|(_, work)| work));
    drop(cache);
    tokio::time::timeout(Duration::from_secs(5), work)
        .await
        .unwrap();
}

#[tokio::test]
async fn redis_has_values_that_memory_lacks() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let names = ["1", "2", "3"];
    let cache = on(&server, &clock).await;
    for name in names {
        fill(&cache, name, name, shared(60)).await;
    }
    claim(&cache, product("none"))
        .await
        .store(&CachedValue::Absent, shared(60));
    fill(&cache, "large", &"long ".repeat(10_000), shared(60)).await;
    wait_until_stored(&server, &["1", "2", "3", "none", "large"]).await;

    let other = on(&server, &clock).await;
    let requests = ["1", "2", "3", "none", "large", "unknown"].map(product);
    let found = other.lookup(requests.into()).await;
    let texts: Vec<String> = found.iter().map(summary).collect();
    assert_eq!(
        texts[..4],
        ["1 Redis", "2 Redis", "3 Redis", "absent null Redis"]
    );
    assert_eq!(texts[5], "missing");
    let LookupOutcome::Fresh(hit) = &found[4] else {
        panic!("the large value is missing")
    };
    assert_eq!(hit.level, Level::Redis);
    assert_eq!(hit.entry().value, body(&"long ".repeat(10_000)));
    // Now the memory of the other cache has them.
    until(|| async { lookup_summary(&other, "1").await == "1 Memory" }).await;
}

#[tokio::test]
async fn an_undecodable_value_is_a_miss_and_is_replaced() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    for damage in [
        "",
        "{}",
        "\u{1}\u{0}garbage that is long enough to be looked at, is it not?",
    ] {
        let cache = on(&server, &clock).await;
        let name = format!("weir:1:{{{}}}:v", key("1"));
        server.command::<()>(&["SET", &name, damage]).await;
        fill(&cache, "1", "good", shared(60)).await;
        assert!(cache.counts().undecodable > 0);
        until(|| async { lookup_summary(&on(&server, &clock).await, "1").await == "good Redis" })
            .await;
    }
    // A Redis value of another type than string.
    server.command::<()>(&["FLUSHALL"]).await;
    let name = format!("weir:1:{{{}}}:v", key("1"));
    server.command::<()>(&["SADD", &name, "member"]).await;
    let cache = on(&server, &clock).await;
    fill(&cache, "1", "good", shared(60)).await;
    until(|| async { lookup_summary(&on(&server, &clock).await, "1").await == "good Redis" }).await;
}

#[tokio::test]
async fn values_and_generations_in_redis_expire() {
    let Some(server) = Server::start().await else {
        return;
    };
    let cache = on(&server, &clock()).await;
    fill(&cache, "1", "one", Reuse::Shared(lifetime(10, 20, 30))).await;
    cache.invalidate(&[entity("2")]).await;
    wait_until_stored(&server, &["1"]).await;
    let names: Vec<String> = server.command(&["KEYS", "*"]).await;
    assert!(names.len() >= 5, "{names:?}");
    for name in names
        .iter()
        .filter(|name| !name.ends_with("{invalidations}"))
    {
        let left: i64 = server.command(&["PTTL", name]).await;
        let maximum = if name.ends_with(":v") {
            40_000
        } else {
            48 * 3_600_000
        };
        assert!((1..=maximum).contains(&left), "{name}: {left}");
    }
}
