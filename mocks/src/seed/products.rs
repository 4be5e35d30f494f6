//! The products of the seed data.

use super::random::Random;
use super::range::{RANGES, REMARKS};
use super::{DAY, FIRST_ORDER, MERCHANTS, OPENING, PRODUCTS, SECOND_YEAR};
use crate::model::Timestamp;
use crate::model::{Category, Currency, Id, Money, Product};

/// All products, in the order of their ids; every merchant sells some, mostly of one category.
pub(crate) fn products() -> Vec<Product> {
    (0..PRODUCTS).map(product).collect()
}

fn product(index: usize) -> Product {
    let mut random = Random::new(2, index);
    let merchant = random.index(MERCHANTS);
    // Mostly the category of the merchant, sometimes any category.
    let category_index = if random.chance(85) {
        merchant % RANGES.len()
    } else {
        random.index(RANGES.len())
    };
    let category = Category::ALL
        .get(category_index)
        .copied()
        .unwrap_or(Category::Home);
    let range = RANGES.get(category_index).unwrap_or(&RANGES[0]);
    let (noun, sentence) = random.pick(&range.nouns);
    let (low, high) = range.prices;
    let adjective = random.pick(&range.adjectives);
    let created_at = random.between(OPENING, SECOND_YEAR);
    let updated_at = created_at + random.below((FIRST_ORDER - SECOND_YEAR) / DAY) * DAY;
    Product {
        id: Id::from_index(index),
        name: format!("{adjective} {noun}"),
        description: format!("{sentence} {}", random.pick(&REMARKS)),
        category,
        price: Money {
            amount: price(&mut random, low, high),
            currency: Currency::Eur,
        },
        stock: stock(&mut random),
        merchant_id: Id::from_index(merchant),
        created_at: Timestamp(created_at),
        updated_at: Timestamp(updated_at),
    }
}

/// A price from `low` to `high`, in cents: low ones are more common, and all end in 0 or 9.
fn price(random: &mut Random, low: u64, high: u64) -> u64 {
    let top = random.between(low, high);
    let amount = random.between(low, top + 1);
    amount / 10 * 10 + if random.chance(60) { 9 } else { 0 }
}

/// The stock of a product: some are sold out or nearly so.
fn stock(random: &mut Random) -> u32 {
    let pieces = match random.below(100) {
        0..4 => 0,
        4..15 => random.between(1, 10),
        _ => random.between(10, 400),
    };
    u32::try_from(pieces).unwrap_or(0)
}
