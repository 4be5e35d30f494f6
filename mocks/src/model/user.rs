//! Accounts of customers and merchants.

use serde::{Deserialize, Serialize, Serializer};

use crate::model::Id;
use crate::model::Timestamp;

/// The account of a customer or a merchant.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    pub(crate) id: Id,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) created_at: Timestamp,
    pub(crate) address: Address,
    /// Present exactly when `kind` is `merchant`.
    pub(crate) merchant: Option<Merchant>,
}

/// The kind of an account; it never changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    #[default]
    Customer,
    Merchant,
}

/// A postal address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Address {
    pub(crate) street: String,
    pub(crate) city: String,
    pub(crate) postal_code: String,
    /// ISO 3166-1, two capital letters.
    pub(crate) country: String,
}

/// The public profile of a merchant.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Merchant {
    pub(crate) display_name: String,
    /// In tenths, 0 to 50; `43` is written as `4.3`.
    #[serde(serialize_with = "tenths")]
    pub(crate) rating: u8,
    pub(crate) since: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn tenths<S: Serializer>(rating: &u8, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(f64::from(*rating) / 10.0)
}
