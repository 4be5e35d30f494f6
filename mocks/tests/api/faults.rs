//! Each fault, as a client meets it.

use std::io::ErrorKind;
use std::time::Duration;

use mocks::{Fault, Service, Shop};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::client::{
    delete, eventually, get, patch, post, request, send, stock, try_send, with_json,
};

#[tokio::test]
async fn a_delayed_answer_is_late_and_right() {
    let shop = Shop::start().await.unwrap();
    let good = get(&shop.users, "/users/1").await;
    shop.users
        .fault(Some(Fault::Delay(Duration::from_millis(120))));
    let start = Instant::now();
    let late = get(&shop.users, "/users/1").await;
    assert!(start.elapsed() >= Duration::from_millis(120));
    assert_eq!(late.body, good.body);
    shop.stop().await;
}

#[tokio::test]
async fn a_stalled_call_gets_no_answer_and_does_nothing() {
    let shop = Shop::start().await.unwrap();
    shop.products.fault(Some(Fault::Stall));
    let change = with_json(
        request(&shop.products, Method::PATCH, "/products/1"),
        &json!({ "stock": 1 }),
    );
    let error = try_send(change.timeout(Duration::from_millis(100))).await;
    assert!(error.unwrap_err().is_timeout());
    assert_eq!(shop.products.calls_to("PATCH /products/{id}"), 1);
    shop.products.fault(None);
    assert_ne!(stock(&shop.products, "1").await, 1);
    shop.stop().await;
}

#[tokio::test]
async fn a_reset_comes_in_mid_answer_and_the_work_is_done() {
    let shop = Shop::start().await.unwrap();
    shop.products.fault(Some(Fault::Reset));
    let body = r#"{"stock":7}"#;
    let sent = format!(
        "PATCH /products/1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (answer, error) = converse(&shop.products, &sent).await;
    assert_eq!(error, Some(ErrorKind::ConnectionReset));
    // The reset may overtake what was sent before it; what came is not the whole.
    assert!(!answer.ends_with('}'), "{answer}");
    // A 304 has no body to be reset in.
    let tag = "GET /users/1 HTTP/1.1\r\nhost: x\r\nif-none-match: *\r\n\r\n";
    shop.users.fault(Some(Fault::Reset));
    let (answer, error) = converse(&shop.users, tag).await;
    assert_eq!(
        (answer.as_str(), error),
        ("", Some(ErrorKind::ConnectionReset))
    );

    shop.products.fault(None);
    assert_eq!(stock(&shop.products, "1").await, 7);
    shop.stop().await;
}

#[tokio::test]
async fn an_answer_cut_short_announces_more_than_it_brings() {
    let shop = Shop::start().await.unwrap();
    let whole = get(&shop.users, "/users?limit=50").await;
    shop.users.fault(Some(Fault::CutShort));
    let sent = "GET /users?limit=50 HTTP/1.1\r\nhost: x\r\n\r\n";
    let (answer, error) = converse(&shop.users, sent).await;
    assert_eq!(error, None, "it ends, and is not reset");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(
        head.contains(&format!("content-length: {}", whole.body.len())),
        "{head}"
    );
    assert_eq!(body.len(), whole.body.len() / 2);
    assert!(whole.body.starts_with(body.as_bytes()));

    let error = try_send(request(&shop.users, Method::GET, "/users/1"))
        .await
        .unwrap_err();
    assert!(error.is_body() || error.is_decode(), "{error:?}");
    shop.stop().await;
}

#[tokio::test]
async fn a_trickle_brings_the_whole_answer_in_drops() {
    let shop = Shop::start().await.unwrap();
    let whole = get(&shop.users, "/users/1").await;
    let pause = Duration::from_millis(10);
    shop.users.fault(Some(Fault::Trickle(pause)));
    let start = Instant::now();
    let mut response = request(&shop.users, Method::GET, "/users/1")
        .send()
        .await
        .unwrap();
    let mut body = Vec::new();
    let mut drops = 0;
    while let Some(drop) = response.chunk().await.unwrap() {
        body.extend_from_slice(&drop);
        drops += 1;
    }
    assert_eq!(body, whole.body);
    let expected = u32::try_from(whole.body.len().div_ceil(32)).unwrap();
    assert!(drops > 1 && drops <= expected, "{drops}");
    assert!(start.elapsed() >= pause * expected);
    shop.stop().await;
}

#[tokio::test]
async fn a_status_comes_with_a_problem_and_nothing_done() {
    let shop = Shop::start().await.unwrap();
    let before = stock(&shop.products, "1").await;
    for status in [400, 401, 404, 429, 500, 502, 503, 504] {
        shop.products.fault(Some(Fault::Status(status)));
        let reply = patch(&shop.products, "/products/1", &json!({ "stock": 1 })).await;
        assert_eq!(reply.expect(status)["status"], status);
        assert_eq!(reply.header("content-type"), "application/problem+json");
        let retry_after = if matches!(status, 429 | 503) { "1" } else { "" };
        assert_eq!(reply.header("retry-after"), retry_after, "{status}");
    }
    for nonsense in [0, 42, 200, 304, 1_000, u16::MAX] {
        shop.products.fault(Some(Fault::Status(nonsense)));
        get(&shop.products, "/products/1").await.expect(500);
    }
    shop.products.fault(None);
    assert_eq!(stock(&shop.products, "1").await, before);
    shop.stop().await;
}

#[tokio::test]
async fn what_is_not_json_claims_to_be() {
    let shop = Shop::start().await.unwrap();
    shop.orders.fault(Some(Fault::NotJson));
    let order = json!({ "userId": "60", "items": [{ "productId": "1", "quantity": 1 }] });
    let reply = post(&shop.orders, "/orders", &order).await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, "application/json")
    );
    assert!(reply.body.starts_with(b"<!doctype html>"));
    assert_eq!(shop.products.calls(), 0);
    shop.stop().await;
}

