//! Counters of calls.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mocks::{Fault, Shop};
use reqwest::Method;

use crate::client::{get, request, send};

#[tokio::test]
async fn calls_are_counted_by_route_for_any_response() {
    let shop = Shop::start().await.unwrap();
    for path in [
        "/users/1",
        "/users/2",
        "/users/1001",
        "/users?ids=1",
        "/users?limit=0",
    ] {
        get(&shop.users, path).await;
    }
    send(request(&shop.users, Method::HEAD, "/users/1")).await;
    get(&shop.users, "/nothing").await;
    send(request(&shop.users, Method::DELETE, "/users/1")).await;
    shop.users.fault(Some(Fault::Status(503)));
    get(&shop.users, "/users/1").await;
    shop.users.fault(None);

    assert_eq!(shop.users.calls(), 9);
    assert_eq!(shop.users.calls_to("GET /users/{id}"), 5);
    assert_eq!(shop.users.calls_to("GET /users"), 2);
    assert_eq!(shop.users.calls_to("POST /users"), 0);
    assert_eq!(shop.users.calls_to("unmatched"), 2);
    assert_eq!((shop.products.calls(), shop.orders.calls()), (0, 0));
    let sum: u64 = shop
        .users
        .routes()
        .map(|route| shop.users.calls_to(route))
        .sum();
    assert_eq!(sum + 2, shop.users.calls());

    let json = get(&shop.users, "/_calls").await.json();
    assert_eq!(
        (&json["service"], &json["calls"]),
        (&"users".into(), &9.into())
    );
    assert_eq!(json["routes"]["GET /users/{id}"], 5);

    shop.users.reset_calls();
    assert_eq!(shop.users.calls(), 0);
    get(&shop.users, "/users/1").await;
    assert_eq!(shop.users.calls_to("GET /users/{id}"), 1);
    shop.stop().await;
}

#[tokio::test]
async fn calls_of_control_routes_are_not_counted() {
    let shop = Shop::start().await.unwrap();
    for path in [
        "/health",
        "/metrics",
        "/_calls",
        "/_faults",
        "/openapi.yaml",
    ] {
        assert_eq!(get(&shop.orders, path).await.status, 200, "{path}");
    }
    assert_eq!(shop.orders.calls(), 0);
    shop.stop().await;
}

#[tokio::test]
async fn metrics_are_not_reset() {
    let shop = Shop::start().await.unwrap();
    get(&shop.products, "/products/1").await.expect(200);
    get(&shop.products, "/products/1001").await.expect(404);
    shop.products.reset_calls();
    let metrics = get(&shop.products, "/metrics").await;
    assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4");
    let text = String::from_utf8(metrics.body.to_vec()).unwrap();
    for line in [
        "# TYPE shop_calls_total counter",
        r#"shop_calls_total{service="products",route="GET /products/{id}"} 2"#,
        r#"shop_calls_total{service="products",route="POST /reservations"} 0"#,
        r#"shop_answers_total{service="products",route="GET /products/{id}",class="2xx"} 1"#,
        r#"shop_answers_total{service="products",route="GET /products/{id}",class="4xx"} 1"#,
    ] {
        assert!(text.lines().any(|other| other == line), "{line} in\n{text}");
    }
    shop.stop().await;
}

#[tokio::test]
async fn an_unknown_route_panics() {
    let shop = Shop::start().await.unwrap();
    let count = || shop.users.calls_to("GET /user");
    assert!(catch_unwind(AssertUnwindSafe(count)).is_err());
    let switch = || shop.users.fault_on("GET /user", None);
    assert!(catch_unwind(AssertUnwindSafe(switch)).is_err());
    shop.stop().await;
}
