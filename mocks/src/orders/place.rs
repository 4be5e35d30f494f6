//! Placing and cancelling orders, which change two services and must succeed or fail as a whole.
//!
//! Pieces are reserved first, under a name that this service chooses. After a later failure the name
//! suffices to release them, even if the response to the reservation was lost.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use serde::Deserialize;
use serde_json::json;

use super::idempotency::{Claim, ClaimResult};
use super::products_client::{RequestedItem, ReserveError, ReservedItem};
use super::{OrdersState, stopping_problem};
use crate::http::{Call, HttpResponse, Object, Problem, ProblemKind, created};
use crate::model::Timestamp;
use crate::model::{Id, Money, Order, OrderItem, OrderStatus};

/// Generates unique names of reservations.
#[derive(Debug)]
pub(super) struct ReservationNames {
    /// Start time of the service, which distinguishes its names from those of earlier starts.
    start: u128,
    next: AtomicU64,
}

/// The body of `POST /orders`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewOrder {
    user_id: Id,
    items: Vec<Object<RequestedItem>>,
}

/// Pieces that the products service holds for one order.
#[derive(Clone, Copy, Debug)]
struct HeldReservation<'a> {
    name: &'a str,
    items: &'a [ReservedItem],
}

impl ReservationNames {
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

/// Handles `POST /orders`.
pub(super) async fn place(
    state: &Arc<OrdersState>,
    call: Call<'_>,
) -> Result<HttpResponse, Problem> {
    call.reject_query()?;
    let key = idempotency_key(call.parts)?;
    let new = call.json::<NewOrder>().await?.checked()?;
    let claim = match key {
        None => None,
        Some(key) => match state.keys.claim(key, &new)? {
            ClaimResult::New(claim) => Some(claim),
            ClaimResult::Done(id, json) => return Ok(replayed(id, json)),
        },
    };
    // Continues if the client disconnects: reserved pieces must not be lost.
    let work = Arc::clone(state);
    let placed = state
        .tasks
        .run_to_end(async move { work.place(new, claim).await });
    let (id, json) = placed.await.unwrap_or_else(|| Err(stopping_problem()))?;
    Ok(created(json, &location(id)))
}

impl OrdersState {
    async fn place(
        self: Arc<Self>,
        new: NewOrder,
        claim: Option<Claim>,
    ) -> Result<(Id, Bytes), Problem> {
        let reservation = self.reservation_names.new_name();
        let items: Vec<_> = new.items.into_iter().map(|Object(item)| item).collect();
        let reserved = match self.products_client.reserve(&reservation, &items).await {
            Ok(reserved) => reserved,
            Err(ReserveError::Refused(problem)) => return Err(problem),
            Err(ReserveError::Unknown(problem)) => {
                let work = Arc::clone(&self);
                self.tasks.start(async move {
                    work.release_with_retries(&reservation, RETRY_DELAYS_IN_BACKGROUND)
                        .await;
                });
                return Err(problem);
            }
        };
        let held = HeldReservation {
            name: &reservation,
            items: &reserved,
        };
        match self.record_order(new.user_id, held) {
            Ok((id, json)) => {
                if let Some(claim) = claim {
                    claim.complete(id, json.clone());
                }
                Ok((id, json))
            }
            Err(problem)
                if self
                    .release_with_retries(&reservation, RETRY_DELAYS_IN_CALL)
                    .await =>
            {
                Err(problem)
            }
            // The pieces are still held: return the name under which the client can release them.
            Err(problem) => Err(problem.with_extension("reservationId", json!(reservation))),
        }
    }

    /// Adds the order to the book; its pieces are already reserved.
    fn record_order(
        &self,
        user: Id,
        reservation: HeldReservation<'_>,
    ) -> Result<(Id, Bytes), Problem> {
        let total = total(reservation.items)?;
        let now = self.clock.now();
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        book.add(|id| new_order(id, user, reservation, total, now))
    }

    /// Cancels an order and releases its pieces; `None` if it does not exist.
    pub(super) async fn cancel(&self, id: Id) -> Result<Option<Bytes>, Problem> {
        let reservation = {
            let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
            book.begin_cancel(id)?
        };
        let Some(reservation) = reservation else {
            return Ok(None);
        };
        let returned = self
            .release_with_retries(&reservation, RETRY_DELAYS_IN_CALL)
            .await;
        let now = returned.then(|| self.clock.now());
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        let json = book.end_cancel(id, now);
        if returned {
            return Ok(json);
        }
        let detail = "The products service did not release the pieces; the order is unchanged.";
        Err(Problem::new(StatusCode::BAD_GATEWAY, detail)
            .with_kind(ProblemKind::ProductsUnavailable))
    }

    /// Releases a reservation, with a retry after each of `pauses`; false if all tries fail.
    async fn release_with_retries(&self, reservation: &str, pauses: &[Duration]) -> bool {
        let mut pauses = pauses.iter();
        loop {
            if self.products_client.release(reservation).await {
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
    /// Checks the number of items; the products service checks the items.
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
    reservation: HeldReservation<'_>,
    total: Money,
    now: Timestamp,
) -> Order {
    let mut merchant_ids = Vec::new();
    for item in reservation.items {
        if !merchant_ids.contains(&item.merchant_id) {
            merchant_ids.push(item.merchant_id);
        }
    }
    let items = reservation.items.iter().map(|item| OrderItem {
        product_id: item.product_id,
        quantity: item.quantity,
        unit_price: item.unit_price,
    });
    Order {
        id,
        status: OrderStatus::Placed,
        user_id,
        merchant_ids,
        items: items.collect(),
        total,
        placed_at: now,
        updated_at: now,
        reservation: reservation.name.to_owned(),
    }
}

/// The sum of the prices, which are fixed by the reservation.
fn total(reserved: &[ReservedItem]) -> Result<Money, Problem> {
    let mut prices = reserved.iter().map(|item| (item.unit_price, item.quantity));
    let sum = prices.try_fold(None, |sum: Option<Money>, (price, quantity)| {
        let before = sum.map_or(0, |sum| sum.amount);
        if sum.is_some_and(|sum| sum.currency != price.currency) {
            return Err("The items are priced in different currencies.");
        }
        let amount = price.amount.checked_mul(u64::from(quantity));
        match amount.and_then(|amount| amount.checked_add(before)) {
            Some(amount) => Ok(Some(Money { amount, ..price })),
            None => Err("The total is too large."),
        }
    });
    match sum {
        Ok(Some(total)) => Ok(total),
        Ok(None) => Err(Problem::unprocessable("An order needs an item.")),
        Err(detail) => Err(Problem::unprocessable(detail).with_kind(ProblemKind::NoTotal)),
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

fn replayed(id: Id, json: Bytes) -> HttpResponse {
    let mut response = created(json, &location(id));
    response.headers_mut().insert(
        HeaderName::from_static("idempotency-replayed"),
        HeaderValue::from_static("true"),
    );
    response
}

fn location(id: Id) -> String {
    format!("/orders/{id}")
}

const MAX_ITEMS: usize = 50;
const MAX_KEY: usize = 255;

/// Delays between tries while a client waits.
const RETRY_DELAYS_IN_CALL: &[Duration] = &[Duration::from_millis(50)];
/// Delays between tries in the background: long enough for a service to restart.
const RETRY_DELAYS_IN_BACKGROUND: &[Duration] = &[
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(5),
];
