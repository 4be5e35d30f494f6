//! Error replies of Redis: no lookup fails, invalidations are effective, and Redis is used again
//! when it can be.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use resolvers::cache::{
    Cache, CacheSettings, Clock, FailureReporter, LookupOutcome, Propagation, RedisFailure,
    RedisTopology,
};
use tokio::time::sleep;

use crate::relay::Relay;
use crate::server::Server;
use crate::support::*;

/// The failures that a cache reported.
#[derive(Debug, Default)]
struct Failures(Mutex<Vec<(String, String)>>);

impl Failures {
    fn commands(&self, code: &str) -> BTreeSet<String> {
        let failures = self.0.lock().unwrap();
        let with_code = failures.iter().filter(|(_, error)| error.starts_with(code));
        with_code.map(|(command, _)| command.clone()).collect()
    }
}

impl FailureReporter for Failures {
    fn report(&self, failure: &RedisFailure<'_>) {
        let RedisFailure { command, error, .. } = *failure;
        let mut failures = self.0.lock().unwrap();
        failures.push((command.to_owned(), error.to_owned()));
    }
}

/// Settings for a Redis at `address`.
fn at(address: &str, clock: &Clock) -> (CacheSettings, Arc<Failures>) {
    let mut settings = with_redis(clock, RedisTopology::Single(address.to_owned()));
    let failures = Arc::new(Failures::default());
    let redis = settings.redis.as_mut().unwrap();
    redis.failure_reporter = Some(Arc::<Failures>::clone(&failures));
    (settings, failures)
}

async fn connected_at(address: &str, clock: &Clock) -> (Cache, Arc<Failures>) {
    let (settings, failures) = at(address, clock);
    (connected(settings).await, failures)
}

/// A server, and a replica of it that has all its data.
async fn pair(server: &Server, arguments: &[&str]) -> Server {
    let port = server.port.to_string();
    // By default a server waits for more replicas before it sends its data.
    server
        .command::<()>(&["CONFIG", "SET", "repl-diskless-sync-delay", "0"])
        .await;
    let mut all = vec!["--replicaof", "127.0.0.1", &port];
    all.extend(arguments);
    let replica = Server::with(&all).await.unwrap();
    until(|| async {
        let info: String = replica.command(&["INFO", "replication"]).await;
        info.contains("master_link_status:up")
    })
    .await;
    replica
}

async fn make_replica(server: &Server, of: u16) {
    let port = of.to_string();
    server
        .command::<()>(&["REPLICAOF", "127.0.0.1", &port])
        .await;
}

/// Two caches through `relay` that have the value `old` of `1`.
async fn two_with_old_value(relay: &Relay, server: &Server, clock: &Clock) -> (Cache, Cache) {
    let (one, _) = connected_at(&relay.address(), clock).await;
    let (two, _) = connected_at(&relay.address(), clock).await;
    fill(&one, "1", "old", shared(3600)).await;
    wait_until_stored(server, &["1"]).await;
    until(|| async { lookup_summary(&two, "1").await == "old Memory" }).await;
    (one, two)
}

/// Invalidates `1` until Redis has acknowledged it, and then waits until `two` has it.
async fn invalidate_and_check(one: &Cache, two: &Cache) {
    until(|| async {
        let propagation = one.invalidate(&[entity("1")]).await;
        assert!(!lookup_summary(one, "1").await.starts_with("old"));
        propagation == Propagation::AllReplicas
    })
    .await;
    let took = until(|| async { !lookup_summary(two, "1").await.starts_with("old") }).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
}

/// Waits until `two` finds in Redis what `one` stores.
async fn until_shared(one: &Cache, two: &Cache) {
    until(|| async {
        let name = fastrand::u64(..).to_string();
        if let LookupOutcome::Miss(claim) = lookup_one(one, product(&name)).await {
            claim.store(&body("new"), shared(60));
        }
        sleep(Duration::from_millis(20)).await;
        lookup_summary(two, &name).await == "new Redis"
    })
    .await;
}

