//! Errors of a projection: one for each cause, at the path of the field that failed.
//!
//! A null that propagates takes along the other errors that its cause has below the value that it
//! makes null: the client sees none of these values.

use std::sync::Arc;

use super::PathStep;
use crate::error::{FailureId, FieldError, FieldErrorKind, PathElement};

/// The errors of one response, up to a limit.
pub(super) struct ErrorList {
    errors: Vec<ListedError>,
    /// The causes of the errors over the limit.
    omitted: Vec<Option<FailureId>>,
    limit: usize,
}

struct ListedError {
    /// The failure that is its cause, if a call failed.
    cause: Option<FailureId>,
    error: FieldError,
}

/// How many errors there were at some point.
#[derive(Clone, Copy)]
pub(super) struct ErrorCount {
    listed: usize,
    omitted: usize,
}

impl ErrorList {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            errors: Vec::new(),
            omitted: Vec::new(),
            limit,
        }
    }

    pub(super) fn add(
        &mut self,
        path: &[PathStep<'_>],
        kind: FieldErrorKind,
        cause: Option<FailureId>,
    ) {
        if self.errors.len() >= self.limit {
            self.omitted.push(cause);
            return;
        }
        let path = path.iter().map(|step| match step {
            PathStep::Key(key) => PathElement::Key(Arc::clone(key)),
            PathStep::Index(index) => PathElement::Index(*index as usize),
        });
        let path = path.collect();
        let error = FieldError { path, kind };
        self.errors.push(ListedError { cause, error });
    }

    pub(super) fn count(&self) -> ErrorCount {
        ErrorCount {
            listed: self.errors.len(),
            omitted: self.omitted.len(),
        }
    }

    /// Removes the errors since `start` that have the same cause as the last one.
    pub(super) fn retain_last(&mut self, start: ErrorCount, cause: FailureId) {
        let is_other = |other: &Option<FailureId>| *other != Some(cause);
        let is_omitted = self.omitted[start.omitted..].last() == Some(&Some(cause));
        let is_listed = self.errors[start.listed..]
            .iter()
            .any(|it| !is_other(&it.cause));
        let mut omitted = self.omitted.split_off(start.omitted);
        omitted.retain(is_other);
        self.omitted.append(&mut omitted);
        if is_omitted && !is_listed {
            self.omitted.push(Some(cause));
        }
        let mut errors = self.errors.split_off(start.listed);
        let kept = errors.iter().rposition(|it| !is_other(&it.cause));
        let mut index = 0;
        errors.retain(|it| {
            index += 1;
            is_other(&it.cause) || kept == Some(index - 1)
        });
        self.errors.append(&mut errors);
    }

    /// All errors, with one more for `others` and those over the limit.
    pub(super) fn into_errors(self, others: usize) -> Vec<FieldError> {
        let errors = self.errors.into_iter();
        let mut errors: Vec<FieldError> = errors.map(|it| it.error).collect();
        let omitted = self.omitted.len() + others;
        if omitted > 0 {
            errors.push(FieldError {
                path: Vec::new(),
                kind: FieldErrorKind::More(omitted),
            });
        }
        errors
    }
}
