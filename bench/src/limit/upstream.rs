//! The calls to the services, by the cheapest client that keeps connections.

use bytes::{Bytes, BytesMut};
use http::uri::InvalidUri;
use http::{StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body as _, Incoming};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;

use crate::server::Services;

/// The services.
#[derive(Debug)]
pub(super) struct Upstream {
    client: Client<HttpConnector, Empty<Bytes>>,
    pub(super) services: Services,
}

/// Why a service gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpstreamError {
    /// The call has no address.
    #[error("no address: {0}")]
    Address(#[from] InvalidUri),
    /// The call failed.
    #[error("the service did not answer: {0}")]
    Call(#[from] Error),
    /// The answer broke off.
    #[error("the service's answer broke off: {0}")]
    Broken(#[from] hyper::Error),
    /// The answer is not a 200.
    #[error("the service answered with {0}")]
    Status(StatusCode),
    /// The answer is not of the service's contract.
    #[error("the service's answer is not understood: {0}")]
    Json(#[from] serde_json::Error),
    /// An order names a user or a product that does not exist.
    #[error("the services do not agree on what exists")]
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

    /// The body at `url`, copied only if it came in pieces.
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
