//! The shop's graph over services of all kinds: REST, GraphQL, and resolvers in this process.

use std::collections::BTreeMap;

use gateway::shop;
use mocks::{Fault, Service, Shop};
use serde_json::{Value, json};

use crate::client::exchange;
use crate::running::Running;

/// What a first visitor sees, and some more.
const ORDERS: &str = "{ orders(first: 50) { nodes {
    id
    shippingEstimate { amount currency }
    customer { name address { country } lifetimeValue { amount currency } }
    items { quantity product { name averageRating reviews(first: 2) { nodes { rating author { name } } } } }
} } }";

async fn post(gateway: &Running, query: &str) -> Value {
    let body = json!({ "query": query }).to_string();
    let json = ("content-type", "application/json");
    exchange(gateway.address, "POST /graphql", &[json], &body)
        .await
        .json()
}

#[tokio::test]
async fn an_operation_over_sources_of_all_kinds_takes_the_calls_that_it_should() {
    let shop = Shop::start().await.unwrap();
    let gateway = Running::before(&shop).await;

    let answer = post(&gateway, ORDERS).await;

    assert_eq!(answer.get("errors"), None, "{answer}");
    let orders = answer["data"]["orders"]["nodes"].as_array().unwrap();
    assert_eq!(orders.len(), 50);
    for order in orders {
        let pieces = order["items"].as_array().unwrap().iter();
        let pieces: i64 = pieces.map(|item| item["quantity"].as_i64().unwrap()).sum();
        let country = order["customer"]["address"]["country"].as_str().unwrap();
        let (parcel, further) = match country {
            "DE" => (490, 50),
            "AT" | "BE" | "FR" | "NL" => (890, 90),
            _ => (1_190, 120),
        };
        let estimate = json!({ "amount": parcel + further * (pieces - 1), "currency": "EUR" });
        assert_eq!(order["shippingEstimate"], estimate, "{order}");
        assert!(order["customer"]["name"].is_string(), "{order}");
        for item in order["items"].as_array().unwrap() {
            assert!(item["product"]["name"].is_string(), "{item}");
            assert!(item["product"]["reviews"]["nodes"].is_array(), "{item}");
        }
    }
    let reviewed = |order: &Value| {
        let items = order["items"].as_array().unwrap().iter();
        let mut reviews = items.map(|item| &item["product"]["reviews"]["nodes"][0]);
        reviews.any(|review| review["author"]["name"].is_string())
    };
    assert!(orders.iter().any(reviewed), "{answer}");

    // Customers and then authors, whom only the reviews name; orders, and what customers spent.
    let calls = shop::services(&shop).map(Service::calls);
    assert_eq!(calls, [2, 1, 2, 1], "users, products, orders, reviews");
    assert_eq!(shop.orders.calls_to("GET /orders/by-user"), 1);
    assert_eq!(shop.reviews.calls_to("POST /graphql"), 1);
    shop.stop().await;
}

#[tokio::test]
async fn what_an_account_is_worth_is_what_its_orders_came_to() {
    let shop = Shop::start().await.unwrap();
    let gateway = Running::before(&shop).await;

    let query = "{ users(first: 40, after: \"120\") { nodes { id lifetimeValue { amount currency }
        orderHistory(first: 100) { nodes { status total { amount currency } } } } } }";
    let answer = post(&gateway, query).await;

    assert_eq!(answer.get("errors"), None, "{answer}");
    let users = answer["data"]["users"]["nodes"].as_array().unwrap();
    assert_eq!(users.len(), 40);
    let mut rich = 0;
    for user in users {
        let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
        for order in user["orderHistory"]["nodes"].as_array().unwrap() {
            if order["status"] != "CANCELLED" {
                let currency = order["total"]["currency"].as_str().unwrap();
                *sums.entry(currency).or_default() += order["total"]["amount"].as_i64().unwrap();
            }
        }
        let sums: Vec<_> = sums
            .iter()
            .map(|(currency, amount)| json!({ "amount": amount, "currency": currency }))
            .collect();
        rich += usize::from(!sums.is_empty());
        assert_eq!(user["lifetimeValue"], Value::from(sums), "{user}");
    }
    assert!(rich > 5, "{rich} of {} accounts have ordered", users.len());
    shop.stop().await;
}

#[tokio::test]
async fn a_computed_field_fails_with_what_it_is_computed_of_and_nothing_else_does() {
    let shop = Shop::start().await.unwrap();
    shop.users.fault(Some(Fault::Status(503)));
    let gateway = Running::before(&shop).await;

    let query = "{ order(id: 7) { id shippingEstimate { amount } customer { id lifetimeValue { amount } } } }";
    let answer = post(&gateway, query).await;

    let order = &answer["data"]["order"];
    assert_eq!(order["id"], "7", "{answer}");
    assert_eq!(order["shippingEstimate"], Value::Null, "{answer}");
    assert!(order["customer"]["lifetimeValue"].is_array(), "{answer}");
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{answer}");
    assert_eq!(errors[0]["path"], json!(["order", "shippingEstimate"]));
    shop.stop().await;
}

#[tokio::test]
async fn the_graph_that_ships_hides_what_is_only_there_to_compute_with() {
    let gateway = Running::alone(|_| ()).await;

    let spent = post(&gateway, "{ user(id: 1) { spent { amount } } }").await;
    let mutation = "{ __schema { mutationType { fields { name } } } __type(name: \"User\") { fields { name } } }";
    let schema = post(&gateway, mutation).await;

    let refused = "Cannot query field \"spent\" on type \"User\".";
    let errors = spent["errors"].as_array().unwrap();
    assert!(errors.iter().any(|it| it["message"] == refused), "{spent}");
    let schema = schema.to_string();
    assert!(schema.contains("addReview"), "{schema}");
    assert!(schema.contains("lifetimeValue"), "{schema}");
    assert!(!schema.contains("\"spent\""), "{schema}");
}
