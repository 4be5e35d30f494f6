//! What is for sale.

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;
use crate::model::{Id, Money};

/// Something that a merchant sells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Product {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) category: Category,
    pub(crate) price: Money,
    /// Pieces that nobody has reserved.
    pub(crate) stock: u32,
    pub(crate) merchant_id: Id,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// The shelves of the shop.
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
    /// Every category, in the order the shop shows them.
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

    /// The name as it is written in JSON and in queries.
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
