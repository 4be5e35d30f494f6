//! What is told to a shop before it opens. There is no file and no environment behind it.

use std::time::Duration;

use crate::model::Clock;

/// What a shop may be told; the default is right for all but special tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where changes get their time from.
    pub clock: Clock,
    /// How many orders there can be; the shop opens with 5,000.
    pub max_orders: usize,
    /// How many reviews there can be; the shop opens with some 4,000.
    pub max_reviews: usize,
    /// How long *orders* waits for one answer of *products*.
    pub products_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            clock: Clock::System,
            max_orders: 100_000,
            max_reviews: 100_000,
            products_timeout: Duration::from_secs(2),
        }
    }
}
