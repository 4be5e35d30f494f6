//! Services that stop, stall or answer nonsense: which fields fail, and which do not.

use std::time::Duration;

use mocks::Fault;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::Running;

const QUERY: &str = "{ order(id: 3) { id status customer { id name } } product(id: 1) { name } }";

/// Checks that the fields of one service are null by the null rules, and that the others are there.
#[track_caller]
fn assert_fails_only_users(answer: &Value, error: &str) {
    // `User.name` may not be null, nor may `Order.customer`, so the order is null.
    assert_eq!(answer["data"]["order"], Value::Null, "{answer:#}");
    assert!(answer["data"]["product"]["name"].is_string(), "{answer:#}");
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{answer:#}");
    let line = errors[0].as_str().unwrap();
    let expected = format!("order.customer.name: users:User[0]: {error}");
    assert!(line.starts_with(&expected), "{line}\nexpected {expected}");
}

#[tokio::test]
async fn a_stopped_service_fails_its_own_fields() {
    let mut running = Running::start().await;
    running.shop.users.stop().await;

    let answer = running.execute(QUERY).await;

    assert_fails_only_users(&answer, "no connection");
}

#[tokio::test]
async fn a_stalled_service_fails_its_own_fields_at_the_timeout() {
    let timeout = Duration::from_millis(200);
    let running = Running::with(|settings| settings.source_timeout = timeout).await;
    running.shop.users.fault(Some(Fault::Stall));
    let start = Instant::now();

    let answer = running.execute(QUERY).await;

    assert_fails_only_users(&answer, "no response within 200ms");
    assert!(start.elapsed() >= timeout);
    assert!(
        start.elapsed() < Duration::from_secs(4),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn an_operation_ends_at_its_own_timeout_with_partial_data() {
    let running = Running::with(|settings| {
        settings.operation_timeout = Duration::from_millis(300);
    })
    .await;
    running.shop.users.fault(Some(Fault::Stall));
    let start = Instant::now();

    let answer = running.execute(QUERY).await;

    assert_fails_only_users(&answer, "no response within 300ms");
    assert!(
        start.elapsed() < Duration::from_secs(4),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_broken_response_fails_its_own_fields() {
    for (fault, error) in [
        (
            Fault::NotJson,
            "answered 200 OK with a body that is not JSON",
        ),
        (Fault::CutShort, "the connection broke"),
        (Fault::Reset, "the connection broke"),
        (Fault::Status(500), "answered 500 Internal Server Error"),
        (Fault::Status(503), "answered 503 Service Unavailable"),
        (Fault::Status(429), "answered 429 Too Many Requests"),
    ] {
        let running = Running::start().await;
        running.shop.users.fault(Some(fault));

        let answer = running.execute(QUERY).await;

        assert_fails_only_users(&answer, error);
    }
}

#[tokio::test]
async fn a_slow_response_within_the_timeout_is_used() {
    let running = Running::start().await;
    running
        .shop
        .users
        .fault(Some(Fault::Delay(Duration::from_millis(50))));
    let products = Fault::Trickle(Duration::from_millis(1));
    running.shop.products.fault(Some(products));

    let answer = running.execute(QUERY).await;

    assert!(answer["order"]["customer"]["name"].is_string(), "{answer}");
    assert!(answer["product"]["name"].is_string(), "{answer}");
}

#[tokio::test]
async fn a_response_over_the_limit_fails() {
    let running = Running::with(|settings| settings.limits.source_body = 2_000).await;

    let answer = running
        .execute("{ users(first: 500) { nodes { name } } product(id: 1) { id } }")
        .await;

    // `Query.users` is not nullable, so the data is null.
    assert_eq!(answer["data"], Value::Null);
    let expected = "users: users:Query.users[0]: answered with more than 2000 bytes";
    assert_eq!(answer["errors"], json!([expected]));
}

#[tokio::test]
async fn a_failure_of_many_objects_has_an_error_for_each_up_to_the_limit() {
    let running = Running::with(|settings| settings.limits.errors = 4).await;
    running.shop.users.fault(Some(Fault::Status(500)));

    let answer = running
        .execute(
            "{ a: order(id: 1) { customer { name } } b: order(id: 2) { customer { name } } \
              c: order(id: 3) { customer { name } } d: order(id: 4) { customer { name } } \
              e: order(id: 5) { customer { name } } f: order(id: 6) { customer { name } } }",
        )
        .await;

    let errors = answer["errors"].as_array().unwrap();
    let last = errors.last().unwrap();
    assert_eq!(errors.len(), 5, "{answer:#}");
    assert_eq!(last, ": 2 more");
}

#[tokio::test]
async fn fields_that_need_a_failed_fetch_fail_with_it() {
    let running = Running::start().await;
    running.shop.products.fault(Some(Fault::Status(500)));

    let answer = running
        .execute("{ order(id: 3) { id items { quantity product { merchant { name } } } } merchant(id: 2) { name } }")
        .await;

    assert_eq!(answer["data"]["order"], Value::Null);
    assert!(answer["data"]["merchant"]["name"].is_string());
    let line = answer["errors"][0].as_str().unwrap();
    assert_eq!(
        line,
        "order.items.0.product.merchant: products:Product[0]: answered 500 Internal Server Error"
    );
}

#[tokio::test]
async fn a_service_that_recovers_is_called_again() {
    let running = Running::start().await;
    running.shop.users.fault(Some(Fault::Reset));
    let broken = running.execute(QUERY).await;
    running.shop.users.fault(None);

    let whole = running.execute(QUERY).await;

    assert_eq!(broken["data"]["order"], Value::Null);
    assert!(whole["order"]["customer"]["name"].is_string(), "{whole}");
}