#[tokio::test]
async fn a_demoted_server_is_left_though_its_connections_stay_open() {
    let Some(old) = Server::start().await else {
        return;
    };
    let (clock, relay) = (clock(), Relay::start(old.port).await);
    let new = pair(&old, &[]).await;
    let (one, two) = two_with_old_value(&relay, &old, &clock).await;
    until(|| async { new.command::<usize>(&["DBSIZE"]).await >= 4 }).await;

    new.command::<()>(&["REPLICAOF", "NO", "ONE"]).await;
    relay.redirect(new.port);
    make_replica(&old, new.port).await;

    invalidate_and_check(&one, &two).await;
    until_shared(&one, &two).await;
}

// The process that only reads from the demoted server has no failed write to learn from, and the
// server no longer receives what the others write.
#[tokio::test]
async fn a_process_that_only_reads_leaves_a_demoted_server_too() {
    let Some(old) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (relay, direct) = (Relay::start(old.port).await, Relay::start(old.port).await);
    let new = pair(&old, &[]).await;
    let (_, two) = two_with_old_value(&relay, &old, &clock).await;
    until(|| async { new.command::<usize>(&["DBSIZE"]).await >= 4 }).await;

    new.command::<()>(&["REPLICAOF", "NO", "ONE"]).await;
    relay.redirect(new.port);
    direct.redirect(new.port);
    // A replica of nothing: it keeps what it has.
    make_replica(&old, 1).await;
    let (one, _) = connected_at(&direct.address(), &clock).await;
    let connects = two.counts().connects;
    assert_eq!(
        one.invalidate(&[entity("1")]).await,
        Propagation::AllReplicas
    );
    let took = until(|| async { !lookup_summary(&two, "1").await.starts_with("old") }).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(two.counts().connects > connects);
}

#[tokio::test]
async fn a_replica_without_its_master_is_left() {
    let Some(mut master) = Server::start().await else {
        return;
    };
    let clock = clock();
    let stale = pair(&master, &["--replica-serve-stale-data", "no"]).await;
    let new = pair(&master, &[]).await;
    stale
        .command::<()>(&["CONFIG", "SET", "replica-read-only", "no"])
        .await;
    let relay = Relay::start(stale.port).await;
    let (one, failures) = connected_at(&relay.address(), &clock).await;
    let (two, _) = connected_at(&relay.address(), &clock).await;
    fill(&one, "1", "old", shared(3600)).await;
    until(|| async { lookup_summary(&two, "1").await == "old Memory" }).await;

    master.kill();
    until(|| async { !failures.commands("MASTERDOWN").is_empty() }).await;
    assert_eq!(
        one.invalidate(&[entity("1")]).await,
        Propagation::ThisProcess
    );
    assert_eq!(lookup_summary(&one, "1").await, "missing");

    new.command::<()>(&["REPLICAOF", "NO", "ONE"]).await;
    relay.redirect(new.port);
    invalidate_and_check(&one, &two).await;
    until_shared(&one, &two).await;
}

#[tokio::test]
async fn a_full_redis_still_invalidates() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, failures) = connected_at(&server.address(), &clock).await;
    let (two, _) = connected_at(&server.address(), &clock).await;
    fill(&one, "1", "old", shared(3600)).await;
    fill(&one, "2", "other", shared(3600)).await;
    wait_until_stored(&server, &["1", "2"]).await;
    until(|| async { lookup_summary(&two, "1").await == "old Memory" }).await;
    server
        .command::<()>(&["CONFIG", "SET", "maxmemory", "1"])
        .await;
    let full: Result<(), _> = server.try_command(&["SET", "a", "b"]).await;
    assert_eq!(full.unwrap_err().code(), Some("OOM"));

    assert_eq!(
        one.invalidate(&[entity("1")]).await,
        Propagation::AllReplicas
    );
    let took = until(|| async { lookup_summary(&two, "1").await == "missing" }).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    // Reads continue, for a process that connects now too.
    let (three, _) = connected_at(&server.address(), &clock).await;
    assert_eq!(lookup_summary(&three, "1").await, "missing");
    assert_eq!(lookup_summary(&three, "2").await, "other Redis");
    fill(&one, "1", "new", shared(3600)).await;
    until(|| async { failures.commands("OOM").contains("SET") }).await;
    assert_eq!(one.counts().breaker_opened, 0, "{failures:?}");

    server
        .command::<()>(&["CONFIG", "SET", "maxmemory", "0"])
        .await;
    until_shared(&one, &two).await;
}

