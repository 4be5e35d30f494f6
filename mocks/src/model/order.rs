//! Orders.

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
    /// The name of the reservation at the products service.
    #[serde(skip)]
    pub(crate) reservation: String,
}

/// The quantity of one product, at its price when the order was placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderItem {
    pub(crate) product_id: Id,
    pub(crate) quantity: u32,
    pub(crate) unit_price: Money,
}

/// The status of an order.
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
    /// All statuses, in the order of an order's progress.
    pub(crate) const ALL: [Self; 5] = [
        Self::Placed,
        Self::Paid,
        Self::Shipped,
        Self::Delivered,
        Self::Cancelled,
    ];

    /// The next status; `None` for a final status.
    pub(crate) const fn next(self) -> Option<Self> {
        match self {
            Self::Placed => Some(Self::Paid),
            Self::Paid => Some(Self::Shipped),
            Self::Shipped => Some(Self::Delivered),
            Self::Delivered | Self::Cancelled => None,
        }
    }

    /// Whether the order is not yet shipped, so that it can be cancelled.
    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::Placed | Self::Paid)
    }

    /// The name in JSON and in query parameters.
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
