//! Batches the lookups of resolvers.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use async_graphql::dataloader::Loader;

use crate::model::{Id, Review};
use crate::reviews::pages::{Page, PageArguments};
use crate::reviews::review_table::{Owner, Rating, SharedReviews};

/// Loads a batch of keys under one lock.
#[derive(Debug)]
pub(super) struct ReviewLoader {
    reviews: Arc<SharedReviews>,
}

/// The key of a page of the reviews of an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PageKey(pub(super) Owner, pub(super) PageArguments);

/// The key of the rating of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RatingKey(pub(super) Id);

/// The key of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ReviewKey(pub(super) Id);

impl ReviewLoader {
    pub(super) fn new(reviews: Arc<SharedReviews>) -> Self {
        Self { reviews }
    }
}

impl Loader<PageKey> for ReviewLoader {
    type Value = Page;
    type Error = Infallible;

    async fn load(&self, keys: &[PageKey]) -> Result<HashMap<PageKey, Page>, Infallible> {
        let table = self.reviews.read();
        let pages = keys.iter().map(|key| (*key, table.page(key.0, key.1)));
        Ok(pages.collect())
    }
}

impl Loader<RatingKey> for ReviewLoader {
    type Value = Rating;
    type Error = Infallible;

    async fn load(&self, keys: &[RatingKey]) -> Result<HashMap<RatingKey, Rating>, Infallible> {
        let table = self.reviews.read();
        Ok(keys.iter().map(|key| (*key, table.rating(key.0))).collect())
    }
}

impl Loader<ReviewKey> for ReviewLoader {
    type Value = Arc<Review>;
    type Error = Infallible;

    async fn load(
        &self,
        keys: &[ReviewKey],
    ) -> Result<HashMap<ReviewKey, Arc<Review>>, Infallible> {
        let table = self.reviews.read();
        let found = keys
            .iter()
            .filter_map(|key| Some((*key, table.find(key.0)?)));
        Ok(found.collect())
    }
}
