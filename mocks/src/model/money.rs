//! Amounts in the smallest unit of a currency, without conversion between currencies.

use serde::{Deserialize, Serialize};

/// An amount of money: 12.99 euros are `{"amount":1299,"currency":"EUR"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Money {
    pub(crate) amount: u64,
    pub(crate) currency: Currency,
}

/// The currencies of the shop; all have two decimal places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Currency {
    Eur,
    Usd,
    Gbp,
    Chf,
    Sek,
    Pln,
}
