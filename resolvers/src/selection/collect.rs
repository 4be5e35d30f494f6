//! The fields of selection sets, out of their fragments.

use schema::operation::{OperationSelection, VariableCondition};
use schema::types::{Name, TypeId, Types};

use super::Condition;
use super::groups::CollectedField;

/// Finds fields.
#[derive(Clone, Copy)]
pub(super) struct FieldCollector<'a> {
    pub(super) types: &'a Types,
    /// Variables whose values are known: what they leave out is not found.
    pub(super) known_variables: &'a [(Name, bool)],
}

impl FieldCollector<'_> {
    /// Every field of `selections` with the types and conditions under which it applies.
    pub(super) fn collect<'s>(
        self,
        selections: &'s [OperationSelection],
        on: &[TypeId],
        condition: &Condition,
        collected: &mut Vec<CollectedField<'s>>,
    ) {
        for selection in selections {
            match selection {
                OperationSelection::Field(field) => {
                    collected.extend(self.undecided_tests(&field.conditions).map(|open| {
                        CollectedField {
                            field,
                            on: on.to_vec(),
                            condition: condition.and(&open),
                        }
                    }))
                }
                OperationSelection::Fragment {
                    on: type_condition,
                    conditions: tests,
                    selections,
                } => {
                    let narrowed = self.narrowed(on, *type_condition);
                    let open = self.undecided_tests(tests).filter(|_| !narrowed.is_empty());
                    if let Some(open) = open {
                        self.collect(selections, &narrowed, &condition.and(&open), collected);
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
    fn undecided_tests(self, tests: &[VariableCondition]) -> Option<Vec<VariableCondition>> {
        let mut undecided = Vec::with_capacity(tests.len());
        for test in tests {
            let mut known = self.known_variables.iter();
            match known.find(|(name, _)| *name == test.variable) {
                Some((_, value)) if *value == test.expected => {}
                Some(_) => return None,
                None => undecided.push(test.clone()),
            }
        }
        Some(undecided)
    }
}
