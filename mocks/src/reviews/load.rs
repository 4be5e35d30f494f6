//! What resolvers ask for one by one, and get all at once.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use async_graphql::dataloader::Loader;

use crate::model::{Id, Review};
use crate::reviews::pages::{Page, Slice};
use crate::reviews::shelf::{Desk, Owner, Rating};

/// Answers a batch of keys under one lock.
#[derive(Debug)]
pub(super) struct Loads {
    desk: Arc<Desk>,
}

/// One page of an owner's reviews.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PageOf(pub(super) Owner, pub(super) Slice);

/// What a product's reviews add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RatingOf(pub(super) Id);

/// One review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ReviewOf(pub(super) Id);

impl Loads {
    pub(super) fn new(desk: Arc<Desk>) -> Self {
        Self { desk }
    }
}

impl Loader<PageOf> for Loads {
    type Value = Page;
    type Error = Infallible;

    async fn load(&self, keys: &[PageOf]) -> Result<HashMap<PageOf, Page>, Infallible> {
        let shelf = self.desk.read();
        let pages = keys.iter().map(|key| (*key, shelf.page(key.0, key.1)));
        Ok(pages.collect())
    }
}

impl Loader<RatingOf> for Loads {
    type Value = Rating;
    type Error = Infallible;

    async fn load(&self, keys: &[RatingOf]) -> Result<HashMap<RatingOf, Rating>, Infallible> {
        let shelf = self.desk.read();
        Ok(keys.iter().map(|key| (*key, shelf.rating(key.0))).collect())
    }
}

impl Loader<ReviewOf> for Loads {
    type Value = Arc<Review>;
    type Error = Infallible;

    async fn load(&self, keys: &[ReviewOf]) -> Result<HashMap<ReviewOf, Arc<Review>>, Infallible> {
        let shelf = self.desk.read();
        let found = keys
            .iter()
            .filter_map(|key| Some((*key, shelf.find(key.0)?)));
        Ok(found.collect())
    }
}
