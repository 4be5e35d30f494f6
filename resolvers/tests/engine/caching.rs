//! What is kept of answers, and given out again: to whom, for how long, and instead of which calls.

use std::time::Duration;

use futures_util::future::{FutureExt, join_all};
use http::HeaderName;
use resolvers::cache::{Level, MissReason, Reuse};
use resolvers::trace::CacheStatus as Told;
use serde_json::{Value, json};

use crate::caching_service::{Kept, THINGS};

fn named(ids: impl IntoIterator<Item = usize>, version: usize) -> Value {
    let names = ids.into_iter();
    names
        .map(|id| json!({ "name": format!("thing {id} v{version}") }))
        .collect()
}

/// The queries for batches only.
fn batches(asked: Vec<String>) -> Vec<String> {
    let asked = asked.into_iter();
    asked.filter(|asked| asked.starts_with("/things")).collect()
}

#[tokio::test]
async fn entities_that_are_kept_are_not_asked_for() {
    let kept = Kept::start().await;
    kept.service.says("max-age=60");

    let first = kept.ask("{ list(first: 3) { name } }").await;
    kept.service.changes();
    let second = kept.ask("{ list(first: 3) { id name count } }").await;

    assert_eq!(first, json!({ "list": named(1..=3, 1) }));
    // Other fields than those of the first are there as well: all that the connector gives is kept.
    assert_eq!(
        second["list"][2],
        json!({ "id": "3", "name": "thing 3 v1", "count": 1 })
    );
    assert_eq!(batches(kept.service.asked()), ["/things?ids=1%2C2%2C3"]);

    kept.passes(60);
    let third = kept.ask("{ list(first: 3) { name } }").await;
    assert_eq!(third, json!({ "list": named(1..=3, 2) }));
}

#[tokio::test]
async fn only_what_is_missing_is_asked_for() {
    let kept = Kept::start().await;
    kept.service.says("max-age=60");

    kept.ask("{ list(first: 40) { name } }").await;
    kept.service.asked();
    let all = kept.ask("{ list(first: 50) { name } }").await;

    assert_eq!(all, json!({ "list": named(1..=50, 1) }));
    let ids: Vec<String> = (41..=50).map(|id| id.to_string()).collect();
    let batch = format!("/things?ids={}", ids.join("%2C"));
    assert_eq!(batches(kept.service.asked()), [batch]);
}

#[tokio::test]
async fn what_says_nothing_or_no_is_not_kept() {
    let kept = Kept::start().await;
    for says in ["no-store", "max-age=0", "private, max-age=60", "unknown"] {
        kept.service.says(says);
        for _ in 0..2 {
            kept.ask("{ list(first: 1) { name } }").await;
        }
        assert_eq!(batches(kept.service.asked()).len(), 2, "{says}");
    }
    kept.service.answers_with(&[]);
    for _ in 0..2 {
        kept.ask("{ list(first: 1) { name } }").await;
    }
    assert_eq!(batches(kept.service.asked()).len(), 2);
}

#[tokio::test]
async fn root_fields_are_kept_by_their_arguments() {
    let kept = Kept::with(THINGS, |settings| {
        let caching = settings.caching.as_mut().unwrap();
        caching.default.default_ttl = Duration::from_mins(1);
    })
    .await;
    for _ in 0..2 {
        kept.ask("{ a: list(first: 2) { id } b: list(first: 3) { id } }")
            .await;
    }
    let mut asked = kept.service.asked();
    asked.sort_unstable();
    assert_eq!(asked, ["/list?first=2", "/list?first=3"]);
}

#[tokio::test]
async fn what_a_caller_gets_for_its_credentials_nobody_else_gets() {
    let kept = Kept::start().await;
    for says in ["max-age=60", "private, max-age=60"] {
        kept.service.says(says);
        let query = "{ list(first: 1) { name } }";
        for token in ["Bearer a", "Bearer b", "Bearer a"] {
            kept.ask_as(token, query).await;
        }
        kept.ask(query).await;
        // One for each caller, and one for who says nothing.
        assert_eq!(batches(kept.service.asked()).len(), 3, "{says}");
        kept.passes(3600);
    }
}

#[tokio::test]
async fn what_says_that_it_is_for_all_is_shared_by_callers() {
    let kept = Kept::start().await;
    kept.service.says("public, max-age=60");
    let query = "{ list(first: 1) { name } }";
    for token in ["Bearer a", "Bearer b"] {
        kept.ask_as(token, query).await;
    }
    kept.ask(query).await;
    assert_eq!(batches(kept.service.asked()).len(), 1);

    kept.passes(60);
    kept.service.answers_with(&[
        ("cache-control", "public, max-age=60"),
        ("vary", "Authorization"),
    ]);
    for token in ["Bearer a", "Bearer b", "Bearer a"] {
        kept.ask_as(token, query).await;
    }
    assert_eq!(batches(kept.service.asked()).len(), 2);
}

