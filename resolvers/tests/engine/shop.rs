//! The demo's graph over running services: answers, and the number of calls they take.

use http::HeaderMap;
use resolvers::settings::Batching;
use serde_json::{Value, json};

use crate::support::{Running, execute, execute_with, request};

const Q2: &str = "{ orders(first: 50) { nodes { id status customer { id name email } \
                  items { quantity product { id name price { amount currency } } } } } }";

#[tokio::test]
async fn fifty_orders_with_customers_and_products_take_three_calls() {
    let running = Running::start().await;

    let answer = running.execute(Q2).await;

    let nodes = answer["orders"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 50);
    for node in nodes {
        assert!(node["customer"]["email"].as_str().unwrap().contains('@'));
        for item in node["items"].as_array().unwrap() {
            assert!(item["quantity"].as_i64().unwrap() > 0);
            assert!(!item["product"]["name"].as_str().unwrap().is_empty());
            assert!(item["product"]["price"]["amount"].as_i64().unwrap() > 0);
        }
    }
    assert_eq!(running.calls(), [1, 1, 1]);
}

#[tokio::test]
async fn the_answer_has_the_values_of_the_services() {
    let running = Running::start().await;

    let answer = running.execute(Q2).await;

    let node = &answer["orders"]["nodes"][7];
    let id = node["id"].as_str().unwrap();
    let order = get(running.shop.orders.url(), &format!("/orders/{id}")).await;
    assert_eq!(node["status"], order["status"]);
    let user = order["userId"].as_str().unwrap();
    let user = get(running.shop.users.url(), &format!("/users/{user}")).await;
    assert_eq!(node["customer"]["name"], user["name"]);
    assert_eq!(node["customer"]["email"], user["email"]);
    for (item, held) in std::iter::zip(
        node["items"].as_array().unwrap(),
        order["items"].as_array().unwrap(),
    ) {
        let product = held["productId"].as_str().unwrap();
        let product = get(running.shop.products.url(), &format!("/products/{product}")).await;
        assert_eq!(item["quantity"], held["quantity"]);
        assert_eq!(item["product"]["id"], product["id"]);
        assert_eq!(item["product"]["name"], product["name"]);
        assert_eq!(item["product"]["price"], product["price"]);
    }
}

async fn get(base: &str, path: &str) -> Value {
    let client = reqwest::Client::builder().build().unwrap();
    let text = client.get(format!("{base}{path}")).send().await.unwrap();
    serde_json::from_str(&text.text().await.unwrap()).unwrap()
}

#[tokio::test]
async fn every_level_takes_one_call() {
    let running = Running::start().await;

    let answer = running
        .execute(
            "{ users(first: 20, kind: CUSTOMER) { nodes { name orders { id \
             items { product { merchant { name } } } } } } }",
        )
        .await;

    let users = answer["users"]["nodes"].as_array().unwrap();
    assert_eq!(users.len(), 20);
    let merchants = users
        .iter()
        .flat_map(|user| user["orders"].as_array().unwrap())
        .flat_map(|order| order["items"].as_array().unwrap())
        .filter(|item| item["product"]["merchant"]["name"].is_string());
    assert!(merchants.count() > 20);
    assert_eq!(running.calls(), [2, 1, 1]);
}

#[tokio::test]
async fn every_field_between_types_can_be_fetched() {
    let running = Running::start().await;

    let answer = running
        .execute(
            "{ merchant(id: 3) { name products { name merchant { id } } orders { customer { name } } \
             catalog(first: 2) { totalCount edges { cursor node { id name } } } } \
             user(id: 60) { name orderHistory(first: 1) { nodes { merchants { name } } pageInfo { hasNextPage } } } \
             order(id: 1) { customer { orders { total { amount } } } } }",
        )
        .await;

    assert_eq!(answer["merchant"]["products"][0]["merchant"]["id"], "3");
    assert!(answer["merchant"]["orders"][0]["customer"]["name"].is_string());
    let edge = &answer["merchant"]["catalog"]["edges"][0];
    assert_eq!(edge["cursor"], edge["node"]["id"]);
    assert!(answer["user"]["orderHistory"]["nodes"].is_array());
    assert!(answer["order"]["customer"]["orders"][0]["total"]["amount"].is_i64());
}