#[tokio::test]
async fn a_fault_of_one_route_leaves_the_others_alone() {
    let shop = Shop::start().await.unwrap();
    shop.users.fault_on("GET /users", Some(Fault::Status(500)));
    get(&shop.users, "/users?ids=1").await.expect(500);
    get(&shop.users, "/users/1").await.expect(200);

    // A route's own fault wins, and stays when the other one goes.
    shop.users.fault(Some(Fault::Status(503)));
    get(&shop.users, "/users?ids=1").await.expect(500);
    get(&shop.users, "/users/1").await.expect(503);
    get(&shop.users, "/no-route").await.expect(503);
    shop.users.fault(None);
    get(&shop.users, "/users?ids=1").await.expect(500);
    get(&shop.users, "/users/1").await.expect(200);
    shop.users.fault_on("GET /users", None);
    get(&shop.users, "/users?ids=1").await.expect(200);

    for path in [
        "/health",
        "/metrics",
        "/_calls",
        "/_faults",
        "/_cache_control",
        "/openapi.yaml",
    ] {
        shop.users.fault(Some(Fault::Stall));
        assert_eq!(get(&shop.users, path).await.status, 200, "{path}");
    }
    shop.stop().await;
}

#[tokio::test]
async fn people_switch_faults_over_http() {
    let shop = Shop::start().await.unwrap();
    let put = async |body: serde_json::Value| {
        send(with_json(
            request(&shop.users, Method::PUT, "/_faults"),
            &body,
        ))
        .await
    };
    put(json!({ "route": "GET /users/{id}", "fault": { "status": 503 } }))
        .await
        .expect(200);
    let all = put(json!({ "route": null, "fault": { "delay_ms": 1 } }))
        .await
        .expect(200);
    let expected = json!({
        "fault": { "delay_ms": 1 },
        "routes": { "GET /users/{id}": { "status": 503 } },
    });
    assert_eq!(all, expected);
    assert_eq!(get(&shop.users, "/_faults").await.json(), expected);
    get(&shop.users, "/users/1").await.expect(503);
    get(&shop.users, "/users").await.expect(200);
    for fault in [
        json!("stall"),
        json!("reset"),
        json!("not_json"),
        json!("cut_short"),
        json!({ "trickle_ms": 5 }),
    ] {
        let body = json!({ "route": "GET /users", "fault": fault });
        assert_eq!(put(body).await.json()["routes"]["GET /users"], fault);
    }
    put(json!({ "route": "GET /users", "fault": null }))
        .await
        .expect(200);
    let path = "/_faults?route=GET%20/users/%7Bid%7D";
    assert_eq!(delete(&shop.users, path).await.status, 204);
    get(&shop.users, "/users/1").await.expect(200);
    assert_eq!(delete(&shop.users, "/_faults").await.status, 204);
    let none = json!({ "fault": null, "routes": {} });
    assert_eq!(get(&shop.users, "/_faults").await.json(), none);

    let problem = put(json!({ "route": "GET /user", "fault": "stall" }))
        .await
        .expect(422);
    assert_eq!(problem["routes"][0], "GET /users");
    for nonsense in [
        json!({ "fault": "explode" }),
        json!({ "fault": { "status": 200 } }),
        json!({ "fault": { "delay_ms": 3_600_001 } }),
        json!({ "fault": { "delay_ms": -1 } }),
        json!({ "fault": "stall", "path": "/users" }),
        json!({}),
    ] {
        put(nonsense).await.expect(422);
    }
    assert_eq!(get(&shop.users, "/_faults").await.json(), none);
    shop.stop().await;
}

