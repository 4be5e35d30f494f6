//! Calls from orders to products fail: no piece is lost, and no order is placed partially.

use std::time::Duration;

use mocks::{Fault, Service, Settings, Shop};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{
    Reply, eventually, get, patch, post, request, send, stock, try_send, with_json,
};

#[tokio::test]
async fn pieces_are_released_when_the_response_to_a_reservation_is_lost() {
    for fault in [Fault::CutShort, Fault::Reset] {
        let shop = Shop::start().await.unwrap();
        let before = stock(&shop.products, "1").await;
        shop.products.fault_on("POST /reservations", Some(fault));
        let problem = post(&shop.orders, "/orders", &order()).await.expect(502);
        assert_eq!(
            problem["type"], "urn:shop:products-unavailable",
            "{fault:?}"
        );
        assert_eq!(shop.products.calls_to("POST /reservations"), 1, "{fault:?}");
        eventually("the pieces are back", async || {
            stock(&shop.products, "1").await == before
                && shop.products.calls_to("DELETE /reservations/{id}") == 1
        })
        .await;
        assert_eq!(total(&shop.orders).await, 5_000, "{fault:?}");
        shop.stop().await;
    }
}

#[tokio::test]
async fn a_release_is_retried_until_it_succeeds() {
    let shop = Shop::start().await.unwrap();
    let before = stock(&shop.products, "1").await;
    shop.products
        .fault_on("POST /reservations", Some(Fault::CutShort));
    shop.products
        .fault_on("DELETE /reservations/{id}", Some(Fault::Status(503)));
    post(&shop.orders, "/orders", &order()).await.expect(502);
    eventually("two attempts", async || {
        shop.products.calls_to("DELETE /reservations/{id}") >= 2
    })
    .await;
    assert_eq!(stock(&shop.products, "1").await, before - 2);
    shop.products.fault_on("DELETE /reservations/{id}", None);
    eventually("the pieces are back", async || {
        stock(&shop.products, "1").await == before
    })
    .await;
    shop.stop().await;
}

#[tokio::test]
async fn a_products_service_that_fails_is_a_bad_gateway() {
    for fault in [
        Fault::Status(500),
        Fault::Status(429),
        Fault::Status(409),
        Fault::NotJson,
    ] {
        let shop = Shop::start().await.unwrap();
        let before = stock(&shop.products, "1").await;
        shop.products.fault_on("POST /reservations", Some(fault));
        let problem = post(&shop.orders, "/orders", &order()).await.expect(502);
        assert_eq!(
            problem["type"], "urn:shop:products-unavailable",
            "{fault:?}"
        );
        assert_eq!(stock(&shop.products, "1").await, before, "{fault:?}");
        assert_eq!(total(&shop.orders).await, 5_000, "{fault:?}");
        shop.products.fault_on("POST /reservations", None);
        post(&shop.orders, "/orders", &order()).await.expect(201);
        shop.stop().await;
    }
}

#[tokio::test]
async fn a_products_service_that_is_silent_is_a_gateway_timeout() {
    let settings = Settings {
        products_timeout: Duration::from_millis(250),
        ..Settings::default()
    };
    let shop = Shop::start_with(settings).await.unwrap();
    shop.products.fault(Some(Fault::Stall));
    post(&shop.orders, "/orders", &order()).await.expect(504);
    shop.products.fault(None);
    assert_eq!(total(&shop.orders).await, 5_000);
    shop.stop().await;
}

#[tokio::test]
async fn a_products_service_that_is_gone_is_a_bad_gateway() {
    let mut shop = Shop::start().await.unwrap();
    shop.products.stop().await;
    post(&shop.orders, "/orders", &order()).await.expect(502);
    assert_eq!(total(&shop.orders).await, 5_000);
    shop.stop().await;
}

#[tokio::test]
async fn a_reservation_that_cannot_be_released_is_named() {
    let shop = Shop::start().await.unwrap();
    let dollars = json!({ "price": { "amount": 500, "currency": "USD" } });
    patch(&shop.products, "/products/2", &dollars)
        .await
        .expect(200);
    let before = stock(&shop.products, "1").await;
    shop.products
        .fault_on("DELETE /reservations/{id}", Some(Fault::Status(500)));
    let mixed = json!({ "userId": "60", "items": [
        { "productId": "1", "quantity": 1 }, { "productId": "2", "quantity": 1 },
    ] });
    let problem = post(&shop.orders, "/orders", &mixed).await.expect(422);
    assert_eq!(stock(&shop.products, "1").await, before - 1);

    shop.products.fault_on("DELETE /reservations/{id}", None);
    let path = format!(
        "/reservations/{}",
        problem["reservationId"].as_str().unwrap()
    );
    let released = send(request(&shop.products, Method::DELETE, &path)).await;
    assert_eq!(released.status, 204);
    assert_eq!(stock(&shop.products, "1").await, before);
    shop.stop().await;
}