#[tokio::test]
async fn a_list_is_paged_by_its_cursors() {
    let running = Running::start().await;
    let mut seen = Vec::new();
    let mut after = Value::Null;

    loop {
        let page = execute(
            &running.engine,
            "query($after: String) { merchants(first: 20, after: $after) { \
             nodes { id } totalCount pageInfo { endCursor hasNextPage } } }",
            json!({ "after": after }),
        )
        .await;
        let merchants = &page["merchants"];
        let nodes = merchants["nodes"].as_array().unwrap();
        seen.extend(nodes.iter().map(|node| node["id"].clone()));
        after = merchants["pageInfo"]["endCursor"].clone();
        if merchants["pageInfo"]["hasNextPage"] == false {
            assert_eq!(merchants["totalCount"], seen.len());
            break;
        }
    }

    assert!(seen.len() >= 40, "{}", seen.len());
    let before = seen.len();
    seen.sort_by_key(|id| id.as_str().unwrap().to_owned());
    seen.dedup();
    assert_eq!(seen.len(), before);
}

#[tokio::test]
async fn missing_objects_are_null_without_an_error() {
    let running = Running::start().await;

    let answer = running
        .execute("{ user(id: 999999) { name } merchant(id: 700) { name } }")
        .await;

    assert_eq!(answer, json!({ "user": null, "merchant": null }));
}

#[tokio::test]
async fn conditions_decide_which_calls_are_made() {
    let running = Running::start().await;
    let query = "query($deep: Boolean!) { order(id: 1) { id customer @include(if: $deep) { name } \
                 items @skip(if: $deep) { product { name } } } }";

    let flat = execute(&running.engine, query, json!({ "deep": false })).await;
    let calls = running.calls();
    let deep = execute(&running.engine, query, json!({ "deep": true })).await;

    assert!(flat["order"].get("customer").is_none());
    assert!(flat["order"]["items"][0]["product"]["name"].is_string());
    assert_eq!(calls, [0, 1, 1]);
    assert!(deep["order"]["customer"]["name"].is_string());
    assert!(deep["order"].get("items").is_none());
    assert_eq!(running.calls(), [1, 1, 2]);
}

#[tokio::test]
async fn response_keys_are_in_the_order_of_the_selection() {
    let running = Running::start().await;

    let answer = execute_text(
        &running,
        "query { b: user(id: 60) { __typename ...F name } a: user(id: 61) { again: id ...F id } } \
         fragment F on User { id ... on User { address { city } } address { country } }",
    )
    .await;

    let shape = r#"{"b":{"__typename":"User","id":"60","address":{"city":"…","country":"…"},"name":"…"},"a":{"again":"61","id":"61","address":{"city":"…","country":"…"}}}"#;
    assert_eq!(masked(&answer), shape);
}

/// Returns `data` as text, for the order of its members.
async fn execute_text(running: &Running, query: &str) -> String {
    let mut out = Vec::new();
    running.engine.execute(request(query), &mut out).await;
    String::from_utf8(out).unwrap()
}

/// Replaces texts of the seed data by `…`.
fn masked(json: &str) -> String {
    let mut masked = String::new();
    for (index, piece) in json.split('"').enumerate() {
        let known = ["User", "60", "61"].contains(&piece);
        let is_key = piece.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        match (index % 2, known || is_key) {
            (1, true) => masked.extend(["\"", piece, "\""]),
            (1, false) => masked.push_str("\"…\""),
            _ => masked.push_str(piece),
        }
    }
    masked
}

#[tokio::test]
async fn an_order_is_placed_once_for_one_key() {
    let running = Running::start().await;
    let place = "mutation($key: String) { placeOrder(idempotencyKey: $key, input: { customerId: 77, \
                 items: [{ productId: 5, quantity: 2 }] }) { id status customer { id } total { amount } } }";
    let before = stock(&running).await;

    let first = execute(&running.engine, place, json!({ "key": "k-1" })).await;
    let again = execute(&running.engine, place, json!({ "key": "k-1" })).await;

    assert_eq!(first["placeOrder"]["status"], "PLACED");
    assert_eq!(first["placeOrder"]["customer"]["id"], "77");
    assert_eq!(first, again);
    assert_eq!(stock(&running).await, before - 2);

    let mut headers = HeaderMap::new();
    headers.insert("idempotency-key", "k-2".parse().unwrap());
    let by_header = execute_with(&running.engine, place, json!({}), headers.clone()).await;
    let again = execute_with(&running.engine, place, json!({}), headers).await;

    assert_ne!(by_header["placeOrder"]["id"], first["placeOrder"]["id"]);
    assert_eq!(by_header, again);
    assert_eq!(stock(&running).await, before - 4);
}

