//! The graph: objects of the services, and the fields that join them.

use std::sync::Arc;

use async_graphql::dataloader::DataLoader;
use async_graphql::{ComplexObject, Context, Enum, ID, Object, Result, SimpleObject};
use serde::Deserialize;

use super::loaders::{Products, Users};
use super::upstream::Upstream;

/// The query root.
#[derive(Debug)]
pub(super) struct Query;

#[Object]
impl Query {
    async fn user(&self, context: &Context<'_>, id: ID) -> Result<Option<User>> {
        let upstream = context.data::<Arc<Upstream>>()?;
        Ok(upstream.user(&id).await?)
    }

    async fn orders(
        &self,
        context: &Context<'_>,
        #[graphql(default = 20)] first: u32,
        after: Option<String>,
    ) -> Result<OrderConnection> {
        let upstream = context.data::<Arc<Upstream>>()?;
        let nodes = upstream.orders(first, after.as_deref()).await?;
        Ok(OrderConnection { nodes })
    }
}

#[derive(SimpleObject)]
struct OrderConnection {
    nodes: Vec<Order>,
}

/// An order.
#[derive(Debug, Deserialize, SimpleObject)]
#[graphql(complex)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order {
    id: ID,
    status: OrderStatus,
    items: Vec<OrderItem>,
    #[graphql(skip)]
    user_id: String,
}

#[ComplexObject]
impl Order {
    async fn customer(&self, context: &Context<'_>) -> Result<Arc<User>> {
        let users = context.data::<DataLoader<Users>>()?;
        let user = users.load_one(self.user_id.clone()).await?;
        user.ok_or_else(|| "the order has no customer".into())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Enum)]
#[serde(rename_all = "UPPERCASE")]
enum OrderStatus {
    Placed,
    Paid,
    Shipped,
    Delivered,
    Cancelled,
}

#[derive(Debug, Deserialize, SimpleObject)]
#[graphql(complex)]
#[serde(rename_all = "camelCase")]
struct OrderItem {
    quantity: u32,
    #[graphql(skip)]
    product_id: String,
}

#[ComplexObject]
impl OrderItem {
    async fn product(&self, context: &Context<'_>) -> Result<Arc<Product>> {
        let products = context.data::<DataLoader<Products>>()?;
        let product = products.load_one(self.product_id.clone()).await?;
        product.ok_or_else(|| "the item has no product".into())
    }
}

/// An account.
#[derive(Debug, Deserialize, SimpleObject)]
pub(super) struct User {
    pub(super) id: ID,
    name: String,
    email: String,
}

/// A product.
#[derive(Debug, Deserialize, SimpleObject)]
pub(super) struct Product {
    pub(super) id: ID,
    name: String,
    price: Money,
}

#[derive(Debug, Deserialize, SimpleObject)]
struct Money {
    amount: i64,
    currency: String,
}
