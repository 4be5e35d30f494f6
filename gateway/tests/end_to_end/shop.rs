//! The demo over HTTP: what a client receives, whatever its services do.
//!
//! Fetches, their number and their order are tested in `resolvers`.

use std::time::Duration;

use mocks::{Fault, Shop};
use serde_json::{Value, json};

use crate::client::{Answer, Connection, exchange};
use crate::running::Running;

async fn post(gateway: &Running, query: &str, headers: &[(&str, &str)]) -> Answer {
    let mut all = vec![("content-type", "application/json")];
    all.extend_from_slice(headers);
    let body = json!({ "query": query }).to_string();
    exchange(gateway.address, "POST /graphql", &all, &body).await
}

#[tokio::test]
async fn the_default_query_of_graphiql_takes_one_call_to_each_service() {
    let shop = Shop::start().await.unwrap();
    let gateway = Running::before(&shop).await;
    let page = include_str!("../../ui/src/first-query.js");
    let query = page.split('`').nth(1).unwrap();

    let answer = post(&gateway, query, &[]).await;

    let json = answer.json();
    assert_eq!(answer.status, 200);
    assert_eq!(json.get("errors"), None, "{json}");
    let orders = json["data"]["orders"]["nodes"].as_array().unwrap();
    assert_eq!(orders.len(), 50);
    for order in orders {
        assert!(order["customer"]["email"].is_string(), "{order}");
        assert!(order["shippingEstimate"]["amount"].is_i64(), "{order}");
    }
    let calls = gateway::shop::services(&shop).map(mocks::Service::calls);
    assert_eq!(calls, [1, 1, 1, 1]);
}

#[tokio::test]
async fn a_failing_service_fails_its_fields_and_is_not_named_to_clients() {
    for (fault, code) in [
        (Fault::Reset, "SOURCE_UNAVAILABLE"),
        (Fault::Stall, "SOURCE_TIMEOUT"),
        (Fault::NotJson, "SOURCE_BAD_RESPONSE"),
        (Fault::Status(503), "CONNECTOR_FETCH"),
    ] {
        let shop = Shop::start().await.unwrap();
        shop.users.fault(Some(fault));
        let gateway = Running::alone(|config| {
            gateway::shop::configure(&shop, config);
            // The timeout is short for this fault only: a busy machine may delay the others.
            if matches!(fault, Fault::Stall) {
                config.connectors.timeout = Duration::from_millis(250);
            }
        })
        .await;

        let query = "{ user(id: 3) { name } product(id: 1) { name } }";
        let answer = post(&gateway, query, &[]).await;

        let json = answer.json();
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (200, code),
            "{fault:?}"
        );
        assert_eq!(json["errors"][0]["path"], json!(["user"]), "{fault:?}");
        assert_eq!(json["data"]["user"], Value::Null);
        assert!(json["data"]["product"]["name"].is_string(), "{json}");
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        for secret in ["127.0.0.1", "users:", "http://"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[tokio::test]
async fn the_idempotency_key_is_forwarded_to_the_service() {
    let shop = Shop::start().await.unwrap();
    let gateway = Running::before(&shop).await;
    let mutation = "mutation { placeOrder(input: { customerId: \"1\", items: [{ productId: \"3\", quantity: 1 }] }) { id } }";

    let first = post(&gateway, mutation, &[("idempotency-key", "tuesday")])
        .await
        .json();
    let again = post(&gateway, mutation, &[("idempotency-key", "tuesday")])
        .await
        .json();
    let other = post(&gateway, mutation, &[("idempotency-key", "friday")])
        .await
        .json();

    let id = |answer: &Value| {
        answer["data"]["placeOrder"]["id"]
            .as_str()
            .map(str::to_owned)
    };
    assert!(id(&first).is_some(), "{first}");
    assert_eq!(id(&first), id(&again));
    assert_ne!(id(&first), id(&other));
}

#[tokio::test]
async fn configured_limits_apply_to_operations() {
    let gateway = Running::alone(|config| {
        config.limits.depth = 3.try_into().unwrap();
        config.limits.tokens = 100.try_into().unwrap();
        config.graph.introspection = gateway::config::graph::Introspection::Refuse;
    })
    .await;
    let code = async |query: &str| {
        let accept = ("accept", "application/graphql-response+json");
        let answer = post(&gateway, query, &[accept]).await;
        (answer.status, answer.code())
    };

    let deep = code("{ orders { nodes { customer { id } } } }").await;
    let long = code(&format!("{{ {} }}", "__typename ".repeat(200))).await;
    let introspection = code("{ __schema { queryType { name } } }").await;

    assert_eq!(deep, (400, "OPERATION_LIMIT_EXCEEDED".to_owned()));
    assert_eq!(long, (400, "OPERATION_LIMIT_EXCEEDED".to_owned()));
    assert_eq!(introspection, (400, "INTROSPECTION_DISABLED".to_owned()));
}

#[tokio::test]
async fn an_operation_in_flight_is_answered_during_shutdown() {
    let shop = Shop::start().await.unwrap();
    shop.orders
        .fault(Some(Fault::Delay(Duration::from_millis(200))));
    let stop = tokio_util::sync::CancellationToken::new();
    let gateway = Running::stoppable(stop.clone(), |config| {
        gateway::shop::configure(&shop, config);
        config.shutdown.grace = Duration::from_secs(10);
    })
    .await;
    let mut client = Connection::open(gateway.address).await;
    let body = json!({ "query": "{ orders(first: 1) { nodes { id } } }" }).to_string();
    client
        .request(
            "POST /graphql",
            &[("content-type", "application/json")],
            &body,
        )
        .await;
    while shop.orders.calls() == 0 {
        tokio::task::yield_now().await;
    }

    stop.cancel();
    let answer = client.answer().await.unwrap();

    assert_eq!(answer.json()["data"]["orders"]["nodes"][0]["id"], "5000");
    assert!(client.is_closed().await);
}
