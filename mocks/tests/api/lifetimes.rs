//! `Cache-Control` of responses, and its overrides.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mocks::{Fault, Lifetimes, Service, Settings, Shop};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Reply, delete, get, patch, post, request, send, with_json};

#[tokio::test]
async fn only_merchants_alone_are_public() {
    let shop = Shop::start().await.unwrap();
    for (path, expected) in [
        ("/users/1", "public, max-age=3600"),
        ("/users?ids=1,2", "public, max-age=3600"),
        ("/users/51", "private, max-age=60"),
        ("/users?ids=1,51", "private, max-age=60"),
        ("/users?kind=merchant", "private, max-age=60"),
        ("/users?ids=1,1001", "max-age=2"),
        ("/users?ids=51,1001", "private, max-age=60"),
    ] {
        check(&get(&shop.users, path).await, (200, expected), path);
    }
    shop.stop().await;
}

#[tokio::test]
async fn a_404_of_an_entity_is_cacheable_and_no_other_problem() {
    let shop = Shop::start().await.unwrap();
    let missing = (404, "max-age=2");
    check(&get(&shop.users, "/users/1001").await, missing, "a user");
    check(
        &get(&shop.orders, "/orders/99999").await,
        missing,
        "an order",
    );
    let products = &shop.products;
    check(&get(products, "/products/1001").await, missing, "a product");
    let some = get(products, "/products?ids=1,1001").await;
    check(&some, (200, "max-age=2"), "some are missing");
    for (reply, status) in [
        (get(products, "/nothing").await, 404),
        (get(products, "/products?limit=0").await, 400),
        (patch(products, "/products/1001", &json!({})).await, 404),
        (delete(products, "/reservations/unknown").await, 404),
    ] {
        check(&reply, (status, "no-store"), "a problem");
    }
    products.fault(Some(Fault::Status(404)));
    let fault = get(products, "/products/1").await;
    check(&fault, (404, "no-store"), "a fault");
    shop.stop().await;
}

#[tokio::test]
async fn writes_are_not_cacheable() {
    let shop = Shop::start().await.unwrap();
    for service in [&shop.products, &shop.orders, &shop.reviews] {
        service.set_cache_control(Some("max-age=9"));
    }
    let changed = patch(&shop.products, "/products/1", &json!({ "stock": 1 })).await;
    check(&changed, (200, "no-store"), "a change");
    let order = json!({ "userId": "60", "items": [{ "productId": "2", "quantity": 1 }] });
    let placed = post(&shop.orders, "/orders", &order).await;
    check(&placed, (201, "no-store"), "an order");
    let write = "mutation { addReview(input: { productId: 1, userId: 60, rating: 1, \
                 title: \"t\", body: \"b\" }) { id } }";
    let reviewed = post(&shop.reviews, "/graphql", &json!({ "query": write })).await;
    check(&reviewed, (200, "no-store"), "a review");
    assert!(reviewed.json().get("errors").is_none(), "{reviewed:?}");
    shop.stop().await;
}

#[tokio::test]
async fn cache_control_can_be_overridden_while_a_service_runs() {
    let shop = Shop::start().await.unwrap();
    let products = &shop.products;
    products.set_cache_control(Some("max-age=1, stale-while-revalidate=30"));
    products.set_cache_control_on("GET /products", Some(""));
    for (path, status, expected) in [
        ("/products/1", 200, "max-age=1, stale-while-revalidate=30"),
        (
            "/products/1001",
            404,
            "max-age=1, stale-while-revalidate=30",
        ),
        ("/products?ids=1", 200, ""),
        ("/products?limit=0", 400, "no-store"),
    ] {
        check(&get(products, path).await, (status, expected), path);
    }
    products.set_cache_control(None);
    products.set_cache_control_on("GET /products", None);
    let default = (200, "public, max-age=3600");
    check(&get(products, "/products/1").await, default, "one");
    check(&get(products, "/products?ids=1").await, default, "many");

    let query = json!({ "query": "{ product: review(id: 1) { id } }" });
    let reviews = &shop.reviews;
    let default = (200, "public, max-age=60");
    check(&post(reviews, "/graphql", &query).await, default, "reviews");
    reviews.set_cache_control(Some("private, max-age=5"));
    let changed = (200, "private, max-age=5");
    check(&post(reviews, "/graphql", &query).await, changed, "reviews");
    let wrong = json!({ "query": "{ nothing }" });
    let wrong = post(reviews, "/graphql", &wrong).await;
    check(&wrong, (200, "no-store"), "errors");
    shop.stop().await;
}

