//! Redis dies, stalls and slows down under load: no answer is wrong, no client waits long, and
//! Redis is used again soon after it recovers.

use std::time::Duration;

use futures_util::future::join_all;
use mocks::Shop;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::client::Connection;
use crate::load::Load;
use crate::nodes::cluster;
use crate::relay::Relay;
use crate::server::Server;
use crate::support::until;
use crate::weir::{Setup, Subgraph, Weir, data, post};

/// Timeout of a Redis command.
const LIMIT: Duration = Duration::from_millis(50);

/// Additional time that a busy machine may take.
const NOISE: Duration = Duration::from_millis(250);

/// More products than the memory holds, so that most lookups go to Redis.
const PRODUCTS: u32 = 400;

/// A gateway with little memory in front of the shop's products.
struct Served {
    shop: Shop,
    weir: Weir,
}

/// The time when Redis was away.
struct Outage {
    from: Instant,
    to: Instant,
}

impl Served {
    /// A gateway with the Redis that `topology` configures, in YAML.
    async fn start(topology: &str) -> Self {
        // The service's own `Cache-Control` of products is an hour.
        let shop = Shop::start().await.unwrap();
        let sdl = include_str!("../../../schema/commerce/products.graphql");
        let products = Subgraph {
            name: "products",
            sdl: sdl.replace(" @cacheControl(maxAge: 5)", ""),
            source: "products",
            url: shop.products.url().to_owned(),
        };
        let redis = format!("{{ {topology}, timeout: {}ms }}", LIMIT.as_millis());
        let cache = format!("{{ memory: 256KiB, redis: {redis} }}");
        let weir = Weir::connected(&Setup::new(products, &cache)).await;
        let served = Self { shop, weir };
        until(|| served.hits()).await;
        served
    }

    /// Whether every product is answered without a call.
    async fn hits(&self) -> bool {
        self.shop.products.reset_calls();
        let mut client = Connection::open(self.weir.address).await;
        for id in 1..=PRODUCTS {
            post(&mut client, &operation(id), &[]).await;
            let answer = client.answer().await.expect("a response");
            check(&operation(id), &data(&answer));
        }
        self.shop.products.calls() == 0
    }

    async fn hits_of_redis(&self) -> u64 {
        let values = r#"weir_cache_lookups_total{result="redis"}"#;
        let responses = r#"weir_cache_responses_total{result="redis"}"#;
        self.weir.metric(values).await + self.weir.metric(responses).await
    }

    /// Runs `script` under load, which returns when Redis was away, and checks the latencies.
    async fn under_load(&self, how: &str, script: impl AsyncFnOnce() -> Outage) {
        let connections = join_all((0..20).map(|_| Connection::open(self.weir.address))).await;
        let (load, began) = (Load::new(), Instant::now());
        let pace = Duration::from_millis(20);
        let ask = || operation(fastrand::u32(1..=PRODUCTS));
        let script = async {
            // The times matter here: before, and while Redis is away.
            sleep(Duration::from_secs(1)).await;
            let outage = script().await;
            let hits = self.hits_of_redis().await;
            until(|| async { self.hits_of_redis().await > hits + 10 }).await;
            (outage, Instant::now())
        };
        let (outage, back) = load
            .run_during((connections, pace), ask, check, script)
            .await;
        let a_second_later = outage.from + Duration::from_secs(1);
        let before = load.times(began, outage.from);
        let first = load.times(outage.from, a_second_later);
        let then = load.times(a_second_later, outage.to);
        let back = back.saturating_duration_since(outage.to);
        eprintln!(
            "{how}: p99 {:?} before, {:?} in the first second, then {:?}; slowest of {} {:?}; hits {back:?} after its return",
            before.percentile(99),
            first.percentile(99),
            then.percentile(99),
            first.count() + then.count(),
            first.slowest().max(then.slowest()),
        );
        assert!(first.slowest() < LIMIT * 3 + NOISE, "{:?}", first.slowest());
        assert!(then.slowest() < LIMIT * 3 + NOISE, "{:?}", then.slowest());
        // Redis is bypassed, so hardly any client waits.
        assert!(then.percentile(90) < LIMIT, "{:?}", then.percentile(90));
        assert!(back < Duration::from_secs(2), "{back:?}");
        until(|| self.hits()).await;
    }
}

fn operation(id: u32) -> Value {
    json!({
        "query": "query($id: ID!) { product(id: $id) { id name } }",
        "variables": { "id": id.to_string() },
    })
}

fn check(operation: &Value, data: &Value) {
    assert_eq!(data["product"]["id"], operation["variables"]["id"]);
}

/// How long Redis is away.
const OUTAGE: Duration = Duration::from_secs(3);

#[tokio::test]
async fn killing_redis_under_load_fails_no_request() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    let served = Served::start(&format!("url: '{}'", server.address())).await;
    served
        .under_load("killed", async || {
            let from = Instant::now();
            server.kill();
            sleep(OUTAGE).await;
            assert_eq!(served.weir.metric("weir_cache_redis_up").await, 0);
            server.restart().await;
            let to = Instant::now();
            Outage { from, to }
        })
        .await;
}

