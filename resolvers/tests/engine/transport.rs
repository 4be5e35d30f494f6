//! Connections that break, requests that cannot be built, and what errors reveal of an address.

use std::error::Error;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use resolvers::{Engine, Outcome};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::canned;
use crate::support::{execute, graph, request, settings_at};

const SDL: &str = r#"
    extend schema
      @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
      @source(name: "api", http: { baseURL: "http://127.0.0.1:1" })
    type Query {
      a: Int @connect(source: "api", http: { GET: "/a" }, selection: "$")
    }
    type Mutation {
      put: Int @connect(source: "api", http: { PUT: "/put", body: "$(1)" }, selection: "$")
      post: Int @connect(source: "api", http: { POST: "/post", body: "$(1)" }, selection: "$")
    }
"#;

/// A service that answers one request on each connection with `7`, and closes the connection when
/// the second arrives; returns its URL and the number of requests that it received.
#[expect(
    clippy::disallowed_methods,
    reason = "the service ends with the test's runtime"
)]
async fn closing_service() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve_one(stream, Arc::clone(&counter)));
        }
    });
    (url, requests)
}

async fn serve_one(mut stream: TcpStream, requests: Arc<AtomicUsize>) {
    read_request(&mut stream).await;
    requests.fetch_add(1, Ordering::Relaxed);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n7";
    stream.write_all(head.as_bytes()).await.unwrap();
    if read_request(&mut stream).await {
        requests.fetch_add(1, Ordering::Relaxed);
    }
    // Dropping the stream closes the connection without a response.
}

/// Whether a request arrived whole; bodies of these tests are one byte.
async fn read_request(stream: &mut TcpStream) -> bool {
    let mut text = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer).await {
            Ok(len) if len > 0 => text.extend_from_slice(&buffer[..len]),
            _ => return false,
        }
        let end = text.windows(4).position(|window| window == b"\r\n\r\n");
        let has_body = text.starts_with(b"P");
        if end.is_some_and(|end| text.len() >= end + 4 + usize::from(has_body)) {
            return true;
        }
    }
}

/// The response as one line: data, or data and errors.
async fn answer(engine: &Engine, query: &str) -> String {
    execute(engine, query, json!({})).await.to_string()
}

fn engine(url: &str) -> Engine {
    Engine::new(graph(&[("g", SDL)]), settings_at(url)).unwrap()
}

#[tokio::test]
async fn a_read_on_a_connection_that_the_service_closed_is_sent_once_more() {
    let (url, requests) = closing_service().await;
    let engine = engine(&url);

    assert_eq!(answer(&engine, "{ a }").await, r#"{"a":7}"#);
    assert_eq!(answer(&engine, "{ a }").await, r#"{"a":7}"#);
    assert_eq!(requests.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn an_idempotent_write_is_sent_once_more_and_a_post_is_not() {
    let (url, requests) = closing_service().await;
    let engine = engine(&url);
    assert_eq!(answer(&engine, "{ a }").await, r#"{"a":7}"#);
    assert_eq!(answer(&engine, "mutation { put }").await, r#"{"put":7}"#);
    assert_eq!(requests.load(Ordering::Relaxed), 3);

    let (url, requests) = closing_service().await;
    let engine = self::engine(&url);
    assert_eq!(answer(&engine, "{ a }").await, r#"{"a":7}"#);
    assert_eq!(
        answer(&engine, "mutation { post }").await,
        r#"{"data":{"post":null},"errors":["post: g:Mutation.post[0]: the connection broke"]}"#
    );
    assert_eq!(requests.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn an_error_has_the_address_without_its_secrets() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener); // The port refuses connections now.
    let engine = engine(&format!("http://user:secret@{address}/v1?api_key=secret"));

    let outcome = engine.execute(request("{ a }"), &mut Vec::new()).await;
    let Outcome::Executed { failures, .. } = outcome else {
        panic!("the operation was refused");
    };
    let mut text = String::new();
    let mut error: Option<&(dyn Error + 'static)> = Some(&failures[0].error);
    while let Some(cause) = error {
        let _ = write!(text, "{cause}; ");
        error = cause.source();
    }
    assert!(text.contains(&format!("http://{address}/")), "{text}");
    assert!(!text.contains("secret") && !text.contains("user"), "{text}");
    assert!(!format!("{:?}", failures[0].error).contains("secret"));
}

#[tokio::test]
async fn a_header_that_cannot_be_built_fails_the_call() {
    let sdl = r#"
        extend schema
          @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
          @source(name: "api", http: { baseURL: "http://127.0.0.1:1" })
        type Query {
          a(x: String): Int @connect(source: "api", selection: "$", http: {
            GET: "/a" headers: [{ name: "x-tenant", value: "t{$args.x}" }]
          })
        }
    "#;
    let (engine, requests) = canned::engine(sdl, &[("GET /a", 7.into())]).await;

    assert_eq!(answer(&engine, r#"{ a(x: "1") }"#).await, r#"{"a":7}"#);
    let failed = answer(&engine, r#"{ a(x: "1\n2") }"#).await;
    assert_eq!(
        failed,
        concat!(
            r#"{"data":{"a":null},"errors":["a: g:Query.a[0]: the request cannot be built: "#,
            r#"the value of the header `x-tenant` has a control character"]}"#
        )
    );
    assert_eq!(requests.lock().unwrap().len(), 1);
}
