//! Calls to the services, by the cheapest client with persistent connections.

use bytes::{Bytes, BytesMut};
use http::uri::InvalidUri;
use http::{StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body as _, Incoming};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;

use crate::server::Services;

/// A client of the services.
#[derive(Debug)]
pub(super) struct Upstream {
    client: Client<HttpConnector, Empty<Bytes>>,
    pub(super) services: Services,
}

/// Errors of a call.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpstreamError {
    /// The URL of the call is invalid.
    #[error("invalid URL: {0}")]
    Address(#[from] InvalidUri),
    /// The call failed.
    #[error("the call of the service failed: {0}")]
    Call(#[from] Error),
    /// The response is incomplete.
    #[error("the response of the service is incomplete: {0}")]
    Broken(#[from] hyper::Error),
    /// The status of the response is not 200.
    #[error("the service returned the status {0}")]
    Status(StatusCode),
    /// The response does not match the contract of the service.
    #[error("the response of the service is invalid: {0}")]
    Json(#[from] serde_json::Error),
    /// An order names a user or a product that does not exist.
    #[error("an order refers to a user or a product that does not exist")]
    Missing,
}

impl Upstream {
    /// A client for `services`.
    pub(super) fn new(services: &Services) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            services: services.clone(),
        }
    }

    /// Gets the body at `url`; copies it only if it arrives in several pieces.
    pub(super) async fn get(&self, url: String) -> Result<Bytes, UpstreamError> {
        let url = Uri::try_from(url)?;
        let response = self.client.get(url).await?;
        match response.status() {
            StatusCode::OK => read_body(response.into_body()).await,
            status => Err(UpstreamError::Status(status)),
        }
    }
}

async fn read_body(mut body: Incoming) -> Result<Bytes, UpstreamError> {
    let expected = body.size_hint().lower();
    let expected = usize::try_from(expected).unwrap_or_default();
    let mut pieces = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame?.into_data() else {
            continue;
        };
        if pieces.is_empty() && piece.len() == expected {
            return Ok(piece);
        }
        pieces.reserve(expected.saturating_sub(pieces.len()));
        pieces.extend_from_slice(&piece);
    }
    Ok(pieces.freeze())
}
