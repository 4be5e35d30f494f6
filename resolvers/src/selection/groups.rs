//! Fields of one selection set that share a response key, grouped for each object type.

use schema::operation::FieldSelection;
use schema::types::TypeId;

use super::Condition;

/// A field as it was found, with the types and conditions it applies to.
pub(super) struct CollectedField<'a> {
    pub(super) field: &'a FieldSelection,
    pub(super) on: Vec<TypeId>,
    pub(super) condition: Condition,
}

/// Fields that make one member of the answer, for the objects of these types.
pub(super) struct FieldGroup<'a> {
    pub(super) on: Vec<TypeId>,
    pub(super) occurrences: Vec<Occurrence<'a>>,
}

/// A field at one of the places where it is written.
#[derive(Clone)]
pub(super) struct Occurrence<'a> {
    pub(super) field: &'a FieldSelection,
    pub(super) condition: Condition,
    /// Its number among all that is written there.
    pub(super) order: usize,
}

/// An occurrence that may be the one where a member stands.
pub(super) struct FirstOccurrence {
    pub(super) order: usize,
    pub(super) condition: Condition,
    /// Another one stands before it then.
    pub(super) unless: Condition,
}

impl FieldGroup<'_> {
    /// A member stands where the first of its occurrences that is not skipped stands
    /// (GraphQL §6.3.2): each that may be the first.
    pub(super) fn first_occurrences(&self) -> Vec<FirstOccurrence> {
        let mut found = Vec::with_capacity(1);
        let mut before = Condition::never();
        for occurrence in &self.occurrences {
            if before.is_always() {
                break;
            }
            found.push(FirstOccurrence {
                order: occurrence.order,
                condition: occurrence.condition.clone(),
                unless: before.clone(),
            });
            before.or(&occurrence.condition);
        }
        found
    }
}

/// Groups by response key; groups of one key have no type in common.
///
/// The order is that in which each type first meets each key (GraphQL §6.3.2).
pub(super) fn group_fields<'a>(found: Vec<CollectedField<'a>>) -> Vec<FieldGroup<'a>> {
    let mut groups: Vec<FieldGroup<'a>> = Vec::new();
    for (
        order,
        CollectedField {
            field,
            on,
            condition: when,
        },
    ) in found.into_iter().enumerate()
    {
        let new = Occurrence {
            field,
            condition: when,
            order,
        };
        let mut rest = on;
        let mut index = 0;
        while index < groups.len() && !rest.is_empty() {
            if groups[index].occurrences[0].field.response_key == field.response_key {
                let added = split_group(&mut groups, index, &mut rest, &new);
                index += added;
            }
            index += 1;
        }
        if !rest.is_empty() {
            groups.push(FieldGroup {
                on: rest,
                occurrences: vec![new],
            });
        }
    }
    groups
}

/// Adds a field to the group at `index` for the types they share; types that only the group has
/// keep a group of their own beside it. Gives the number of groups added.
fn split_group<'a>(
    groups: &mut Vec<FieldGroup<'a>>,
    index: usize,
    rest: &mut Vec<TypeId>,
    new: &Occurrence<'a>,
) -> usize {
    let (shared, apart): (Vec<TypeId>, Vec<TypeId>) =
        groups[index].on.iter().partition(|ty| rest.contains(ty));
    if shared.is_empty() {
        return 0;
    }
    rest.retain(|ty| !shared.contains(ty));
    let before = groups[index].occurrences.clone();
    groups[index].on = shared;
    groups[index].occurrences.push(new.clone());
    if apart.is_empty() {
        return 0;
    }
    let group = FieldGroup {
        on: apart,
        occurrences: before,
    };
    groups.insert(index + 1, group);
    1
}
