//! Pages of long lists, in the form common to all subgraphs of the shop.
//!
//! A cursor is the id of a review, so that following the pages returns each review once, even if
//! reviews are added meanwhile.

use std::sync::Arc;

use async_graphql::SimpleObject;

use crate::model::{Id, Review as Row};
use crate::reviews::entities::Review;
use crate::reviews::refusal::Refusal;

/// The requested part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PageArguments {
    pub(super) first: usize,
    pub(super) after: Option<Id>,
}

/// A page of reviews, before it becomes a connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    pub(super) reviews: Vec<Arc<Row>>,
    pub(super) has_next: bool,
    pub(super) total: usize,
}

/// A page of reviews.
#[derive(Debug, SimpleObject)]
pub(super) struct ReviewConnection {
    edges: Vec<ReviewEdge>,
    nodes: Vec<Review>,
    page_info: PageInfo,
    /// The total number on all pages.
    total_count: usize,
}

/// A review with its cursor.
#[derive(Debug, SimpleObject)]
pub(super) struct ReviewEdge {
    cursor: String,
    node: Review,
}

/// The end of a page, and whether another follows.
#[derive(Debug, SimpleObject)]
#[graphql(shareable)]
pub(super) struct PageInfo {
    /// The value of `after` for the next page; null on the last page.
    end_cursor: Option<String>,
    has_next_page: bool,
}

impl PageArguments {
    /// Checks `first` and `after`.
    pub(super) fn from_arguments(first: Option<i32>, after: Option<&str>) -> Result<Self, Refusal> {
        let after = match after {
            None => None,
            Some(text) => Some(Id::parse(text).ok_or_else(|| {
                Refusal::unprocessable(format!(
                    "`after` must be the `endCursor` of a page, not `{text}`"
                ))
            })?),
        };
        Ok(Self {
            first: page_size(first)?,
            after,
        })
    }
}

impl From<Page> for ReviewConnection {
    fn from(page: Page) -> Self {
        let last = page.reviews.last().filter(|_| page.has_next);
        let edge = |row: &Arc<Row>| ReviewEdge {
            cursor: row.id.to_string(),
            node: Review::from(Arc::clone(row)),
        };
        Self {
            page_info: PageInfo {
                end_cursor: last.map(|row| row.id.to_string()),
                has_next_page: page.has_next,
            },
            total_count: page.total,
            edges: page.reviews.iter().map(edge).collect(),
            nodes: page.reviews.into_iter().map(Review::from).collect(),
        }
    }
}

/// The page size for `first`; null means the default.
pub(super) fn page_size(first: Option<i32>) -> Result<usize, Refusal> {
    let first = first.unwrap_or(DEFAULT_FIRST);
    usize::try_from(first)
        .ok()
        .filter(|first| (1..=MAX_FIRST).contains(first))
        .ok_or_else(|| {
            let message = format!("`first` must be a number from 1 to {MAX_FIRST}, not {first}");
            Refusal::unprocessable(message)
        })
}

/// The complexity of a list of `first` objects with the complexity `child` each.
pub(super) fn worth(first: Option<i32>, child: usize) -> usize {
    page_size(first).unwrap_or(1).saturating_mul(child)
}

const DEFAULT_FIRST: i32 = 10;
const MAX_FIRST: usize = 100;
