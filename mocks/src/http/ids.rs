//! Parameters that name entities: one id, or a list of them.

use std::collections::HashSet;

use hyper::StatusCode;

use crate::http::{ListBody, Problem, Query};
use crate::model::Id;
use crate::store::Row;

/// The ids of `ids=3,1,2`, each once, in the order asked; what cannot be an id is left out, as
/// what does not exist is.
pub(crate) fn parse_ids(text: &str) -> Result<Vec<Id>, Problem> {
    Ok(deduplicated(
        split_list("ids", text)?.filter_map(Id::parse).collect(),
    ))
}

/// The rows of `ids`, as a list of those that exist.
pub(crate) fn rows_by_ids<T>(rows: &[Row<T>], ids: &[Id]) -> ListBody {
    let mut body = ListBody::new(ids.len());
    ids.iter()
        .filter_map(|id| rows.get(id.index()))
        .for_each(|row| body.push(row));
    body.end();
    body
}

/// The id in the parameter `name`, if it was given.
pub(crate) fn take_id(query: &mut Query<'_>, name: &str) -> Result<Option<Id>, Problem> {
    query
        .take(name)
        .map(|text| parse_id(name, &text))
        .transpose()
}

/// Many owners, and how many rows of each are wanted.
#[derive(Debug)]
pub(crate) struct OwnerGroups {
    owners: Vec<Id>,
    first: usize,
}

impl OwnerGroups {
    /// Takes the list `parameter`, which must be there, and `first`, which may be.
    pub(crate) fn take(query: &mut Query<'_>, parameter: &str) -> Result<Self, Problem> {
        let text = query.take(parameter).ok_or_else(|| {
            bad_request(format!(
                "The parameter `{parameter}` is missing: a list such as `{parameter}=1,2,3`."
            ))
        })?;
        let first = query.take_count("first", DEFAULT_FIRST, MAX_FIRST)?;
        let owners: Result<_, _> = split_list(parameter, &text)?
            .map(|id| parse_id(parameter, id))
            .collect();
        Ok(Self {
            owners: deduplicated(owners?),
            first,
        })
    }

    /// Writes `{"items":[{"<owner_key>":"1","<rows_key>":[…],"total":7},…]}`, one item an owner.
    ///
    /// `ids_of` gives the ids of an owner's rows in the order to show them.
    pub(crate) fn write<'s, T, I>(
        &self,
        owner_key: &str,
        rows_key: &str,
        rows: &[Row<T>],
        ids_of: impl Fn(Id) -> I,
    ) -> ListBody
    where
        I: ExactSizeIterator<Item = &'s Id>,
    {
        let mut body = ListBody::new(self.owners.len() * self.first.min(DEFAULT_FIRST));
        for owner in &self.owners {
            let ids = ids_of(*owner);
            let total = ids.len();
            body.begin_group(owner_key, *owner, rows_key);
            ids.take(self.first)
                .filter_map(|id| rows.get(id.index()))
                .for_each(|row| body.push(row));
            body.end_group(total);
        }
        body.end();
        body
    }
}

/// Drops what was there before; keeps the order.
fn deduplicated(mut ids: Vec<Id>) -> Vec<Id> {
    // Clients that ask for many ids mostly sort them, and then nothing has to be looked up.
    if !ids.is_sorted_by(|before, after| before < after) {
        let mut seen = HashSet::with_capacity(ids.len());
        ids.retain(|id| seen.insert(*id));
    }
    ids
}

fn parse_id(name: &str, text: &str) -> Result<Id, Problem> {
    Id::parse(text).ok_or_else(|| {
        bad_request(format!(
            "`{name}` holds decimal numbers, and `{text}` is none."
        ))
    })
}

fn split_list<'t>(name: &str, text: &'t str) -> Result<std::str::Split<'t, char>, Problem> {
    if text.is_empty() || text.starts_with(',') || text.ends_with(',') || text.contains(",,") {
        return Err(bad_request(format!(
            "`{name}` is a list such as `1,2,3`, with nothing empty in it."
        )));
    }
    if text.bytes().filter(|byte| *byte == b',').count() >= MAX_IDS {
        return Err(bad_request(format!(
            "`{name}` holds at most {MAX_IDS} ids."
        )));
    }
    Ok(text.split(','))
}

fn bad_request(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

/// A URL of 1,000 short ids is 8 KB with its commas encoded: about what servers and proxies let through.
const MAX_IDS: usize = 1_000;
const DEFAULT_FIRST: usize = 10;
const MAX_FIRST: usize = 100;
