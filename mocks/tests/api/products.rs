//! Prices, stock, and reservations.

use mocks::Shop;
use serde_json::json;

use crate::client::{delete, get, patch, post, stock};

#[tokio::test]
async fn a_merchant_changes_price_and_stock() {
    let shop = Shop::start().await.unwrap();
    let change = json!({
        "price": { "amount": 1299, "currency": "USD" }, "stock": 12, "merchantId": "2",
    });
    let product = patch(&shop.products, "/products/1", &change)
        .await
        .expect(200);
    assert_eq!(
        product["price"],
        json!({ "amount": 1299, "currency": "USD" })
    );
    assert_eq!(product["stock"], 12);
    assert_eq!(get(&shop.products, "/products/1").await.json(), product);
    shop.stop().await;
}

#[tokio::test]
async fn another_merchant_and_invalid_values_are_rejected() {
    let shop = Shop::start().await.unwrap();
    let before = get(&shop.products, "/products/1").await;
    let change = json!({ "stock": 0, "merchantId": "3" });
    let problem = patch(&shop.products, "/products/1", &change)
        .await
        .expect(403);
    assert_eq!(problem["type"], "urn:shop:not-your-product");
    for change in [
        json!({ "stock": -1 }),
        json!({ "stock": 1_000_001 }),
        json!({ "stock": 1.5 }),
        json!({ "stock": null }),
        json!({ "price": { "amount": 1 } }),
        json!({ "price": [1, "EUR"] }),
        json!({ "price": { "amount": 1, "currency": "XXX" } }),
        json!({ "price": { "amount": 100_000_001, "currency": "EUR" } }),
        json!({ "merchantId": 2, "stock": 1 }),
        json!({ "name": "New" }),
    ] {
        patch(&shop.products, "/products/1", &change)
            .await
            .expect(422);
    }
    assert_eq!(get(&shop.products, "/products/1").await.body, before.body);
    shop.stop().await;
}

#[tokio::test]
async fn reserved_pieces_leave_the_stock_and_return_once() {
    let shop = Shop::start().await.unwrap();
    let (first, second) = (
        stock(&shop.products, "1").await,
        stock(&shop.products, "2").await,
    );
    let wanted = json!({ "items": [
        { "productId": "1", "quantity": 3 }, { "productId": "2", "quantity": 1 },
    ] });
    let created = post(&shop.products, "/reservations", &wanted).await;
    let reservation = created.expect(201);
    let id = reservation["id"].as_str().unwrap();
    assert_eq!(created.header("location"), format!("/reservations/{id}"));
    assert_eq!(
        reservation["items"],
        json!([
            { "productId": "1", "quantity": 3, "merchantId": "2",
              "unitPrice": { "amount": 4510, "currency": "EUR" } },
            { "productId": "2", "quantity": 1, "merchantId": "6",
              "unitPrice": { "amount": 8239, "currency": "EUR" } },
        ])
    );
    assert_eq!(stock(&shop.products, "1").await, first - 3);
    assert_eq!(stock(&shop.products, "2").await, second - 1);

    let path = format!("/reservations/{id}");
    assert_eq!(delete(&shop.products, &path).await.status, 204);
    assert_eq!(stock(&shop.products, "1").await, first);
    assert_eq!(stock(&shop.products, "2").await, second);
    delete(&shop.products, &path).await.expect(404);
    assert_eq!(stock(&shop.products, "1").await, first);
    shop.stop().await;
}

#[tokio::test]
async fn a_shortage_is_explained_and_reserves_nothing() {
    let shop = Shop::start().await.unwrap();
    patch(&shop.products, "/products/2", &json!({ "stock": 4 }))
        .await
        .expect(200);
    let before = stock(&shop.products, "1").await;
    let wanted = json!({ "items": [
        { "productId": "1", "quantity": 1 }, { "productId": "2", "quantity": 5 },
    ] });
    let problem = post(&shop.products, "/reservations", &wanted)
        .await
        .expect(409);
    assert_eq!(problem["type"], "urn:shop:stock-short");
    assert_eq!(
        problem["shortages"],
        json!([{ "productId": "2", "requested": 5, "available": 4 }])
    );
    assert_eq!(stock(&shop.products, "1").await, before);
    shop.stop().await;
}

#[tokio::test]
async fn a_caller_can_name_its_reservation() {
    let shop = Shop::start().await.unwrap();
    let wanted = json!({ "id": "mine_1", "items": [{ "productId": "1", "quantity": 1 }] });
    assert_eq!(
        post(&shop.products, "/reservations", &wanted)
            .await
            .expect(201)["id"],
        "mine_1"
    );
    let problem = post(&shop.products, "/reservations", &wanted)
        .await
        .expect(409);
    assert_eq!(problem["type"], "urn:shop:reservation-exists");
    assert_eq!(
        delete(&shop.products, "/reservations/mine_1").await.status,
        204
    );
    shop.stop().await;
}

#[tokio::test]
async fn invalid_reservations_are_rejected() {
    let shop = Shop::start().await.unwrap();
    let before = get(&shop.products, "/products?limit=20").await;
    let item = |id: &str, quantity: i64| json!({ "productId": id, "quantity": quantity });
    for items in [
        json!([]),
        json!([item("1", 0)]),
        json!([item("1", -1)]),
        json!([item("1", 1_001)]),
        json!([item("1", 1), item("1", 1)]),
        json!([item("x", 1)]),
        json!(vec![item("1", 1); 101]),
        json!([["1", 1]]),
    ] {
        post(&shop.products, "/reservations", &json!({ "items": items }))
            .await
            .expect(422);
    }
    let named = json!({ "id": "a/b", "items": [item("1", 1)] });
    post(&shop.products, "/reservations", &named)
        .await
        .expect(422);
    let unknown = json!({ "items": [item("1", 1), item("1001", 1)] });
    let problem = post(&shop.products, "/reservations", &unknown)
        .await
        .expect(422);
    assert_eq!(problem["type"], "urn:shop:unknown-product");
    assert_eq!(problem["productIds"], json!(["1001"]));
    assert_eq!(
        get(&shop.products, "/products?limit=20").await.body,
        before.body
    );
    shop.stop().await;
}
