//! Groups fields of one selection set by response key, for each object type (GraphQL §6.3.2).

use schema::operation::FieldSelection;
use schema::types::{Name, TypeId};

use super::Condition;

/// A collected field, with the object types and condition it applies to.
pub(super) struct CollectedField<'a> {
    pub(super) field: &'a FieldSelection,
    pub(super) on: Vec<TypeId>,
    pub(super) condition: Condition,
}

/// Fields that make one member of the response, for objects of these types.
pub(super) struct FieldGroup<'a> {
    pub(super) on: Vec<TypeId>,
    pub(super) occurrences: Vec<Occurrence<'a>>,
}

/// One occurrence of a field in the operation.
#[derive(Clone)]
pub(super) struct Occurrence<'a> {
    pub(super) field: &'a FieldSelection,
    pub(super) condition: Condition,
    /// Its index among all collected fields.
    pub(super) order: usize,
}

/// An occurrence that may decide the place of a member in the response.
pub(super) struct FirstOccurrence {
    pub(super) order: usize,
    pub(super) condition: Condition,
    /// If this holds, an earlier occurrence decides.
    pub(super) unless: Condition,
}

impl<'a> FieldGroup<'a> {
    /// The first occurrence; every group has one.
    pub(super) fn first(&self) -> &'a FieldSelection {
        self.occurrences[0].field
    }

    /// The name of the field.
    pub(super) fn name(&self) -> &'a Name {
        &self.first().name
    }

    /// The condition under which any occurrence applies.
    pub(super) fn condition(&self) -> Condition {
        let mut any = Condition::never();
        for occurrence in &self.occurrences {
            any.or(&occurrence.condition);
        }
        any
    }

    /// The occurrences that may be the first not skipped, which decides the place of the member
    /// (GraphQL §6.3.2).
    pub(super) fn first_occurrences(&self) -> Vec<FirstOccurrence> {
        let mut firsts = Vec::with_capacity(1);
        let mut before = Condition::never();
        for occurrence in &self.occurrences {
            if before.is_always() {
                break;
            }
            firsts.push(FirstOccurrence {
                order: occurrence.order,
                condition: occurrence.condition.clone(),
                unless: before.clone(),
            });
            before.or(&occurrence.condition);
        }
        firsts
    }
}

/// Groups fields by response key; groups of one key have no object type in common.
///
/// The order is that in which each response key first occurs for each type (GraphQL §6.3.2).
pub(super) fn group_fields<'a>(collected: Vec<CollectedField<'a>>) -> Vec<FieldGroup<'a>> {
    let mut groups: Vec<FieldGroup<'a>> = Vec::new();
    for (order, collected_field) in collected.into_iter().enumerate() {
        let CollectedField {
            field,
            on,
            condition,
        } = collected_field;
        let occurrence = Occurrence {
            field,
            condition,
            order,
        };
        let mut rest = on;
        let mut index = 0;
        while index < groups.len() && !rest.is_empty() {
            if groups[index].occurrences[0].field.response_key == field.response_key {
                index += split_group(&mut groups, index, &mut rest, &occurrence);
            }
            index += 1;
        }
        if !rest.is_empty() {
            groups.push(FieldGroup {
                on: rest,
                occurrences: vec![occurrence],
            });
        }
    }
    groups
}

/// Adds an occurrence to the group at `index` for the types they share and takes these out of
/// `rest`; other types of the group move to a new group after it. Returns the number of groups
/// added.
fn split_group<'a>(
    groups: &mut Vec<FieldGroup<'a>>,
    index: usize,
    rest: &mut Vec<TypeId>,
    occurrence: &Occurrence<'a>,
) -> usize {
    let (shared, others): (Vec<TypeId>, Vec<TypeId>) =
        groups[index].on.iter().partition(|ty| rest.contains(ty));
    if shared.is_empty() {
        return 0;
    }
    rest.retain(|ty| !shared.contains(ty));
    let occurrences = groups[index].occurrences.clone();
    groups[index].on = shared;
    groups[index].occurrences.push(occurrence.clone());
    if others.is_empty() {
        return 0;
    }
    let group = FieldGroup {
        on: others,
        occurrences,
    };
    groups.insert(index + 1, group);
    1
}
