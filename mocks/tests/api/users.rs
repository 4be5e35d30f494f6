//! Creating and changing accounts.

use mocks::{Clock, Settings, Shop};
use serde_json::{Value, json};

use crate::client::{get, patch, post};

#[tokio::test]
async fn a_customer_is_created() {
    let shop = fixed().await;
    let created = post(&shop.users, "/users", &ada()).await;
    let user = created.expect(201);
    assert_eq!(created.header("location"), "/users/1001");
    assert_eq!(created.header("cache-control"), "no-store");
    assert_eq!(user["createdAt"], "2026-01-01T00:00:00Z");
    assert_eq!(
        (&user["kind"], &user["merchant"]),
        (&json!("customer"), &json!(null))
    );
    assert_eq!(get(&shop.users, "/users/1001").await.expect(200), user);
    let customers = get(&shop.users, "/users?kind=customer&limit=1")
        .await
        .json();
    assert_eq!(customers["total"], 951);
    shop.stop().await;
}

#[tokio::test]
async fn a_merchant_requires_a_display_name() {
    let shop = fixed().await;
    let mut merchant = ada();
    merchant["kind"] = json!("merchant");
    post(&shop.users, "/users", &merchant).await.expect(422);
    merchant["merchant"] = json!({ "displayName": "Ada & Co." });
    let user = post(&shop.users, "/users", &merchant).await.expect(201);
    assert_eq!(
        user["merchant"],
        json!({ "displayName": "Ada & Co.", "rating": 0.0, "since": "2026-01-01" })
    );
    merchant["kind"] = json!("customer");
    merchant["email"] = json!("another@example.com");
    post(&shop.users, "/users", &merchant).await.expect(422);
    shop.stop().await;
}

#[tokio::test]
async fn a_change_affects_only_its_members() {
    let shop = fixed().await;
    let before = get(&shop.users, "/users/2").await.expect(200);
    let change = json!({
        "name": "Zoë",
        "address": { "city": "Łódź" },
        "merchant": { "displayName": "Neu" },
    });
    let after = patch(&shop.users, "/users/2", &change).await.expect(200);
    let mut expected = before.clone();
    expected["name"] = json!("Zoë");
    expected["address"]["city"] = json!("Łódź");
    expected["merchant"]["displayName"] = json!("Neu");
    assert_eq!(after, expected);
    assert_eq!(get(&shop.users, "/users/2").await.json(), expected);
    assert_eq!(
        patch(&shop.users, "/users/2", &json!({})).await.expect(200),
        expected
    );
    shop.stop().await;
}

#[tokio::test]
async fn e_mail_addresses_are_unique() {
    let shop = fixed().await;
    let taken = get(&shop.users, "/users/1").await.json()["email"].clone();
    let mut second = ada();
    second["email"] = json!(taken.as_str().unwrap().to_uppercase());
    let problem = post(&shop.users, "/users", &second).await.expect(409);
    assert_eq!(problem["type"], "urn:shop:email-taken");
    patch(&shop.users, "/users/2", &json!({ "email": taken }))
        .await
        .expect(409);

    // An account can change the case of its address, and a released address is free.
    let upper = json!({ "email": "FRIDA.Schmidt@example.com" });
    patch(&shop.users, "/users/1", &upper).await.expect(200);
    let moved = json!({ "email": "frida@example.com" });
    patch(&shop.users, "/users/1", &moved).await.expect(200);
    patch(&shop.users, "/users/2", &json!({ "email": taken }))
        .await
        .expect(200);
    shop.stop().await;
}

#[tokio::test]
async fn a_rejected_change_has_no_effect() {
    let shop = fixed().await;
    let before = get(&shop.users, "/users/60").await;
    for change in [
        json!({ "name": "" }),
        json!({ "name": "two\nlines" }),
        json!({ "name": "x".repeat(201) }),
        json!({ "name": null }),
        json!({ "email": "no-address" }),
        json!({ "email": "a b@example.com" }),
        json!({ "name": "Fine", "address": { "country": "nl" } }),
        json!({ "kind": "merchant" }),
        json!({ "name": "Fine", "merchant": { "displayName": "Not a merchant" } }),
        json!([]),
        json!({ "name": "Fine", "address": ["Street 1", "City", "1", "NL"] }),
        json!("text"),
    ] {
        let refused = patch(&shop.users, "/users/60", &change).await;
        refused.expect(422);
    }
    assert_eq!(get(&shop.users, "/users/60").await.body, before.body);
    shop.stop().await;
}

async fn fixed() -> Shop {
    let settings = Settings {
        clock: Clock::Fixed(1_767_225_600),
        ..Settings::default()
    };
    Shop::start_with(settings).await.unwrap()
}

fn ada() -> Value {
    json!({
        "name": "Ada Berg",
        "email": "ada.new@example.com",
        "address": {
            "street": "Gartenweg 1", "city": "Graz", "postalCode": "8010", "country": "AT",
        },
    })
}
