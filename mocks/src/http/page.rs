//! Pages of long lists, and the cursors between them.
//!
//! A cursor is the id of the last entity of its page, so that following the pages returns each
//! entity once, even if the list changes meanwhile.

use hyper::StatusCode;

use crate::http::{ListBody, Problem, Query};
use crate::model::Id;
use crate::store::Row;

/// The requested part of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    limit: usize,
    after: Option<Id>,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    OldestFirst,
    NewestFirst,
}

impl Page {
    /// Takes `limit` and `after`.
    pub(crate) fn take(query: &mut Query<'_>) -> Result<Self, Problem> {
        let limit = query.take_count("limit", DEFAULT_LIMIT, MAX_LIMIT)?;
        let after = match query.take("after") {
            None => None,
            Some(text) => Some(Id::parse(&text).ok_or_else(|| {
                Problem::new(
                    StatusCode::BAD_REQUEST,
                    format!(
                        "`after` must be the `next` of a page or the id of an entity of the list, not `{text}`."
                    ),
                )
            })?),
        };
        Ok(Self { limit, after })
    }

    /// Writes the page of all `rows`, which are in the order of their ids without gaps.
    pub(crate) fn write_all<T>(&self, rows: &[Row<T>], direction: Direction) -> ListBody {
        let total = rows.len();
        match direction {
            Direction::OldestFirst => {
                let start = self.after.map_or(0, |after| after.index() + 1).min(total);
                self.write((start..total).map(Id::from_index), rows, total)
            }
            Direction::NewestFirst => {
                let end = self.after.map_or(total, Id::index).min(total);
                self.write((0..end).rev().map(Id::from_index), rows, total)
            }
        }
    }

    /// Writes the page of the `matching` rows; `matching` is ascending for both directions.
    pub(crate) fn write_matching<T>(
        &self,
        rows: &[Row<T>],
        matching: &[Id],
        direction: Direction,
    ) -> ListBody {
        let total = matching.len();
        match direction {
            Direction::OldestFirst => {
                let start =
                    matching.partition_point(|id| self.after.is_some_and(|after| *id <= after));
                let remaining = matching.get(start..).unwrap_or_default();
                self.write(remaining.iter().copied(), rows, total)
            }
            Direction::NewestFirst => {
                let end = matching.partition_point(|id| self.after.is_none_or(|after| *id < after));
                let remaining = matching.get(..end).unwrap_or_default();
                self.write(remaining.iter().rev().copied(), rows, total)
            }
        }
    }

    fn write<T>(
        &self,
        mut ids: impl ExactSizeIterator<Item = Id>,
        rows: &[Row<T>],
        total: usize,
    ) -> ListBody {
        let mut body = ListBody::new(ids.len().min(self.limit));
        let mut last = None;
        for id in ids.by_ref().take(self.limit) {
            if let Some(row) = rows.get(id.index()) {
                body.push(row);
            }
            last = Some(id);
        }
        let next = last.filter(|_| ids.len() > 0).map(cursor);
        body.end_page(next.as_deref(), total);
        body
    }
}

/// The cursor of an entity is its id, so that a client can continue after any entity.
fn cursor(id: Id) -> String {
    id.number().to_string()
}

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 500;
