//! Errors of sources: what clients see, and what the log has.

#![expect(
    clippy::unused_async,
    reason = "the library calls asynchronous resolvers only"
)]

use async_graphql::{EmptyMutation, EmptySubscription, ErrorExtensions as _, Object, Schema};
use gateway::config::Config;
use gateway::launch::Gateway;
use gateway::local::AsyncGraphqlService;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::client::exchange;
use crate::commands::{Folder, terminate};
use crate::running::{Running, linked};
use crate::services::{config, post, subgraph};

/// A subgraph whose database is down.
struct Query;

#[Object]
impl Query {
    async fn stock(&self) -> async_graphql::Result<Option<i32>> {
        let error = async_graphql::Error::new(SECRET).extend_with(|_, extensions| {
            extensions.set("code", "OUT_OF_STOCK");
            extensions.set("retryAfter", 30);
            extensions.set("serviceName", "inner-stock-7");
            extensions.set("stacktrace", vec!["at connect (pg.js:17)"]);
        });
        Err(error)
    }
}

const SECRET: &str = "connect ECONNREFUSED 10.0.0.5:5432 user=admin";

const STOCK: &str = "type Query { stock: Int }";

const SUPERGRAPH: &str = "graph: { supergraph: unread.graphql }\n";

fn stock() -> Schema<Query, EmptyMutation, EmptySubscription> {
    Schema::new(Query, EmptyMutation, EmptySubscription)
}

async fn error(config: &Config) -> Value {
    let graph = linked(config, &[subgraph("stock", None, STOCK)]);
    let builder = Gateway::builder(config, graph).mount("stock", AsyncGraphqlService(stock()));
    let gateway = Running::from_builder(builder, CancellationToken::new()).await;
    let answer = post(gateway.address, "{ stock }", &[]).await;
    assert_eq!(answer["data"], json!({ "stock": null }));
    answer["errors"].clone()
}

#[tokio::test]
async fn errors_of_a_subgraph_are_redacted_but_for_their_code() {
    let errors = error(&config(SUPERGRAPH)).await;

    let expected = json!([{
        "message": "the source returned an error",
        "path": ["stock"],
        "extensions": { "code": "OUT_OF_STOCK" },
    }]);
    assert_eq!(errors, expected);
}

#[tokio::test]
async fn messages_and_extensions_are_allowed_for_each_subgraph() {
    let own = "errors: { messages: none, extensions: [],
  subgraphs: { stock: { messages: all, extensions: [code, retryAfter, serviceName] } } }";
    let inherited = "errors: { messages: all, extensions: [code, retryAfter, serviceName],
  subgraphs: { stock: {} } }";
    for text in [own, inherited] {
        let errors = error(&config(&format!("{SUPERGRAPH}{text}"))).await;

        let extensions =
            json!({ "code": "OUT_OF_STOCK", "retryAfter": 30, "serviceName": "stock" });
        let expected = json!([{ "message": SECRET, "path": ["stock"], "extensions": extensions }]);
        assert_eq!(errors, expected, "{text}");
    }

    let all = error(&config(&format!(
        "{SUPERGRAPH}errors: {{ extensions: ['*'] }}"
    )))
    .await;
    assert_eq!(all[0]["message"], "the source returned an error");
    assert_eq!(
        all[0]["extensions"]["stacktrace"],
        json!(["at connect (pg.js:17)"])
    );
}

#[tokio::test]
async fn the_log_has_a_redacted_error_once_with_the_request_id() {
    let service = mocks::graphql("stock", stock()).await.unwrap();
    let config = "listen: { address: '127.0.0.1:0' }
log: { format: json }
graph: { subgraphs: { stock: { schema: stock.graphql, url: 'URL/graphql' } } }
";
    let config = config.replace("URL", service.url());
    let files = [("weir.yaml", &*config), ("stock.graphql", STOCK)];
    let folder = Folder::new("redacted", &files);
    let (child, address) = folder.serve(&[]).await;

    let headers = [
        ("content-type", "application/json"),
        ("x-request-id", "tuesday"),
    ];
    let query = r#"{"query":"{ stock }"}"#;
    let answer = exchange(address, "POST /graphql", &headers, query).await;
    terminate(&child).await;
    let log = child.wait_with_output().await.unwrap();

    let body = String::from_utf8(answer.body).unwrap();
    let log = String::from_utf8(log.stderr).unwrap();
    for secret in [SECRET, "pg.js", "inner-stock-7"] {
        assert!(!body.contains(secret), "{body}");
        assert_eq!(log.matches(secret).count(), 1, "{log}");
    }
    let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
    let failures: Vec<Value> = lines
        .filter(|line: &Value| line["message"] == "a call failed")
        .collect();
    assert_eq!(failures.len(), 1, "{log}");
    assert_eq!(failures[0]["request_id"], "tuesday");
}
