//! Labels of `@override`: what one may be called, and what `percent(5)` says by itself.

use std::collections::BTreeSet;

use crate::source::Source;
use crate::types::{Name, Types};

/// Whether a label may be called so: a letter, then letters, digits and `_-:./`; or `percent(N)`
/// with a number from 0 to 100 that has at most eight digits behind the point.
pub fn is_valid(label: &str) -> bool {
    percent(label).is_some() || is_name(label)
}

/// For how many of a hundred requests a label of the form `percent(N)` is on.
pub fn percent(label: &str) -> Option<f64> {
    let number = label.strip_prefix("percent(")?.strip_suffix(')')?;
    let (whole, rest) = number.split_once('.').unwrap_or((number, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let is_short = whole.len() <= 3 && rest.len() <= 8;
    let percent: f64 = number.parse().ok()?;
    (is_short && is_digits(whole) && is_digits(rest) && percent <= 100.0).then_some(percent)
}

fn is_name(label: &str) -> bool {
    let mut bytes = label.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|it| it.is_ascii_alphanumeric() || b"_-:./".contains(&it))
}

/// The labels of a graph, and what its sources give while some of them are on.
#[derive(Debug)]
pub(crate) struct OverrideLabels {
    /// In order.
    pub(crate) names: Vec<Name>,
    /// The names of fields that depend on each of them.
    pub(crate) fields: Vec<BTreeSet<Name>>,
    /// Those of which fields are keys or required: any operation may depend on them.
    pub(crate) always_relevant: BTreeSet<usize>,
    pub(crate) views: Box<dyn SourceViews>,
}

/// What sources give for each set of labels.
pub(crate) trait SourceViews: std::fmt::Debug + Send + Sync {
    /// The sources while these labels are on, by their numbers.
    ///
    /// Their ids and entries are the same for all labels; those of nodes are not.
    fn sources(&self, types: &Types, is_on: &dyn Fn(usize) -> bool) -> Vec<Source>;
}

impl OverrideLabels {
    /// Whether what is asked of fields with these names may depend on a label.
    pub(crate) fn may_affect(&self, label: usize, field_names: &BTreeSet<&str>) -> bool {
        let mut fields = self.fields.get(label).into_iter().flatten();
        self.always_relevant.contains(&label) || fields.any(|field| field_names.contains(&**field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_a_plain_number_up_to_a_hundred() {
        for (label, expected) in [
            ("percent(0)", 0.0),
            ("percent(5)", 5.0),
            ("percent(0.00000001)", 0.000_000_01),
            ("percent(99.5)", 99.5),
            ("percent(100)", 100.0),
        ] {
            let found = percent(label).unwrap();
            assert!((found - expected).abs() < 1e-12, "{label}: {found}");
        }
        for label in [
            "percent()",
            "percent(.5)",
            "percent(5.)",
            "percent(-1)",
            "percent(1e1)",
            "percent(101)",
            "percent(100.1)",
            "percent(0.000000001)",
            "percent(inf)",
            "percent(5",
        ] {
            assert_eq!(percent(label), None, "{label}");
            assert!(!is_valid(label), "{label}");
        }
    }

    #[test]
    fn a_name_begins_with_a_letter() {
        for label in ["a", "beta-2", "team:search/v1.2", "percent"] {
            assert!(is_valid(label), "{label}");
        }
        for label in ["", "1a", "_a", "a b", "ä", "a(b)"] {
            assert!(!is_valid(label), "{label}");
        }
    }
}
