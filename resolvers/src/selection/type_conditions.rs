//! Conditions of one slot for objects of single types.

use schema::types::TypeId;

use super::Condition;

/// Under which conditions objects of each type need a slot.
#[derive(Debug)]
pub(crate) struct TypeConditions {
    /// The condition for objects of any type.
    of_all: Condition,
    by_type: Vec<TypeCondition>,
}

/// The condition for objects of one type.
#[derive(Debug)]
struct TypeCondition {
    on: TypeId,
    condition: Condition,
}

impl TypeConditions {
    /// Makes objects of the types `on` need the slot where `condition` holds; without types, all
    /// objects.
    pub(super) fn or(&mut self, on: &[TypeId], condition: &Condition) {
        if on.is_empty() {
            self.of_all.or(condition);
            for known in &mut self.by_type {
                known.condition.or(condition);
            }
        }
        for on in on {
            if let Some(known) = self.by_type.iter_mut().find(|it| it.on == *on) {
                known.condition.or(condition);
            } else {
                let mut new = self.of_all.clone();
                new.or(condition);
                self.by_type.push(TypeCondition {
                    on: *on,
                    condition: new,
                });
            }
        }
    }

    /// The condition for objects of any of the types `on`; `None` if that of one is not known.
    pub(super) fn on(&self, on: &[TypeId]) -> Option<Condition> {
        let mut any = Condition::never();
        for on in on {
            let known = self.by_type.iter().find(|it| it.on == *on)?;
            any.or(&known.condition);
        }
        Some(any)
    }
}

impl Default for TypeConditions {
    fn default() -> Self {
        Self {
            of_all: Condition::never(),
            by_type: Vec::new(),
        }
    }
}
