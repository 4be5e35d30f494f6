//! Concurrent calls: no piece is sold twice, and none is lost.

use mocks::Shop;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::client::{Reply, get, patch, post, request, send, stock, try_send, with_json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_orders_for_the_last_ten_pieces_sell_ten() {
    let shop = Shop::start().await.unwrap();
    patch(&shop.products, "/products/3", &json!({ "stock": 10 }))
        .await
        .expect(200);
    let order = json!({ "userId": "60", "items": [{ "productId": "3", "quantity": 1 }] });
    let replies = at_once(50, |_| {
        with_json(request(&shop.orders, Method::POST, "/orders"), &order)
    })
    .await;
    assert_eq!(count(&replies, 201), 10);
    assert_eq!(count(&replies, 409), 40);
    assert_eq!(stock(&shop.products, "3").await, 0);
    let list = get(&shop.orders, "/orders?limit=1").await.json();
    assert_eq!(list["total"], 5_010);
    shop.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_for_several_products_reserve_all_or_none() {
    let shop = Shop::start().await.unwrap();
    for id in ["3", "4"] {
        let path = format!("/products/{id}");
        patch(&shop.products, &path, &json!({ "stock": 20 }))
            .await
            .expect(200);
    }
    // In both orders, so that partial reservations of interleaved calls would show.
    let orders = [["3", "4"], ["4", "3"]].map(|products| {
        let items: Vec<_> = products
            .iter()
            .map(|id| json!({ "productId": id, "quantity": 3 }))
            .collect();
        json!({ "userId": "60", "items": items })
    });
    let order = |index: usize| &orders[index % 2];
    let replies = at_once(40, |index| {
        with_json(request(&shop.orders, Method::POST, "/orders"), order(index))
    })
    .await;
    assert_eq!(count(&replies, 201), 6);
    assert_eq!(stock(&shop.products, "3").await, 2);
    assert_eq!(stock(&shop.products, "4").await, 2);
    shop.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_calls_with_one_key_place_one_order() {
    let shop = Shop::start().await.unwrap();
    let before = stock(&shop.products, "1").await;
    let order = json!({ "userId": "60", "items": [{ "productId": "1", "quantity": 1 }] });
    let replies = at_once(20, |_| {
        let request = request(&shop.orders, Method::POST, "/orders");
        with_json(request.header("idempotency-key", "same"), &order)
    })
    .await;
    let placed: Vec<Value> = replies
        .iter()
        .filter(|reply| reply.status == 201)
        .map(Reply::json)
        .collect();
    assert!(!placed.is_empty());
    assert!(placed.iter().all(|order| *order == placed[0]));
    assert_eq!(placed.len() + count(&replies, 409), 20);
    let new = replies
        .iter()
        .filter(|reply| reply.status == 201 && reply.header("idempotency-replayed").is_empty());
    assert_eq!(new.count(), 1);
    assert_eq!(stock(&shop.products, "1").await, before - 1);
    shop.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_cancellations_release_the_pieces_once() {
    let shop = Shop::start().await.unwrap();
    let before = stock(&shop.products, "1").await;
    let order = json!({ "userId": "60", "items": [{ "productId": "1", "quantity": 2 }] });
    post(&shop.orders, "/orders", &order).await.expect(201);
    let path = "/orders/5001/cancel";
    let replies = at_once(20, |_| request(&shop.orders, Method::POST, path)).await;
    assert_eq!((count(&replies, 200), count(&replies, 409)), (1, 19));
    assert_eq!(stock(&shop.products, "1").await, before);
    shop.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_never_return_a_partial_change() {
    let shop = Shop::start().await.unwrap();
    let mut tasks = JoinSet::new();
    for round in 1..=60_u64 {
        // The price equals the stock in every consistent state.
        let change = json!({ "price": { "amount": round, "currency": "EUR" }, "stock": round });
        let change = with_json(
            request(&shop.products, Method::PATCH, "/products/5"),
            &change,
        );
        let read = request(&shop.products, Method::GET, "/products?ids=5,5,6");
        tasks.spawn(async move { send(change).await.expect(200) });
        tasks.spawn(async move { send(read).await.items()[0].clone() });
    }
    patch(
        &shop.products,
        "/products/5",
        &json!({ "price": { "amount": 0, "currency": "EUR" }, "stock": 0 }),
    )
    .await
    .expect(200);
    let mut changed = 0;
    while let Some(product) = tasks.join_next().await {
        let product = product.unwrap();
        let (price, stock) = (&product["price"]["amount"], &product["stock"]);
        if product["updatedAt"].as_str().unwrap() > "2025" {
            assert_eq!(price, stock);
            changed += 1;
        }
    }
    assert!(changed >= 60);
    shop.stop().await;
}

/// Sends `n` requests concurrently and waits for all responses.
async fn at_once(n: usize, request: impl Fn(usize) -> RequestBuilder) -> Vec<Reply> {
    let mut calls = JoinSet::new();
    for index in 0..n {
        calls.spawn(try_send(request(index)));
    }
    let replies = calls.join_all().await;
    replies.into_iter().map(Result::unwrap).collect()
}

fn count(replies: &[Reply], status: u16) -> usize {
    replies
        .iter()
        .filter(|reply| reply.status == status)
        .count()
}