#[tokio::test]
async fn an_order_whose_pieces_cannot_be_released_is_unchanged() {
    let shop = Shop::start().await.unwrap();
    let before = stock(&shop.products, "1").await;
    post(&shop.orders, "/orders", &order()).await.expect(201);
    shop.products
        .fault_on("DELETE /reservations/{id}", Some(Fault::Status(500)));
    let problem = act(&shop.orders, "cancel").await.expect(502);
    assert_eq!(problem["type"], "urn:shop:products-unavailable");
    assert_eq!(
        get(&shop.orders, "/orders/5001").await.json()["status"],
        "PLACED"
    );
    shop.products.fault_on("DELETE /reservations/{id}", None);
    act(&shop.orders, "cancel").await.expect(200);
    assert_eq!(stock(&shop.products, "1").await, before);
    shop.stop().await;
}

#[tokio::test]
async fn an_order_that_is_being_cancelled_cannot_change() {
    let shop = Shop::start().await.unwrap();
    post(&shop.orders, "/orders", &order()).await.expect(201);
    shop.products.fault_on(
        "DELETE /reservations/{id}",
        Some(Fault::Delay(Duration::from_millis(300))),
    );
    let cancelling = act(&shop.orders, "cancel");
    let meanwhile = async {
        eventually("the release is in progress", async || {
            shop.products.calls_to("DELETE /reservations/{id}") == 1
        })
        .await;
        act(&shop.orders, "advance").await.expect(409);
        act(&shop.orders, "cancel").await.expect(409);
    };
    let (cancelled, ()) = tokio::join!(cancelling, meanwhile);
    assert_eq!(cancelled.expect(200)["status"], "CANCELLED");
    assert_eq!(shop.products.calls_to("DELETE /reservations/{id}"), 1);
    shop.stop().await;
}

#[tokio::test]
async fn an_order_is_placed_even_if_its_client_disconnects() {
    let shop = Shop::start().await.unwrap();
    let before = stock(&shop.products, "1").await;
    let slow = Fault::Delay(Duration::from_millis(200));
    shop.products.fault_on("POST /reservations", Some(slow));
    let call = with_json(request(&shop.orders, Method::POST, "/orders"), &order());
    tokio::select! {
        reply = try_send(call.header("idempotency-key", "gone")) => panic!("{reply:?}"),
        () = eventually("the reservation is in progress", async || {
            shop.products.calls_to("POST /reservations") == 1
        }) => {}
    }
    eventually("the order is placed", async || {
        total(&shop.orders).await == 5_001
    })
    .await;
    assert_eq!(stock(&shop.products, "1").await, before - 2);

    // A retry with the key returns the placed order.
    let again = with_json(request(&shop.orders, Method::POST, "/orders"), &order());
    let again = send(again.header("idempotency-key", "gone")).await;
    assert_eq!(again.expect(201)["id"], "5001");
    assert_eq!(again.header("idempotency-replayed"), "true");
    shop.stop().await;
}

#[tokio::test]
async fn a_key_is_in_use_while_its_order_is_being_placed() {
    let shop = Shop::start().await.unwrap();
    let slow = Fault::Delay(Duration::from_millis(300));
    shop.products.fault_on("POST /reservations", Some(slow));
    let keyed = || {
        let call = request(&shop.orders, Method::POST, "/orders");
        send(with_json(call.header("idempotency-key", "k"), &order()))
    };
    let second = async {
        eventually("the first call is in progress", async || {
            shop.products.calls_to("POST /reservations") == 1
        })
        .await;
        keyed().await.expect(409)
    };
    let (first, second) = tokio::join!(keyed(), second);
    first.expect(201);
    assert_eq!(second["type"], "urn:shop:idempotency-key-in-use");
    assert_eq!(keyed().await.header("idempotency-replayed"), "true");
    shop.stop().await;
}

async fn act(orders: &Service, action: &str) -> Reply {
    send(request(
        orders,
        Method::POST,
        &format!("/orders/5001/{action}"),
    ))
    .await
}

async fn total(orders: &Service) -> u64 {
    let list = get(orders, "/orders?limit=1").await.expect(200);
    list["total"].as_u64().unwrap()
}

fn order() -> Value {
    json!({ "userId": "60", "items": [{ "productId": "1", "quantity": 2 }] })
}
