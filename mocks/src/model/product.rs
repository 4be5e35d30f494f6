//! Products.

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;
use crate::model::{Id, Money};

/// A product that a merchant sells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Product {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) category: Category,
    pub(crate) price: Money,
    /// Number of pieces that are not reserved.
    pub(crate) stock: u32,
    pub(crate) merchant_id: Id,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// The categories of products.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Category {
    Books,
    Electronics,
    Home,
    Garden,
    Toys,
    Sports,
    Fashion,
    Food,
}

impl Category {
    /// All categories, in the order of the shop.
    pub(crate) const ALL: [Self; 8] = [
        Self::Books,
        Self::Electronics,
        Self::Home,
        Self::Garden,
        Self::Toys,
        Self::Sports,
        Self::Fashion,
        Self::Food,
    ];

    /// The name in JSON and in query parameters.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Books => "BOOKS",
            Self::Electronics => "ELECTRONICS",
            Self::Home => "HOME",
            Self::Garden => "GARDEN",
            Self::Toys => "TOYS",
            Self::Sports => "SPORTS",
            Self::Fashion => "FASHION",
            Self::Food => "FOOD",
        }
    }
}
