//! Requested and held reservations.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::http::{Object, Problem};
use crate::model::{Id, Money};

/// The body of `POST /reservations`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewReservation {
    /// A name that the caller chooses, so that it can release the reservation without its response.
    id: Option<String>,
    items: Vec<Object<RequestedItem>>,
}

/// The requested quantity of a product.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RequestedItem {
    pub(super) product_id: Id,
    pub(super) quantity: u32,
}

/// A valid request: at least one item, no product twice, quantities within bounds.
#[derive(Debug)]
pub(super) struct CheckedReservation {
    pub(super) id: Option<String>,
    pub(super) items: Vec<RequestedItem>,
}

/// Held pieces, at their price when reserved.
#[derive(Debug, Serialize)]
pub(super) struct Reservation {
    pub(super) id: String,
    pub(super) items: Vec<ReservedItem>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReservedItem {
    pub(super) product_id: Id,
    pub(super) quantity: u32,
    pub(super) unit_price: Money,
    pub(super) merchant_id: Id,
}

/// A product whose stock is too low.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shortage {
    pub(super) product_id: Id,
    pub(super) requested: u32,
    pub(super) available: u32,
}

impl NewReservation {
    /// Checks the items and the name.
    pub(super) fn checked(self) -> Result<CheckedReservation, Problem> {
        if self.items.is_empty() || self.items.len() > MAX_ITEMS {
            return Err(Problem::unprocessable(format!(
                "`items` holds 1 to {MAX_ITEMS} items."
            )));
        }
        let mut seen = HashSet::new();
        let items: Vec<_> = self.items.into_iter().map(|Object(item)| item).collect();
        for item in &items {
            if !(1..=MAX_QUANTITY).contains(&item.quantity) {
                return Err(Problem::unprocessable(format!(
                    "`quantity` is from 1 to {MAX_QUANTITY}, not {}.",
                    item.quantity
                )));
            }
            if !seen.insert(item.product_id) {
                return Err(Problem::unprocessable(format!(
                    "The product `{}` occurs twice; send the sum of the quantities.",
                    item.product_id
                )));
            }
        }
        if let Some(id) = &self.id
            && !is_reservation_name(id)
        {
            return Err(Problem::unprocessable(format!(
                "`id` is 1 to {MAX_NAME} letters, digits, `-` and `_`."
            )));
        }
        Ok(CheckedReservation { id: self.id, items })
    }
}

fn is_reservation_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

const MAX_ITEMS: usize = 100;
const MAX_QUANTITY: u32 = 1_000;
const MAX_NAME: usize = 64;
