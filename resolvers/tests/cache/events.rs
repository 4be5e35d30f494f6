//! What services say has changed, on a stream that replicas divide among them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::streams::{StreamPendingReply, StreamReadReply};
use resolvers::cache::{
    Cache, CacheSettings, Change, Clock, EntityKey, EventError, EventResolver, EventSettings,
    RedisTopology, Target,
};

use crate::server::Server;
use crate::support::*;

/// A graph in which a product's key is `id`.
#[derive(Debug, Default)]
struct Products {
    complaints: Mutex<Vec<String>>,
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

    fn report(&self, complaint: EventError<'_>) {
        let text = match complaint {
            EventError::Message { problem, .. } | EventError::Stream(problem) => problem.to_owned(),
        };
        self.complaints.lock().unwrap().push(text);
    }
}

fn settings(server: &Server, clock: &Clock, meanings: &Arc<Products>) -> CacheSettings {
    let mut settings = with_redis(clock, RedisTopology::Single(server.address()));
    if let Some(redis) = &mut settings.redis {
        redis.events = Some(EventSettings {
            stream: "events".to_owned(),
            group: "weir".to_owned(),
            resolver: Arc::clone(meanings) as Arc<dyn EventResolver>,
        });
    }
    settings
}

/// Two replicas of one gateway.
async fn two(server: &Server, clock: &Clock) -> (Cache, Cache, Arc<Products>) {
    let meanings = Arc::new(Products::default());
    let one = connected(settings(server, clock, &meanings)).await;
    let two = connected(settings(server, clock, &meanings)).await;
    (one, two, meanings)
}

async fn write(server: &Server, fields: &[&str]) {
    let mut command = vec!["XADD", "events", "*"];
    command.extend(fields);
    server.ask::<String>(&command).await;
}

/// Both have `names` in memory.
async fn fill_both(server: &Server, (one, two): (&Cache, &Cache), names: &[&str]) {
    for name in names {
        fill(one, name, "old", shared(3600)).await;
    }
    written(server, names).await;
    for name in names {
        until(|| async { look(two, name).await == "old Memory" }).await;
    }
}

fn handled(one: &Cache, two: &Cache) -> u64 {
    one.counts().events + two.counts().events
}

async fn pending(server: &Server) -> usize {
    let pending: StreamPendingReply = server.ask(&["XPENDING", "events", "weir"]).await;
    pending.count()
}

#[tokio::test]
async fn what_a_service_says_has_changed_leaves_every_memory_within_a_second() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two, meanings) = two(&server, &clock).await;
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
            look(&one, name).await != "old Memory" && look(&two, name).await != "old Memory"
        })
        .await;
        assert!(took < Duration::from_secs(1), "{fields:?}: {took:?}");
    }
    until(|| async { pending(&server).await == 0 }).await;
    assert_eq!(handled(&one, &two), 4, "each by one of the two");
    assert!(meanings.complaints.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_told_of_and_done_with() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two, meanings) = two(&server, &clock).await;
    fill_both(&server, (&one, &two), &["1", "2"]).await;
    write(&server, &["typ", "Product"]).await;
    // What can be read of a message counts.
    write(&server, &["key", "1", "type", "Product", "key", "2"]).await;
    until(|| async { handled(&one, &two) == 2 }).await;
    until(|| async { pending(&server).await == 0 }).await;
    until(|| async { look(&two, "2").await != "old Memory" }).await;
    assert_eq!(look(&one, "1").await, "old Memory");
    assert_eq!(
        one.counts().events_malformed + two.counts().events_malformed,
        2
    );
    let mut complaints = meanings.complaints.lock().unwrap().clone();
    complaints.sort();
    assert_eq!(
        complaints,
        ["`key` comes before any `type`", "unknown field `typ`"]
    );
}

#[tokio::test]
async fn what_is_written_when_redis_is_back_is_handled() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, two, _) = two(&server, &clock).await;
    write(&server, &["tag", "red"]).await;
    until(|| async { handled(&one, &two) == 1 }).await;
    server.kill();
    server.restart().await;
    // Nobody has made the stream or the group again yet, as far as a service knows.
    write(&server, &["tag", "red"]).await;
    until(|| async { handled(&one, &two) == 2 }).await;
    until(|| async { pending(&server).await == 0 }).await;
}

#[tokio::test]
async fn a_message_of_a_consumer_that_died_is_handled_by_another() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    // Somebody is given a message, and is never heard of again. It was long ago.
    server
        .ask::<()>(&["XGROUP", "CREATE", "events", "weir", "0", "MKSTREAM"])
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
    let given: StreamReadReply = server.ask(&read).await;
    let id = given.keys[0].ids[0].id.clone();
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
    server.ask::<Vec<String>>(&long_ago).await;
    assert_eq!(pending(&server).await, 1);

    let (one, two, _) = two(&server, &clock).await;

    until(|| async { handled(&one, &two) == 1 }).await;
    until(|| async { pending(&server).await == 0 }).await;
    assert_eq!(one.counts().events_claimed + two.counts().events_claimed, 1);
    assert_eq!(one.counts().invalidations + two.counts().invalidations, 3);
}

#[tokio::test]
async fn a_stream_that_is_none_is_told_of_once() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    server.ask::<()>(&["SET", "events", "1"]).await;
    let meanings = Arc::new(Products::default());
    let cache = connected(settings(&server, &clock, &meanings)).await;
    until(|| async { cache.counts().event_errors >= 2 }).await;
    let complaints = meanings.complaints.lock().unwrap().clone();
    let [complaint] = complaints.as_slice() else {
        panic!("{complaints:?}");
    };
    assert!(complaint.contains("WRONGTYPE"), "{complaint}");
    server.ask::<()>(&["DEL", "events"]).await;
    write(&server, &["tag", "red"]).await;
    until(|| async { cache.counts().events == 1 }).await;
}
