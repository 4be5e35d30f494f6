//! The fields of selection sets, out of their fragments.

use schema::operation::{Selected, Test};
use schema::types::{Name, TypeId, Types};

use super::When;
use super::groups::Found;

/// Finds fields.
#[derive(Clone, Copy)]
pub(super) struct Finder<'a> {
    pub(super) types: &'a Types,
    /// Variables whose values are known: what they leave out is not found.
    pub(super) decided: &'a [(Name, bool)],
}

impl Finder<'_> {
    /// Every field of `selections` with the types and conditions under which it applies.
    pub(super) fn find<'s>(
        self,
        selections: &'s [Selected],
        (on, when): (&[TypeId], &When),
        found: &mut Vec<Found<'s>>,
    ) {
        for selection in selections {
            match selection {
                Selected::Field(field) => found.extend(self.open(&field.tests).map(|open| Found {
                    field,
                    on: on.to_vec(),
                    when: when.and(&open),
                })),
                Selected::Fragment {
                    on: condition,
                    tests,
                    selections,
                } => {
                    let narrowed = self.narrowed(on, *condition);
                    let open = self.open(tests).filter(|_| !narrowed.is_empty());
                    if let Some(open) = open {
                        self.find(selections, (&narrowed, &when.and(&open)), found);
                    }
                }
            }
        }
    }

    fn narrowed(self, on: &[TypeId], condition: Option<TypeId>) -> Vec<TypeId> {
        let all = on.iter().copied();
        match condition {
            Some(condition) => all.filter(|ty| self.types.is_a(*ty, condition)).collect(),
            None => all.collect(),
        }
    }

    /// The tests that are not decided; `None` where one of those that are fails.
    fn open(self, tests: &[Test]) -> Option<Vec<Test>> {
        let mut open = Vec::with_capacity(tests.len());
        for test in tests {
            let mut decided = self.decided.iter();
            match decided.find(|(name, _)| *name == test.variable) {
                Some((_, value)) if *value == test.expected => {}
                Some(_) => return None,
                None => open.push(test.clone()),
            }
        }
        Some(open)
    }
}
