//! All reviews, in memory, with an index by owner.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::model::{Clock, Id, Review};
use crate::reviews::pages::{Page, PageArguments};
use crate::reviews::refusal::Refusal;

/// The reviews behind a lock, with the clock for new ones.
#[derive(Debug)]
pub(super) struct SharedReviews {
    table: RwLock<ReviewTable>,
    clock: Clock,
}

/// The reviews, in the order of their ids and times.
#[derive(Debug)]
pub(super) struct ReviewTable {
    reviews: Vec<Arc<Review>>,
    /// Review ids, ascending.
    by_owner: HashMap<Owner, Vec<Id>>,
    max_reviews: usize,
}

/// The owner of reviews: the product reviewed, or the user who wrote them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    Product(Id),
    User(Id),
}

/// The number of reviews of a product, and the sum of their ratings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rating {
    pub(super) reviews: usize,
    stars: u64,
}

/// A review to be added.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) product: Id,
    pub(super) user: Id,
    pub(super) rating: u8,
    pub(super) title: String,
    pub(super) body: String,
}

impl SharedReviews {
    pub(super) fn new(table: ReviewTable, clock: Clock) -> Self {
        Self {
            table: RwLock::new(table),
            clock,
        }
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, ReviewTable> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds `draft` with the current time.
    pub(super) fn add(&self, draft: Draft) -> Result<Arc<Review>, Refusal> {
        self.write().add(draft, self.clock)
    }

    fn write(&self) -> RwLockWriteGuard<'_, ReviewTable> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReviewTable {
    /// A table of `reviews`, which are in the order of their ids without gaps, of at most `max`.
    pub(super) fn new(reviews: Vec<Review>, max: usize) -> Self {
        let mut table = Self {
            reviews: Vec::with_capacity(reviews.len()),
            by_owner: HashMap::new(),
            max_reviews: max,
        };
        for review in reviews {
            table.push(review);
        }
        table
    }

    pub(super) fn find(&self, id: Id) -> Option<Arc<Review>> {
        self.reviews.get(id.index()).map(Arc::clone)
    }

    /// The last `first` reviews, newest first.
    pub(super) fn newest(&self, first: usize) -> Vec<Arc<Review>> {
        self.reviews.iter().rev().take(first).cloned().collect()
    }

    /// A page of the reviews of an owner, newest first.
    pub(super) fn page(&self, owner: Owner, arguments: PageArguments) -> Page {
        let ids = self.ids_of_owner(owner);
        let end = ids.partition_point(|id| arguments.after.is_none_or(|after| *id < after));
        let remaining = ids.get(..end).unwrap_or_default();
        let page = remaining.iter().rev().take(arguments.first);
        Page {
            reviews: page.filter_map(|id| self.find(*id)).collect(),
            has_next: remaining.len() > arguments.first,
            total: ids.len(),
        }
    }

    pub(super) fn rating(&self, product: Id) -> Rating {
        let ids = self.ids_of_owner(Owner::Product(product));
        let reviews = ids.iter().filter_map(|id| self.reviews.get(id.index()));
        Rating {
            reviews: ids.len(),
            stars: reviews.map(|review| u64::from(review.rating)).sum(),
        }
    }

    fn add(&mut self, draft: Draft, clock: Clock) -> Result<Arc<Review>, Refusal> {
        if self.reviews.len() >= self.max_reviews {
            let message = format!("the maximum of {} reviews is reached", self.max_reviews);
            return Err(Refusal::conflict(message));
        }
        let (product, user) = (draft.product, draft.user);
        let existing = self.ids_of_owner(Owner::Product(product)).iter();
        let mut existing = existing.filter_map(|id| self.reviews.get(id.index()));
        if existing.any(|review| review.user_id == user) {
            let message = format!("user `{user}` has already reviewed product `{product}`");
            return Err(Refusal::conflict(message));
        }
        Ok(self.push(Review {
            id: Id::from_index(self.reviews.len()),
            product_id: product,
            user_id: user,
            rating: draft.rating,
            title: draft.title,
            body: draft.body,
            created_at: clock.now(),
        }))
    }

    fn push(&mut self, review: Review) -> Arc<Review> {
        let owners = [
            Owner::Product(review.product_id),
            Owner::User(review.user_id),
        ];
        for owner in owners {
            self.by_owner.entry(owner).or_default().push(review.id);
        }
        let review = Arc::new(review);
        self.reviews.push(Arc::clone(&review));
        review
    }

    fn ids_of_owner(&self, owner: Owner) -> &[Id] {
        self.by_owner.get(&owner).map_or(&[], Vec::as_slice)
    }
}

impl Rating {
    /// The mean rating with two decimal places; `None` without reviews.
    pub(super) fn average(self) -> Option<f64> {
        let reviews = u64::try_from(self.reviews).unwrap_or(u64::MAX);
        let hundredths = (self.stars * 100 + reviews / 2).checked_div(reviews)?;
        u32::try_from(hundredths)
            .ok()
            .map(|hundredths| f64::from(hundredths) / 100.0)
    }
}
