//! A Redis Cluster for one test.

use std::process::{Command, Stdio};

use crate::server::Server;
use crate::support::until;

/// Starts a Cluster of three masters and some replicas, which come last.
pub(crate) async fn cluster(replicas: usize) -> Option<Vec<Server>> {
    let mut nodes = Vec::new();
    for _ in 0..3 + replicas {
        let arguments = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"];
        nodes.push(Server::with(&arguments).await?);
    }
    let address = |node: &Server| format!("127.0.0.1:{}", node.port);
    let masters = nodes.iter().take(3).map(address);
    cli(["--cluster", "create"]
        .map(str::to_owned)
        .into_iter()
        .chain(masters));
    let is_ready = async |node: &Server| {
        let info: String = node.command(&["CLUSTER", "INFO"]).await;
        info.contains("cluster_state:ok")
    };
    for node in nodes.iter().take(3) {
        until(|| is_ready(node)).await;
    }
    for node in nodes.iter().skip(3) {
        let arguments = [address(node), address(&nodes[0])];
        let add = ["--cluster", "add-node", "--cluster-slave"].map(str::to_owned);
        // The option comes after the addresses.
        let [one, two, option] = add;
        let [new, known] = arguments;
        cli([one, two, new, known, option]);
        until(|| async {
            node.command::<String>(&["INFO"])
                .await
                .contains("master_link_status:up")
        })
        .await;
        until(|| is_ready(node)).await;
    }
    Some(nodes)
}

fn cli(arguments: impl IntoIterator<Item = String>) {
    let output = Command::new("redis-cli")
        .args(arguments)
        .arg("--cluster-yes")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let output_text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output_text}");
}
