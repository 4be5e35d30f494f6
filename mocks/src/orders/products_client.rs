//! Client of the products service, which reserves pieces, refuses to, or does not respond.

use std::io;
use std::time::Duration;

use hyper::StatusCode;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::http::{Problem, ProblemKind};
use crate::model::{Id, Money};
use crate::store::render;

/// A client of the products service.
#[derive(Debug)]
pub(super) struct ProductsClient {
    client: Client,
    base: String,
}

/// The requested quantity of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RequestedItem {
    product_id: Id,
    quantity: u32,
}

/// Reserved pieces of a product, with their price.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReservedItem {
    pub(super) product_id: Id,
    pub(super) quantity: u32,
    pub(super) unit_price: Money,
    pub(super) merchant_id: Id,
}

/// Reasons for a missing reservation.
#[derive(Debug)]
pub(super) enum ReserveError {
    /// The service refused, and holds no pieces.
    Refused(Problem),
    /// The response is lost or invalid, so the service may hold pieces.
    Unknown(Problem),
}

#[derive(Deserialize)]
struct Reservation {
    items: Vec<ReservedItem>,
}

/// Reasons for a missing response.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error("the products service did not respond")]
    Http(#[source] reqwest::Error),
    #[error("the response of the products service is too long")]
    TooLong,
}

impl ProductsClient {
    /// A client for the URL `base`, with `timeout` for each call.
    pub(super) fn new(base: &str, timeout: Duration) -> io::Result<Self> {
        let client = Client::builder()
            .timeout(timeout)
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .tcp_nodelay(true)
            .build()
            .map_err(io::Error::other)?;
        Ok(Self {
            client,
            base: base.trim_end_matches('/').to_owned(),
        })
    }

    /// Reserves all of `items` under the name `id`, or none of them.
    pub(super) async fn reserve(
        &self,
        id: &str,
        items: &[RequestedItem],
    ) -> Result<Vec<ReservedItem>, ReserveError> {
        let url = format!("{}/reservations", self.base);
        let body = render(&json!({ "id": id, "items": items }));
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json");
        let (status, body) = match send(request.body(body)).await {
            Ok(response) => response,
            Err(error) => return Err(ReserveError::Unknown(unavailable(&error))),
        };
        match status {
            StatusCode::CREATED => match serde_json::from_slice::<Reservation>(&body) {
                Ok(reservation) if is_complete(&reservation.items, items) => Ok(reservation.items),
                _ => Err(ReserveError::Unknown(bad_gateway(
                    "returned an invalid response",
                ))),
            },
            StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY => {
                Err(reserve_error(status, &body))
            }
            other => Err(ReserveError::Unknown(bad_gateway(&format!(
                "returned {other}"
            )))),
        }
    }

    /// Releases the reservation `id`; true if it no longer exists.
    pub(super) async fn release(&self, id: &str) -> bool {
        let url = format!("{}/reservations/{id}", self.base);
        match send(self.client.delete(url)).await {
            Ok((status, _)) => matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_FOUND),
            Err(_) => false,
        }
    }
}

async fn send(request: reqwest::RequestBuilder) -> Result<(StatusCode, Vec<u8>), CallError> {
    let mut response: Response = request.send().await.map_err(CallError::Http)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(CallError::Http)? {
        if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
            return Err(CallError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok((response.status(), body))
}

/// Whether the reservation has exactly the requested items.
fn is_complete(reserved: &[ReservedItem], requested: &[RequestedItem]) -> bool {
    reserved.len() == requested.len()
        && reserved.iter().zip(requested).all(|(reserved, requested)| {
            reserved.product_id == requested.product_id && reserved.quantity == requested.quantity
        })
}

/// A refusal of the products service, forwarded with its details.
fn reserve_error(status: StatusCode, body: &[u8]) -> ReserveError {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name| problem.get(name).and_then(Value::as_str);
    let detail = text("detail").unwrap_or("The products service refused.");
    let known = FORWARDED_KINDS
        .iter()
        .find(|(kind, _)| text("type") == Some(kind.urn()));
    let refusal = Problem::new(status, detail);
    match known {
        Some((kind, extension)) => {
            let value = problem.get(*extension).cloned().unwrap_or_default();
            ReserveError::Refused(refusal.with_kind(*kind).with_extension(extension, value))
        }
        None if status == StatusCode::UNPROCESSABLE_ENTITY => ReserveError::Refused(refusal),
        None => ReserveError::Unknown(bad_gateway(&format!("returned {status}"))),
    }
}

fn unavailable(error: &CallError) -> Problem {
    match error {
        CallError::Http(error) if error.is_timeout() => Problem::new(
            StatusCode::GATEWAY_TIMEOUT,
            "The products service did not respond in time.",
        )
        .with_kind(ProblemKind::ProductsUnavailable),
        CallError::Http(_) | CallError::TooLong => bad_gateway("did not respond"),
    }
}

fn bad_gateway(outcome: &str) -> Problem {
    Problem::new(
        StatusCode::BAD_GATEWAY,
        format!("The products service {outcome}."),
    )
    .with_kind(ProblemKind::ProductsUnavailable)
}

/// The refusals forwarded to clients, with their extension member.
const FORWARDED_KINDS: [(ProblemKind, &str); 2] = [
    (ProblemKind::StockShort, "shortages"),
    (ProblemKind::UnknownProduct, "productIds"),
];

/// Maximum size of a response, in bytes; fifty items of 150 bytes are 8 KB.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(held: &[(&str, u32)], expected: bool) {
        let held: Vec<ReservedItem> = held
            .iter()
            .map(|(id, quantity)| {
                let price = json!({ "amount": 1, "currency": "EUR" });
                let held = json!({
                    "productId": id, "quantity": quantity, "unitPrice": price, "merchantId": "1",
                });
                serde_json::from_value(held).unwrap()
            })
            .collect();
        let wanted = json!([
            { "productId": "1", "quantity": 2 }, { "productId": "3", "quantity": 4 },
        ]);
        let wanted: Vec<RequestedItem> = serde_json::from_value(wanted).unwrap();
        assert_eq!(is_complete(&held, &wanted), expected, "{held:?}");
    }

    #[test]
    fn a_reservation_must_match_the_request() {
        check(&[("1", 2), ("3", 4)], true);
        check(&[("1", 2), ("3", 5)], false);
        check(&[("1", 2), ("4", 4)], false);
        check(&[("1", 2)], false);
        check(&[("1", 2), ("3", 4), ("5", 1)], false);
        check(&[], false);
    }
}
