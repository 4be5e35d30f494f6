//! Entities of which a part of the inputs is missing: they are fetched by the fallbacks of a fetch,
//! each of which provides the fields that need the same inputs.

use hashbrown::{HashMap, HashSet};

use super::FetchState;
use super::execution::Execution;
use crate::error::{FailureId, FieldErrorKind};
use crate::plan::{Fetch, FetchId};
use crate::tree::{InvalidValue, Row, Value};

/// The rows that each fetch was started without.
#[derive(Default)]
pub(super) struct IncompleteRows(HashMap<FetchId, RowSet, foldhash::fast::RandomState>);

type RowSet = HashSet<Row, foldhash::fast::RandomState>;

/// The rows that a fetch is for.
pub(super) enum FetchRows {
    /// All that its path leads to.
    All,
    /// Those that the fetch was started without of which it is a fallback.
    Incomplete(RowSet),
}

impl FetchRows {
    pub(super) fn contains(&self, row: Row) -> bool {
        match self {
            Self::All => true,
            Self::Incomplete(rows) => rows.contains(&row),
        }
    }
}

impl Execution<'_, '_> {
    pub(super) fn fetch_rows(&self, fetch: &Fetch) -> FetchRows {
        match fetch.fallback_of {
            None => FetchRows::All,
            Some(whole) => {
                let rows = self.incomplete_rows.0.get(&whole);
                FetchRows::Incomplete(rows.cloned().unwrap_or_default())
            }
        }
    }

    /// Leaves a row, of which an input failed, to the fallbacks of a fetch; without fallbacks all
    /// that the fetch was to fill has failed.
    pub(super) fn fail_inputs(&mut self, id: FetchId, row: Row, failure: FailureId) {
        if self.context.prepared.plan.fetches[id].fallbacks.is_empty() {
            self.fail_row(id, row, failure);
        } else {
            self.incomplete_rows.0.entry(id).or_default().insert(row);
        }
    }

    /// Ends the fallbacks of a fetch that was started with all of its rows.
    pub(super) fn end_unneeded_fallbacks(&mut self, id: FetchId) {
        if self.incomplete_rows.0.contains_key(&id) {
            return;
        }
        for fallback in &self.context.prepared.plan.fetches[id].fallbacks {
            self.fetches[*fallback] = FetchState::Done;
        }
    }

    /// Makes a value that its type does not allow a failed one.
    pub(super) fn fail_invalid_value(&mut self, invalid: InvalidValue) -> FailureId {
        let position = self.context.prepared.selection.position(invalid.at);
        let slot = &position.slots[invalid.slot];
        let types = self.context.sources.graph.types();
        let owner = &types.get(position.ty).name;
        let coordinate = format!("{owner}.{}", slot.field).into();
        let failure = self.failures.add_kind(if invalid.is_null {
            FieldErrorKind::NonNull { coordinate }
        } else {
            FieldErrorKind::WrongType {
                coordinate,
                type_name: slot.ty.display(types).into(),
            }
        });
        self.tree.set_value(invalid.index, Value::Failed(failure));
        failure
    }
}