#[tokio::test]
async fn a_stopped_service_refuses_and_cuts_whoever_waits() {
    let mut shop = Shop::start().await.unwrap();
    shop.users.fault(Some(Fault::Stall));
    let address = shop.users.url().trim_start_matches("http://").to_owned();
    let waiting = try_send(request(&shop.users, Method::GET, "/users/1"));
    let stopping = async {
        eventually("the call is there", async || shop.users.calls() == 1).await;
        shop.users.stop().await;
        let error = TcpStream::connect(&address).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    };
    // The caller borrows nothing of the service any more, so both can go on at once.
    let (waited, ()) = tokio::join!(waiting, stopping);
    assert!(!waited.unwrap_err().is_timeout());
    shop.users.stop().await;
    shop.stop().await;
}

#[tokio::test]
async fn draining_lets_calls_end_and_takes_no_new_ones() {
    let mut shop = Shop::start().await.unwrap();
    shop.users
        .fault(Some(Fault::Delay(Duration::from_millis(150))));
    let waiting = send(request(&shop.users, Method::GET, "/users/1"));
    let draining = async {
        eventually("the call is there", async || shop.users.calls() == 1).await;
        shop.users.drain(Duration::from_secs(5)).await
    };
    let (reply, drained) = tokio::join!(waiting, draining);
    reply.expect(200);
    assert!(drained);

    shop.products.fault(Some(Fault::Stall));
    let waiting = try_send(request(&shop.products, Method::GET, "/products/1"));
    let draining = async {
        eventually("the call is there", async || shop.products.calls() == 1).await;
        shop.products.drain(Duration::from_millis(50)).await
    };
    let (waited, drained) = tokio::join!(waiting, draining);
    assert!(waited.is_err());
    assert!(!drained);
    shop.stop().await;
}

/// Sends `text` on a connection of its own and reads to its end: what came, and the error at the
/// end if it was no orderly one.
async fn converse(service: &Service, text: &str) -> (String, Option<ErrorKind>) {
    let address = service.url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    let read = tokio::time::timeout(Duration::from_secs(5), reading).await;
    let error = read.unwrap().err().map(|error| error.kind());
    (String::from_utf8_lossy(&answer).into_owned(), error)
}
