//! The HTTP client of the tests.

use std::time::Duration;

use bytes::Bytes;
use mocks::Service;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// A complete response.
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

    /// The value of a header; empty if absent.
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

    /// The JSON of the response, which must have this status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:?}", self.body);
        self.json()
    }
}

/// A client with a timeout.
pub(crate) fn client() -> Client {
    let client = Client::builder().timeout(Duration::from_secs(8));
    client.build().unwrap()
}

/// A request to `path` of `service`.
pub(crate) fn request(service: &Service, method: Method, path: &str) -> RequestBuilder {
    client().request(method, format!("{}{path}", service.url()))
}

/// Sends a request, which must get a response.
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

/// Polls until `is_reached` returns true, for at most five seconds: for effects after a response.
pub(crate) async fn eventually(state: &str, mut is_reached: impl AsyncFnMut() -> bool) {
    let polling = async {
        while !is_reached().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let polled = tokio::time::timeout(Duration::from_secs(5), polling).await;
    assert!(polled.is_ok(), "{state}: not within five seconds");
}

/// The stock of a product: pieces that are not reserved.
pub(crate) async fn stock(products: &Service, id: &str) -> u64 {
    let product = get(products, &format!("/products/{id}")).await.expect(200);
    product["stock"].as_u64().unwrap()
}
