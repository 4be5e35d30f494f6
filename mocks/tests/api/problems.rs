//! Errors have the form of RFC 9457 and name their cause.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use mocks::{Service, Shop};
use reqwest::Method;
use serde_json::json;

use crate::client::{Reply, get, request, send, with_json};

#[tokio::test]
async fn unknown_paths_and_ids_are_not_found() {
    let shop = Shop::start().await.unwrap();
    for (service, path) in [
        (&shop.users, "/"),
        (&shop.users, "/users/"),
        (&shop.users, "/users/1/friends"),
        (&shop.users, "/users/0"),
        (&shop.users, "/users/01"),
        (&shop.users, "/users/abc"),
        (&shop.users, "/users/%22%3Cscript%3E"),
        (&shop.users, "/users/%FF"),
        (&shop.users, "/users/99999999999999999999"),
        (&shop.users, "/products/1"),
        (&shop.orders, "/orders/5000/cancel/now"),
    ] {
        check(&get(service, path).await, 404, path);
    }
    for (service, path) in [
        (&shop.users, "/users/1001"),
        (&shop.products, "/products/1001"),
        (&shop.orders, "/orders/5001"),
    ] {
        check_with_lifetime(&get(service, path).await, (404, "max-age=2"), path);
    }
    for (service, method, path) in [
        (&shop.users, Method::PATCH, "/users/1001"),
        (&shop.products, Method::PATCH, "/products/1001"),
        (&shop.products, Method::DELETE, "/reservations/unknown"),
        (&shop.orders, Method::POST, "/orders/5001/cancel"),
        (&shop.orders, Method::POST, "/orders/none/advance"),
    ] {
        let request = with_json(request(service, method, path), &json!({}));
        check(&send(request).await, 404, path);
    }
    shop.stop().await;
}

#[tokio::test]
async fn an_unsupported_method_gets_the_allowed_ones() {
    let shop = Shop::start().await.unwrap();
    for (service, method, path, allow) in [
        (&shop.users, Method::DELETE, "/users/1", "GET, HEAD, PATCH"),
        (&shop.users, Method::PUT, "/users", "GET, HEAD, POST"),
        (&shop.products, Method::POST, "/products", "GET, HEAD"),
        (&shop.products, Method::GET, "/reservations", "POST"),
        (&shop.products, Method::GET, "/reservations/1", "DELETE"),
        (&shop.orders, Method::PATCH, "/orders/1", "GET, HEAD"),
        (&shop.orders, Method::GET, "/orders/1/cancel", "POST"),
        (&shop.users, Method::POST, "/metrics", "GET, HEAD"),
        (
            &shop.users,
            Method::POST,
            "/_faults",
            "GET, HEAD, PUT, DELETE",
        ),
    ] {
        let reply = send(request(service, method, path)).await;
        check(&reply, 405, path);
        assert_eq!(reply.header("allow"), allow, "{path}");
    }
    shop.stop().await;
}

#[tokio::test]
async fn invalid_parameters_are_bad_requests() {
    let shop = Shop::start().await.unwrap();
    let many: Vec<_> = (1..=1001).map(|id| id.to_string()).collect();
    let many = many.join(",");
    for (service, path, about) in [
        (&shop.users, "/users?limit=0", "`limit`"),
        (&shop.users, "/users?limit=501", "`limit`"),
        (&shop.users, "/users?limit=ten", "`limit`"),
        (&shop.users, "/users?limit=-1", "`limit`"),
        (&shop.users, "/users?limit=1&limit=2", "`limit`"),
        (&shop.users, "/users?after=0", "`after`"),
        (&shop.users, "/users?after=", "`after`"),
        (&shop.users, "/users?kind=ghost", "customer, merchant"),
        (&shop.users, "/users?sort=name", "`sort`"),
        (&shop.users, "/users?ids=", "`ids`"),
        (&shop.users, "/users?ids=1,,2", "`ids`"),
        (&shop.users, "/users?ids=1,2&limit=3", "`limit`"),
        (&shop.users, &format!("/users?ids={many}"), "1000"),
        (&shop.users, "/users?kind=%FF", "UTF-8"),
        (&shop.users, "/users/1?fields=name", "`fields`"),
        (&shop.products, "/products?category=garden", "GARDEN"),
        (&shop.products, "/products?merchantId=x", "`merchantId`"),
        (
            &shop.products,
            &format!("/products?q={}", "x".repeat(201)),
            "`q`",
        ),
        (&shop.products, "/products/by-merchant", "`merchantIds`"),
        (
            &shop.products,
            "/products/by-merchant?merchantIds=1&first=101",
            "`first`",
        ),
        (
            &shop.products,
            &format!("/products/by-merchant?merchantIds={many}"),
            "1000",
        ),
        (&shop.orders, "/orders?status=placed", "PLACED"),
        (&shop.orders, "/orders?userId=", "`userId`"),
        (&shop.orders, "/orders/by-user?userIds=1,x", "`userIds`"),
        (&shop.orders, "/orders/by-user?userIds=1&limit=1", "`limit`"),
        (
            &shop.orders,
            "/orders/by-merchant?merchantIds=1&first=0",
            "`first`",
        ),
    ] {
        let reply = get(service, path).await;
        check(&reply, 400, path);
        let detail = reply.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(about), "{path}: {detail}");
    }
    shop.stop().await;
}

