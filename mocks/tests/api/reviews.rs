//! The reviews subgraph: lists, mutations, faults and limits.

use std::time::Duration;

use mocks::{Clock, Fault, Service, Settings, Shop};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::client::{Reply, client, eventually, get, post, request, send, try_send, with_json};

#[tokio::test]
async fn the_newest_reviews_come_first() {
    let shop = Shop::start().await.unwrap();
    let query = "{ latestReviews(first: 30) { id rating title body createdAt author { id } } }";
    let data = data_of(&shop.reviews, query, &json!({})).await;
    let reviews = data["latestReviews"].as_array().unwrap().clone();
    assert_eq!(reviews.len(), 30);
    let times: Vec<_> = reviews.iter().map(|one| text(&one["createdAt"])).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older));
    for review in &reviews {
        assert!((1..=5).contains(&review["rating"].as_u64().unwrap()));
        let author: u32 = text(&review["author"]["id"]).parse().unwrap();
        assert!((51..=1000).contains(&author));
        let one =
            "query($id: ID!) { review(id: $id) { id rating title body createdAt author { id } } }";
        let same = data_of(&shop.reviews, one, &json!({ "id": review["id"] })).await;
        assert_eq!(&same["review"], review);
    }
    shop.stop().await;
}

#[tokio::test]
async fn a_review_that_does_not_exist_is_null_without_an_error() {
    let shop = Shop::start().await.unwrap();
    for id in ["0", "999999999", "x", ""] {
        let query = "query($id: ID!) { review(id: $id) { id } }";
        let data = data_of(&shop.reviews, query, &json!({ "id": id })).await;
        assert_eq!(data, json!({ "review": null }), "{id}");
    }
    shop.stop().await;
}

#[tokio::test]
async fn pages_have_every_review_of_a_product_once() {
    let shop = Shop::start().await.unwrap();
    let (product, count) = most_reviewed(&shop.reviews).await;
    assert!(count > 5);
    let query = "query($r: [_Any!]!, $after: String) { _entities(representations: $r) { ... on Product {
        averageRating
        all: reviews(first: 100) { nodes { id rating createdAt product { id } } pageInfo { endCursor hasNextPage } }
        reviews(first: 2, after: $after) { totalCount edges { cursor node { id } } pageInfo { endCursor hasNextPage } }
    } } }";
    let mut met = Vec::new();
    let mut after = Value::Null;
    let product = loop {
        let variables = json!({ "r": [key("Product", &product)], "after": after });
        let data = data_of(&shop.reviews, query, &variables).await;
        let page = &data["_entities"][0]["reviews"];
        assert_eq!(page["totalCount"], count);
        for edge in page["edges"].as_array().unwrap() {
            assert_eq!(edge["cursor"], edge["node"]["id"]);
            met.push(text(&edge["cursor"]).to_owned());
        }
        after = page["pageInfo"]["endCursor"].clone();
        assert_eq!(page["pageInfo"]["hasNextPage"], !after.is_null());
        if after.is_null() {
            break data["_entities"][0].clone();
        }
    };
    let all = product["all"]["nodes"].as_array().unwrap();
    let ids: Vec<_> = all.iter().map(|one| text(&one["id"])).collect();
    assert_eq!(met, ids, "newest first, none twice, none missing");
    let sum: u64 = all.iter().map(|one| one["rating"].as_u64().unwrap()).sum();
    let hundredths = (f64::from(u32::try_from(sum).unwrap()) * 100.0 / f64::from(count)).round();
    assert_eq!(product["averageRating"], hundredths / 100.0);
    shop.stop().await;
}

#[tokio::test]
async fn a_new_review_can_be_read_at_once() {
    let settings = Settings {
        clock: Clock::Fixed(1_790_000_000),
        ..Settings::default()
    };
    let shop = Shop::start_with(settings).await.unwrap();
    let written = add(
        &shop.reviews,
        json!({ "rating": 4, "title": " Good ", "body": "Ünïcode 🙂\nand a line" }),
    );
    let review = written.await.expect(200)["data"]["addReview"].clone();
    assert_eq!(
        (&review["title"], &review["body"], &review["createdAt"]),
        (
            &json!("Good"),
            &json!("Ünïcode 🙂\nand a line"),
            &json!("2026-09-21T14:13:20Z")
        )
    );
    let query =
        "query($r: [_Any!]!) { latestReviews(first: 1) { id } _entities(representations: $r) {
        ... on Product { averageRating reviewCount reviews(first: 1) { nodes { id } } }
        ... on User { reviews(first: 1) { nodes { id } } }
    } }";
    let keys = [key("Product", "5000"), key("User", "60")];
    let data = data_of(&shop.reviews, query, &json!({ "r": keys })).await;
    let own = json!({ "nodes": [{ "id": review["id"] }] });
    assert_eq!(
        data["_entities"],
        json!([{ "averageRating": 4.0, "reviewCount": 1, "reviews": own }, { "reviews": own }])
    );
    assert_eq!(data["latestReviews"][0]["id"], review["id"]);
    shop.stop().await;
}

