//! All products and all reservations, in memory.
//!
//! Invariant: a piece is in stock or in exactly one reservation; only changes by merchants change
//! their sum.

use std::collections::HashMap;

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::reservation::{CheckedReservation, RequestedItem, Reservation, ReservedItem, Shortage};
use crate::http::{Object, Patch, Problem, ProblemKind};
use crate::model::Timestamp;
use crate::model::{Id, Money, Product};
use crate::store::Row;

/// The products by id, with indices for searches, and the reservations.
#[derive(Debug)]
pub(super) struct Stock {
    rows: Vec<Row<Product>>,
    /// Name and description in lower case, by id.
    texts: Vec<String>,
    by_merchant: HashMap<Id, Vec<Id>>,
    reservations: HashMap<String, Vec<(Id, u32)>>,
    last_name: u64,
}

/// The body of `PATCH /products/{id}`; absent members are unchanged.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct ProductChange {
    price: Patch<Object<Money>>,
    stock: Patch<u32>,
    /// The merchant that requests the change; must be the merchant of the product.
    merchant_id: Patch<Id>,
}

impl ProductChange {
    /// Checks the values, independent of the product.
    pub(super) fn checked(self) -> Result<Self, Problem> {
        self.price.check_value(|Object(price)| match price.amount {
            0..=MAX_PRICE => Ok(()),
            _ => Err(Problem::unprocessable(format!(
                "`price.amount` is at most {MAX_PRICE}."
            ))),
        })?;
        self.stock.check_value(|stock| match *stock {
            0..=MAX_STOCK => Ok(()),
            _ => Err(Problem::unprocessable(format!(
                "`stock` is at most {MAX_STOCK}."
            ))),
        })?;
        Ok(self)
    }
}

impl Stock {
    pub(super) fn new(products: Vec<Product>) -> Self {
        let text =
            |product: &Product| format!("{}\n{}", product.name, product.description).to_lowercase();
        let texts = products.iter().map(text).collect();
        let mut by_merchant: HashMap<_, Vec<_>> = HashMap::new();
        for product in &products {
            let own = by_merchant.entry(product.merchant_id).or_default();
            own.push(product.id);
        }
        Self {
            rows: products.into_iter().map(Row::new).collect(),
            texts,
            by_merchant,
            reservations: HashMap::new(),
            last_name: 0,
        }
    }

    pub(super) fn rows(&self) -> &[Row<Product>] {
        &self.rows
    }

    /// The text that searches match.
    pub(super) fn search_text(&self, id: Id) -> &str {
        self.texts.get(id.index()).map_or("", String::as_str)
    }

    /// The products of a merchant, ascending.
    pub(super) fn products_of_merchant(&self, id: Id) -> &[Id] {
        self.by_merchant.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Sets price and stock; `None` if the product does not exist, 403 for another merchant.
    pub(super) fn change(
        &mut self,
        id: Id,
        change: ProductChange,
        now: Timestamp,
    ) -> Result<Option<&Row<Product>>, Problem> {
        let Some(row) = self.rows.get_mut(id.index()) else {
            return Ok(None);
        };
        if let Some(merchant) = change.merchant_id.0
            && merchant != row.value().merchant_id
        {
            let detail = format!("The product `{id}` is not sold by the merchant `{merchant}`.");
            return Err(
                Problem::new(StatusCode::FORBIDDEN, detail).with_kind(ProblemKind::NotYourProduct)
            );
        }
        row.change(|product| {
            if let Some(Object(price)) = change.price.0 {
                product.price = price;
            }
            change.stock.apply_to(&mut product.stock);
            product.updated_at = now;
        });
        Ok(Some(row))
    }

    /// Moves all requested pieces from the stock to a reservation, or none of them.
    pub(super) fn reserve(
        &mut self,
        new: CheckedReservation,
        now: Timestamp,
    ) -> Result<Reservation, Problem> {
        if self.reservations.len() >= MAX_RESERVATIONS {
            return Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("The maximum of {MAX_RESERVATIONS} reservations is reached."),
            ));
        }
        let id = new.id.unwrap_or_else(|| self.new_name());
        if self.reservations.contains_key(&id) {
            return Err(Problem::conflict(format!("The reservation `{id}` exists."))
                .with_kind(ProblemKind::ReservationExists));
        }
        self.reject_unknown(&new.items)?;
        self.reject_shortages(&new.items)?;
        let reserved = new
            .items
            .iter()
            .filter_map(|item| self.reserve_item(*item, now));
        let items: Vec<_> = reserved.collect();
        let pieces = new
            .items
            .iter()
            .map(|item| (item.product_id, item.quantity));
        self.record_reservation(id.clone(), pieces.collect());
        Ok(Reservation { id, items })
    }

    /// Stores a reservation whose pieces are already taken from the stock.
    pub(super) fn record_reservation(&mut self, id: String, pieces: Vec<(Id, u32)>) {
        self.reservations.insert(id, pieces);
    }

    /// Returns the pieces of a reservation to the stock; the result is their products. `None` if the
    /// reservation does not exist.
    pub(super) fn release(&mut self, id: &str, now: Timestamp) -> Option<Vec<Id>> {
        let pieces = self.reservations.remove(id)?;
        for (product, quantity) in &pieces {
            if let Some(row) = self.rows.get_mut(product.index()) {
                row.change(|product| {
                    product.stock = product.stock.saturating_add(*quantity);
                    product.updated_at = now;
                });
            }
        }
        Some(pieces.into_iter().map(|(product, _)| product).collect())
    }

    fn reserve_item(&mut self, item: RequestedItem, now: Timestamp) -> Option<ReservedItem> {
        let row = self.rows.get_mut(item.product_id.index())?;
        row.change(|product| {
            product.stock = product.stock.saturating_sub(item.quantity);
            product.updated_at = now;
        });
        let product = row.value();
        Some(ReservedItem {
            product_id: product.id,
            quantity: item.quantity,
            unit_price: product.price,
            merchant_id: product.merchant_id,
        })
    }

    fn reject_unknown(&self, items: &[RequestedItem]) -> Result<(), Problem> {
        let unknown: Vec<_> = items
            .iter()
            .map(|item| item.product_id)
            .filter(|id| id.index() >= self.rows.len())
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(Problem::unprocessable("Some of the products do not exist.")
            .with_kind(ProblemKind::UnknownProduct)
            .with_extension("productIds", json!(unknown)))
    }

    fn reject_shortages(&self, items: &[RequestedItem]) -> Result<(), Problem> {
        let short = items.iter().filter_map(|item| {
            let product = self.rows.get(item.product_id.index())?.value();
            (product.stock < item.quantity).then_some(Shortage {
                product_id: item.product_id,
                requested: item.quantity,
                available: product.stock,
            })
        });
        let shortages: Vec<_> = short.collect();
        if shortages.is_empty() {
            return Ok(());
        }
        Err(Problem::conflict("There is not enough in stock.")
            .with_kind(ProblemKind::StockShort)
            .with_extension("shortages", json!(shortages)))
    }

    fn new_name(&mut self) -> String {
        loop {
            self.last_name += 1;
            let name = format!("r-{}", self.last_name);
            if !self.reservations.contains_key(&name) {
                return name;
            }
        }
    }
}

const MAX_PRICE: u64 = 100_000_000;
const MAX_STOCK: u32 = 1_000_000;

/// Maximum number of reservations, twice the maximum number of orders.
const MAX_RESERVATIONS: usize = 200_000;
