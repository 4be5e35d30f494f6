//! Placing, cancelling and advancing orders.

use mocks::{Clock, Service, Settings, Shop};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Reply, get, patch, post, request, send, stock, with_json};

#[tokio::test]
async fn placing_an_order_reserves_the_pieces() {
    let settings = Settings {
        clock: Clock::Fixed(1_767_225_600),
        ..Settings::default()
    };
    let shop = Shop::start_with(settings).await.unwrap();
    let before = stock(&shop.products, "1").await;
    let placed = place(&shop.orders, &two_of_one()).await;
    assert_eq!(placed.header("location"), "/orders/5001");
    let order = placed.expect(201);
    assert_eq!(
        order,
        json!({
            "id": "5001", "status": "PLACED", "userId": "60", "merchantIds": ["2"],
            "items": [{
                "productId": "1", "quantity": 2,
                "unitPrice": { "amount": 4510, "currency": "EUR" },
            }],
            "total": { "amount": 9020, "currency": "EUR" },
            "placedAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
        })
    );
    assert_eq!(stock(&shop.products, "1").await, before - 2);
    assert_eq!(get(&shop.orders, "/orders/5001").await.json(), order);
    for (path, key) in [
        ("/orders/by-user?userIds=60&first=1", "orders"),
        ("/orders/by-merchant?merchantIds=2&first=1", "orders"),
    ] {
        assert_eq!(
            get(&shop.orders, path).await.items()[0][key][0],
            order,
            "{path}"
        );
    }
    shop.stop().await;
}

#[tokio::test]
async fn an_order_beyond_the_stock_fails_without_effect() {
    let shop = Shop::start().await.unwrap();
    patch(&shop.products, "/products/1", &json!({ "stock": 1 }))
        .await
        .expect(200);
    let problem = place(&shop.orders, &two_of_one()).await.expect(409);
    assert_eq!(problem["type"], "urn:shop:stock-short");
    assert_eq!(problem["instance"], "/orders");
    assert_eq!(
        problem["shortages"],
        json!([{ "productId": "1", "requested": 2, "available": 1 }])
    );
    let unknown = json!({ "userId": "60", "items": [{ "productId": "2000", "quantity": 1 }] });
    let problem = place(&shop.orders, &unknown).await.expect(422);
    assert_eq!(problem["type"], "urn:shop:unknown-product");
    assert_eq!(stock(&shop.products, "1").await, 1);
    assert_eq!(
        get(&shop.orders, "/orders?limit=1").await.json()["total"],
        5_000
    );
    shop.stop().await;
}

#[tokio::test]
async fn invalid_orders_are_rejected_without_a_call_to_products() {
    let shop = Shop::start().await.unwrap();
    for order in [
        json!({ "userId": "60", "items": [] }),
        json!({ "userId": "60", "items": [["1", 1]] }),
        json!({ "userId": "sixty", "items": [{ "productId": "1", "quantity": 1 }] }),
        json!({ "userId": 60, "items": [{ "productId": "1", "quantity": 1 }] }),
        json!({ "items": [{ "productId": "1", "quantity": 1 }] }),
        json!({ "userId": "60", "items": vec![json!({ "productId": "1", "quantity": 1 }); 51] }),
        json!({ "userId": "60", "items": [{ "productId": "1", "quantity": 1 }], "gift": true }),
    ] {
        place(&shop.orders, &order).await.expect(422);
    }
    assert_eq!(shop.products.calls(), 0);
    shop.stop().await;
}

#[tokio::test]
async fn the_same_key_places_one_order() {
    let shop = Shop::start().await.unwrap();
    let before = stock(&shop.products, "1").await;
    let first = place_with_key(&shop.orders, "k-1", &two_of_one()).await;
    assert_eq!(first.header("idempotency-replayed"), "");
    let order = first.expect(201);
    // Later changes of the order do not change the replayed response.
    post(&shop.orders, "/orders/5001/advance", &json!({}))
        .await
        .expect(200);

    let second = place_with_key(&shop.orders, "k-1", &two_of_one()).await;
    assert_eq!(second.expect(201), order);
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(second.header("location"), first.header("location"));
    assert_eq!(stock(&shop.products, "1").await, before - 2);

    let other = json!({ "userId": "61", "items": [{ "productId": "1", "quantity": 2 }] });
    let problem = place_with_key(&shop.orders, "k-1", &other)
        .await
        .expect(422);
    assert_eq!(problem["type"], "urn:shop:idempotency-key-reused");

    let third = place_with_key(&shop.orders, "k-2", &two_of_one())
        .await
        .expect(201);
    assert_eq!(third["id"], "5002");
    assert_eq!(shop.products.calls_to("POST /reservations"), 2);
    shop.stop().await;
}

#[tokio::test]
async fn a_key_of_a_failed_order_can_be_used_again() {
    let shop = Shop::start().await.unwrap();
    patch(&shop.products, "/products/1", &json!({ "stock": 1 }))
        .await
        .expect(200);
    place_with_key(&shop.orders, "k", &two_of_one())
        .await
        .expect(409);
    patch(&shop.products, "/products/1", &json!({ "stock": 5 }))
        .await
        .expect(200);
    let placed = place_with_key(&shop.orders, "k", &two_of_one()).await;
    placed.expect(201);
    assert_eq!(placed.header("idempotency-replayed"), "");
    assert_eq!(stock(&shop.products, "1").await, 3);
    for bad in [String::new(), "x".repeat(256)] {
        place_with_key(&shop.orders, &bad, &two_of_one())
            .await
            .expect(400);
    }
    shop.stop().await;
}

