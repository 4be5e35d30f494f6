//! The entities: reviews, and the fields that this subgraph adds to products and users.

use std::sync::Arc;

use async_graphql::dataloader::DataLoader;
use async_graphql::{
    Context, ID, InputValueError, InputValueResult, Object, Result, Scalar, ScalarType, Value,
};

use crate::model::Id;
use crate::model::Review as Row;
use crate::model::Timestamp;
use crate::reviews::loader::{PageKey, RatingKey, ReviewLoader};
use crate::reviews::pages::{Page, PageArguments, ReviewConnection, worth};
use crate::reviews::review_table::{Owner, Rating};

/// The time of a review.
#[derive(Clone, Copy, Debug)]
pub(super) struct DateTime(Timestamp);

/// A review; the row is shared with the table.
#[derive(Debug)]
pub(super) struct Review(Arc<Row>);

/// A product, of which this subgraph has only the id.
#[derive(Debug)]
pub(super) struct Product(pub(super) ID);

/// A user, of which this subgraph has only the id.
#[derive(Debug)]
pub(super) struct User(pub(super) ID);

/// A point in time in UTC, in ISO 8601: `2026-01-31T09:30:00Z`.
#[Scalar]
impl ScalarType for DateTime {
    fn parse(_: Value) -> InputValueResult<Self> {
        Err(InputValueError::custom(
            "`DateTime` is an output type and cannot be an argument",
        ))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A review of a product by a customer.
#[Object(cache_control(max_age = 60))]
impl Review {
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// From 1, the worst, to 5, the best.
    async fn rating(&self) -> u8 {
        self.0.rating
    }

    async fn title(&self) -> &str {
        &self.0.title
    }

    async fn body(&self) -> &str {
        &self.0.body
    }

    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// The reviewed product.
    async fn product(&self) -> Product {
        Product(ID(self.0.product_id.to_string()))
    }

    /// The account that wrote the review.
    async fn author(&self) -> User {
        User(ID(self.0.user_id.to_string()))
    }
}

/// A product of the shop.
#[Object(cache_control(max_age = 60))]
impl Product {
    async fn id(&self) -> &ID {
        &self.0
    }

    /// The reviews of the product, newest first.
    #[graphql(complexity = "worth(first, child_complexity)")]
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            default_with = "Some(10)",
            desc = "The maximum number of reviews on the page, up to 100."
        )]
        first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the previous page.")] after: Option<String>,
    ) -> Result<ReviewConnection> {
        let owner = Id::parse(&self.0).map(Owner::Product);
        page(
            ctx,
            owner,
            PageArguments::from_arguments(first, after.as_deref())?,
        )
        .await
    }

    /// The mean of all ratings, with two decimal places; null without reviews.
    async fn average_rating(&self, ctx: &Context<'_>) -> Result<Option<f64>> {
        Ok(self.rating(ctx).await?.average())
    }

    async fn review_count(&self, ctx: &Context<'_>) -> Result<usize> {
        Ok(self.rating(ctx).await?.reviews)
    }
}

/// An account of a customer or a merchant.
#[Object(cache_control(max_age = 60))]
impl User {
    async fn id(&self) -> &ID {
        &self.0
    }

    /// The reviews by the account, newest first.
    #[graphql(complexity = "worth(first, child_complexity)")]
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            default_with = "Some(10)",
            desc = "The maximum number of reviews on the page, up to 100."
        )]
        first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the previous page.")] after: Option<String>,
    ) -> Result<ReviewConnection> {
        let owner = Id::parse(&self.0).map(Owner::User);
        page(
            ctx,
            owner,
            PageArguments::from_arguments(first, after.as_deref())?,
        )
        .await
    }
}

impl From<Arc<Row>> for Review {
    fn from(row: Arc<Row>) -> Self {
        Self(row)
    }
}

impl Product {
    async fn rating(&self, ctx: &Context<'_>) -> Result<Rating> {
        let Some(id) = Id::parse(&self.0) else {
            return Ok(Rating::default());
        };
        let loader = ctx.data::<DataLoader<ReviewLoader>>()?;
        let Ok(rating) = loader.load_one(RatingKey(id)).await;
        Ok(rating.unwrap_or_default())
    }
}

/// A page of reviews; an owner whose id is not an id of the shop has no reviews.
async fn page(
    ctx: &Context<'_>,
    owner: Option<Owner>,
    arguments: PageArguments,
) -> Result<ReviewConnection> {
    let Some(owner) = owner else {
        return Ok(Page::default().into());
    };
    let loader = ctx.data::<DataLoader<ReviewLoader>>()?;
    let Ok(page) = loader.load_one(PageKey(owner, arguments)).await;
    Ok(page.unwrap_or_default().into())
}
