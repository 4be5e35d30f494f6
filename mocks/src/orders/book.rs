//! All orders, in memory, with the transitions of their status.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use hyper::StatusCode;
use serde_json::json;

use crate::http::{Problem, ProblemKind};
use crate::model::Timestamp;
use crate::model::{Id, Order, OrderStatus};
use crate::store::Row;

/// The orders, in the order of their ids and times, with indices by user and merchant.
#[derive(Debug)]
pub(super) struct Book {
    rows: Vec<Row<Order>>,
    by_user: HashMap<Id, Vec<Id>>,
    by_merchant: HashMap<Id, Vec<Id>>,
    /// Orders whose reservation is being released; they must not change meanwhile.
    cancelling: HashSet<Id>,
    max_orders: usize,
}

impl Book {
    /// A book of `orders`, of at most `max`.
    pub(super) fn new(orders: Vec<Order>, max: usize) -> Self {
        let mut book = Self {
            rows: Vec::with_capacity(orders.len()),
            by_user: HashMap::new(),
            by_merchant: HashMap::new(),
            cancelling: HashSet::new(),
            max_orders: max,
        };
        for order in orders {
            book.push(order);
        }
        book
    }

    pub(super) fn rows(&self) -> &[Row<Order>] {
        &self.rows
    }

    /// The orders of a user, ascending.
    pub(super) fn orders_of_user(&self, id: Id) -> &[Id] {
        self.by_user.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The orders with items of a merchant, ascending.
    pub(super) fn orders_of_merchant(&self, id: Id) -> &[Id] {
        self.by_merchant.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The orders that match all filters, ascending; `None` without a filter.
    pub(super) fn matching(
        &self,
        status: Option<OrderStatus>,
        user: Option<Id>,
        merchant: Option<Id>,
    ) -> Option<Vec<Id>> {
        let is_match = |id: &Id| {
            self.rows
                .get(id.index())
                .map(Row::value)
                .is_some_and(|order| {
                    status.is_none_or(|status| order.status == status)
                        && merchant.is_none_or(|merchant| order.merchant_ids.contains(&merchant))
                })
        };
        match (user, merchant, status) {
            (Some(user), ..) => Some(
                self.orders_of_user(user)
                    .iter()
                    .copied()
                    .filter(is_match)
                    .collect(),
            ),
            (None, Some(merchant), _) => {
                let own = self.orders_of_merchant(merchant).iter().copied();
                Some(own.filter(is_match).collect())
            }
            (None, None, Some(_)) => Some(
                (0..self.rows.len())
                    .map(Id::from_index)
                    .filter(is_match)
                    .collect(),
            ),
            (None, None, None) => None,
        }
    }

    /// Adds an order under the next id.
    pub(super) fn add(&mut self, order: impl FnOnce(Id) -> Order) -> Result<(Id, Bytes), Problem> {
        let index = self.rows.len();
        if index >= self.max_orders {
            let detail = format!("The maximum of {} orders is reached.", self.max_orders);
            return Err(Problem::new(StatusCode::INSUFFICIENT_STORAGE, detail)
                .with_kind(ProblemKind::BookFull));
        }
        self.push(order(Id::from_index(index)));
        let json = self.rows.get(index).map(|row| row.json().clone());
        Ok((Id::from_index(index), json.unwrap_or_default()))
    }

    /// Advances an order to its next status; `None` if it does not exist.
    pub(super) fn advance(&mut self, id: Id, now: Timestamp) -> Result<Option<Bytes>, Problem> {
        let Some(row) = self.rows.get_mut(id.index()) else {
            return Ok(None);
        };
        let status = row.value().status;
        match status.next() {
            Some(next) if !self.cancelling.contains(&id) => Ok(Some(set_status(row, next, now))),
            _ => Err(status_conflict(id, status, "advanced")),
        }
    }

    /// Begins to cancel an order: returns the name of its reservation, and locks the order until
    /// `end_cancel`. `None` if it does not exist.
    pub(super) fn begin_cancel(&mut self, id: Id) -> Result<Option<String>, Problem> {
        let Some(order) = self.rows.get(id.index()).map(Row::value) else {
            return Ok(None);
        };
        if !order.status.is_open() || !self.cancelling.insert(id) {
            return Err(status_conflict(id, order.status, "cancelled"));
        }
        Ok(Some(order.reservation.clone()))
    }

    /// Unlocks an order after `begin_cancel`; cancels it with `now`, and leaves it unchanged without.
    pub(super) fn end_cancel(&mut self, id: Id, now: Option<Timestamp>) -> Option<Bytes> {
        self.cancelling.remove(&id);
        let row = self.rows.get_mut(id.index())?;
        Some(set_status(row, OrderStatus::Cancelled, now?))
    }

    fn push(&mut self, order: Order) {
        self.by_user
            .entry(order.user_id)
            .or_default()
            .push(order.id);
        for merchant in &order.merchant_ids {
            self.by_merchant
                .entry(*merchant)
                .or_default()
                .push(order.id);
        }
        self.rows.push(Row::new(order));
    }
}

fn set_status(row: &mut Row<Order>, status: OrderStatus, now: Timestamp) -> Bytes {
    row.change(|order| {
        order.status = status;
        order.updated_at = now;
    });
    row.json().clone()
}

fn status_conflict(id: Id, status: OrderStatus, action: &str) -> Problem {
    let status = status.name();
    Problem::conflict(format!(
        "The order `{id}` is {status} and cannot be {action}."
    ))
    .with_kind(ProblemKind::OrderStatus)
    .with_extension("orderStatus", json!(status))
}