#[tokio::test]
async fn an_order_without_a_common_currency_releases_its_pieces() {
    let shop = Shop::start().await.unwrap();
    let dollars = json!({ "price": { "amount": 500, "currency": "USD" } });
    patch(&shop.products, "/products/2", &dollars)
        .await
        .expect(200);
    let before = (
        stock(&shop.products, "1").await,
        stock(&shop.products, "2").await,
    );
    let mixed = json!({ "userId": "60", "items": [
        { "productId": "1", "quantity": 1 }, { "productId": "2", "quantity": 1 },
    ] });
    let problem = place(&shop.orders, &mixed).await.expect(422);
    assert_eq!(problem["type"], "urn:shop:no-total");
    assert!(problem.get("reservationId").is_none());
    // The pieces were reserved, and are released before the response.
    assert_eq!(shop.products.calls_to("POST /reservations"), 1);
    assert_eq!(shop.products.calls_to("DELETE /reservations/{id}"), 1);
    let after = (
        stock(&shop.products, "1").await,
        stock(&shop.products, "2").await,
    );
    assert_eq!(after, before);
    assert_eq!(
        get(&shop.orders, "/orders?limit=1").await.json()["total"],
        5_000
    );
    shop.stop().await;
}

#[tokio::test]
async fn an_order_beyond_the_maximum_releases_its_pieces() {
    let settings = Settings {
        max_orders: 5_001,
        ..Settings::default()
    };
    let shop = Shop::start_with(settings).await.unwrap();
    place(&shop.orders, &two_of_one()).await.expect(201);
    let before = stock(&shop.products, "1").await;
    let problem = place(&shop.orders, &two_of_one()).await.expect(507);
    assert_eq!(problem["type"], "urn:shop:book-full");
    assert_eq!(stock(&shop.products, "1").await, before);
    shop.stop().await;
}

#[tokio::test]
async fn a_cancelled_order_releases_its_pieces_once() {
    let shop = Shop::start().await.unwrap();
    let before = stock(&shop.products, "1").await;
    place(&shop.orders, &two_of_one()).await.expect(201);
    let order = act(&shop.orders, "5001", "cancel").await.expect(200);
    assert_eq!(order["status"], "CANCELLED");
    assert_eq!(stock(&shop.products, "1").await, before);
    let problem = act(&shop.orders, "5001", "cancel").await.expect(409);
    assert_eq!(problem["type"], "urn:shop:order-status");
    assert_eq!(problem["orderStatus"], "CANCELLED");
    act(&shop.orders, "5001", "advance").await.expect(409);
    assert_eq!(stock(&shop.products, "1").await, before);
    shop.stop().await;
}

#[tokio::test]
async fn an_order_of_the_seed_data_can_be_cancelled() {
    let shop = Shop::start().await.unwrap();
    let open = get(&shop.orders, "/orders?status=PAID&limit=1")
        .await
        .items();
    let item = &open[0]["items"][0];
    let product = item["productId"].as_str().unwrap();
    let before = stock(&shop.products, product).await;
    act(&shop.orders, open[0]["id"].as_str().unwrap(), "cancel")
        .await
        .expect(200);
    let after = stock(&shop.products, product).await;
    assert_eq!(after, before + item["quantity"].as_u64().unwrap());
    shop.stop().await;
}

#[tokio::test]
async fn an_order_advances_one_status_at_a_time() {
    let shop = Shop::start().await.unwrap();
    place(&shop.orders, &two_of_one()).await.expect(201);
    for status in ["PAID", "SHIPPED"] {
        let order = act(&shop.orders, "5001", "advance").await.expect(200);
        assert_eq!(order["status"], status);
        assert_eq!(get(&shop.orders, "/orders/5001").await.json(), order);
    }
    // A shipped order cannot be cancelled.
    act(&shop.orders, "5001", "cancel").await.expect(409);
    assert_eq!(
        act(&shop.orders, "5001", "advance").await.json()["status"],
        "DELIVERED"
    );
    act(&shop.orders, "5001", "advance").await.expect(409);
    act(&shop.orders, "5002", "advance").await.expect(404);
    act(&shop.orders, "5002", "cancel").await.expect(404);
    assert_eq!(shop.products.calls_to("DELETE /reservations/{id}"), 0);
    shop.stop().await;
}

async fn place(orders: &Service, order: &Value) -> Reply {
    post(orders, "/orders", order).await
}

async fn place_with_key(orders: &Service, key: &str, order: &Value) -> Reply {
    let request = request(orders, Method::POST, "/orders").header("idempotency-key", key);
    send(with_json(request, order)).await
}

async fn act(orders: &Service, id: &str, action: &str) -> Reply {
    send(request(
        orders,
        Method::POST,
        &format!("/orders/{id}/{action}"),
    ))
    .await
}

fn two_of_one() -> Value {
    json!({ "userId": "60", "items": [{ "productId": "1", "quantity": 2 }] })
}
