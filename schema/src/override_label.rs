//! Labels of progressive `@override`: their syntax, and the percentage in `percent(5)`.

use std::collections::BTreeSet;

use crate::source::Source;
use crate::types::{Name, Types};

/// Whether `label` is valid: a letter, then letters, digits and `_-:./`; or `percent(N)` with a
/// number from 0 to 100 that has at most eight decimal places.
pub fn is_valid(label: &str) -> bool {
    percent(label).is_some() || is_name(label)
}

/// The percentage of requests for which a label of the form `percent(N)` is active.
pub fn percent(label: &str) -> Option<f64> {
    let number = label.strip_prefix("percent(")?.strip_suffix(')')?;
    let (whole, rest) = number.split_once('.').unwrap_or((number, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_short = whole.len() <= 3 && rest.len() <= 8;
    let percent: f64 = number.parse().ok()?;
    (is_short && is_digits(whole) && is_digits(rest) && percent <= 100.0).then_some(percent)
}

fn is_name(label: &str) -> bool {
    let mut bytes = label.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_-:./".contains(&byte))
}

/// The override labels of a graph, and the sources for each set of active labels.
#[derive(Debug)]
pub(crate) struct OverrideLabels {
    /// The labels in order; their positions are their indices.
    pub(crate) names: Vec<Name>,
    /// The names of the fields that each label overrides.
    pub(crate) fields: Vec<BTreeSet<Name>>,
    /// Labels of fields in keys or requirements: any operation may depend on them.
    pub(crate) always_relevant: BTreeSet<usize>,
    pub(crate) views: Box<dyn SourceViews>,
}

/// The sources of a graph for each set of active labels.
pub(crate) trait SourceViews: std::fmt::Debug + Send + Sync {
    /// The sources with the labels active for which `is_on` returns true, by index.
    ///
    /// Ids of sources and entry points are the same for all labels; node ids are not.
    fn sources(&self, types: &Types, is_on: &dyn Fn(usize) -> bool) -> Vec<Source>;
}

impl OverrideLabels {
    /// Whether the plan of an operation with these field names may depend on a label.
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
            let actual = percent(label).unwrap();
            assert!((actual - expected).abs() < 1e-12, "{label}: {actual}");
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
