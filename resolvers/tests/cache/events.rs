//! Change events of services, on a stream that replicas consume as a group.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::streams::{StreamPendingReply, StreamReadReply};
use resolvers::cache::{
    Cache, CacheSettings, Change, Clock, EntityKey, EventError, EventResolver, EventSettings,
    RedisTopology, Target,
};

use crate::server::Server;
use crate::support::*;

/// A resolver of a graph in which the key of a product is `id`.
#[derive(Debug, Default)]
struct Products {
    errors: Mutex<Vec<String>>,
}

impl EventResolver for Products {
    fn resolve(&self, change: Change) -> Vec<Target> {
        vec![match change {
            Change::Target(target) => target,
            Change::EntityByValue { type_name, value } => Target::Entity {
                type_name,
                key: EntityKey::from_field("id", &value),
            },
        }]
    }

    fn report(&self, error: EventError<'_>) {
        let text = match error {
            EventError::Message { problem, .. } | EventError::Stream(problem) => problem.to_owned(),
        };
        self.errors.lock().unwrap().push(text);
    }
}

fn settings(server: &Server, clock: &Clock, resolver: &Arc<Products>) -> CacheSettings {
    let mut settings = with_redis(clock, RedisTopology::Single(server.address()));
    if let Some(redis) = &mut settings.redis {
        redis.events = Some(EventSettings {
            stream: "events".to_owned(),
            group: "weir".to_owned(),
            resolver: Arc::clone(resolver) as Arc<dyn EventResolver>,
        });
    }
    settings
}

/// Two replicas of one gateway.
async fn two(server: &Server, clock: &Clock) -> (Cache, Cache, Arc<Products>) {
    let resolver = Arc::new(Products::default());
    let one = connected(settings(server, clock, &resolver)).await;
    let two = connected(settings(server, clock, &resolver)).await;
    (one, two, resolver)
}

async fn write(server: &Server, fields: &[&str]) {
    let mut command = vec!["XADD", "events", "*"];
    command.extend(fields);
    server.command::<String>(&command).await;
}

/// Fills the memory of both caches.
async fn fill_both(server: &Server, (one, two): (&Cache, &Cache), names: &[&str]) {
    for name in names {
        fill(one, name, "old", shared(3600)).await;
    }
    wait_until_stored(server, names).await;
    for name in names {
        until(|| async { lookup_summary(two, name).await == "old Memory" }).await;
    }
}

fn handled(one: &Cache, two: &Cache) -> u64 {
    one.counts().events + two.counts().events
}

async fn pending(server: &Server) -> usize {
    let pending: StreamPendingReply = server.command(&["XPENDING", "events", "weir"]).await;
    pending.count()
}

#[tokio::test]
async fn change_events_evict_from_every_memory_within_a_second() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two, resolver) = two(&server, &clock).await;
    for (name, fields) in [
        ("1", &["type", "Product", "key", "1"][..]),
        ("2", &["type", "Product", "key", "{\"id\": 2}"]),
        ("3", &["type", "Product"]),
        (
            "4",
            &["tag", "other", "type", "Product", "key", "7", "key", "4"],
        ),
    ] {
        fill_both(&server, (&one, &two), &[name]).await;
        write(&server, fields).await;
        let took = until(|| async {
            lookup_summary(&one, name).await != "old Memory"
                && lookup_summary(&two, name).await != "old Memory"
        })
        .await;
        assert!(took < Duration::from_secs(1), "{fields:?}: {took:?}");
    }
    until(|| async { pending(&server).await == 0 }).await;
    assert_eq!(handled(&one, &two), 4, "each by one of the two");
    assert!(resolver.errors.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_malformed_message_is_reported_and_acknowledged() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two, resolver) = two(&server, &clock).await;
    fill_both(&server, (&one, &two), &["1", "2"]).await;
    write(&server, &["typ", "Product"]).await;
    // The valid part of a message counts.
    write(&server, &["key", "1", "type", "Product", "key", "2"]).await;
    until(|| async { handled(&one, &two) == 2 }).await;
    until(|| async { pending(&server).await == 0 }).await;
    until(|| async { lookup_summary(&two, "2").await != "old Memory" }).await;
    assert_eq!(lookup_summary(&one, "1").await, "old Memory");
    assert_eq!(
        one.counts().events_malformed + two.counts().events_malformed,
        2
    );
    let mut errors = resolver.errors.lock().unwrap().clone();
    errors.sort();
    assert_eq!(
        errors,
        ["`key` comes before any `type`", "unknown field `typ`"]
    );
}

#[tokio::test]
async fn messages_after_a_restart_of_redis_are_handled() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two, _) = two(&server, &clock).await;
    write(&server, &["tag", "red"]).await;
    until(|| async { handled(&one, &two) == 1 }).await;
    server.kill();
    server.restart().await;
    // The replicas have created neither the stream nor the group again yet.
    write(&server, &["tag", "red"]).await;
    until(|| async { handled(&one, &two) == 2 }).await;
    until(|| async { pending(&server).await == 0 }).await;
}

#[tokio::test]
async fn a_message_of_a_dead_consumer_is_claimed_by_another() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    // A consumer reads a message, and dies; that was long ago.
    server
        .command::<()>(&["XGROUP", "CREATE", "events", "weir", "0", "MKSTREAM"])
        .await;
    write(&server, &["type", "Product", "key", "1"]).await;
    let read = [
        "XREADGROUP",
        "GROUP",
        "weir",
        "weir-dead",
        "STREAMS",
        "events",
        ">",
    ];
    let read_messages: StreamReadReply = server.command(&read).await;
    let id = read_messages.keys[0].ids[0].id.clone();
    let long_ago = [
        "XCLAIM",
        "events",
        "weir",
        "weir-dead",
        "0",
        &id,
        "IDLE",
        "60000",
        "JUSTID",
    ];
    server.command::<Vec<String>>(&long_ago).await;
    assert_eq!(pending(&server).await, 1);

    let (one, two, _) = two(&server, &clock).await;

    until(|| async { handled(&one, &two) == 1 }).await;
    until(|| async { pending(&server).await == 0 }).await;
    assert_eq!(one.counts().events_claimed + two.counts().events_claimed, 1);
    assert_eq!(one.counts().invalidations + two.counts().invalidations, 3);
}

#[tokio::test]
async fn a_stream_of_the_wrong_type_is_reported_once() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    server.command::<()>(&["SET", "events", "1"]).await;
    let resolver = Arc::new(Products::default());
    let cache = connected(settings(&server, &clock, &resolver)).await;
    until(|| async { cache.counts().event_errors >= 2 }).await;
    let errors = resolver.errors.lock().unwrap().clone();
    let [error] = errors.as_slice() else {
        panic!("{errors:?}");
    };
    assert!(error.contains("WRONGTYPE"), "{error}");
    server.command::<()>(&["DEL", "events"]).await;
    write(&server, &["tag", "red"]).await;
    until(|| async { cache.counts().events == 1 }).await;
}