#[tokio::test]
async fn a_caller_is_who_the_operator_says() {
    let kept = Kept::with(THINGS, |settings| {
        let caching = settings.caching.as_mut().unwrap();
        caching.caller_headers = vec![HeaderName::from_static("x-user")];
    })
    .await;
    kept.service.says("private, max-age=60");
    let query = "{ list(first: 1) { name } }";
    for _ in 0..2 {
        // Who is not known keeps nothing of what is private, whatever token it has.
        kept.ask_as("Bearer a", query).await;
    }
    assert_eq!(batches(kept.service.asked()).len(), 2);
}

#[tokio::test]
async fn a_stale_value_is_given_out_while_it_is_renewed() {
    let kept = Kept::start().await;
    kept.service.says("max-age=10, stale-while-revalidate=60");
    let query = "{ list(first: 2) { name } }";
    kept.ask(query).await;
    kept.service.changes();
    kept.passes(11);

    assert_eq!(kept.ask(query).await, json!({ "list": named(1..=2, 1) }));

    // Renewed for all who ask from then on, by one call.
    let renewed = json!({ "list": named(1..=2, 2) });
    while kept.ask(query).await != renewed {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        batches(kept.service.asked()),
        ["/things?ids=1%2C2", "/things?ids=1%2C2"]
    );
}