#[tokio::test]
async fn cache_control_can_be_overridden_over_http() {
    let shop = Shop::start().await.unwrap();
    let users = &shop.users;
    let put = async |body: Value| {
        let call = request(users, Method::PUT, "/_cache_control");
        send(with_json(call, &body)).await
    };
    put(json!({ "cache_control": "max-age=1" }))
        .await
        .expect(200);
    let all = put(json!({ "route": "GET /users/{id}", "cache_control": "" }))
        .await
        .expect(200);
    let expected = json!({
        "cache_control": "max-age=1", "routes": { "GET /users/{id}": "" },
    });
    assert_eq!(all, expected);
    assert_eq!(get(users, "/_cache_control").await.json(), expected);
    check(&get(users, "/users/1").await, (200, ""), "one");
    check(&get(users, "/users").await, (200, "max-age=1"), "all");
    let path = "/_cache_control?route=GET%20/users/%7Bid%7D";
    assert_eq!(delete(users, path).await.status, 204);
    check(&get(users, "/users/1").await, (200, "max-age=1"), "one");
    assert_eq!(delete(users, "/_cache_control").await.status, 204);
    let none = json!({ "cache_control": null, "routes": {} });
    assert_eq!(get(users, "/_cache_control").await.json(), none);
    for wrong in [
        json!({ "route": "GET /user", "cache_control": "private" }),
        json!({ "cache_control": "a\nb: c" }),
        json!({ "cache_control": 60 }),
        json!({}),
    ] {
        put(wrong).await.expect(422);
    }
    post(users, "/_cache_control", &json!({})).await.expect(405);
    assert_eq!(get(users, "/_cache_control").await.json(), none);
    assert_eq!(users.calls(), 3);
    shop.stop().await;
}

#[tokio::test]
async fn settings_replace_the_default_lifetimes() {
    let settings = Settings {
        lifetimes: Lifetimes {
            products: "max-age=7".to_owned(),
            missing: String::new(),
            ..Lifetimes::default()
        },
        ..Settings::default()
    };
    let shop = Shop::start_with(settings).await.unwrap();
    let one = get(&shop.products, "/products/1").await;
    check(&one, (200, "max-age=7"), "one");
    let none = get(&shop.products, "/products/1001").await;
    check(&none, (404, ""), "none");
    shop.stop().await;

    let settings = Settings {
        lifetimes: Lifetimes {
            orders: "a\r\nb: c".to_owned(),
            ..Lifetimes::default()
        },
        ..Settings::default()
    };
    let refused = Shop::start_with(settings).await.unwrap_err().to_string();
    assert!(refused.contains("lifetime of orders"), "{refused}");
}

#[tokio::test]
async fn an_invalid_override_panics() {
    let shop = Shop::start().await.unwrap();
    let fails = |set: &dyn Fn(&Service)| {
        let set = AssertUnwindSafe(|| set(&shop.users));
        catch_unwind(set).is_err()
    };
    assert!(fails(&|users| users.set_cache_control(Some("a\nb"))));
    assert!(fails(&|users| {
        users.set_cache_control_on("GET /user", None);
    }));
    let still = get(&shop.users, "/users/1").await;
    check(&still, (200, "public, max-age=3600"), "no override");
    shop.stop().await;
}

#[track_caller]
fn check(reply: &Reply, (status, lifetime): (u16, &str), what: &str) {
    assert_eq!(reply.status, status, "{what}: {:?}", reply.body);
    assert_eq!(reply.header("cache-control"), lifetime, "{what}");
}
