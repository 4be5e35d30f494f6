//! Calls to the services, by one shared client with persistent connections.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::model::{Order, User};
use crate::server::Services;

/// A client of the services.
#[derive(Debug)]
pub(super) struct Upstream {
    client: reqwest::Client,
    services: Services,
}

/// Errors of a call.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpstreamError {
    /// The call failed, or returned an error status.
    #[error("the call of the service failed: {0}")]
    Call(#[from] reqwest::Error),
    /// The response does not match the contract of the service.
    #[error("the response of the service is invalid: {0}")]
    Json(#[from] serde_json::Error),
}

#[derive(Deserialize)]
struct List<T> {
    items: Vec<T>,
}

impl Upstream {
    /// A client for `services`.
    pub(super) fn new(services: Services) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder()
            .tcp_nodelay(true)
            .timeout(Duration::from_secs(10))
            .build()?;
        Ok(Self { client, services })
    }

    /// The user with this id, or `None` if it does not exist.
    pub(super) async fn user(&self, id: &str) -> Result<Option<User>, UpstreamError> {
        let url = format!("{}/users/{id}", self.services.users);
        let response = self.client.get(url).send().await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let body = response.error_for_status()?.bytes().await?;
        Ok(Some(serde_json::from_slice(&body)?))
    }

    /// The newest orders, or those before another.
    pub(super) async fn orders(
        &self,
        first: u32,
        after: Option<&str>,
    ) -> Result<Vec<Order>, UpstreamError> {
        let mut url = format!("{}/orders?limit={first}", self.services.orders);
        if let Some(after) = after {
            url.push_str("&after=");
            url.push_str(after);
        }
        self.list(url).await
    }

    /// The existing entities of `ids`; `kind` is `users` or `products`.
    pub(super) async fn load_many<T: DeserializeOwned>(
        &self,
        kind: &str,
        ids: &[String],
    ) -> Result<Vec<T>, Arc<UpstreamError>> {
        let service = match kind {
            "users" => &self.services.users,
            _ => &self.services.products,
        };
        let url = format!("{service}/{kind}?ids={}", ids.join(","));
        self.list(url).await.map_err(Arc::new)
    }

    async fn list<T: DeserializeOwned>(&self, url: String) -> Result<Vec<T>, UpstreamError> {
        let response = self.client.get(url).send().await?.error_for_status()?;
        let list: List<T> = serde_json::from_slice(&response.bytes().await?)?;
        Ok(list.items)
    }
}