#[tokio::test]
async fn invalid_reviews_are_rejected_with_a_code() {
    let settings = Settings {
        max_reviews: 0,
        ..Settings::default()
    };
    let shop = Shop::start().await.unwrap();
    let full = Shop::start_with(settings).await.unwrap();
    add(&shop.reviews, json!({})).await.expect(200);
    let long = "x".repeat(4_001);
    for (service, change, code) in [
        (&shop.reviews, json!({}), "CONFLICT"),
        (&full.reviews, json!({}), "CONFLICT"),
        (&shop.reviews, json!({ "rating": 0 }), "UNPROCESSABLE"),
        (&shop.reviews, json!({ "rating": 6 }), "UNPROCESSABLE"),
        (&shop.reviews, json!({ "rating": 261 }), "UNPROCESSABLE"),
        (&shop.reviews, json!({ "title": " \n" }), "UNPROCESSABLE"),
        (&shop.reviews, json!({ "body": long }), "UNPROCESSABLE"),
        (&shop.reviews, json!({ "productId": "x" }), "UNPROCESSABLE"),
        (&shop.reviews, json!({ "userId": "0" }), "UNPROCESSABLE"),
    ] {
        let reply = add(service, change.clone()).await;
        let answer = reply.expect(200);
        assert_eq!(answer["data"], json!(null), "{change}");
        assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], code, "{change}: {error}");
        assert_eq!(error["path"], json!(["addReview"]));
    }
    shop.stop().await;
    full.stop().await;
}

#[tokio::test]
async fn faults_apply_to_the_subgraph_as_to_other_services() {
    let shop = Shop::start().await.unwrap();
    let body = json!({ "query": "{ review(id: 1) { title } }" });
    let call = || with_json(request(&shop.reviews, Method::POST, "/graphql"), &body);
    let whole = send(call()).await;

    shop.reviews.fault(Some(Fault::Status(503)));
    assert_eq!(send(call()).await.expect(503)["status"], 503);
    shop.reviews.fault(Some(Fault::NotJson));
    assert!(send(call()).await.body.starts_with(b"<!doctype html>"));
    shop.reviews.fault(Some(Fault::Stall));
    let short = call().timeout(Duration::from_millis(100));
    assert!(try_send(short).await.unwrap_err().is_timeout());
    for fault in [Fault::Reset, Fault::CutShort] {
        shop.reviews.fault(Some(fault));
        assert!(try_send(call()).await.is_err(), "{fault:?}");
    }
    shop.reviews.fault(None);
    shop.reviews
        .fault_on("GET /graphql", Some(Fault::Status(500)));
    assert_eq!(send(call()).await.body, whole.body);
    assert_eq!(shop.reviews.calls_to("POST /graphql"), 7);
    shop.stop().await;
}

#[tokio::test]
async fn a_fault_that_breaks_the_answer_does_not_undo_the_work() {
    let shop = Shop::start().await.unwrap();
    shop.reviews.fault(Some(Fault::Reset));
    let body = json!({ "query": ADD, "variables": { "input": draft(&json!({})) } });
    let call = with_json(request(&shop.reviews, Method::POST, "/graphql"), &body);
    assert!(try_send(call).await.is_err());
    shop.reviews.fault(None);
    let again = add(&shop.reviews, json!({})).await.expect(200);
    assert_eq!(again["errors"][0]["extensions"]["code"], "CONFLICT");
    shop.stop().await;
}

