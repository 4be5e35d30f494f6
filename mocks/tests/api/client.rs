//! A client for tests, and what it gets back.

use std::time::Duration;

use bytes::Bytes;
use mocks::Service;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// An answer that arrived whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", self.body))
    }

    /// A header as text; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The `items` of a list.
    #[track_caller]
    pub(crate) fn items(&self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{:?}", self.body);
        self.json()["items"].as_array().unwrap().clone()
    }

    /// The JSON of an answer that has to have this status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:?}", self.body);
        self.json()
    }
}

/// A client that keeps connections and gives up after a while.
pub(crate) fn client() -> Client {
    let client = Client::builder().timeout(Duration::from_secs(8));
    client.build().unwrap()
}

/// A request to `path` of `service`, to be completed and sent.
pub(crate) fn request(service: &Service, method: Method, path: &str) -> RequestBuilder {
    client().request(method, format!("{}{path}", service.url()))
}

/// Sends a request that has to be answered.
pub(crate) async fn send(request: RequestBuilder) -> Reply {
    try_send(request).await.unwrap()
}

pub(crate) async fn try_send(request: RequestBuilder) -> reqwest::Result<Reply> {
    let response = request.send().await?;
    Ok(Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.bytes().await?,
    })
}

pub(crate) async fn get(service: &Service, path: &str) -> Reply {
    send(request(service, Method::GET, path)).await
}

pub(crate) async fn post(service: &Service, path: &str, body: &Value) -> Reply {
    send(with_json(request(service, Method::POST, path), body)).await
}

pub(crate) async fn patch(service: &Service, path: &str, body: &Value) -> Reply {
    send(with_json(request(service, Method::PATCH, path), body)).await
}

pub(crate) async fn delete(service: &Service, path: &str) -> Reply {
    send(request(service, Method::DELETE, path)).await
}

pub(crate) fn with_json(request: RequestBuilder, body: &Value) -> RequestBuilder {
    let body = serde_json::to_vec(body).unwrap();
    request.header(CONTENT_TYPE, "application/json").body(body)
}

/// Asks until `found` says so, for at most five seconds: for what happens after an answer.
pub(crate) async fn eventually(what: &str, mut found: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !found().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let asked = tokio::time::timeout(Duration::from_secs(5), asking).await;
    assert!(asked.is_ok(), "{what}: not within five seconds");
}

/// The pieces of a product that nobody has reserved.
pub(crate) async fn stock(products: &Service, id: &str) -> u64 {
    let product = get(products, &format!("/products/{id}")).await.expect(200);
    product["stock"].as_u64().unwrap()
}
