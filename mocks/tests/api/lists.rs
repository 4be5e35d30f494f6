//! Lists: entities by id, pages, filters, groups.

use std::collections::HashSet;

use mocks::{Service, Shop};
use serde_json::{Value, json};

use crate::client::{Reply, get, post};

#[tokio::test]
async fn entities_by_id_are_in_the_order_of_the_request_without_unknown_ids() {
    let shop = Shop::start().await.unwrap();
    for (service, path) in [
        (&shop.users, "/users"),
        (&shop.products, "/products"),
        (&shop.orders, "/orders"),
    ] {
        let list = get(service, &format!("{path}?ids=30,7,999999,abc,0,7,07,12")).await;
        assert_eq!(ids(&list.items()), ["30", "7", "12"], "{path}");
        assert_eq!(list.json().as_object().unwrap().len(), 1, "{path}");
        let encoded = get(service, &format!("{path}?ids=30%2C7")).await;
        assert_eq!(ids(&encoded.items()), ["30", "7"], "{path}");
        for item in list.items() {
            let path = format!("{path}/{}", item["id"].as_str().unwrap());
            assert_eq!(get(service, &path).await.json(), item);
        }
        let all: Vec<_> = (1..=1_000).map(|id| id.to_string()).collect();
        let list = get(service, &format!("{path}?ids={}", all.join(","))).await;
        assert_eq!(ids(&list.items()), all, "{path}");
    }
    shop.stop().await;
}

#[tokio::test]
async fn the_pages_have_every_entity_once() {
    let shop = Shop::start().await.unwrap();
    for (service, path, total) in [
        (&shop.users, "/users?limit=300", 1_000),
        (&shop.users, "/users?limit=500", 1_000),
        (&shop.users, "/users?limit=7&kind=merchant", 50),
        (&shop.products, "/products?limit=333", 1_000),
        (&shop.orders, "/orders?limit=499", 5_000),
    ] {
        let walked = walk(service, path).await;
        assert_eq!(walked.len(), total, "{path}");
        assert_eq!(walked.iter().collect::<HashSet<_>>().len(), total, "{path}");
    }
    shop.stop().await;
}

#[tokio::test]
async fn filters_select_exactly_the_matching_products() {
    let shop = Shop::start().await.unwrap();
    let products = everything(&shop.products, "/products").await;

    let garden = |item: &Value| item["category"] == "GARDEN";
    check(
        &shop.products,
        "/products?limit=50&category=GARDEN",
        &products,
        garden,
    )
    .await;
    let of_nine = |item: &Value| item["merchantId"] == "9";
    check(
        &shop.products,
        "/products?limit=4&merchantId=9",
        &products,
        of_nine,
    )
    .await;
    let found = |item: &Value| {
        let text = format!("{} {}", item["name"], item["description"]).to_lowercase();
        text.contains("frost") && text.contains("planter")
    };
    check(
        &shop.products,
        "/products?limit=3&q=FROST+%20pLANTer",
        &products,
        found,
    )
    .await;
    let both = |item: &Value| found(item) && item["merchantId"] == "4";
    check(
        &shop.products,
        "/products?q=frost%20planter&merchantId=4",
        &products,
        both,
    )
    .await;
    check(&shop.products, "/products?limit=500&q=", &products, |_| {
        true
    })
    .await;
    shop.stop().await;
}

#[tokio::test]
async fn filters_select_exactly_the_matching_orders() {
    let shop = Shop::start().await.unwrap();
    let orders = everything(&shop.orders, "/orders").await;
    let paid = |item: &Value| item["status"] == "PAID";
    check(&shop.orders, "/orders?limit=3&status=PAID", &orders, paid).await;
    let of_user = |item: &Value| item["userId"] == "60";
    check(&shop.orders, "/orders?limit=5&userId=60", &orders, of_user).await;
    let delivered = |item: &Value| item["userId"] == "60" && item["status"] == "DELIVERED";
    check(
        &shop.orders,
        "/orders?limit=5&userId=60&status=DELIVERED",
        &orders,
        delivered,
    )
    .await;
    let sold = |item: &Value| {
        item["merchantIds"]
            .as_array()
            .unwrap()
            .contains(&json!("6"))
    };
    check(&shop.orders, "/orders?limit=70&merchantId=6", &orders, sold).await;
    let buyer = orders.iter().find(|order| sold(order)).unwrap()["userId"].clone();
    let sold_to = |item: &Value| sold(item) && item["userId"] == buyer;
    let path = format!(
        "/orders?limit=1&merchantId=6&userId={}",
        buyer.as_str().unwrap()
    );
    check(&shop.orders, &path, &orders, sold_to).await;
    shop.stop().await;
}