#[tokio::test]
async fn a_stalled_redis_under_load_fails_no_request() {
    let Some(server) = Server::start().await else {
        return;
    };
    let served = Served::start(&format!("url: '{}'", server.address())).await;
    served
        .under_load("stalled", async || {
            let from = Instant::now();
            server.stall();
            sleep(OUTAGE).await;
            assert_eq!(served.weir.metric("weir_cache_redis_up").await, 0);
            server.resume();
            let to = Instant::now();
            Outage { from, to }
        })
        .await;
}

#[tokio::test]
async fn a_slow_redis_under_load_fails_no_request() {
    let Some(server) = Server::start().await else {
        return;
    };
    let relay = Relay::start(server.port).await;
    let served = Served::start(&format!("url: '{}'", relay.address())).await;
    served
        .under_load("slow", async || {
            let from = Instant::now();
            let closed = r#"weir_cache_redis_breaker_total{to="closed"}"#;
            let before = served.weir.metric(closed).await;
            relay.slow_down(LIMIT * 4);
            sleep(OUTAGE).await;
            // It does answer, but too late, so the breaker stays open.
            assert_eq!(served.weir.metric(closed).await, before);
            assert_eq!(served.weir.metric("weir_cache_redis_up").await, 0);
            relay.slow_down(Duration::ZERO);
            let to = Instant::now();
            Outage { from, to }
        })
        .await;
}

#[tokio::test]
async fn a_demoted_redis_under_load_fails_no_request() {
    let Some(old) = Server::start().await else {
        return;
    };
    let (old_port, relay) = (old.port.to_string(), Relay::start(old.port).await);
    let replica = ["--replicaof", "127.0.0.1", &old_port];
    let new = Server::with(&replica).await.unwrap();
    let served = Served::start(&format!("url: '{}'", relay.address())).await;
    served
        .under_load("demoted", async || {
            let from = Instant::now();
            new.command::<()>(&["REPLICAOF", "NO", "ONE"]).await;
            relay.redirect(new.port);
            let new_port = new.port.to_string();
            old.command::<()>(&["REPLICAOF", "127.0.0.1", &new_port])
                .await;
            sleep(OUTAGE).await;
            let to = Instant::now();
            Outage { from, to }
        })
        .await;
}

#[tokio::test]
async fn a_redis_with_paused_writes_under_load_fails_no_request() {
    let Some(server) = Server::start().await else {
        return;
    };
    let served = Served::start(&format!("url: '{}'", server.address())).await;
    served
        .under_load("writes paused", async || {
            let from = Instant::now();
            let pause = OUTAGE.as_millis().to_string();
            server
                .command::<()>(&["CLIENT", "PAUSE", &pause, "WRITE"])
                .await;
            sleep(OUTAGE).await;
            let to = Instant::now();
            Outage { from, to }
        })
        .await;
}

#[tokio::test]
async fn a_full_redis_under_load_fails_no_request() {
    let Some(server) = Server::start().await else {
        return;
    };
    let served = Served::start(&format!("url: '{}'", server.address())).await;
    served
        .under_load("full", async || {
            let from = Instant::now();
            let limit = |bytes| ["CONFIG", "SET", "maxmemory", bytes];
            server.command::<()>(&limit("1")).await;
            let everything = json!([{ "kind": "type", "type": "Product" }]);
            let reply = served.weir.invalidate(&everything).await.json();
            assert_eq!(reply["reached"], "everyone", "{reply}");
            assert!(!served.hits().await);
            let before = served.hits_of_redis().await;
            sleep(OUTAGE).await;
            assert_eq!(served.hits_of_redis().await, before);
            server.command::<()>(&limit("0")).await;
            let to = Instant::now();
            Outage { from, to }
        })
        .await;
}

#[tokio::test]
async fn a_cluster_node_that_dies_under_load_fails_no_request() {
    let Some(mut nodes) = cluster(1).await else {
        return;
    };
    let urls: Vec<_> = nodes
        .iter()
        .map(|node| format!("'{}'", node.address()))
        .collect();
    let served = Served::start(&format!("cluster: [{}]", urls.join(", "))).await;
    // The master of the replica dies.
    let master: Vec<String> = nodes[3].command(&["ROLE"]).await;
    let port: u16 = master[2].parse().unwrap();
    let dying = nodes.iter().position(|node| node.port == port).unwrap();
    served
        .under_load("a node killed", async || {
            let from = Instant::now();
            nodes[dying].kill();
            until(|| async {
                let role: Vec<redis::Value> = nodes[3].command(&["ROLE"]).await;
                let info: String = nodes[3].command(&["CLUSTER", "INFO"]).await;
                role[0] == redis::Value::BulkString(b"master".to_vec())
                    && info.contains("cluster_state:ok")
            })
            .await;
            let to = Instant::now();
            Outage { from, to }
        })
        .await;
}