async fn stock(running: &Running) -> i64 {
    let answer = running.execute("{ product(id: 5) { stock } }").await;
    answer["product"]["stock"].as_i64().unwrap()
}

#[tokio::test]
async fn an_order_for_more_than_the_stock_changes_nothing() {
    let running = Running::start().await;
    let before = stock(&running).await;

    let answer = running
        .execute(
            "mutation { placeOrder(input: { customerId: 77, items: [{ productId: 5, quantity: 1000000 }] }) { id } }",
        )
        .await;

    assert_eq!(answer["data"], json!({ "placeOrder": null }));
    let error = answer["errors"][0].as_str().unwrap();
    assert!(
        error.starts_with("placeOrder: orders:Mutation.placeOrder[0]: answered 4"),
        "{error}"
    );
    assert_eq!(stock(&running).await, before);
}

#[tokio::test]
async fn mutations_run_one_after_another() {
    let running = Running::start().await;

    let answer = running
        .execute(
            "mutation { \
             one: changeStock(productId: 9, merchantId: 0, stock: 3) { stock } \
             two: createUser(input: { name: \"Ada Low\", email: \"ada@example.com\", \
             address: { street: \"1 Mill Lane\", city: \"Bath\", postalCode: \"BA1\", country: \"GB\" } }) \
             { id name address { city } kind } }",
        )
        .await;

    // The product is not that merchant's: the first field fails, and the next one runs.
    assert_eq!(answer["data"]["one"], Value::Null);
    assert_eq!(answer["data"]["two"]["address"]["city"], "Bath");
    assert_eq!(answer["data"]["two"]["kind"], "CUSTOMER");
}

#[tokio::test]
async fn a_merchant_changes_stock_and_price() {
    let running = Running::start().await;
    let product = running
        .execute("{ product(id: 9) { merchant { id } } }")
        .await;
    let merchant = product["product"]["merchant"]["id"].clone();

    let answer = execute(
        &running.engine,
        "mutation($m: ID!) { \
         s: changeStock(productId: 9, merchantId: $m, stock: 3) { stock } \
         p: changePrice(productId: 9, merchantId: $m, price: { amount: 1250, currency: \"EUR\" }) { price { amount } stock } }",
        json!({ "m": merchant }),
    )
    .await;

    assert_eq!(
        answer,
        json!({ "s": { "stock": 3 }, "p": { "price": { "amount": 1250 }, "stock": 3 } })
    );
}

#[tokio::test]
async fn introspection_and_data_are_in_one_response() {
    let running = Running::start().await;

    let answer = running
        .execute("{ __typename __schema { queryType { name } } t: __type(name: \"Money\") { fields { name } } product(id: 1) { id } }")
        .await;

    assert_eq!(
        answer,
        json!({
            "__typename": "Query",
            "__schema": { "queryType": { "name": "Query" } },
            "t": { "fields": [{ "name": "amount" }, { "name": "currency" }] },
            "product": { "id": "1" }
        })
    );
    assert_eq!(running.calls(), [0, 1, 0]);
}

#[tokio::test]
async fn equal_reads_of_one_operation_are_made_once() {
    let running = Running::with(|settings| settings.batching = Batching::WithinOperation).await;

    let answer = running
        .execute("{ a: user(id: 60) { name } b: user(id: 60) { email } c: user(id: 61) { name } }")
        .await;

    assert!(answer["a"]["name"].is_string(), "{answer}");
    assert!(answer["b"]["email"].is_string(), "{answer}");
    assert!(answer["c"]["name"].is_string(), "{answer}");
    assert_eq!(running.calls(), [2, 0, 0]);
}

#[tokio::test]
async fn a_mutation_reads_no_values_from_before_it() {
    let running = Running::start().await;
    let product = running
        .execute("{ order(id: 1) { items { product { id merchant { id } stock } } } }")
        .await;
    let product = &product["order"]["items"][0]["product"];
    let order = "placeOrder(input: { customerId: 77, items: [{ productId: $p, quantity: 1 }] }) { items { product { stock } } }";

    let answer = execute(
        &running.engine,
        &format!("mutation($p: ID!) {{ a: {order} b: {order} }}"),
        json!({ "p": product["id"] }),
    )
    .await;

    let stock = |name: &str| {
        answer[name]["items"][0]["product"]["stock"]
            .as_i64()
            .unwrap()
    };
    assert_eq!(stock("a") - 1, stock("b"), "{answer}");
}
