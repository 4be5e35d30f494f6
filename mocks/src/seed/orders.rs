//! The orders of the seed data.

use super::random::Random;
use super::{DAY, FIRST_ORDER, HANDOVER, MERCHANTS, ORDERS, USERS};
use crate::model::Timestamp;
use crate::model::{Id, Money, Order, OrderItem, OrderStatus, Product};

/// All orders, in the order of their ids and times; `products` are those of the seed data.
pub(crate) fn orders(products: &[Product]) -> Vec<Order> {
    (0..ORDERS)
        .filter_map(|index| order(index, products))
        .collect()
}

/// One order; `None` only without products.
fn order(index: usize, products: &[Product]) -> Option<Order> {
    let mut random = Random::new(3, index);
    let id = Id::from_index(index);
    // One order in each interval keeps times in the order of the ids.
    let step = (HANDOVER - FIRST_ORDER) / ORDERS as u64;
    let placed_at = FIRST_ORDER + index as u64 * step + random.below(step);
    let status = status(&mut random, HANDOVER.saturating_sub(placed_at) / DAY);
    let updated_at = match status {
        OrderStatus::Placed => placed_at,
        _ => (placed_at + random.between(3_600, 4 * DAY)).min(HANDOVER),
    };
    let chosen = choice(&mut random, products);
    let first = chosen.first()?;
    let total = chosen
        .iter()
        .map(|(product, quantity)| product.price.amount * u64::from(*quantity))
        .sum();
    let mut merchant_ids = Vec::new();
    for (product, _) in &chosen {
        if !merchant_ids.contains(&product.merchant_id) {
            merchant_ids.push(product.merchant_id);
        }
    }
    Some(Order {
        id,
        status,
        user_id: Id::from_index(customer(&mut random)),
        merchant_ids,
        total: Money {
            amount: total,
            currency: first.0.price.currency,
        },
        items: chosen
            .iter()
            .map(|(product, quantity)| item(product, *quantity))
            .collect(),
        placed_at: Timestamp(placed_at),
        updated_at: Timestamp(updated_at),
        reservation: format!("order-{id}"),
    })
}

/// One to four different products, with quantities.
fn choice<'p>(random: &mut Random, products: &'p [Product]) -> Vec<(&'p Product, u32)> {
    let mut chosen: Vec<(&Product, u32)> = Vec::new();
    for _ in 0..random.between(1, 5) {
        let quantity = if random.chance(70) {
            1
        } else {
            random.between(2, 5)
        };
        let Some(product) = products.get(random.index(products.len())) else {
            continue;
        };
        if chosen.iter().all(|(other, _)| other.id != product.id) {
            chosen.push((product, u32::try_from(quantity).unwrap_or(1)));
        }
    }
    chosen
}

fn item(product: &Product, quantity: u32) -> OrderItem {
    OrderItem {
        product_id: product.id,
        quantity,
        unit_price: product.price,
    }
}

/// The minimum of two draws, so that some customers have many orders.
fn customer(random: &mut Random) -> usize {
    let customers = USERS - MERCHANTS;
    MERCHANTS + random.index(customers).min(random.index(customers))
}

/// The status of an order of this age, in days.
fn status(random: &mut Random, age: u64) -> OrderStatus {
    let draw = random.below(100);
    match (age, draw) {
        (_, 0..6) => OrderStatus::Cancelled,
        (0..2, 6..70) => OrderStatus::Placed,
        (0..2, _) | (2..4, 6..70) => OrderStatus::Paid,
        (2..4, _) | (4..10, 6..60) => OrderStatus::Shipped,
        _ => OrderStatus::Delivered,
    }
}
