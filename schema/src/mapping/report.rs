//! Reports: problems found while a mapping is evaluated, for its author.
//!
//! Only reports of `->withError` are sent to clients.

use std::ops::Range;

/// Maximum number of reports of one evaluation for the author, and for the client.
pub const MAX_REPORTS: usize = 128;

/// A problem found while a mapping is evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The kind of problem.
    pub kind: ReportKind,
    /// One sentence, lower case, no full stop, names in back-ticks; authored messages verbatim.
    pub message: String,
    /// The path in the input.
    pub path: Vec<PathElement>,
    /// The range in the mapping, in bytes.
    pub range: Range<usize>,
    /// The `extensions` of `->withError`, a JSON object.
    pub extensions: Option<String>,
}

/// The kinds of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReportKind {
    /// The input lacks a member.
    PropertyMissing,
    /// A variable is not set.
    VariableMissing,
    /// A method does not exist.
    MethodUnknown,
    /// A method has an invalid argument, or too few or too many.
    BadArgument,
    /// A method does not support its input.
    BadInput,
    /// `->match` has no pair for the value.
    NoMatch,
    /// The index of `->get` is out of range.
    OutOfRange,
    /// A condition is not a boolean.
    NotBoolean,
    /// A text cannot be parsed.
    ParseFailure,
    /// A result cannot be represented as a number.
    Arithmetic,
    /// Values of different types have one key.
    LossyMerge,
    /// A spread value is neither an object nor null.
    SpreadType,
    /// A spread path has no value.
    SpreadEmpty,
    /// Two keys are equal after conversion.
    KeyCollision,
    /// A message of the mapping for its author (`->withWarning`).
    AuthoredWarning,
    /// A message of the mapping for the client (`->withError`).
    AuthoredError,
    /// The evaluation exceeded its work limit.
    Limit,
}

impl ReportKind {
    /// The stable name, for logs and tests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PropertyMissing => "property_missing",
            Self::VariableMissing => "variable_missing",
            Self::MethodUnknown => "method_unknown",
            Self::BadArgument => "bad_argument",
            Self::BadInput => "bad_input",
            Self::NoMatch => "no_match",
            Self::OutOfRange => "out_of_range",
            Self::NotBoolean => "not_boolean",
            Self::ParseFailure => "parse_failure",
            Self::Arithmetic => "arithmetic",
            Self::LossyMerge => "lossy_merge",
            Self::SpreadType => "spread_type",
            Self::SpreadEmpty => "spread_empty",
            Self::KeyCollision => "key_collision",
            Self::AuthoredWarning | Self::AuthoredError => "authored",
            Self::Limit => "limit",
        }
    }
}

/// One element of the path to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathElement {
    /// The key of a member, a method (`->first`) or a variable (`$args`).
    Key(String),
    /// The index of an element.
    Index(usize),
}

/// The reports of one evaluation.
#[derive(Debug, Default)]
pub(super) struct Reports {
    reports: Vec<Report>,
    n_client_errors: usize,
}

impl Reports {
    /// Whether there is room for a report of this kind; checked before its message is built.
    pub(super) fn has_room(&self, kind: ReportKind) -> bool {
        if kind == ReportKind::AuthoredError {
            self.n_client_errors < MAX_REPORTS
        } else {
            self.reports.len() - self.n_client_errors < MAX_REPORTS
        }
    }

    /// Whether there is a report of this kind for this range of the mapping and path of the input.
    pub(super) fn has(&self, kind: ReportKind, range: &Range<usize>, path: &[PathElement]) -> bool {
        self.reports
            .iter()
            .any(|report| report.kind == kind && report.range == *range && report.path == path)
    }

    /// Adds a report, unless there is an equal one or no room.
    pub(super) fn push(&mut self, report: Report) {
        if self.has_room(report.kind) && !self.reports.contains(&report) {
            self.n_client_errors += usize::from(report.kind == ReportKind::AuthoredError);
            self.reports.push(report);
        }
    }

    /// The current position, for [`Self::discard_since`].
    pub(super) fn mark(&self) -> usize {
        self.reports.len()
    }

    /// Discards the reports after `mark`, except those for clients.
    pub(super) fn discard_since(&mut self, mark: usize) {
        let mut index = 0;
        self.reports.retain(|report| {
            index += 1;
            index <= mark || report.kind == ReportKind::AuthoredError
        });
    }

    pub(super) fn into_vec(self) -> Vec<Report> {
        self.reports
    }
}
