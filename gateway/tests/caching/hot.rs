//! One entity that all clients read, and that expires every second.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::client::Connection;
use crate::load::Load;
use crate::people::{People, person};
use crate::server::Server;
use crate::support::variable;
use crate::weir::{Setup, Weir};

/// The shortest lifetime: jitter takes up to a tenth of the second.
const LIFETIME: Duration = Duration::from_millis(900);

#[tokio::test]
async fn a_hot_key_takes_one_call_of_two_gateways_and_500_clients_each_time_it_expires() {
    let Some(server) = Server::start().await else {
        return;
    };
    let people = People::start("max-age=1", Duration::from_millis(30)).await;
    // 500 clients, two gateways and Redis share two cores, so Redis needs longer timeouts.
    let limits = "timeout: 2s, write_timeout: 5s";
    let redis = format!("redis: {{ url: '{}', {limits} }}", server.address());
    let cache = format!("{{ {redis}, lifetime: {{ stale_if_error: 0s }} }}");
    let setup = Setup::new(people.subgraph(), &cache);
    let (one, two) = tokio::join!(Weir::connected(&setup), Weir::connected(&setup));
    let connections = (0..500).map(|client| {
        let weir = if client % 2 == 0 { &one } else { &two };
        Connection::open(weir.address)
    });
    let connections = join_all(connections).await;
    let long = variable("WEIR_LONG").map_or(5, |text| text.parse().unwrap());
    let (load, began) = (Load::new(), Instant::now());

    // The duration is the test.
    let script = sleep(Duration::from_secs(long));
    let operation = || json!({ "query": "{ person(id: 1) { id name } }" });
    load.run_during(
        (connections, Duration::from_millis(200)),
        operation,
        |_, data| assert_eq!(data["person"], person(1, "")),
        script,
    )
    .await;

    let (calls, times) = (people.calls(), load.times(began, Instant::now()));
    eprintln!(
        "{} answers in {long} s, p50 {:?}, p99 {:?}: {} calls",
        times.count(),
        times.percentile(50),
        times.percentile(99),
        calls.len()
    );
    let between = calls.windows(2).map(|two| two[1].at - two[0].at);
    let between: Vec<Duration> = between.collect();
    let mut waits_failed = 0;
    for weir in [&one, &two] {
        waits_failed += weir.metric("weir_cache_waits_in_vain_total").await;
        let dropped = r#"weir_cache_redis_writes_total{result="dropped"}"#;
        assert_eq!(
            weir.metric(dropped).await,
            0,
            "a value missing in Redis is fetched again"
        );
    }
    eprintln!(
        "{waits_failed} in vain, slowest {:?}, {between:?}",
        times.slowest()
    );
    let too_early = between.iter().filter(|time| **time < LIFETIME).count();
    // A client whose wait times out fetches for itself, on a busy machine.
    assert!(too_early as u64 <= waits_failed, "{between:?}");
    // The entity does expire, and is fetched again.
    let minimum = usize::try_from(long).unwrap() / 2;
    assert!(calls.len() >= minimum, "{} calls", calls.len());
}

/// The duration of a call to a slow service.
const SLOW: Duration = Duration::from_millis(1500);

#[tokio::test]
async fn clients_of_two_gateways_wait_for_one_slow_call() {
    let Some(server) = Server::start().await else {
        return;
    };
    let people = People::start("max-age=60", SLOW).await;
    let cache = format!(
        "{{ redis: {{ url: '{}', timeout: 1s }} }}",
        server.address()
    );
    let setup = Setup::new(people.subgraph(), &cache);
    let (one, two) = tokio::join!(Weir::connected(&setup), Weir::connected(&setup));
    let connections = (0..40).map(|client| {
        let weir = if client % 2 == 0 { &one } else { &two };
        Connection::open(weir.address)
    });
    let load = Load::new();
    let connections = join_all(connections).await;
    let began = Instant::now();
    let operation = || json!({ "query": "{ person(id: 1) { id name } }" });
    load.run_during(
        (connections, Duration::ZERO),
        operation,
        |_, data| assert_eq!(data["person"], person(1, "")),
        sleep(SLOW / 2),
    )
    .await;

    assert_eq!(people.calls().len(), 1);
    let times = load.times(began, Instant::now());
    assert_eq!(times.count(), 40);
    let slowest = times.slowest();
    assert!(slowest < SLOW + Duration::from_millis(500), "{slowest:?}");
}
