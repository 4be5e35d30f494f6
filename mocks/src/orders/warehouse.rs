//! The products service as the orders service sees it: a place that holds pieces, or says no, or
//! does not say.

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
pub(super) struct Warehouse {
    client: Client,
    base: String,
}

/// So many pieces of one product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wanted {
    product_id: Id,
    quantity: u32,
}

/// Pieces that are held, and what they cost.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Held {
    pub(super) product_id: Id,
    pub(super) quantity: u32,
    pub(super) unit_price: Money,
    pub(super) merchant_id: Id,
}

/// Why there is no reservation.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The service said no, and holds nothing.
    Refused(Problem),
    /// Nobody knows whether it holds something.
    Unknown(Problem),
}

#[derive(Deserialize)]
struct Reservation {
    items: Vec<Held>,
}

/// Why an answer is of no use.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("the products service did not answer")]
    Http(#[source] reqwest::Error),
    #[error("the answer of the products service is too long")]
    TooLong,
}

impl Warehouse {
    /// A client for `base`, which waits for each answer as long as `timeout`.
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

    /// Reserves all of `items` under the name `id`, or none.
    pub(super) async fn reserve(&self, id: &str, items: &[Wanted]) -> Result<Vec<Held>, Refusal> {
        let url = format!("{}/reservations", self.base);
        let body = render(&json!({ "id": id, "items": items }));
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json");
        let (status, body) = match answer(request.body(body)).await {
            Ok(answer) => answer,
            Err(error) => return Err(Refusal::Unknown(unavailable(&error))),
        };
        match status {
            StatusCode::CREATED => match serde_json::from_slice::<Reservation>(&body) {
                Ok(reservation) if fits(&reservation.items, items) => Ok(reservation.items),
                _ => Err(Refusal::Unknown(nonsense("answered with nonsense"))),
            },
            StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY => Err(refusal(status, &body)),
            other => Err(Refusal::Unknown(nonsense(&format!("answered {other}")))),
        }
    }

    /// Gives back what is held under the name `id`; true when nothing is held any more.
    pub(super) async fn give_back(&self, id: &str) -> bool {
        let url = format!("{}/reservations/{id}", self.base);
        match answer(self.client.delete(url)).await {
            Ok((status, _)) => matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_FOUND),
            Err(_) => false,
        }
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<(StatusCode, Vec<u8>), NoAnswer> {
    let mut response: Response = request.send().await.map_err(NoAnswer::Http)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(NoAnswer::Http)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(NoAnswer::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok((response.status(), body))
}

/// Whether exactly what was wanted is held.
fn fits(held: &[Held], wanted: &[Wanted]) -> bool {
    held.len() == wanted.len()
        && held.iter().zip(wanted).all(|(held, wanted)| {
            held.product_id == wanted.product_id && held.quantity == wanted.quantity
        })
}

/// A refusal of the products service, handed on with what it says about it.
fn refusal(status: StatusCode, body: &[u8]) -> Refusal {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name| problem.get(name).and_then(Value::as_str);
    let detail = text("detail").unwrap_or("The products service refused.");
    let known = KINDS
        .iter()
        .find(|(kind, _)| text("type") == Some(kind.urn()));
    let refused = Problem::new(status, detail);
    match known {
        Some((kind, extension)) => {
            let extra = problem.get(*extension).cloned().unwrap_or_default();
            Refusal::Refused(refused.kind(*kind).with(extension, extra))
        }
        None if status == StatusCode::UNPROCESSABLE_ENTITY => Refusal::Refused(refused),
        None => Refusal::Unknown(nonsense(&format!("answered {status}"))),
    }
}

fn unavailable(error: &NoAnswer) -> Problem {
    match error {
        NoAnswer::Http(error) if error.is_timeout() => Problem::new(
            StatusCode::GATEWAY_TIMEOUT,
            "The products service did not answer in time.",
        )
        .kind(ProblemKind::ProductsUnavailable),
        NoAnswer::Http(_) | NoAnswer::TooLong => nonsense("did not answer"),
    }
}

fn nonsense(what: &str) -> Problem {
    Problem::new(
        StatusCode::BAD_GATEWAY,
        format!("The products service {what}."),
    )
    .kind(ProblemKind::ProductsUnavailable)
}

/// The refusals that clients are told about, and what comes with them.
const KINDS: [(ProblemKind, &str); 2] = [
    (ProblemKind::StockShort, "shortages"),
    (ProblemKind::UnknownProduct, "productIds"),
];

/// Fifty items of 150 bytes are 8 KB.
const MAX_ANSWER: usize = 64 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(held: &[(&str, u32)], expected: bool) {
        let held: Vec<Held> = held
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
        let wanted: Vec<Wanted> = serde_json::from_value(wanted).unwrap();
        assert_eq!(fits(&held, &wanted), expected, "{held:?}");
    }

    #[test]
    fn only_what_was_wanted_is_taken_for_a_reservation() {
        check(&[("1", 2), ("3", 4)], true);
        check(&[("1", 2), ("3", 5)], false);
        check(&[("1", 2), ("4", 4)], false);
        check(&[("1", 2)], false);
        check(&[("1", 2), ("3", 4), ("5", 1)], false);
        check(&[], false);
    }
}
