//! What an evaluation met that its author should know.
//!
//! Reports never reach clients by themselves, but for those that `->withError` makes.

use std::ops::Range;

/// How many reports one evaluation keeps of each audience; more say nothing new.
pub const MAX_REPORTS: usize = 128;

/// Something met while evaluating.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What sort of thing.
    pub kind: ReportKind,
    /// One sentence, lower case, no full stop, names in back-ticks. Authored ones say what their author wrote.
    pub message: String,
    /// Where in the input.
    pub path: Vec<PathElement>,
    /// Which bytes of the mapping.
    pub range: Range<usize>,
    /// The members that `->withError` gave as `extensions`, as a JSON object.
    pub extensions: Option<String>,
}

/// What sort of thing a report tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReportKind {
    /// The input does not have this member.
    PropertyMissing,
    /// Nobody gave this variable.
    VariableMissing,
    /// There is no such method.
    MethodUnknown,
    /// A method got an argument that it cannot use, or too few or too many.
    BadArgument,
    /// A method stands behind a value that it cannot work on.
    BadInput,
    /// `->match` had no pair for the value.
    NoMatch,
    /// `->get` looked past the end.
    OutOfRange,
    /// A condition was neither true nor false.
    NotBoolean,
    /// A text is not what it should be.
    ParseFailure,
    /// A result that no number can hold.
    Arithmetic,
    /// Two values of different types came together under one key.
    LossyMerge,
    /// Something without members stands where members are wanted.
    SpreadType,
    /// Nothing stands where members are wanted.
    SpreadEmpty,
    /// Two keys became one.
    KeyCollision,
    /// The mapping says so, to its author (`->withWarning`).
    AuthoredWarning,
    /// The mapping says so, to the client (`->withError`).
    AuthoredError,
    /// The evaluation was stopped because it did too much.
    Limit,
}

impl ReportKind {
    /// Stable and searchable.
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
    /// A member's key, a method (`->first`) or a variable (`$args`).
    Key(String),
    /// An element's index.
    Index(usize),
}

/// The reports of one evaluation.
#[derive(Debug, Default)]
pub(super) struct Reports {
    reports: Vec<Report>,
    n_client_errors: usize,
}

impl Reports {
    /// Whether a report of this kind would be kept, so that others need not be made.
    pub(super) fn has_room(&self, kind: ReportKind) -> bool {
        if kind == ReportKind::AuthoredError {
            self.n_client_errors < MAX_REPORTS
        } else {
            self.reports.len() - self.n_client_errors < MAX_REPORTS
        }
    }

    /// Whether there is one of this kind about the same place of mapping and input.
    pub(super) fn has(&self, kind: ReportKind, range: &Range<usize>, path: &[PathElement]) -> bool {
        self.reports
            .iter()
            .any(|report| report.kind == kind && report.range == *range && report.path == path)
    }

    /// Keeps a report, unless there is an equal one or no room.
    pub(super) fn push(&mut self, report: Report) {
        if self.has_room(report.kind) && !self.reports.contains(&report) {
            self.n_client_errors += usize::from(report.kind == ReportKind::AuthoredError);
            self.reports.push(report);
        }
    }

    /// To be given to [`Self::forget_since`].
    pub(super) fn mark(&self) -> usize {
        self.reports.len()
    }

    /// Forgets what came after `mark`, but for what is meant for clients.
    pub(super) fn forget_since(&mut self, mark: usize) {
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
