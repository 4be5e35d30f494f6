//! The non-null fields of the values in a request: which fields of one name may be one field.
//!
//! A client's field, a requirement and a key may select the same field with other nested fields. In
//! the subgraph's response an error of a non-null one would make the value null for all of them, so
//! they are one field only if their values have the same non-null fields. Fields that the plan adds
//! to an object of the client, its key above all, count as part of the object.

use std::collections::{HashMap, HashSet};

use schema::source::NodeId;
use schema::types::{Name, TypeId};

use super::slot_fields::{SlotField, slot_condition};
use super::walk::{SubgraphScope, Walk};
use crate::plan::FetchSlots;
use crate::selection::{Condition, NonNullSetId, NonNullSets, PositionId, Slot};

/// The non-null fields of all values of a request.
#[derive(Default)]
pub(super) struct ValueSets<'a> {
    sets: NonNullSets<NonNullField<'a>>,
    by_value: HashMap<ValueKey, NonNullSetId>,
}

/// The position of a value, and the node of the subgraph that provides it.
type ValueKey = (*const FetchSlots, PositionId, NodeId);

/// A field that is non-null in the subgraph.
#[derive(PartialEq, Eq, Hash)]
struct NonNullField<'a> {
    on: Option<TypeId>,
    field: &'a Name,
    arguments: String,
    /// The condition under which objects that are selected have it.
    condition: Condition,
    nested: NonNullSetId,
}

impl ValueSets<'_> {
    /// Forgets the values, whose fields may have arguments of contexts that are no longer there.
    pub(super) fn clear(&mut self) {
        self.by_value.clear();
    }
}

impl<'a> Walk<'a> {
    /// Sets the non-null fields of those of `fields` that others have the name and arguments of,
    /// with values at another position.
    pub(super) fn set_non_null_sets(
        &mut self,
        scopes: &[SubgraphScope<'a>],
        fields: &mut [SlotField<'a>],
    ) {
        let values: Vec<Option<SubgraphScope<'a>>> = fields
            .iter()
            .map(|field| value_scope(scopes, field))
            .collect();
        let mut first_values = HashMap::new();
        let mut ambiguous = HashSet::new();
        for (field, value) in fields.iter().zip(&values) {
            let name = (&field.slot.field, field.arguments.as_str());
            let value = value.as_ref().map(value_key);
            if *first_values.entry(name).or_insert(value) != value {
                ambiguous.insert(name);
            }
        }
        let is_ambiguous = fields
            .iter()
            .map(|field| ambiguous.contains(&(&field.slot.field, field.arguments.as_str())));
        let is_ambiguous: Vec<bool> = is_ambiguous.collect();
        for ((field, value), is_ambiguous) in fields.iter_mut().zip(values).zip(is_ambiguous) {
            if let Some(value) = value.filter(|_| is_ambiguous) {
                field.non_null_set = self.non_null_set(&value);
            }
        }
    }

    /// The non-null fields that the fetch has of the objects in `scope`.
    fn non_null_set(&mut self, scope: &SubgraphScope<'a>) -> NonNullSetId {
        let key = value_key(scope);
        if let Some(known) = self.value_sets.by_value.get(&key) {
            return *known;
        }
        let enclosing = self.enclosing_slot(scope.at);
        let is_clients = enclosing.is_some_and(|slot| !slot.on.is_empty());
        let mut fields = Vec::new();
        let slots = scope.fetch_slots.get(&scope.at).into_iter().flatten();
        for (number, types) in slots {
            let slot = &self.selection.position(scope.at).slots[*number];
            if is_clients && slot.on.is_empty() {
                continue;
            }
            for (on, node) in self.owner_nodes(scope, types) {
                let node_field = node.fields.get(&slot.field);
                let Some(node_field) = node_field.filter(|field| field.is_non_null()) else {
                    continue;
                };
                let nested = slot
                    .child
                    .zip(node_field.child)
                    .map(|(at, node)| SubgraphScope {
                        at,
                        node,
                        ..scope.clone()
                    });
                fields.push(NonNullField {
                    on,
                    field: &slot.field,
                    arguments: self.arguments(scope.at, *number, on),
                    condition: own_condition(slot, on, enclosing),
                    nested: nested.map_or(NonNullSetId::EMPTY, |it| self.non_null_set(&it)),
                });
            }
        }
        let set = self.value_sets.sets.add(fields);
        self.value_sets.by_value.insert(key, set);
        set
    }

    fn enclosing_slot(&self, at: PositionId) -> Option<&'a Slot> {
        let (parent, slot) = self.selection.position(at).parent?;
        Some(&self.selection.position(parent).slots[slot])
    }
}

/// The scope of a field's value; `None` for leaves.
fn value_scope<'a>(
    scopes: &[SubgraphScope<'a>],
    field: &SlotField<'a>,
) -> Option<SubgraphScope<'a>> {
    let reader = field.readers.first()?;
    Some(SubgraphScope {
        fetch_slots: scopes[reader.scope].fetch_slots,
        at: field.slot.child?,
        node: reader.child?,
        only_types: None,
    })
}

fn value_key(scope: &SubgraphScope<'_>) -> ValueKey {
    (std::ptr::from_ref(scope.fetch_slots), scope.at, scope.node)
}

/// The condition of a slot, without that of the slot which holds the objects.
fn own_condition(slot: &Slot, on: Option<TypeId>, enclosing: Option<&Slot>) -> Condition {
    let condition = slot_condition(slot, on);
    match enclosing {
        Some(enclosing) if enclosing.condition == condition => Condition::always(),
        _ => condition,
    }
}
