//! What is found where, and for how long.

use std::time::Duration;

use resolvers::cache::{
    CacheSettings, CachedValue, Level, LookupOutcome, LookupRequest, RedisTopology, Reuse, Tag,
};

use crate::server::Server;
use crate::support::*;

#[tokio::test]
async fn a_value_is_fresh_then_stale_then_good_for_errors_then_gone() {
    let clock = clock();
    let cache = start(settings(&clock));
    fill(&cache, "1", "one", Reuse::Shared(lifetime(10, 5, 20))).await;
    assert_eq!(look(&cache, "1").await, "one Memory");

    clock.advance(Duration::from_secs(12));
    let first = lookup_one(&cache, product("1")).await;
    assert_eq!(said(&first), "stale one Memory, to renew");
    assert_eq!(look(&cache, "1").await, "stale one Memory");
    drop(first);
    assert_eq!(look(&cache, "1").await, "stale one Memory, to renew");

    clock.advance(Duration::from_secs(10));
    let claim = claim(&cache, product("1")).await;
    let rescue = claim.stale_fallback().expect("something for errors");
    assert_eq!(rescue.entry().value, body("one"));
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
async fn a_renewal_replaces_what_is_stale() {
    let clock = clock();
    let cache = start(settings(&clock));
    fill(&cache, "1", "old", Reuse::Shared(lifetime(1, 60, 0))).await;
    clock.advance(Duration::from_secs(2));
    let LookupOutcome::Stale(_, Some(renewal)) = lookup_one(&cache, product("1")).await else {
        panic!("not to be renewed");
    };
    let (done, is_done) = tokio::sync::oneshot::channel();
    cache.spawn_background(Box::pin(async move {
        let claim = renewal.acquire().await.expect("nobody else renews");
        claim.store(&body("new"), shared(60));
        let _ = done.send(());
    }));
    is_done.await.unwrap();
    assert_eq!(look(&cache, "1").await, "new Memory");
    assert_eq!(cache.counts().refreshes, 1);
}

#[tokio::test]
async fn what_does_not_exist_is_known() {
    let cache = start(settings(&clock()));
    claim(&cache, product("1"))
        .await
        .store(&CachedValue::Absent, shared(5));
    assert_eq!(look(&cache, "1").await, "no nothing Memory");
}

#[tokio::test]
async fn what_may_not_be_kept_is_for_those_who_waited_and_nobody_waits_again() {
    let clock = clock();
    let cache = start(settings(&clock));
    let first = claim(&cache, product("1")).await;
    let LookupOutcome::InFlight(waiting) = lookup_one(&cache, product("1")).await else {
        panic!("not waiting");
    };
    first.store(&body("secret"), Reuse::Never);
    assert_eq!(said(&waiting.wait().await), "secret Coalesced");
    // And nobody waits for another from now on.
    let _one = claim(&cache, product("1")).await;
    let _two = claim(&cache, product("1")).await;
    assert_eq!(cache.counts().uncacheable, 2);
    clock.advance(Duration::from_secs(6));
    let _three = claim(&cache, product("1")).await;
    assert_eq!(look(&cache, "1").await, "elsewhere");
}

#[tokio::test]
async fn private_values_are_seen_by_their_caller_only() {
    let cache = start(settings(&clock()));
    let private = Reuse::PerCaller(lifetime(60, 0, 0));
    let ann = claim(&cache, product_for("1", "ann")).await;
    // Another caller does not wait for what is perhaps not hers.
    let bob = claim(&cache, product_for("1", "bob")).await;
    ann.store(&body("of ann"), private);
    bob.store(&body("of bob"), private);
    assert_eq!(
        said(&lookup_one(&cache, product_for("1", "ann")).await),
        "of ann Memory"
    );
    assert_eq!(
        said(&lookup_one(&cache, product_for("1", "bob")).await),
        "of bob Memory"
    );
    assert_eq!(look(&cache, "1").await, "missing");
}

#[tokio::test]
async fn private_values_of_strangers_are_kept_nowhere_and_shown_to_nobody() {
    let cache = start(settings(&clock()));
    let sent_on = |credentials| LookupRequest {
        flight_key: Some(key(credentials)),
        ..product("1")
    };
    let first = claim(&cache, sent_on("token a")).await;
    // Who sends something else does not wait for what comes of that.
    let other = claim(&cache, sent_on("token b")).await;
    let LookupOutcome::InFlight(waiting) = lookup_one(&cache, sent_on("token a")).await else {
        panic!("not waiting");
    };
    first.store(&body("of whom"), Reuse::PerCaller(lifetime(60, 0, 0)));
    // The same request was under way, and this would have been its answer.
    assert_eq!(said(&waiting.wait().await), "of whom Coalesced");
    assert_eq!(
        said(&lookup_one(&cache, sent_on("token b")).await),
        "elsewhere"
    );
    drop(other);
    for credentials in ["token a", "token b", "token c"] {
        assert_eq!(
            said(&lookup_one(&cache, sent_on(credentials)).await),
            "missing"
        );
    }
}

#[tokio::test]
async fn nobody_waits_for_what_was_asked_before_something_was_written() {
    let cache = start(settings(&clock()));
    let before = claim(&cache, product("1")).await;
    cache.bump_write_epoch();
    let after = claim(&cache, product("1")).await;
    before.store(&body("old"), Reuse::Never);
    assert_eq!(look(&cache, "1").await, "missing");
    drop(after);
}

#[tokio::test]
async fn a_wider_value_answers_too() {
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
async fn many_wait_for_one_and_share_what_it_brings() {
    let cache = start(settings(&clock()));
    let first = claim(&cache, product("1")).await;
    let others = (0..50).map(|_| async {
        match lookup_one(&cache, product("1")).await {
            LookupOutcome::InFlight(waiting) => said(&waiting.wait().await),
            other => said(&other),
        }
    });
    let others = futures_util::future::join_all(others);
    let (all, ()) = tokio::join!(others, async { first.store(&body("one"), shared(60)) });
    assert!(all.iter().all(|said| said == "one Coalesced"), "{all:?}");
}

#[tokio::test]
async fn a_claim_that_is_dropped_goes_to_one_who_waits() {
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
        panic!("not taken over");
    };
    let two = async { said(&two.wait().await) };
    let (two, ()) = tokio::join!(two, async { claim.store(&body("one"), shared(60)) });
    assert_eq!(two, "one Coalesced");
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let cache = start(CacheSettings {
        wait_timeout: Duration::from_millis(20),
        ..settings(&clock())
    });
    let _held = claim(&cache, product("1")).await;
    let LookupOutcome::InFlight(waiting) = lookup_one(&cache, product("1")).await else {
        panic!("not waiting");
    };
    assert_eq!(said(&waiting.wait().await), "missing");
    assert_eq!(cache.counts().waits_failed, 1);
}

#[tokio::test]
async fn an_invalidation_during_a_fetch_makes_its_answer_useless() {
    let cache = start(settings(&clock()));
    let under_way = claim(&cache, product("1")).await;
    let LookupOutcome::InFlight(waiting) = lookup_one(&cache, product("1")).await else {
        panic!("not waiting");
    };
    cache.invalidate(&[entity("1")]).await;
    under_way.store(&body("from before"), shared(60));
    assert_eq!(said(&waiting.wait().await), "missing");
    assert_eq!(look(&cache, "1").await, "missing");
}

#[tokio::test]
async fn tags_invalidate_what_has_them_and_nothing_else() {
    let cache = start(settings(&clock()));
    for (tag, gone) in [
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
            let found = look(&cache, name).await;
            assert_eq!(
                found == "missing",
                gone.contains(name),
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
async fn redis_gives_what_memory_has_lost() {
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
    written(&server, &["1", "2", "3", "none", "large"]).await;

    let other = on(&server, &clock).await;
    let wanted = ["1", "2", "3", "none", "large", "unknown"].map(product);
    let found = other.lookup(wanted.into()).await;
    let words: Vec<String> = found.iter().map(said).collect();
    assert_eq!(
        words[..4],
        ["1 Redis", "2 Redis", "3 Redis", "no nothing Redis"]
    );
    assert_eq!(words[5], "missing");
    let LookupOutcome::Fresh(hit) = &found[4] else {
        panic!("no large one")
    };
    assert_eq!(hit.level, Level::Redis);
    assert_eq!(hit.entry().value, body(&"long ".repeat(10_000)));
    // Now its own memory has them.
    until(|| async { look(&other, "1").await == "1 Memory" }).await;
}

#[tokio::test]
async fn what_cannot_be_decoded_is_missing_and_is_replaced() {
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
        server.ask::<()>(&["SET", &name, damage]).await;
        fill(&cache, "1", "good", shared(60)).await;
        assert!(cache.counts().undecodable > 0);
        until(|| async { look(&on(&server, &clock).await, "1").await == "good Redis" }).await;
    }
    // A value of another kind than text.
    server.ask::<()>(&["FLUSHALL"]).await;
    let name = format!("weir:1:{{{}}}:v", key("1"));
    server.ask::<()>(&["SADD", &name, "member"]).await;
    let cache = on(&server, &clock).await;
    fill(&cache, "1", "good", shared(60)).await;
    until(|| async { look(&on(&server, &clock).await, "1").await == "good Redis" }).await;
}

#[tokio::test]
async fn values_and_generations_in_redis_end_by_themselves() {
    let Some(server) = Server::start().await else {
        return;
    };
    let cache = on(&server, &clock()).await;
    fill(&cache, "1", "one", Reuse::Shared(lifetime(10, 20, 30))).await;
    cache.invalidate(&[entity("2")]).await;
    written(&server, &["1"]).await;
    let names: Vec<String> = server.ask(&["KEYS", "*"]).await;
    assert!(names.len() >= 5, "{names:?}");
    for name in names
        .iter()
        .filter(|name| !name.ends_with("{invalidations}"))
    {
        let left: i64 = server.ask(&["PTTL", name]).await;
        let most = if name.ends_with(":v") {
            40_000
        } else {
            48 * 3_600_000
        };
        assert!((1..=most).contains(&left), "{name}: {left}");
    }
}
