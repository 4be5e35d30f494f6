//! Reads: headers, versions, `HEAD`.

use mocks::{Clock, Settings, Shop};
use reqwest::Method;
use serde_json::json;

use crate::client::{get, patch, request, send};

#[tokio::test]
async fn entities_match_the_seed_data() {
    let shop = Shop::start().await.unwrap();
    let merchant = get(&shop.users, "/users/1").await.expect(200);
    assert_eq!(
        merchant,
        json!({
            "id": "1", "kind": "merchant", "name": "Frida Schmidt",
            "email": "frida.schmidt@example.com", "createdAt": "2021-02-08T19:35:46Z",
            "address": {
                "street": "Am Mühlbach 11", "city": "Berlin", "postalCode": "10296",
                "country": "DE",
            },
            "merchant": {
                "displayName": "Books Schmidt", "rating": 4.9, "since": "2021-02-09",
            },
        })
    );
    let customer = get(&shop.users, "/users/51").await.expect(200);
    assert_eq!(
        (&customer["kind"], &customer["merchant"]),
        (&json!("customer"), &json!(null))
    );
    let product = get(&shop.products, "/products/1").await.expect(200);
    assert_eq!(
        product["price"],
        json!({ "amount": 4510, "currency": "EUR" })
    );
    let order = get(&shop.orders, "/orders/5000").await.expect(200);
    assert_eq!(order["merchantIds"], json!(["47", "22"]));
    assert_eq!(order["total"]["amount"], json!(4460 + 3 * 1480));
    shop.stop().await;
}

#[tokio::test]
async fn every_read_has_a_lifetime_and_a_version() {
    let shop = Shop::start().await.unwrap();
    for (service, path, lifetime) in [
        (&shop.users, "/users/57", "private, max-age=60"),
        (&shop.users, "/users?ids=51,52", "private, max-age=60"),
        (&shop.products, "/products/7", "public, max-age=3600"),
        (&shop.products, "/products?limit=3", "public, max-age=30"),
        (
            &shop.products,
            "/products/by-merchant?merchantIds=1",
            "public, max-age=30",
        ),
        (&shop.orders, "/orders/7", "private, no-cache"),
        (&shop.orders, "/orders?status=PAID", "private, no-cache"),
        (
            &shop.orders,
            "/orders/by-user?userIds=60,61",
            "private, no-cache",
        ),
        (
            &shop.orders,
            "/orders/by-merchant?merchantIds=6",
            "private, no-cache",
        ),
    ] {
        let first = get(service, path).await;
        assert_eq!(first.status, 200, "{path}");
        assert_eq!(first.header("cache-control"), lifetime, "{path}");
        assert_eq!(first.header("content-type"), "application/json", "{path}");
        let tag = first.header("etag");
        assert!(
            tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'),
            "{path}: {tag}"
        );

        for known in [
            tag.to_owned(),
            format!("\"other\", W/{tag}"),
            "*".to_owned(),
        ] {
            let again = request(service, Method::GET, path).header("if-none-match", &known);
            let again = send(again).await;
            assert_eq!((again.status, again.body.len()), (304, 0), "{path} {known}");
            assert_eq!(again.header("etag"), tag, "{path}");
            assert_eq!(again.header("cache-control"), lifetime, "{path}");
        }
        let other = request(service, Method::GET, path).header("if-none-match", "\"other\"");
        assert_eq!(send(other).await.body, first.body, "{path}");

        let head = send(request(service, Method::HEAD, path)).await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert_eq!(head.header("etag"), tag, "{path}");
        assert_eq!(
            head.header("content-length"),
            first.body.len().to_string(),
            "{path}"
        );
    }
    shop.stop().await;
}

#[tokio::test]
async fn a_change_gives_every_response_with_the_entity_a_new_version() {
    let settings = Settings {
        clock: Clock::Fixed(1_767_225_600),
        ..Settings::default()
    };
    let shop = Shop::start_with(settings).await.unwrap();
    let paths = [
        "/products/12",
        "/products?ids=11,12",
        "/products?limit=20",
        "/products/by-merchant?merchantIds=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,\
         22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50\
         &first=100",
    ];
    let untouched = get(&shop.products, "/products/11").await;
    let mut before = Vec::new();
    for path in paths {
        before.push(get(&shop.products, path).await);
    }
    let changed = patch(&shop.products, "/products/12", &json!({ "stock": 77 })).await;
    assert_eq!(changed.expect(200)["updatedAt"], "2026-01-01T00:00:00Z");
    for (path, before) in paths.into_iter().zip(before) {
        let after = get(&shop.products, path).await;
        assert_ne!(after.header("etag"), before.header("etag"), "{path}");
        assert_ne!(after.body, before.body, "{path}");
    }
    let still = get(&shop.products, "/products/11").await;
    assert_eq!(still.header("etag"), untouched.header("etag"));
    shop.stop().await;
}
