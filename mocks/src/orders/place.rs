//! Placing and cancelling: what happens at two services, and ends whole or not at all.
//!
//! Pieces are reserved first, under a name that this service chose. Whatever goes wrong later, the
//! name is enough to give them back, even if the answer to the reservation never came.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use serde::Deserialize;
use serde_json::json;

use super::idempotency::{Claim, Claimed};
use super::warehouse::{Held, Refusal, Wanted};
use super::{Desk, stopping};
use crate::http::{Answer, Call, Object, Problem, ProblemKind, created};
use crate::model::Timestamp;
use crate::model::{Id, Money, Order, OrderItem, Status};

/// The names of reservations.
#[derive(Debug)]
pub(super) struct Placing {
    /// What tells this start of the service from all others.
    start: u128,
    next: AtomicU64,
}

/// The body of `POST /orders`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewOrder {
    user_id: Id,
    items: Vec<Object<Wanted>>,
}

impl Placing {
    pub(super) fn new() -> Self {
        let start = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            start: start.map_or(0, |start| start.as_nanos()),
            next: AtomicU64::new(1),
        }
    }

    fn new_name(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("o-{:x}-{number}", self.start)
    }
}

/// Answers `POST /orders`.
pub(super) async fn place(desk: &Arc<Desk>, call: Call<'_>) -> Result<Answer, Problem> {
    call.no_query()?;
    let key = idempotency_key(call.parts)?;
    let new = call.json::<NewOrder>().await?.checked()?;
    let claim = match key {
        None => None,
        Some(key) => match desk.keys.claim(key, &new)? {
            Claimed::Mine(claim) => Some(claim),
            Claimed::Done(id, json) => return Ok(replayed(id, json)),
        },
    };
    // The work goes on when the client goes away: pieces must not get lost on the way.
    let work = Arc::clone(desk);
    let placed = desk
        .tasks
        .finish(async move { work.place(new, claim).await });
    let (id, json) = placed.await.unwrap_or_else(|| Err(stopping()))?;
    Ok(created(json, &location(id)))
}

impl Desk {
    async fn place(
        self: Arc<Self>,
        new: NewOrder,
        claim: Option<Claim>,
    ) -> Result<(Id, Bytes), Problem> {
        let reservation = self.placing.new_name();
        let wanted: Vec<_> = new.items.into_iter().map(|Object(item)| item).collect();
        let held = match self.warehouse.reserve(&reservation, &wanted).await {
            Ok(held) => held,
            Err(Refusal::Refused(problem)) => return Err(problem),
            Err(Refusal::Unknown(problem)) => {
                let work = Arc::clone(&self);
                self.tasks.start(async move {
                    work.give_back(&reservation, LATER).await;
                });
                return Err(problem);
            }
        };
        match self.enter(new.user_id, &held, &reservation) {
            Ok((id, json)) => {
                if let Some(claim) = claim {
                    claim.fulfil(id, json.clone());
                }
                Ok((id, json))
            }
            Err(problem) if self.give_back(&reservation, NOW).await => Err(problem),
            // Somebody has to be told where the pieces are.
            Err(problem) => Err(problem.with("reservationId", json!(reservation))),
        }
    }

    /// Writes the order down; the pieces are held already.
    fn enter(&self, user: Id, held: &[Held], reservation: &str) -> Result<(Id, Bytes), Problem> {
        let total = total(held)?;
        let now = self.clock.now();
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        book.add(|id| new_order(id, user, held, (total, now), reservation))
    }

    /// Cancels an order and gives its pieces back; `None` when there is no such order.
    pub(super) async fn cancel(&self, id: Id) -> Result<Option<Bytes>, Problem> {
        let begun = {
            let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
            book.begin_cancel(id)?
        };
        let Some(reservation) = begun else {
            return Ok(None);
        };
        let returned = self.give_back(&reservation, NOW).await;
        let now = returned.then(|| self.clock.now());
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        let json = book.end_cancel(id, now);
        if returned {
            return Ok(json);
        }
        let detail = "The products service did not take the pieces back; the order stays.";
        Err(Problem::new(StatusCode::BAD_GATEWAY, detail).kind(ProblemKind::ProductsUnavailable))
    }

    /// Gives pieces back, trying again after each of `pauses`; false when all that failed.
    async fn give_back(&self, reservation: &str, pauses: &[Duration]) -> bool {
        let mut pauses = pauses.iter();
        loop {
            if self.warehouse.give_back(reservation).await {
                return true;
            }
            match pauses.next() {
                Some(pause) => tokio::time::sleep(*pause).await,
                None => return false,
            }
        }
    }
}

impl NewOrder {
    /// Whether it makes sense; what the products service judges is left to it.
    fn checked(self) -> Result<Self, Problem> {
        if self.items.is_empty() || self.items.len() > MAX_ITEMS {
            return Err(Problem::unprocessable(format!(
                "`items` holds 1 to {MAX_ITEMS} items."
            )));
        }
        Ok(self)
    }
}

fn new_order(
    id: Id,
    user_id: Id,
    held: &[Held],
    (total, now): (Money, Timestamp),
    reservation: &str,
) -> Order {
    let mut merchant_ids = Vec::new();
    for item in held {
        if !merchant_ids.contains(&item.merchant_id) {
            merchant_ids.push(item.merchant_id);
        }
    }
    let items = held.iter().map(|item| OrderItem {
        product_id: item.product_id,
        quantity: item.quantity,
        unit_price: item.unit_price,
    });
    Order {
        id,
        status: Status::Placed,
        user_id,
        merchant_ids,
        items: items.collect(),
        total,
        placed_at: now,
        updated_at: now,
        reservation: reservation.to_owned(),
    }
}

/// What everything costs together; only known once the pieces are held.
fn total(held: &[Held]) -> Result<Money, Problem> {
    let mut prices = held.iter().map(|item| (item.unit_price, item.quantity));
    let sum = prices.try_fold(None, |sum: Option<Money>, (price, quantity)| {
        let before = sum.map_or(0, |sum| sum.amount);
        if sum.is_some_and(|sum| sum.currency != price.currency) {
            return Err("The items are priced in different currencies.");
        }
        let amount = price.amount.checked_mul(u64::from(quantity));
        match amount.and_then(|amount| amount.checked_add(before)) {
            Some(amount) => Ok(Some(Money { amount, ..price })),
            None => Err("The total is out of bounds."),
        }
    });
    match sum {
        Ok(Some(total)) => Ok(total),
        Ok(None) => Err(Problem::unprocessable("An order needs an item.")),
        Err(detail) => Err(Problem::unprocessable(detail).kind(ProblemKind::NoTotal)),
    }
}

fn idempotency_key(parts: &Parts) -> Result<Option<String>, Problem> {
    let Some(value) = parts.headers.get("idempotency-key") else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if (1..=MAX_KEY).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            format!("`Idempotency-Key` is 1 to {MAX_KEY} ASCII characters."),
        )),
    }
}

fn replayed(id: Id, json: Bytes) -> Answer {
    let mut answer = created(json, &location(id));
    answer.headers_mut().insert(
        HeaderName::from_static("idempotency-replayed"),
        HeaderValue::from_static("true"),
    );
    answer
}

fn location(id: Id) -> String {
    format!("/orders/{id}")
}

const MAX_ITEMS: usize = 50;
const MAX_KEY: usize = 255;

/// While a client waits.
const NOW: &[Duration] = &[Duration::from_millis(50)];
/// When nobody waits: long enough for a service to start again.
const LATER: &[Duration] = &[
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(5),
];
