//! Reviews of products.

use serde::Serialize;

use crate::model::Id;
use crate::model::Timestamp;

/// A review of a product by a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Review {
    pub(crate) id: Id,
    pub(crate) product_id: Id,
    pub(crate) user_id: Id,
    /// From 1 to 5.
    pub(crate) rating: u8,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) created_at: Timestamp,
}
