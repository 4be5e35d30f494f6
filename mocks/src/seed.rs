//! The shop on the day it opens: the same users, products, orders and reviews every time, on every machine.
//!
//! Everything is drawn from one fixed number, so services that never met agree: an order's prices
//! are the products' prices, and the pieces of its open orders are reserved. Nothing here reads a
//! clock or a file.

mod opinions;
mod orders;
mod people;
mod products;
mod random;
mod range;
mod reviews;
mod users;

pub(crate) use self::orders::orders;
pub(crate) use self::products::products;
pub(crate) use self::reviews::reviews;
pub(crate) use self::users::users;

/// How many accounts there are; the first `MERCHANTS` of them sell.
const USERS: usize = 1_000;
const MERCHANTS: usize = 50;
const PRODUCTS: usize = 1_000;
const ORDERS: usize = 5_000;

/// 1 January 2021: the shop's first day.
const OPENING: u64 = 1_609_459_200;
/// 1 January 2023: by now every merchant and most customers have an account.
const SECOND_YEAR: u64 = 1_672_531_200;
/// 1 January 2024: the range is complete, and orders begin.
const FIRST_ORDER: u64 = 1_704_067_200;
/// 1 October 2025: the moment at which the shop is handed over.
const HANDOVER: u64 = 1_759_276_800;
const DAY: u64 = 86_400;

#[cfg(test)]
mod tests;
