//! Query parameters that are one id or a list of ids.

use std::collections::HashSet;

use hyper::StatusCode;

use crate::http::{ListBody, Problem, Query};
use crate::model::Id;
use crate::store::Row;

/// Parses `ids=3,1,2`: each id once, in the order of the request. Values that cannot be ids are left
/// out, like ids that do not exist.
pub(crate) fn parse_ids(text: &str) -> Result<Vec<Id>, Problem> {
    Ok(deduplicated(
        split_list("ids", text)?.filter_map(Id::parse).collect(),
    ))
}

/// The list of the existing rows of `ids`.
pub(crate) fn rows_by_ids<T>(rows: &[Row<T>], ids: &[Id]) -> ListBody {
    let mut body = ListBody::new(ids.len());
    ids.iter()
        .filter_map(|id| rows.get(id.index()))
        .for_each(|row| body.push(row));
    body.end();
    body
}

/// Takes the id in the parameter `name`, if present.
pub(crate) fn take_id(query: &mut Query<'_>, name: &str) -> Result<Option<Id>, Problem> {
    query
        .take(name)
        .map(|text| parse_id(name, &text))
        .transpose()
}

/// The owners of a grouped list, and the maximum number of rows of each.
#[derive(Debug)]
pub(crate) struct OwnerGroups {
    owners: Vec<Id>,
    first: usize,
}

impl OwnerGroups {
    /// Takes the required list `parameter` and the optional `first`.
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

    /// Writes `{"items":[{"<owner_key>":"1","<rows_key>":[…],"total":7},…]}`, one item per owner.
    ///
    /// `ids_of` returns the ids of the rows of an owner, in the order of the response.
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

/// Removes repeated ids; preserves the order.
fn deduplicated(mut ids: Vec<Id>) -> Vec<Id> {
    // Clients mostly sort long lists of ids; sorted lists need no set.
    if !ids.is_sorted_by(|before, after| before < after) {
        let mut seen = HashSet::with_capacity(ids.len());
        ids.retain(|id| seen.insert(*id));
    }
    ids
}

fn parse_id(name: &str, text: &str) -> Result<Id, Problem> {
    Id::parse(text)
        .ok_or_else(|| bad_request(format!("`{name}` must hold decimal numbers, not `{text}`.")))
}

fn split_list<'t>(name: &str, text: &'t str) -> Result<std::str::Split<'t, char>, Problem> {
    if text.is_empty() || text.starts_with(',') || text.ends_with(',') || text.contains(",,") {
        return Err(bad_request(format!(
            "`{name}` must be a list such as `1,2,3`, without empty items."
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

/// Maximum number of ids. A URL of 1,000 short ids is 8 KB with its commas encoded, about the limit
/// of common servers and proxies.
const MAX_IDS: usize = 1_000;
const DEFAULT_FIRST: usize = 10;
const MAX_FIRST: usize = 100;
