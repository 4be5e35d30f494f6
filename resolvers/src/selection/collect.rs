//! Collects the fields of selection sets, with fragments resolved (GraphQL §6.3.2).

use schema::operation::{OperationSelection, VariableCondition};
use schema::types::{Name, TypeId, Types};

use super::Condition;
use super::groups::CollectedField;

/// Collects fields.
#[derive(Clone, Copy)]
pub(super) struct FieldCollector<'a> {
    pub(super) types: &'a Types,
    /// Variables whose values are known: fields that these exclude are left out.
    pub(super) known_variables: &'a [(Name, bool)],
}

impl FieldCollector<'_> {
    /// Appends every field of `selections` with its object types and condition.
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
                    let tests = self.undecided_tests(&field.conditions);
                    collected.extend(tests.map(|tests| CollectedField {
                        field,
                        on: on.to_vec(),
                        condition: condition.and(&tests),
                    }));
                }
                OperationSelection::Fragment {
                    on: type_condition,
                    conditions,
                    selections,
                } => {
                    let narrowed = self.narrowed(on, *type_condition);
                    let tests = self.undecided_tests(conditions);
                    if let Some(tests) = tests.filter(|_| !narrowed.is_empty()) {
                        let condition = condition.and(&tests);
                        self.collect(selections, &narrowed, &condition, collected);
                    }
                }
            }
        }
    }

    /// The types of `on` that satisfy a type condition.
    fn narrowed(self, on: &[TypeId], condition: Option<TypeId>) -> Vec<TypeId> {
        let all = on.iter().copied();
        match condition {
            Some(condition) => all.filter(|ty| self.types.is_a(*ty, condition)).collect(),
            None => all.collect(),
        }
    }

    /// The tests on variables that are not known; `None` if a known one fails.
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
