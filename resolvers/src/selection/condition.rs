//! Conditions of `@skip` and `@include` on variables.

use schema::operation::{VariableCondition, Variables};
use schema::types::Name;

/// A disjunction of conjunctions of tests of variables.
///
/// Its size grows with the sum of a field's occurrences, not with their product.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Condition {
    /// The conjunctions, sorted; an empty one always holds.
    any: Vec<Vec<VariableCondition>>,
}

impl Condition {
    pub(crate) fn always() -> Self {
        Self {
            any: vec![Vec::new()],
        }
    }

    pub(crate) fn never() -> Self {
        Self { any: Vec::new() }
    }

    pub(crate) fn is_never(&self) -> bool {
        self.any.is_empty()
    }

    pub(crate) fn is_always(&self) -> bool {
        self.any.iter().any(Vec::is_empty)
    }

    /// The condition that this one and all of `tests` hold.
    pub(crate) fn and(&self, tests: &[VariableCondition]) -> Self {
        if tests.is_empty() {
            return self.clone();
        }
        let mut both = Self::never();
        for conjunction in &self.any {
            let mut joined = conjunction.clone();
            joined.extend_from_slice(tests);
            joined.sort();
            joined.dedup();
            both.add(joined);
        }
        both
    }

    /// Makes this hold also where `other` does.
    pub(crate) fn or(&mut self, other: &Self) {
        if self.is_always() {
            return;
        }
        for conjunction in &other.any {
            self.add(conjunction.clone());
        }
    }

    fn add(&mut self, conjunction: Vec<VariableCondition>) {
        if conjunction.is_empty() {
            *self = Self::always();
        } else if let Err(at) = self.any.binary_search(&conjunction) {
            self.any.insert(at, conjunction);
        }
    }

    /// The variables that it depends on, possibly repeated.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &Name> {
        self.any.iter().flatten().map(|test| &test.variable)
    }

    /// Whether it holds for these variables.
    pub(crate) fn is_true(&self, variables: &Variables) -> bool {
        self.any.iter().any(|conjunction| {
            conjunction
                .iter()
                .all(|test| variables.is_true(&test.variable) == test.expected)
        })
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, conjunction) in self.any.iter().enumerate() {
            if index > 0 {
                f.write_str(" or ")?;
            }
            for (index, test) in conjunction.iter().enumerate() {
                let and = if index > 0 { " and " } else { "" };
                let not = if test.expected { "" } else { "not " };
                write!(f, "{and}{not}${}", test.variable)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(variable: &str, expected: bool) -> VariableCondition {
        VariableCondition {
            variable: variable.into(),
            expected,
        }
    }

    #[test]
    fn or_with_always_is_always() {
        let mut condition = Condition::always().and(&[test("a", true)]);
        condition.or(&Condition::always());

        assert!(condition.is_always());
    }

    #[test]
    fn conjunctions_have_one_order() {
        let ab = Condition::always()
            .and(&[test("a", true)])
            .and(&[test("b", false)]);
        let ba = Condition::always()
            .and(&[test("b", false)])
            .and(&[test("a", true)]);

        assert_eq!(ab, ba);
        assert_eq!(ab.to_string(), "$a and not $b");
    }
}
