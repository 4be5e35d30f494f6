//! Change events of the products service in a Redis stream.

use std::time::Duration;

use mocks::{Events, Service, Settings, Shop};
use redis::streams::StreamRangeReply;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::client::{delete, eventually, get, patch, post};
use crate::server::Server;

#[tokio::test]
async fn changes_of_price_and_stock_are_published() {
    let Some(redis) = Server::start().await else {
        return;
    };
    let shop = shop(&redis).await;
    let change = json!({ "price": { "amount": 5, "currency": "EUR" } });
    patch(&shop.products, "/products/9", &change)
        .await
        .expect(200);
    expect_events(&redis, &["9"]).await;
    let order = json!({ "userId": "60", "items": [
        { "productId": "1", "quantity": 1 }, { "productId": "3", "quantity": 2 },
    ] });
    let order = post(&shop.orders, "/orders", &order).await.expect(201);
    expect_events(&redis, &["9", "1", "3"]).await;
    let path = format!("/orders/{}/cancel", order["id"].as_str().unwrap());
    post(&shop.orders, &path, &Value::Null).await.expect(200);
    expect_events(&redis, &["9", "1", "3", "1", "3"]).await;
    assert_eq!(outcomes(&shop.products).await, (5, 0));
    shop.stop().await;
}

#[tokio::test]
async fn reads_and_failed_calls_publish_nothing() {
    let Some(redis) = Server::start().await else {
        return;
    };
    let shop = shop(&redis).await;
    let products = &shop.products;
    get(products, "/products/1").await.expect(200);
    patch(products, "/products/1", &json!({ "stock": -1 }))
        .await
        .expect(422);
    patch(products, "/products/1001", &json!({ "stock": 1 }))
        .await
        .expect(404);
    patch(
        products,
        "/products/1",
        &json!({ "merchantId": "1", "stock": 1 }),
    )
    .await
    .expect(403);
    let items = json!({ "items": [{ "productId": "1", "quantity": 1000 }] });
    post(products, "/reservations", &items).await.expect(409);
    delete(products, "/reservations/unknown").await.expect(404);
    // Events are in order: an earlier one would be in the stream by now.
    patch(products, "/products/2", &json!({ "stock": 1 }))
        .await
        .expect(200);
    expect_events(&redis, &["2"]).await;
    shop.stop().await;
}

#[tokio::test]
async fn calls_do_not_wait_for_redis_and_events_are_written_once_it_is_back() {
    let Some(mut redis) = Server::start().await else {
        return;
    };
    redis.kill();
    let shop = shop(&redis).await;
    let start = Instant::now();
    let change = json!({ "stock": 7 });
    patch(&shop.products, "/products/4", &change)
        .await
        .expect(200);
    assert!(start.elapsed() < Duration::from_secs(1));
    redis.restart().await;
    expect_events(&redis, &["4"]).await;

    redis.kill();
    patch(&shop.products, "/products/5", &change)
        .await
        .expect(200);
    redis.restart().await;
    expect_events(&redis, &["5"]).await;
    assert_eq!(outcomes(&shop.products).await, (2, 0));
    shop.stop().await;
}

#[tokio::test]
async fn events_beyond_the_queue_are_dropped_and_counted() {
    let Some(mut redis) = Server::start().await else {
        return;
    };
    redis.kill();
    let shop = shop(&redis).await;
    let items: Vec<_> = (1..=100)
        .map(|id| json!({ "productId": id.to_string(), "quantity": 1 }))
        .collect();
    for id in 1..=100 {
        let path = format!("/products/{id}");
        patch(&shop.products, &path, &json!({ "stock": 50 })).await;
    }
    for _ in 0..15 {
        let reservation = json!({ "items": items });
        post(&shop.products, "/reservations", &reservation)
            .await
            .expect(201);
    }
    let (written, dropped) = outcomes(&shop.products).await;
    assert_eq!(written, 0);
    // The queue, and a batch that is being written.
    assert!((1_600 - 1_024 - 100..=1_600 - 1_024).contains(&dropped));
    redis.restart().await;
    eventually("the rest arrives", async || {
        outcomes(&shop.products).await == (1_600 - dropped, dropped)
    })
    .await;
    let length: u64 = redis.command(&["XLEN", Events::STREAM]).await;
    assert_eq!(length, 1_600 - dropped);
    shop.stop().await;
}

#[tokio::test]
async fn draining_writes_the_queue_and_does_not_wait_for_an_unavailable_redis() {
    let Some(redis) = Server::start().await else {
        return;
    };
    let change = json!({ "stock": 7 });
    let mut open = shop(&redis).await;
    patch(&open.products, "/products/4", &change)
        .await
        .expect(200);
    assert!(open.products.drain(Duration::from_secs(5)).await);
    expect_events(&redis, &["4"]).await;
    open.stop().await;

    let Some(mut absent) = Server::start().await else {
        return;
    };
    absent.kill();
    let mut open = shop(&absent).await;
    patch(&open.products, "/products/4", &change)
        .await
        .expect(200);
    assert!(open.products.drain(Duration::from_secs(5)).await);
    open.stop().await;
}

#[tokio::test]
async fn an_invalid_redis_url_fails_the_start() {
    let settings = Settings {
        events: Some(Events::new("http://127.0.0.1:1")),
        ..Settings::default()
    };
    assert!(Shop::start_with(settings).await.is_err());
}

async fn shop(redis: &Server) -> Shop {
    let settings = Settings {
        events: Some(Events::new(redis.address())),
        ..Settings::default()
    };
    Shop::start_with(settings).await.unwrap()
}

/// Waits until the stream has events of exactly these products, in this order.
async fn expect_events(redis: &Server, expected: &[&str]) {
    eventually("the event arrives", async || {
        let length: usize = redis.command(&["XLEN", Events::STREAM]).await;
        length >= expected.len()
    })
    .await;
    let entries: StreamRangeReply = redis.command(&["XRANGE", Events::STREAM, "-", "+"]).await;
    let mut keys = Vec::new();
    for entry in &entries.ids {
        assert_eq!(entry.map.len(), 2);
        assert_eq!(entry.get("type"), Some("Product".to_owned()));
        keys.push(entry.get::<String>("key").unwrap());
    }
    assert_eq!(keys, expected);
}

/// The numbers of written and of dropped events.
async fn outcomes(service: &Service) -> (u64, u64) {
    let metrics = get(service, "/metrics").await;
    let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
    let count = |outcome: &str| {
        let name = format!("shop_events_total{{service=\"products\",outcome=\"{outcome}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
        line.unwrap().parse().unwrap()
    };
    (count("written"), count("dropped"))
}