#[tokio::test]
async fn invalid_bodies_have_a_precise_status() {
    let shop = Shop::start().await.unwrap();
    for (service, method, path) in routes_with_bodies(&shop) {
        let send_as = async |media_type: Option<&str>, body: Vec<u8>| {
            let mut sent = request(service, method.clone(), path).body(body);
            if let Some(media_type) = media_type {
                sent = sent.header("content-type", media_type);
            }
            send(sent).await
        };
        let json = "application/json";
        check(&send_as(None, b"{}".to_vec()).await, 415, path);
        check(
            &send_as(Some("text/plain"), b"{}".to_vec()).await,
            415,
            path,
        );
        check(&send_as(Some(json), Vec::new()).await, 400, path);
        check(&send_as(Some(json), b"{\"a\":".to_vec()).await, 400, path);
        check(&send_as(Some(json), b"\xff\xfe".to_vec()).await, 400, path);
        check(&send_as(Some(json), b"[".repeat(60_000)).await, 400, path);
        check(
            &send_as(Some(json), b"{\"surprise\":1}".to_vec()).await,
            422,
            path,
        );
        check(
            &send_as(Some("Application/JSON; charset=utf-8"), b"3".to_vec()).await,
            422,
            path,
        );
        let large = format!("{{\"name\":\"{}\"}}", "x".repeat(64 * 1024));
        check(&send_as(Some(json), large.into_bytes()).await, 413, path);
    }
    shop.stop().await;
}

#[tokio::test]
async fn an_incomplete_or_endless_body_does_not_harm_the_service() {
    let shop = Shop::start().await.unwrap();
    let head = "POST /users HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let answer = talk(&shop.users, &format!("{head}content-length: 100\r\n\r\n{{")).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let endless = format!(
        "{head}transfer-encoding: chunked\r\n\r\n{}",
        chunk.repeat(17)
    );
    let answer = talk(&shop.users, &endless).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    get(&shop.users, "/users/1").await.expect(200);
    shop.stop().await;
}

#[tokio::test]
async fn malformed_http_is_rejected() {
    let shop = Shop::start().await.unwrap();
    for (sent, expected) in [
        (
            "\x16\x03\x01\x02\x00hello\r\n\r\n".to_owned(),
            "HTTP/1.1 400 ",
        ),
        ("GET /users HTTP/9.9\r\n\r\n".to_owned(), "HTTP/1.1 400 "),
        (
            format!("GET /users HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(40_000)),
            "HTTP/1.1 431 ",
        ),
    ] {
        let answer = talk(&shop.users, &sent).await;
        assert!(answer.starts_with(expected), "{answer}");
    }
    assert_eq!(shop.users.calls(), 0);
    get(&shop.users, "/users/1").await.expect(200);
    shop.stop().await;
}

fn routes_with_bodies(shop: &Shop) -> [(&Service, Method, &'static str); 5] {
    [
        (&shop.users, Method::POST, "/users"),
        (&shop.users, Method::PATCH, "/users/1"),
        (&shop.products, Method::PATCH, "/products/1"),
        (&shop.products, Method::POST, "/reservations"),
        (&shop.orders, Method::POST, "/orders"),
    ]
}

/// Checks the shape of RFC 9457.
#[track_caller]
fn check(reply: &Reply, status: u16, path: &str) {
    check_with_lifetime(reply, (status, "no-store"), path);
}

#[track_caller]
fn check_with_lifetime(reply: &Reply, (status, lifetime): (u16, &str), path: &str) {
    assert_eq!(reply.status, status, "{path}: {:?}", reply.body);
    assert_eq!(
        reply.header("content-type"),
        "application/problem+json",
        "{path}"
    );
    assert_eq!(reply.header("cache-control"), lifetime, "{path}");
    let problem = reply.json();
    assert_eq!(problem["status"], status, "{path}");
    let path = path.split('?').next().unwrap();
    assert_eq!(problem["instance"], path);
    assert_eq!(problem["type"], "about:blank", "{path}");
    for member in ["title", "detail"] {
        assert!(
            problem[member]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{path}"
        );
    }
}

/// Sends `text` on a new connection, closes its sending side, and returns the response.
async fn talk(service: &Service, text: &str) -> String {
    let address = service.url().trim_start_matches("http://").to_owned();
    let text = text.to_owned();
    let talking = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        // The service may close the connection before it has read all.
        let _ = stream.write_all(text.as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    });
    talking.await.unwrap()
}
