//! Faults, as clients see them.

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
async fn a_delayed_response_is_late_and_correct() {
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
async fn a_stalled_call_gets_no_response_and_has_no_effect() {
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
async fn a_reset_cuts_the_response_after_the_call_took_effect() {
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
    // The reset may discard bytes sent before it; the response is incomplete in any case.
    assert!(!answer.ends_with('}'), "{answer}");
    // A 304 has no body, so the reset replaces its head.
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
async fn a_response_cut_short_has_half_of_its_announced_length() {
    let shop = Shop::start().await.unwrap();
    let whole = get(&shop.users, "/users?limit=50").await;
    shop.users.fault(Some(Fault::CutShort));
    let sent = "GET /users?limit=50 HTTP/1.1\r\nhost: x\r\n\r\n";
    let (answer, error) = converse(&shop.users, sent).await;
    assert_eq!(error, None, "it ends without a reset");
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
async fn a_trickle_sends_the_whole_response_in_small_chunks() {
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
    let mut chunks = 0;
    while let Some(chunk) = response.chunk().await.unwrap() {
        body.extend_from_slice(&chunk);
        chunks += 1;
    }
    assert_eq!(body, whole.body);
    let expected = u32::try_from(whole.body.len().div_ceil(32)).unwrap();
    assert!(chunks > 1 && chunks <= expected, "{chunks}");
    assert!(start.elapsed() >= pause * expected);
    shop.stop().await;
}

#[tokio::test]
async fn a_status_fault_returns_a_problem_and_has_no_effect() {
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
    for invalid in [0, 42, 200, 304, 1_000, u16::MAX] {
        shop.products.fault(Some(Fault::Status(invalid)));
        get(&shop.products, "/products/1").await.expect(500);
    }
    shop.products.fault(None);
    assert_eq!(stock(&shop.products, "1").await, before);
    shop.stop().await;
}

#[tokio::test]
async fn the_not_json_fault_returns_html_as_json() {
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
async fn a_fault_of_one_route_does_not_affect_others() {
    let shop = Shop::start().await.unwrap();
    shop.users.fault_on("GET /users", Some(Fault::Status(500)));
    get(&shop.users, "/users?ids=1").await.expect(500);
    get(&shop.users, "/users/1").await.expect(200);

    // The fault of a route takes precedence, and remains when the general one is removed.
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
async fn faults_can_be_set_over_http() {
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
    for invalid in [
        json!({ "fault": "explode" }),
        json!({ "fault": { "status": 200 } }),
        json!({ "fault": { "delay_ms": 3_600_001 } }),
        json!({ "fault": { "delay_ms": -1 } }),
        json!({ "fault": "stall", "path": "/users" }),
        json!({}),
    ] {
        put(invalid).await.expect(422);
    }
    assert_eq!(get(&shop.users, "/_faults").await.json(), none);
    shop.stop().await;
}

#[tokio::test]
async fn a_stopped_service_refuses_connections_and_ends_calls() {
    let mut shop = Shop::start().await.unwrap();
    shop.users.fault(Some(Fault::Stall));
    let address = shop.users.url().trim_start_matches("http://").to_owned();
    let waiting = try_send(request(&shop.users, Method::GET, "/users/1"));
    let stopping = async {
        eventually("the call has arrived", async || shop.users.calls() == 1).await;
        shop.users.stop().await;
        let error = TcpStream::connect(&address).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    };
    // The call borrows nothing of the service, so both can run concurrently.
    let (waited, ()) = tokio::join!(waiting, stopping);
    assert!(!waited.unwrap_err().is_timeout());
    shop.users.stop().await;
    shop.stop().await;
}

#[tokio::test]
async fn draining_finishes_calls_within_the_grace_period() {
    let mut shop = Shop::start().await.unwrap();
    shop.users
        .fault(Some(Fault::Delay(Duration::from_millis(150))));
    let waiting = send(request(&shop.users, Method::GET, "/users/1"));
    let draining = async {
        eventually("the call has arrived", async || shop.users.calls() == 1).await;
        shop.users.drain(Duration::from_secs(5)).await
    };
    let (reply, drained) = tokio::join!(waiting, draining);
    reply.expect(200);
    assert!(drained);

    shop.products.fault(Some(Fault::Stall));
    let waiting = try_send(request(&shop.products, Method::GET, "/products/1"));
    let draining = async {
        eventually("the call has arrived", async || shop.products.calls() == 1).await;
        shop.products.drain(Duration::from_millis(50)).await
    };
    let (waited, drained) = tokio::join!(waiting, draining);
    assert!(waited.is_err());
    assert!(!drained);
    shop.stop().await;
}

/// Sends `text` on a new connection and reads it to its end; returns the response, and the error
/// of an abnormal end.
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