#[tokio::test]
async fn operations_over_the_limits_are_rejected() {
    let shop = Shop::start().await.unwrap();
    let mut deep = "id".to_owned();
    for _ in 0..3 {
        deep = format!("reviews(first: 100) {{ nodes {{ product {{ {deep} }} }} }}");
    }
    let query = format!("{{ latestReviews(first: 100) {{ product {{ {deep} }} }} }}");
    let answer = execute(&shop.reviews, &query, &json!({})).await.expect(200);
    assert_eq!(answer["errors"][0]["message"], "Query is too complex.");
    let many = vec![key("User", "60"); 10_001];
    let query = "query($r: [_Any!]!) { _entities(representations: $r) { __typename } }";
    let answer = execute(&shop.reviews, query, &json!({ "r": many })).await;
    assert_eq!(
        answer.expect(200)["errors"][0]["message"],
        "a list has at most 10000 values"
    );
    let huge = json!({ "query": "{ __typename }", "variables": { "x": "y".repeat(1 << 20) } });
    post(&shop.reviews, "/graphql", &huge).await.expect(413);
    shop.stop().await;
}

#[tokio::test]
async fn stopping_the_service_leaves_no_client_waiting() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut reviews = Service::reviews(listener, &Settings::default()).unwrap();
    let url = reviews.url().to_owned();
    reviews.fault(Some(Fault::Delay(Duration::from_millis(50))));
    let query = json!({ "query": "{ review(id: 1) { product { reviewCount } } }" });
    let call = with_json(request(&reviews, Method::POST, "/graphql"), &query);
    let (answer, ended) = tokio::join!(try_send(call), async {
        eventually("a call", async || reviews.calls() == 1).await;
        reviews.drain(Duration::from_secs(5)).await
    });
    assert!(ended, "the call in progress ends by itself");
    assert_eq!(answer.unwrap().status, 200);
    assert!(client().get(url).send().await.is_err());
}

#[tokio::test]
async fn the_subgraph_has_the_endpoints_of_the_other_services() {
    let shop = Shop::start().await.unwrap();
    data_of(&shop.reviews, "{ __typename }", &json!({})).await;
    let calls = get(&shop.reviews, "/_calls").await.json();
    assert_eq!(
        (&calls["service"], &calls["routes"]["POST /graphql"]),
        (&json!("reviews"), &json!(1))
    );
    let metrics = get(&shop.reviews, "/metrics").await.body;
    let metrics = String::from_utf8(metrics.to_vec()).unwrap();
    let line = r#"shop_calls_total{service="reviews",route="POST /graphql"} 1"#;
    assert!(metrics.lines().any(|other| other == line), "{metrics}");
    get(&shop.reviews, "/health").await.expect(200);
    shop.stop().await;
}

/// The product with the most reviews of the seed data, and their number.
async fn most_reviewed(reviews: &Service) -> (String, u32) {
    let keys: Vec<_> = (1..=1_000)
        .map(|id: u32| key("Product", &id.to_string()))
        .collect();
    let query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { id reviewCount } } }";
    let data = data_of(reviews, query, &json!({ "r": keys })).await;
    let products = data["_entities"].as_array().unwrap().iter();
    let most = products.max_by_key(|one| one["reviewCount"].as_u64());
    let most = most.unwrap();
    let count = most["reviewCount"].as_u64().unwrap();
    (text(&most["id"]).to_owned(), u32::try_from(count).unwrap())
}

async fn add(reviews: &Service, change: Value) -> Reply {
    execute(reviews, ADD, &json!({ "input": draft(&change) })).await
}

/// A review of a product that has none, with changed members.
fn draft(change: &Value) -> Value {
    let mut draft =
        json!({ "productId": "5000", "userId": "60", "rating": 5, "title": "T", "body": "B" });
    for (name, value) in change.as_object().unwrap() {
        draft[name] = value.clone();
    }
    draft
}

/// The `data` of an operation without errors.
pub(crate) async fn data_of(service: &Service, query: &str, variables: &Value) -> Value {
    let answer = execute(service, query, variables).await.expect(200);
    assert_eq!(answer["errors"], Value::Null, "{query}");
    answer["data"].clone()
}

pub(crate) async fn execute(service: &Service, query: &str, variables: &Value) -> Reply {
    let body = json!({ "query": query, "variables": variables });
    post(service, "/graphql", &body).await
}

pub(crate) fn key(name: &str, id: &str) -> Value {
    json!({ "__typename": name, "id": id })
}

#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

const ADD: &str =
    "mutation($input: AddReviewInput!) { addReview(input: $input) { id title body createdAt } }";
