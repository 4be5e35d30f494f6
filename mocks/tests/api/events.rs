//! What the products service tells a Redis stream.

use std::time::Duration;

use mocks::{Events, Service, Settings, Shop};
use redis::streams::StreamRangeReply;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::client::{delete, eventually, get, patch, post};
use crate::server::Server;

#[tokio::test]
async fn whatever_changes_price_or_stock_is_told() {
    let Some(redis) = Server::start().await else {
        return;
    };
    let shop = shop(&redis).await;
    let change = json!({ "price": { "amount": 5, "currency": "EUR" } });
    patch(&shop.products, "/products/9", &change)
        .await
        .expect(200);
    told(&redis, &["9"]).await;
    let order = json!({ "userId": "60", "items": [
        { "productId": "1", "quantity": 1 }, { "productId": "3", "quantity": 2 },
    ] });
    let order = post(&shop.orders, "/orders", &order).await.expect(201);
    told(&redis, &["9", "1", "3"]).await;
    let path = format!("/orders/{}/cancel", order["id"].as_str().unwrap());
    post(&shop.orders, &path, &Value::Null).await.expect(200);
    told(&redis, &["9", "1", "3", "1", "3"]).await;
    assert_eq!(outcomes(&shop.products).await, (5, 0));
    shop.stop().await;
}

#[tokio::test]
async fn what_changes_nothing_is_not_told() {
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
    delete(products, "/reservations/nobody").await.expect(404);
    // Told in order: what was told before would be there by now.
    patch(products, "/products/2", &json!({ "stock": 1 }))
        .await
        .expect(200);
    told(&redis, &["2"]).await;
    shop.stop().await;
}

#[tokio::test]
async fn nobody_waits_for_a_server_that_is_away_and_it_hears_of_everything_later() {
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
    told(&redis, &["4"]).await;

    redis.kill();
    patch(&shop.products, "/products/5", &change)
        .await
        .expect(200);
    redis.restart().await;
    told(&redis, &["5"]).await;
    assert_eq!(outcomes(&shop.products).await, (2, 0));
    shop.stop().await;
}

#[tokio::test]
async fn what_the_queue_cannot_hold_is_dropped_and_counted() {
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
    // The queue, and what is on its way.
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
async fn draining_writes_what_is_left_and_gives_up_on_a_server_that_is_away() {
    let Some(redis) = Server::start().await else {
        return;
    };
    let change = json!({ "stock": 7 });
    let mut open = shop(&redis).await;
    patch(&open.products, "/products/4", &change)
        .await
        .expect(200);
    assert!(open.products.drain(Duration::from_secs(5)).await);
    told(&redis, &["4"]).await;
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
async fn an_address_that_is_none_is_refused_at_the_start() {
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

/// Waits until these products, and no others, were told, in this order.
async fn told(redis: &Server, expected: &[&str]) {
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

/// How many events were written, and how many were dropped.
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