#[tokio::test]
async fn orders_are_listed_newest_first() {
    let shop = Shop::start().await.unwrap();
    let orders = everything(&shop.orders, "/orders").await;
    let times: Vec<_> = orders
        .iter()
        .map(|order| order["placedAt"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older));
    assert_eq!(orders[0]["id"], "5000");
    shop.stop().await;
}

#[tokio::test]
async fn a_new_order_does_not_shift_later_pages() {
    let shop = Shop::start().await.unwrap();
    let first = get(&shop.orders, "/orders?limit=500").await.expect(200);
    let order = json!({ "userId": "60", "items": [{ "productId": "1", "quantity": 1 }] });
    post(&shop.orders, "/orders", &order).await.expect(201);
    let after = first["next"].as_str().unwrap();
    let rest = walk(&shop.orders, &format!("/orders?limit=500&after={after}")).await;
    assert_eq!(rest.len(), 4_500);
    assert_eq!(rest[0], "4500");
    shop.stop().await;
}

#[tokio::test]
async fn groups_have_each_owner_once_in_the_order_of_the_request() {
    let shop = Shop::start().await.unwrap();
    let orders = everything(&shop.orders, "/orders").await;
    let products = everything(&shop.products, "/products").await;

    let path = "/orders/by-user?userIds=61,999999,60,61&first=3";
    let groups = get(&shop.orders, path).await.items();
    assert_eq!(groups.len(), 3);
    for (group, user) in groups.iter().zip(["61", "999999", "60"]) {
        assert_eq!(group["userId"], user);
        let own = orders.iter().filter(|order| order["userId"] == user);
        check_group(group, "orders", &own.collect::<Vec<_>>(), 3);
    }

    let groups = get(&shop.orders, "/orders/by-merchant?merchantIds=7,6")
        .await
        .items();
    for (group, merchant) in groups.iter().zip(["7", "6"]) {
        assert_eq!(group["merchantId"], merchant);
        let sold = |order: &&Value| {
            order["merchantIds"]
                .as_array()
                .unwrap()
                .contains(&json!(merchant))
        };
        check_group(
            group,
            "orders",
            &orders.iter().filter(sold).collect::<Vec<_>>(),
            10,
        );
    }

    let path = "/products/by-merchant?merchantIds=2,60,1&first=100";
    let groups = get(&shop.products, path).await.items();
    for (group, merchant) in groups.iter().zip(["2", "60", "1"]) {
        assert_eq!(group["merchantId"], merchant);
        let own = products
            .iter()
            .filter(|product| product["merchantId"] == merchant);
        check_group(group, "products", &own.collect::<Vec<_>>(), 100);
    }
    shop.stop().await;
}

#[track_caller]
fn check_group(group: &Value, key: &str, own: &[&Value], first: usize) {
    assert_eq!(group["total"], own.len());
    let shown: Vec<_> = group[key].as_array().unwrap().iter().collect();
    assert_eq!(shown, own[..own.len().min(first)]);
}

/// Compares the pages of `path` with the items of `all` for which `is_match` holds.
async fn check(service: &Service, path: &str, all: &[Value], is_match: impl Fn(&Value) -> bool) {
    let expected: Vec<_> = all.iter().filter(|item| is_match(item)).cloned().collect();
    assert!(!expected.is_empty(), "{path} matches nothing");
    assert_eq!(walk(service, path).await, ids(&expected), "{path}");
}

/// The ids on all pages from `path` on. Each page but the last is full, and all have one total.
async fn walk(service: &Service, path: &str) -> Vec<String> {
    let limit = path.split_once("limit=").map_or(20, |(_, rest)| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    });
    let mut walked = Vec::new();
    let mut page: Reply = get(service, path).await;
    let total = page.expect(200)["total"].clone();
    loop {
        let json = page.expect(200);
        let items = page.items();
        walked.extend(ids(&items));
        assert_eq!(json["total"], total, "{path}");
        let Some(next) = json["next"].as_str() else {
            assert!(items.len() <= limit);
            return walked;
        };
        assert_eq!(items.len(), limit, "{path}");
        let separator = if path.contains('?') { '&' } else { '?' };
        let start = path.split("&after=").next().unwrap();
        page = get(service, &format!("{start}{separator}after={next}")).await;
    }
}

async fn everything(service: &Service, path: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let page = get(service, &format!("{path}?limit=500{after}")).await;
        all.extend(page.items());
        match page.json()["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
}

fn ids(items: &[Value]) -> Vec<String> {
    let id = |item: &Value| item["id"].as_str().unwrap().to_owned();
    items.iter().map(id).collect()
}
