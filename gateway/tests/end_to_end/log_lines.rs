//! The log: what clients and services send has a bounded part in it.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::process::Child;

use crate::client::exchange;
use crate::commands::{Folder, terminate};

/// Serves a connector whose calls all fail, with a log in JSON.
async fn serve(name: &str) -> (Child, SocketAddr) {
    let config = "listen: { address: '127.0.0.1:0' }
graph: { subgraphs: { users: { schema: users.graphql } } }
limits: { body_size: 1MiB }
log: { format: json, field_length: 256, failures: 3 }
";
    let files = [("weir.yaml", config), ("users.graphql", SDL)];
    Folder::new(name, &files).serve(&["serve"]).await
}

const SDL: &str = r#"
extend schema @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@connect"])
type Query {
  a(id: ID): String @connect(http: { GET: "http://127.0.0.1:1/a/{$args.id}" }, selection: "$")
  b(id: ID): String
    @connect(http: { GET: "http://127.0.0.1:1/b", queryParams: "id: $args.id" }, selection: "$")
}
"#;

async fn post(address: SocketAddr, body: &Value) {
    let headers = [("content-type", "application/json")];
    let answer = exchange(address, "POST /graphql", &headers, &body.to_string()).await;
    assert_eq!(answer.status, 200);
}

async fn lines(child: Child) -> Vec<Value> {
    terminate(&child).await;
    let ended = child.wait_with_output().await.unwrap();
    let text = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(text.lines().all(|line| line.len() < 2_000), "{text}");
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

#[tokio::test]
async fn texts_of_clients_are_cut() {
    let (child, address) = serve("log-cut").await;
    let name = "é".repeat(200_000);
    post(
        address,
        &json!({ "query": "{ __typename }", "operationName": name }),
    )
    .await;
    let path = format!("GET /{}", "p".repeat(50_000));
    exchange(address, &path, &[], "").await;

    let lines = lines(child).await;

    let requests: Vec<&Value> = lines
        .iter()
        .filter(|it| it["message"] == "request")
        .collect();
    let operation = requests[0]["operation"].as_str().unwrap();
    assert!(operation.ends_with("é… (200000 characters)"), "{operation}");
    assert_eq!(operation.matches('é').count(), 256);
    let path = requests[1]["path"].as_str().unwrap();
    assert!(path.ends_with("p… (50001 characters)"), "{path}");
}

#[tokio::test]
async fn failed_calls_of_a_request_have_a_few_lines() {
    let (child, address) = serve("log-failures").await;
    let calls: Vec<_> = (0..500).map(|at| format!("b{at}: b(id: {at})")).collect();
    post(
        address,
        &json!({ "query": format!("{{ {} }}", calls.join(" ")) }),
    )
    .await;
    let calls: Vec<_> = (0..10).map(|at| format!("a{at}: a(id: {at})")).collect();
    post(
        address,
        &json!({ "query": format!("{{ {} }}", calls.join(" ")) }),
    )
    .await;

    let lines = lines(child).await;

    let failed = |message: &str| -> Vec<&Value> {
        lines.iter().filter(|it| it["message"] == message).collect()
    };
    let calls: Vec<_> = failed("a call failed")
        .iter()
        .map(|it| it["calls"].clone())
        .collect();
    assert_eq!(calls, [json!(500), json!(null), json!(null), json!(null)]);
    let others = failed("further calls failed");
    assert_eq!(others.len(), 1, "{others:?}");
    assert_eq!(others[0]["calls"], 7);
}
