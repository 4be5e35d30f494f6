//! Pages of long lists, and the cursors between them.
//!
//! A cursor names the last entity of its page, so that a walk meets each entity once however the
//! list changes meanwhile.

use hyper::StatusCode;

use crate::http::{ListBody, Problem, Query};
use crate::model::Id;
use crate::store::{Row, mix};

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    limit: usize,
    after: Option<Id>,
}

/// How a list is shown.
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
            Some(text) => Some(parse_cursor(&text).ok_or_else(|| {
                Problem::new(
                    StatusCode::BAD_REQUEST,
                    format!("`after` is a cursor from `next` of a page before, not `{text}`."),
                )
            })?),
        };
        Ok(Self { limit, after })
    }

    /// The page of all `rows`, which stand in the order of their ids without a gap.
    pub(crate) fn of_all<T>(&self, rows: &[Row<T>], direction: Direction) -> ListBody {
        let total = rows.len();
        match direction {
            Direction::OldestFirst => {
                let start = self.after.map_or(0, |after| after.index() + 1).min(total);
                self.write((start..total).map(Id::at), rows, total)
            }
            Direction::NewestFirst => {
                let end = self.after.map_or(total, Id::index).min(total);
                self.write((0..end).rev().map(Id::at), rows, total)
            }
        }
    }

    /// The page of the `matching` ones among `rows`; `matching` goes up, whatever the direction.
    pub(crate) fn of_matching<T>(
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
                let left = matching.get(start..).unwrap_or_default();
                self.write(left.iter().copied(), rows, total)
            }
            Direction::NewestFirst => {
                let end = matching.partition_point(|id| self.after.is_none_or(|after| *id < after));
                let left = matching.get(..end).unwrap_or_default();
                self.write(left.iter().rev().copied(), rows, total)
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

/// The id, disguised so that nobody builds on what it holds, and a check against mistakes.
fn cursor(id: Id) -> String {
    let number = id.number();
    format!("{:08x}{:04x}", number ^ DISGUISE, check(number))
}

fn parse_cursor(text: &str) -> Option<Id> {
    if text.len() != 12 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let bits = u64::from_str_radix(text, 16).ok()?;
    let number = u32::try_from(bits >> 16).ok()? ^ DISGUISE;
    (u64::from(check(number)) == bits & 0xffff)
        .then(|| Id::from_number(number))
        .flatten()
}

fn check(number: u32) -> u16 {
    let [high, low, ..] = mix(u64::from(number)).to_be_bytes();
    u16::from_be_bytes([high, low])
}

const DISGUISE: u32 = 0x5eed_cafe;
const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_a_forged_one_does_not() {
        for index in [0, 1, 499, 4_999, 99_999] {
            let id = Id::at(index);
            assert_eq!(parse_cursor(&cursor(id)), Some(id));
        }
        for forged in [
            "",
            "0",
            "000000000000",
            "zzzzzzzzzzzz",
            "ééééé",
            "5eedcaff00001",
        ] {
            assert_eq!(parse_cursor(forged), None, "{forged:?}");
        }
    }
}
