//! Resolvers in Rust: fields computed from the data of several services.
//!
//! An Apollo Federation subgraph like any other, executed in this process. A representation has
//! the fields of `@requires`, and a data loader loads further data once for all representations of
//! a request. Fields that may fail are nullable, because an error of a non-null field would fail
//! the other entities of the request too.

#![expect(
    clippy::unused_async,
    reason = "async-graphql requires async resolvers"
)]

use std::collections::BTreeMap;

use async_graphql::dataloader::DataLoader;
use async_graphql::{
    Context, EmptyMutation, EmptySubscription, ID, Json, Object, Result, Schema, SimpleObject,
};
use serde::{Deserialize, Serialize};

use self::tariff::{Country, Tariffs};
use crate::tasks::Tasks;

mod tariff;

/// The subgraph.
pub(super) type Computed = Schema<Query, EmptyMutation, EmptySubscription>;

/// The subgraph, ready to be mounted.
pub(super) fn schema() -> Computed {
    let tasks = Tasks::default();
    let tariffs = DataLoader::new(Tariffs, move |load| {
        tasks.spawn("tariffs", load);
    });
    Schema::build(Query, EmptyMutation, EmptySubscription)
        .data(tariffs)
        .finish()
}

/// Entry points: entity resolvers only.
#[derive(Debug)]
pub(super) struct Query;

#[Object]
impl Query {
    #[graphql(entity)]
    async fn order(
        &self,
        #[graphql(key)] id: ID,
        items: Option<Json<Vec<OrderItem>>>,
        customer: Option<Json<Customer>>,
    ) -> Order {
        Order {
            id,
            items: items.map(|items| items.0),
            country: customer.map(|customer| customer.0.address.country),
        }
    }

    #[graphql(entity)]
    async fn user(&self, #[graphql(key)] id: ID, spent: Option<Json<Vec<Money>>>) -> User {
        User {
            id,
            spent: spent.map(|spent| spent.0),
            address: None,
        }
    }
}

/// The representation of an order.
#[derive(Debug)]
struct Order {
    id: ID,
    items: Option<Vec<OrderItem>>,
    country: Option<String>,
}

/// An order of a customer.
#[Object]
impl Order {
    async fn id(&self) -> &ID {
        &self.id
    }

    #[graphql(external)]
    async fn items(&self) -> Result<&Vec<OrderItem>> {
        self.items.as_ref().ok_or_else(missing_requirement)
    }

    #[graphql(external)]
    async fn customer(&self) -> Result<User> {
        Err(missing_requirement())
    }

    /// The shipping cost in euros, by destination country and number of pieces.
    #[graphql(requires = "items { quantity } customer { address { country } }")]
    async fn shipping_estimate(&self, ctx: &Context<'_>) -> Result<Option<Money>> {
        let (Some(items), Some(country)) = (&self.items, &self.country) else {
            return Err(missing_requirement());
        };
        let pieces = items.iter().map(|item| i64::from(item.quantity));
        let pieces = pieces.fold(0, i64::saturating_add);
        let tariffs = ctx.data::<DataLoader<Tariffs>>()?;
        let Ok(tariff) = tariffs.load_one(Country(country.clone())).await;
        Ok(tariff.map(|tariff| Money {
            amount: tariff.price(pieces),
            currency: "EUR".to_owned(),
        }))
    }
}

/// The representation of a user.
#[derive(Debug)]
struct User {
    id: ID,
    address: Option<Address>,
    spent: Option<Vec<Money>>,
}

/// An account of a customer or a merchant.
#[Object]
impl User {
    async fn id(&self) -> &ID {
        &self.id
    }

    #[graphql(external)]
    async fn address(&self) -> Result<&Address> {
        self.address.as_ref().ok_or_else(missing_requirement)
    }

    #[graphql(external)]
    async fn spent(&self) -> Result<&Vec<Money>> {
        self.spent.as_ref().ok_or_else(missing_requirement)
    }

    /// The totals of the account's hundred newest orders by currency, without cancelled ones.
    #[graphql(requires = "spent { amount currency }")]
    async fn lifetime_value(&self) -> Result<Option<Vec<Money>>> {
        let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
        for money in self.spent.as_ref().ok_or_else(missing_requirement)? {
            let sum = sums.entry(&money.currency).or_default();
            *sum = sum.saturating_add(money.amount);
        }
        let sums = sums.into_iter().map(|(currency, amount)| Money {
            amount,
            currency: currency.to_owned(),
        });
        Ok(Some(sums.collect()))
    }
}

/// An item of an order.
#[derive(Debug, SimpleObject, Serialize, Deserialize)]
struct OrderItem {
    #[graphql(external)]
    quantity: i32,
}

/// A postal address.
#[derive(Debug, SimpleObject, Serialize, Deserialize)]
struct Address {
    #[graphql(external)]
    country: String,
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject, Serialize, Deserialize)]
#[graphql(shareable)]
struct Money {
    /// In minor units: 1299 is 12.99.
    amount: i64,
    /// ISO 4217, three letters.
    currency: String,
}

/// The customer in the representation of an order.
#[derive(Debug, Serialize, Deserialize)]
struct Customer {
    address: Address,
}

/// A representation without a field of `@requires`.
fn missing_requirement() -> async_graphql::Error {
    "the representation lacks a required field".into()
}

#[cfg(test)]
mod tests;
