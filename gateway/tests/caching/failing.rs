//! Redis dies, stalls and slows down under load: nobody is answered wrong, nobody waits for long,
//! and it is used again soon after it is back.

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

/// What one command of Redis may take.
const LIMIT: Duration = Duration::from_millis(50);

/// What the machine may take beside that, as it is also compiling something else perhaps.
const NOISE: Duration = Duration::from_millis(250);

/// More than the memory holds, so that most are looked for in Redis.
const PRODUCTS: u32 = 400;

/// A gateway with hardly any memory of its own before the shop's products.
struct Served {
    shop: Shop,
    weir: Weir,
}

/// When Redis was gone, and when it was back.
struct Gone {
    from: Instant,
    to: Instant,
}

impl Served {
    /// One that keeps in the Redis that `place` names, in YAML.
    async fn start(place: &str) -> Self {
        // Products say an hour by themselves.
        let shop = Shop::start().await.unwrap();
        let sdl = include_str!("../../../schema/commerce/products.graphql");
        let products = Subgraph {
            name: "products",
            sdl: sdl.replace(" @cacheControl(maxAge: 5)", ""),
            source: "products",
            url: shop.products.url().to_owned(),
        };
        let redis = format!("{{ {place}, timeout: {}ms }}", LIMIT.as_millis());
        let cache = format!("{{ memory: 256KiB, redis: {redis} }}");
        let weir = Weir::connected(&Setup::of(products, &cache)).await;
        let served = Self { shop, weir };
        until(|| served.hits()).await;
        served
    }

    /// Whether each product is there without a call.
    async fn hits(&self) -> bool {
        self.shop.products.reset_calls();
        let mut client = Connection::open(self.weir.address).await;
        for id in 1..=PRODUCTS {
            post(&mut client, &asking(id), &[]).await;
            let answer = client.answer().await.expect("an answer");
            judge(&asking(id), &data(&answer));
        }
        self.shop.products.calls() == 0
    }

    async fn hits_of_redis(&self) -> u64 {
        self.weir
            .counted(r#"weir_cache_lookups_total{result="redis"}"#)
            .await
    }

    /// Runs `script` under load, which says when Redis was gone; and measures.
    async fn under_load(&self, how: &str, script: impl AsyncFnOnce() -> Gone) {
        let connections = join_all((0..20).map(|_| Connection::open(self.weir.address))).await;
        let (load, began) = (Load::new(), Instant::now());
        let pace = Duration::from_millis(20);
        let ask = || asking(fastrand::u32(1..=PRODUCTS));
        let script = async {
            // Times are the point here: how it is before, and how it is when Redis is gone.
            sleep(Duration::from_secs(1)).await;
            let gone = script().await;
            let hits = self.hits_of_redis().await;
            until(|| async { self.hits_of_redis().await > hits + 10 }).await;
            (gone, Instant::now())
        };
        let (gone, back) = load.beside((connections, pace), ask, judge, script).await;
        let a_second_later = gone.from + Duration::from_secs(1);
        let before = load.times(began, gone.from);
        let first = load.times(gone.from, a_second_later);
        let then = load.times(a_second_later, gone.to);
        let back = back.saturating_duration_since(gone.to);
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
        // Nobody asks it any more, so hardly anybody waits.
        assert!(then.percentile(90) < LIMIT, "{:?}", then.percentile(90));
        assert!(back < Duration::from_secs(2), "{back:?}");
        until(|| self.hits()).await;
    }
}

fn asking(id: u32) -> Value {
    json!({
        "query": "query($id: ID!) { product(id: $id) { id name } }",
        "variables": { "id": id.to_string() },
    })
}

fn judge(asked: &Value, data: &Value) {
    assert_eq!(data["product"]["id"], asked["variables"]["id"]);
}

/// How long Redis is gone.
const A_WHILE: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_redis_that_is_killed_under_load_costs_no_request() {
    let Some(mut server) = Server::start().await else {
        return;
    };
    let served = Served::start(&format!("url: '{}'", server.address())).await;
    served
        .under_load("killed", async || {
            let from = Instant::now();
            server.kill();
            sleep(A_WHILE).await;
            assert_eq!(served.weir.counted("weir_cache_redis_up").await, 0);
            server.restart().await;
            let to = Instant::now();
            Gone { from, to }
        })
        .await;
}

#[tokio::test]
async fn a_redis_that_stalls_under_load_costs_no_request() {
    let Some(server) = Server::start().await else {
        return;
    };
    let served = Served::start(&format!("url: '{}'", server.address())).await;
    served
        .under_load("stalled", async || {
            let from = Instant::now();
            server.stall();
            sleep(A_WHILE).await;
            assert_eq!(served.weir.counted("weir_cache_redis_up").await, 0);
            server.resume();
            let to = Instant::now();
            Gone { from, to }
        })
        .await;
}

#[tokio::test]
async fn a_redis_that_is_slow_under_load_costs_no_request() {
    let Some(server) = Server::start().await else {
        return;
    };
    let relay = Relay::to(server.port).await;
    let served = Served::start(&format!("url: 'redis://127.0.0.1:{}'", relay.port)).await;
    served
        .under_load("slow", async || {
            let from = Instant::now();
            let closed = r#"weir_cache_redis_breaker_total{to="closed"}"#;
            let before = served.weir.counted(closed).await;
            relay.slow_down(LIMIT * 4);
            sleep(A_WHILE).await;
            // It does answer, but not in time: that is no reason to ask it again.
            assert_eq!(served.weir.counted(closed).await, before);
            assert_eq!(served.weir.counted("weir_cache_redis_up").await, 0);
            relay.slow_down(Duration::ZERO);
            let to = Instant::now();
            Gone { from, to }
        })
        .await;
}

#[tokio::test]
async fn a_node_of_a_cluster_that_dies_under_load_costs_no_request() {
    let Some(mut nodes) = cluster(1).await else {
        return;
    };
    let urls: Vec<_> = nodes
        .iter()
        .map(|node| format!("'{}'", node.address()))
        .collect();
    let served = Served::start(&format!("cluster: [{}]", urls.join(", "))).await;
    // The replica is of some node; that one dies.
    let master: Vec<String> = nodes[3].ask(&["ROLE"]).await;
    let port: u16 = master[2].parse().unwrap();
    let dying = nodes.iter().position(|node| node.port == port).unwrap();
    served
        .under_load("a node killed", async || {
            let from = Instant::now();
            nodes[dying].kill();
            until(|| async {
                let role: Vec<redis::Value> = nodes[3].ask(&["ROLE"]).await;
                let info: String = nodes[3].ask(&["CLUSTER", "INFO"]).await;
                role[0] == redis::Value::BulkString(b"master".to_vec())
                    && info.contains("cluster_state:ok")
            })
            .await;
            let to = Instant::now();
            Gone { from, to }
        })
        .await;
}
