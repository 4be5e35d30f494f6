//! Seed data: the same users, products, orders and reviews at each start, on every machine.
//!
//! All data derives from one fixed seed, so that separate services agree: the prices of orders are
//! those of the products, and the pieces of open orders are reserved. Reads no clock and no file.

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

/// Number of accounts; the first `MERCHANTS` are merchants.
const USERS: usize = 1_000;
const MERCHANTS: usize = 50;
const PRODUCTS: usize = 1_000;
const ORDERS: usize = 5_000;

/// 1 January 2021: the first account.
const OPENING: u64 = 1_609_459_200;
/// 1 January 2023: from here on only customers open accounts, and no product is added.
const SECOND_YEAR: u64 = 1_672_531_200;
/// 1 January 2024: the first order.
const FIRST_ORDER: u64 = 1_704_067_200;
/// 1 October 2025: the end of the seed data.
const HANDOVER: u64 = 1_759_276_800;
const DAY: u64 = 86_400;

#[cfg(test)]
mod tests;
