//! Fields of one selection set that share a response key, grouped for each object type.

use schema::operation::FieldSelected;
use schema::types::TypeId;

use super::When;

/// A field as it was found, with the types and conditions it applies to.
pub(super) struct Found<'a> {
    pub(super) field: &'a FieldSelected,
    pub(super) on: Vec<TypeId>,
    pub(super) when: When,
}

/// Fields that make one member of the answer, for the objects of these types.
pub(super) struct Group<'a> {
    pub(super) on: Vec<TypeId>,
    pub(super) fields: Vec<Occurrence<'a>>,
}

/// A field at one of the places where it is written.
#[derive(Clone)]
pub(super) struct Occurrence<'a> {
    pub(super) field: &'a FieldSelected,
    pub(super) when: When,
    /// Its number among all that is written there.
    pub(super) order: usize,
}

/// An occurrence that may be the one where a member stands.
pub(super) struct First {
    pub(super) order: usize,
    pub(super) when: When,
    /// Another one stands before it then.
    pub(super) unless: When,
}

impl Group<'_> {
    /// A member stands where the first of its occurrences that is not skipped stands
    /// (GraphQL §6.3.2): each that may be the first.
    pub(super) fn firsts(&self) -> Vec<First> {
        let mut found = Vec::with_capacity(1);
        let mut before = When::never();
        for occurrence in &self.fields {
            if before.is_always() {
                break;
            }
            found.push(First {
                order: occurrence.order,
                when: occurrence.when.clone(),
                unless: before.clone(),
            });
            before.or(&occurrence.when);
        }
        found
    }
}

/// Groups by response key; groups of one key have no type in common.
///
/// The order is that in which each type first meets each key (GraphQL §6.3.2).
pub(super) fn groups<'a>(found: Vec<Found<'a>>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for (order, Found { field, on, when }) in found.into_iter().enumerate() {
        let new = Occurrence { field, when, order };
        let mut rest = on;
        let mut index = 0;
        while index < groups.len() && !rest.is_empty() {
            if groups[index].fields[0].field.key == field.key {
                let apart = split(&mut groups, index, &mut rest, &new);
                index += apart;
            }
            index += 1;
        }
        if !rest.is_empty() {
            groups.push(Group {
                on: rest,
                fields: vec![new],
            });
        }
    }
    groups
}

/// Adds a field to the group at `index` for the types they share; types that only the group has
/// keep a group of their own beside it. Gives the number of groups added.
fn split<'a>(
    groups: &mut Vec<Group<'a>>,
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
    let before = groups[index].fields.clone();
    groups[index].on = shared;
    groups[index].fields.push(new.clone());
    if apart.is_empty() {
        return 0;
    }
    let group = Group {
        on: apart,
        fields: before,
    };
    groups.insert(index + 1, group);
    1
}
