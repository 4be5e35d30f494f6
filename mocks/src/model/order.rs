//! What was bought.

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;
use crate::model::{Id, Money};

/// One purchase by one user; its items may come from several merchants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Order {
    pub(crate) id: Id,
    pub(crate) status: OrderStatus,
    pub(crate) user_id: Id,
    /// The merchants of the items, each once, in the order of the items.
    pub(crate) merchant_ids: Vec<Id>,
    pub(crate) items: Vec<OrderItem>,
    pub(crate) total: Money,
    pub(crate) placed_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// Under which name the products service holds the pieces.
    #[serde(skip)]
    pub(crate) reservation: String,
}

/// So many pieces of one product, at the price of the day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderItem {
    pub(crate) product_id: Id,
    pub(crate) quantity: u32,
    pub(crate) unit_price: Money,
}

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum OrderStatus {
    Placed,
    Paid,
    Shipped,
    Delivered,
    Cancelled,
}

impl OrderStatus {
    /// Every status, in the order an order goes through them.
    pub(crate) const ALL: [Self; 5] = [
        Self::Placed,
        Self::Paid,
        Self::Shipped,
        Self::Delivered,
        Self::Cancelled,
    ];

    /// What comes next; `None` at the end of the way.
    pub(crate) const fn next(self) -> Option<Self> {
        match self {
            Self::Placed => Some(Self::Paid),
            Self::Paid => Some(Self::Shipped),
            Self::Shipped => Some(Self::Delivered),
            Self::Delivered | Self::Cancelled => None,
        }
    }

    /// Whether the pieces are still in the warehouse, so that they can go back on the shelf.
    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::Placed | Self::Paid)
    }

    /// The name as it is written in JSON and in queries.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Placed => "PLACED",
            Self::Paid => "PAID",
            Self::Shipped => "SHIPPED",
            Self::Delivered => "DELIVERED",
            Self::Cancelled => "CANCELLED",
        }
    }
}