#[tokio::test]
async fn paused_writes_open_the_breaker_once() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let (one, failures) = connected_at(&server.address(), &clock).await;
    fill(&one, "1", "one", shared(3600)).await;
    wait_until_stored(&server, &["1"]).await;
    server
        .command::<()>(&["CLIENT", "PAUSE", "3000", "WRITE"])
        .await;
    let mut lookups = 0;
    while server_is_paused(&server).await {
        let names: Vec<String> = (0..20).map(|_| fastrand::u64(..).to_string()).collect();
        let claims = names.iter().map(|name| claim(&one, product(name)));
        drop(join_all(claims).await);
        lookups += 20;
    }
    let counts = one.counts();
    assert!(lookups > 100, "{lookups}");
    // Whatever the pace of the machine, probes are four a second.
    assert_eq!(counts.breaker_opened, 1, "{counts:?}, {failures:?}");
    let (two, _) = connected_at(&server.address(), &clock).await;
    until_shared(&one, &two).await;
}

/// Whether Redis delays writes still.
async fn server_is_paused(server: &Server) -> bool {
    let write = server.try_command::<()>(&["SET", "any", "value"]);
    tokio::time::timeout(Duration::from_millis(20), write)
        .await
        .is_err()
}

/// The permissions that the documentation recommends.
fn documented() -> &'static str {
    let text = include_str!("../../../docs/operations.md");
    let (_, rest) = text.split_once("-@all ").unwrap();
    rest.split_once("```").unwrap().0.trim()
}

async fn with_user(server: &Server, rules: &str) -> String {
    let mut command = vec![
        "ACL", "SETUSER", "weir", "on", ">secret", "~weir:*", "-@all",
    ];
    command.extend(rules.split_whitespace());
    server.command::<()>(&command).await;
    format!("redis://weir:secret@127.0.0.1:{}", server.port)
}

#[tokio::test]
async fn a_user_with_the_documented_commands_for_the_prefix_is_enough() {
    let Some(server) = Server::start().await else {
        return;
    };
    let clock = clock();
    let address = with_user(&server, documented()).await;
    let (one, failures) = connected_at(&address, &clock).await;
    let (two, _) = connected_at(&address, &clock).await;
    fill(&one, "1", "old", shared(3600)).await;
    until(|| async { lookup_summary(&two, "1").await == "old Memory" }).await;
    invalidate_and_check(&one, &two).await;
    assert_eq!(failures.commands("").len(), 0, "{failures:?}");
}

#[tokio::test]
async fn missing_permissions_are_reported_and_redis_is_not_used() {
    let Some(server) = Server::start().await else {
        return;
    };
    let address = with_user(&server, "+mget +exists +pexpire +del +eval +get +xrange").await;
    let (settings, failures) = at(&address, &clock());
    let cache = start(settings);
    let expected: BTreeSet<String> = ["SET", "XTRIM", "XADD", "XREVRANGE", "XREAD"]
        .map(str::to_owned)
        .into();
    until(|| async { failures.commands("NOPERM") == expected }).await;
    fill(&cache, "1", "one", shared(60)).await;
    assert_eq!(lookup_summary(&cache, "1").await, "one Memory");
    assert!(!cache.wait_until_connected(Duration::from_millis(50)).await);

    // It is used as soon as the permissions are there.
    server
        .command::<()>(&["ACL", "SETUSER", "weir", "+@all"])
        .await;
    assert!(cache.wait_until_connected(Duration::from_secs(10)).await);
}

#[tokio::test]
async fn a_wrong_password_is_reported() {
    let Some(server) = Server::start().await else {
        return;
    };
    let address = with_user(&server, documented()).await;
    let (settings, failures) = at(&address.replace("secret", "wrong"), &clock());
    let _cache = start(settings);
    until(|| async {
        let connect = failures.commands("");
        connect.contains("connect")
    })
    .await;
    let failures = failures.0.lock().unwrap();
    assert!(
        failures[0].1.contains("authentication failed"),
        "{failures:?}"
    );
    assert!(!failures[0].1.contains("wrong"), "{failures:?}");
}
