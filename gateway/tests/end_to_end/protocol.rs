//! HTTP/1.x beneath GraphQL: hosts, versions, framing, and limits of a request's head.

use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::time::Instant;

use crate::client::{Connection, exchange};
use crate::running::Running;

const BODY: &str = r#"{"query":"{ __typename }"}"#;

/// Sends `text`, and returns the status of the answer and whether the connection is closed then.
async fn answered(gateway: &Running, text: &str) -> (u16, bool) {
    let mut connection = Connection::open(gateway.address).await;
    connection.send(text).await;
    let answer = connection.answer().await.expect("an answer");
    let is_last = answer.header("connection") == Some("close");
    (answer.status, is_last)
}

#[tokio::test]
async fn a_request_has_one_valid_host() {
    let gateway = Running::alone(|_| {}).await;
    for (hosts, expected) in [
        ("host: weir.example:4000\r\n", (200, false)),
        ("host: [::1]:4000\r\n", (200, false)),
        ("host:\r\n", (200, false)),
        ("", (400, true)),
        ("host: weir\r\nhost: weir\r\n", (400, true)),
        ("host: weir\r\nHost: other\r\n", (400, true)),
        ("host: user@weir\r\n", (400, true)),
        ("host: weir/path\r\n", (400, true)),
        ("host: weir:port\r\n", (400, true)),
    ] {
        let request = format!("GET /health/live HTTP/1.1\r\n{hosts}\r\n");
        assert_eq!(answered(&gateway, &request).await, expected, "{hosts:?}");
    }
}

#[tokio::test]
async fn a_refused_host_is_a_bad_request_in_json() {
    let gateway = Running::alone(|_| {}).await;
    let mut connection = Connection::open(gateway.address).await;
    connection
        .send("GET /graphql?query={__typename} HTTP/1.1\r\n\r\n")
        .await;

    let answer = connection.answer().await.unwrap();

    assert_eq!(answer.code(), "BAD_REQUEST");
    assert_eq!(
        answer.json()["errors"][0]["message"],
        "the request has no `Host`"
    );
    assert!(connection.is_closed().await);
}

#[tokio::test]
async fn http_1_0_needs_no_host_and_ends_with_its_response() {
    let gateway = Running::alone(|_| {}).await;
    let mut connection = Connection::open(gateway.address).await;
    connection.send("GET /health/live HTTP/1.0\r\n\r\n").await;

    assert_eq!(connection.answer().await.unwrap().status, 200);
    assert!(connection.is_closed().await);
}

#[tokio::test]
async fn a_head_has_at_most_64_kib_and_100_headers() {
    let gateway = Running::alone(|_| {}).await;
    let head =
        |path: &str, headers: &str| format!("GET {path} HTTP/1.1\r\nhost: weir\r\n{headers}\r\n");
    let many = |count: usize| "a: b\r\n".repeat(count);

    let live = "/health/live";
    assert_eq!(answered(&gateway, &head(live, &many(99))).await.0, 200);
    assert_eq!(answered(&gateway, &head(live, &many(100))).await.0, 431);
    let path = format!("{live}?{}", "x".repeat(60_000));
    assert_eq!(answered(&gateway, &head(&path, "")).await.0, 200);
    let path = format!("{live}?{}", "x".repeat(70_000));
    assert_eq!(answered(&gateway, &head(&path, "")).await.0, 431);
}

#[tokio::test]
async fn a_client_that_expects_100_is_told_to_send_its_body_or_why_not() {
    let gateway = Running::alone(|config| {
        config.limits.body_size = NonZeroUsize::new(64).unwrap();
    })
    .await;
    let head = |length: usize| {
        format!(
            "POST /graphql HTTP/1.1\r\nhost: weir\r\ncontent-type: application/json\r\n\
             expect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
        )
    };
    let mut small = Connection::open(gateway.address).await;
    small.send(head(BODY.len())).await;
    let interim = small.answer().await.unwrap();
    small.send(BODY).await;
    let answer = small.answer().await.unwrap();
    let mut large = Connection::open(gateway.address).await;
    large.send(head(65)).await;
    let refused = large.answer().await.unwrap();

    assert_eq!((interim.status, answer.status), (100, 200));
    assert_eq!(refused.status, 413);
    assert!(large.is_closed().await);
}

#[tokio::test]
async fn a_request_with_two_lengths_cannot_hide_another() {
    let gateway = Running::alone(|_| {}).await;
    let hidden = "GET /health/ready HTTP/1.1\r\nhost: weir\r\n\r\n";
    let chunked = format!("{:x}\r\n{BODY}\r\n0\r\n\r\n{hidden}", BODY.len());
    for framing in [
        "content-length: 5\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
    ] {
        let mut connection = Connection::open(gateway.address).await;
        let head = "POST /graphql HTTP/1.1\r\nhost: weir\r\ncontent-type: application/json\r\n";
        connection
            .send(format!("{head}{framing}\r\n{chunked}"))
            .await;

        assert_eq!(connection.answer().await.unwrap().status, 200, "{framing}");
        assert!(connection.is_closed().await, "{framing}");
    }
    for framing in [
        "content-length: 5\r\ncontent-length: 6\r\n",
        "transfer-encoding: gzip\r\n",
        "content-length: +5\r\n",
    ] {
        let request = format!("POST /graphql HTTP/1.1\r\nhost: weir\r\n{framing}\r\n{chunked}");
        assert_eq!(answered(&gateway, &request).await.0, 400, "{framing}");
    }
}

#[tokio::test]
async fn idle_connections_make_room_when_there_is_no_other() {
    let gateway = Running::alone(|config| {
        config.listen.connections = NonZeroUsize::new(2).unwrap();
    })
    .await;
    let mut incomplete = Connection::open(gateway.address).await;
    incomplete.send("GET /health/live HT").await;
    let mut used = Connection::open(gateway.address).await;
    used.request("GET /health/live", &[], "").await;
    assert_eq!(used.answer().await.unwrap().status, 200);

    let started = Instant::now();
    let answer = exchange(gateway.address, "GET /health/live", &[], "").await;

    assert_eq!(answer.status, 200);
    assert!(started.elapsed() < Duration::from_secs(4));
    assert!(incomplete.is_closed().await);
    assert!(used.is_closed().await);
}
