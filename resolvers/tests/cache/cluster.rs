//! Redis as a Cluster of three nodes, and with Sentinel.

use std::time::Duration;

use futures_util::future::join_all;
use resolvers::cache::{Cache, Clock, LookupOutcome, Propagation, RedisTopology};
use tokio::time::Instant;

use crate::nodes::cluster;
use crate::server::Server;
use crate::support::*;

#[tokio::test]
async fn a_cluster_stores_values_on_all_its_nodes() {
    let Some(nodes) = cluster(0).await else {
        return;
    };
    let clock = clock();
    let (one, two) = (
        on_cluster(&nodes, &clock).await,
        on_cluster(&nodes, &clock).await,
    );
    let names: Vec<String> = (0..50).map(|name| name.to_string()).collect();
    for name in &names {
        fill(&one, name, name, shared(3600)).await;
    }
    until(|| async { value_counts(&nodes).await.iter().sum::<usize>() == 50 }).await;
    assert!(value_counts(&nodes).await.iter().all(|count| *count > 0));

    let requests = names.iter().map(|name| product(name)).collect();
    let found = two.lookup(requests).await;
    for (name, found) in names.iter().zip(&found) {
        assert_eq!(summary(found), format!("{name} Redis"));
    }
    assert_eq!(
        one.invalidate(&[entity("7")]).await,
        Propagation::AllReplicas
    );
    let took = until(|| async { lookup_summary(&two, "7").await == "missing" }).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(lookup_summary(&two, "8").await, "8 Memory");
}

#[tokio::test]
async fn a_cluster_node_that_dies_delays_lookups_by_the_timeout_at_most() {
    let Some(mut nodes) = cluster(1).await else {
        return;
    };
    let clock = clock();
    let cache = on_cluster(&nodes, &clock).await;
    // The master of the replica dies.
    let master: Vec<String> = nodes[3].command(&["ROLE"]).await;
    let port: u16 = master[2].parse().unwrap();
    let dying = nodes.iter().position(|node| node.port == port).unwrap();
    nodes[dying].kill();
    let began = Instant::now();
    let mut slowest = Duration::ZERO;
    let mut is_back = false;
    while !is_back && began.elapsed() < Duration::from_secs(20) {
        let lookups = (0..30).map(|_| async {
            let began = Instant::now();
            let name = fastrand::u64(..).to_string();
            let found = lookup_one(&cache, product(&name)).await;
            assert!(
                matches!(found, LookupOutcome::Miss(_)),
                "{}",
                summary(&found)
            );
            began.elapsed()
        });
        slowest = slowest.max(join_all(lookups).await.into_iter().max().unwrap());
        let role: Vec<redis::Value> = nodes[3].command(&["ROLE"]).await;
        is_back = role[0] == redis::Value::BulkString(b"master".to_vec());
    }
    assert!(is_back, "no failover");
    assert!(slowest < LIMIT * 3, "{slowest:?}");
    // Values in the slots of every node are stored and found again.
    let names: Vec<String> = (0..60).map(|name| format!("after {name}")).collect();
    until(|| async {
        let requests = names.iter().map(|name| product(name)).collect();
        for found in cache.lookup(requests).await {
            if let LookupOutcome::Miss(claim) = found {
                claim.store(&body("new"), shared(3600));
            }
        }
        let fresh = on_cluster(&nodes, &clock).await;
        let requests = names.iter().map(|name| product(name)).collect();
        let found = fresh.lookup(requests).await;
        // Values missing in Redis are stored by this cache.
        let mut all = true;
        for found in found {
            if let LookupOutcome::Miss(claim) = found {
                all = false;
                claim.store(&body("new"), shared(3600));
            } else {
                all &= matches!(found, LookupOutcome::Fresh(_));
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        all
    })
    .await;
}

#[tokio::test]
async fn with_sentinel_the_replica_takes_over() {
    let Some(mut master) = Server::start().await else {
        return;
    };
    let port = master.port.to_string();
    let Some(replica) = Server::with(&["--replicaof", "127.0.0.1", &port]).await else {
        return;
    };
    until(|| async {
        replica
            .command::<String>(&["INFO"])
            .await
            .contains("master_link_status:up")
    })
    .await;
    let Some(sentinel) = Server::sentinel(master.port).await else {
        return;
    };
    until(|| async {
        sentinel
            .command::<String>(&["INFO"])
            .await
            .contains("slaves=1")
    })
    .await;
    let clock = clock();
    let topology = RedisTopology::Sentinel {
        sentinels: vec![sentinel.address()],
        master: "shop".to_owned(),
        server: None,
    };
    let cache = connected(with_redis(&clock, topology)).await;
    fill(&cache, "1", "one", shared(3600)).await;
    wait_until_stored(&master, &["1"]).await;
    until(|| async { replica.command::<usize>(&["DBSIZE"]).await >= 3 }).await;

    master.kill();
    until(|| async {
        let name = fastrand::u64(..).to_string();
        let began = Instant::now();
        match lookup_one(&cache, product(&name)).await {
            LookupOutcome::Miss(claim) => claim.store(&body("new"), shared(60)),
            other => panic!("{}", summary(&other)),
        }
        assert!(began.elapsed() < LIMIT * 3, "{:?}", began.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
        let name = format!("weir:1:{{{}}}:v", key(&name));
        replica.command::<usize>(&["EXISTS", &name]).await == 1
    })
    .await;
}

async fn on_cluster(nodes: &[Server], clock: &Clock) -> Cache {
    let nodes = nodes.iter().map(Server::address).collect();
    connected(with_redis(clock, RedisTopology::Cluster(nodes))).await
}

/// Number of values on each node.
async fn value_counts(nodes: &[Server]) -> Vec<usize> {
    let mut all = Vec::new();
    for node in nodes {
        let names: Vec<String> = node.command(&["KEYS", "*:v"]).await;
        all.push(names.len());
    }
    all
}