#[tokio::test]
async fn what_was_known_is_given_out_when_the_service_fails() {
    let kept = Kept::start().await;
    kept.service.says("max-age=10, stale-if-error=60");
    let query = "{ list(first: 2) { name } }";
    let known = kept.ask(query).await;
    kept.passes(11);
    kept.service.goes_down();
    // The list itself is not kept, so it must be there.
    let kept_list = kept.ask(query).await;
    assert_eq!(kept_list["data"]["list"], Value::Null);

    kept.service.comes_back();
    let query = "{ thing(id: 1) { name } }";
    kept.ask(query).await;
    kept.passes(11);
    kept.service.goes_down();
    assert_eq!(kept.ask(query).await, json!({ "thing": known["list"][0] }));

    kept.passes(60);
    let failed = kept.ask(query).await;
    assert_eq!(failed["data"]["thing"], Value::Null);
    assert_eq!(failed["errors"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_does_not_exist_is_not_asked_for_again_for_a_short_while() {
    let kept = Kept::start().await;
    kept.service.says("max-age=60");
    for _ in 0..2 {
        let answer = kept.ask("{ list(first: 101) { name } }").await;
        assert_eq!(answer["list"][99], json!({ "name": null }));
    }
    assert_eq!(batches(kept.service.asked()).len(), 2);
    kept.passes(6);
    kept.ask("{ list(first: 101) { name } }").await;
    assert_eq!(batches(kept.service.asked()), ["/things?ids=100%2C101"]);
}

#[tokio::test]
async fn a_root_field_and_a_batch_share_the_entity_that_both_give() {
    let kept = Kept::start().await;
    kept.service.says("max-age=60");
    kept.ask("{ list(first: 2) { name } }").await;
    let thing = kept.ask("{ thing(id: 2) { id name count } }").await;
    assert_eq!(thing["thing"]["name"], "thing 2 v1");

    kept.ask("{ thing(id: 3) { name } }").await;
    kept.ask("{ list(first: 3) { name } }").await;

    let asked = kept.service.asked();
    let entities: Vec<_> = asked.iter().filter(|it| it.starts_with("/thing")).collect();
    assert_eq!(entities, ["/things?ids=1%2C2", "/thing?id=3"]);
}

#[tokio::test]
async fn mutations_neither_read_nor_keep() {
    let kept = Kept::start().await;
    kept.service.says("max-age=60");
    for _ in 0..2 {
        kept.ask("mutation { touch { name } }").await;
    }
    assert_eq!(kept.service.asked(), ["/touch", "/touch"]);
    let (_, entries) = kept.cache.memory_usage();
    assert_eq!(entries, 0);
}

#[tokio::test]
async fn many_at_once_take_one_call_for_one_entity() {
    let kept = Kept::start().await;
    kept.service.says("max-age=60");
    let asks = (0..50).map(|_| kept.ask("{ thing(id: 7) { name } }"));
    let answers = join_all(asks).await;
    for answer in answers {
        assert_eq!(answer, json!({ "thing": { "name": "thing 7 v1" } }));
    }
    assert_eq!(kept.service.asked(), ["/thing?id=7"]);
}

#[tokio::test]
async fn errors_are_not_kept() {
    let kept = Kept::start().await;
    kept.service.says("max-age=60");
    kept.service.goes_down();
    kept.ask("{ thing(id: 1) { name } }").await;
    kept.service.comes_back();
    let answer = kept.ask("{ thing(id: 1) { name } }").await;
    assert_eq!(answer["thing"]["name"], "thing 1 v1");
}

/// The same graph, where a mutation says that what it returns is no longer as it was.
fn with_effects(on_touch: &str) -> String {
    THINGS.replace(
        r#"http: { POST: "/touch" }, selection: "id name count")"#,
        &format!(r#"http: {{ POST: "/touch" }}, selection: "id name count") {on_touch}"#),
    )
}

#[tokio::test]
async fn what_a_mutation_returns_is_asked_for_again() {
    let kept = Kept::with(&with_effects("@openfed__cacheInvalidate"), |_| ()).await;
    kept.service.says("max-age=3600");
    kept.ask("{ list(first: 3) { name } whole { name } }").await;
    kept.service.asked();
    kept.service.changes();

    // The client does not ask for ids; two things come back, the first and the second.
    kept.ask("mutation { touch { count } }").await;

    let answer = kept.ask("{ list(first: 3) { name } whole { name } }").await;
    assert_eq!(
        answer["list"],
        json!([
            { "name": "thing 1 v2" }, { "name": "thing 2 v2" }, { "name": "thing 3 v1" }
        ])
    );
    assert_eq!(answer["whole"], named(1..=2, 2));
    let asked = kept.service.asked();
    let is_read = |asked: &&String| asked.starts_with("/things") || asked.starts_with("/whole");
    assert_eq!(asked.iter().filter(is_read).count(), 2, "{asked:?}");
}

#[tokio::test]
async fn a_mutation_may_name_types_and_tags() {
    for on_touch in [
        "@cacheInvalidate(types: [\"Thing\"])",
        "@cacheInvalidate(tags: [\"all\"])",
    ] {
        let sdl = with_effects(on_touch).replace(
            "type Thing\n      @key(fields: \"id\")",
            "type Thing\n      @key(fields: \"id\") @cacheTag(format: \"all\")",
        );
        let kept = Kept::with(&sdl, |_| ()).await;
        kept.service.says("max-age=3600");
        kept.ask("{ list(first: 3) { name } }").await;
        kept.service.changes();
        kept.ask("mutation { touch { id } }").await;
        let answer = kept.ask("{ list(first: 3) { name } }").await;
        assert_eq!(answer, json!({ "list": named(1..=3, 2) }), "{on_touch}");
    }
}

#[tokio::test]
async fn a_mutation_that_nobody_waits_for_makes_invalid_all_the_same() {
    let kept = Kept::with(&with_effects("@openfed__cacheInvalidate"), |_| ()).await;
    kept.service.says("max-age=3600");
    kept.ask("{ list(first: 3) { name } }").await;
    kept.service.changes();

    let mutation = kept.ask("mutation { touch { id } }");
    assert!(mutation.now_or_never().is_none());

    // Which ones it returned nobody knows: all of them are asked for.
    let answer = kept.ask("{ list(first: 3) { name } }").await;
    assert_eq!(answer, json!({ "list": named(1..=3, 2) }));
}

#[tokio::test]
async fn who_asks_is_told_what_was_found_and_which_calls_were_made() {
    let kept = Kept::start().await;
    kept.service.says("max-age=60");
    kept.ask("{ list(first: 2) { name } }").await;
    kept.passes(5);

    let account = kept.account("{ list(first: 3) { name } }").await;

    let things = account
        .iter()
        .find(|fetch| &*fetch.source == "g:Thing[0]")
        .unwrap();
    let found: Vec<_> = things
        .lookups
        .iter()
        .map(|it| (it.status, it.miss_reason, it.age))
        .collect();
    let age = Some(Duration::from_secs(5));
    assert_eq!(
        found,
        [
            (Told::Fresh(Level::Memory), None, age),
            (Told::Fresh(Level::Memory), None, age),
            (Told::Miss, Some(MissReason::Unknown), None),
        ]
    );
    assert_eq!(
        things.lookups[0].tags,
        ["subgraph g", "type Thing", r#"entity Thing {"id":"1"}"#]
    );
    assert!(
        things.lookups[0].key.ends_with(r#"|={"id":"1"}"#),
        "{}",
        things.lookups[0].key
    );
    let calls: Vec<_> = things
        .calls
        .iter()
        .map(|call| (call.batch_size, call.is_shared))
        .collect();
    assert_eq!(calls, [(1, false)]);
    assert!(things.calls[0].duration > Duration::ZERO);
    // The list says nothing of how long it is good for.
    let list = account
        .iter()
        .find(|fetch| &*fetch.source == "g:Query.list[0]")
        .unwrap();
    assert_eq!(list.lookups[0].reuse, Some(Reuse::Never));
}

#[tokio::test]
async fn an_answer_is_good_for_as_long_as_the_least_of_its_parts() {
    let kept = Kept::start().await;
    kept.service.says("max-age=60");
    let query = "{ whole { name } }";
    assert_eq!(
        kept.reuse(query).await.unwrap().cache_control(),
        "max-age=60, public"
    );
    kept.passes(20);
    assert_eq!(
        kept.reuse(query).await.unwrap().cache_control(),
        "max-age=40, public"
    );
    // One part of it may not be kept.
    assert_eq!(
        kept.reuse("{ whole { name } list(first: 1) { id } }").await,
        Some(Reuse::Never)
    );
    assert_eq!(kept.reuse("mutation { touch { name } }").await, None);
}
