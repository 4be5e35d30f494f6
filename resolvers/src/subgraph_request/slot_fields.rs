//! The fields that a position needs, slot by slot and type by type, with equal fields merged.

use indexmap::IndexMap;
use indexmap::map::Entry;
use schema::source::{NodeField, NodeId, ObjectTypes, SourceNode};
use schema::types::{Name, TypeId};

use super::walk::{SubgraphScope, Walk};
use crate::selection::{Condition, NonNullSetId, PositionId, Slot};

/// A field to write for the objects of one type.
pub(super) struct SlotField<'a> {
    /// `None`: all types.
    pub(super) on: Option<TypeId>,
    pub(super) slot: &'a Slot,
    pub(super) arguments: String,
    pub(super) node_field: &'a NodeField,
    pub(super) condition: Condition,
    pub(super) readers: Vec<SlotReader>,
    /// The number of the slot of a root field of a mutation: a mutation that is written twice is
    /// executed twice, so not even equal ones are merged.
    mutation_slot: Option<usize>,
    /// The non-null fields of its value. Equal fields with other ones are not merged.
    pub(super) non_null_set: NonNullSetId,
}

/// Fields with equal keys are written as one.
type SlotFieldKey<'a> = (
    Option<TypeId>,
    &'a Name,
    String,
    Option<usize>,
    NonNullSetId,
);

/// A slot that the value of a field fills.
pub(super) struct SlotReader {
    /// Index of the scope, among those that are walked together.
    pub(super) scope: usize,
    pub(super) slot: usize,
    /// Type of the objects; `None`: all types.
    pub(super) on: Option<TypeId>,
    pub(super) child: Option<NodeId>,
}

impl<'a> Walk<'a> {
    /// The fields of all slots of `scopes`, type by type.
    pub(super) fn slot_fields(&mut self, scopes: &[SubgraphScope<'a>]) -> Vec<SlotField<'a>> {
        let mut single = self.single_fields(scopes);
        self.set_non_null_sets(scopes, &mut single);
        let mut merged: IndexMap<SlotFieldKey<'a>, SlotField<'a>> = IndexMap::new();
        for field in single {
            match merged.entry(field.key()) {
                Entry::Occupied(known) => known.into_mut().merge(field),
                Entry::Vacant(free) => {
                    free.insert(field);
                }
            }
        }
        merged.into_values().collect()
    }

    /// A field for each slot of `scopes` and each type.
    fn single_fields(&self, scopes: &[SubgraphScope<'a>]) -> Vec<SlotField<'a>> {
        let mut fields = Vec::new();
        for (index, scope) in scopes.iter().enumerate() {
            let slots = scope.fetch_slots.get(&scope.at).into_iter().flatten();
            for (number, types) in slots {
                let slot = &self.selection.position(scope.at).slots[*number];
                for (on, node) in self.owner_nodes(scope, types) {
                    let Some(node_field) = node.fields.get(&slot.field) else {
                        continue; // Objects of other types have it.
                    };
                    let is_mutation = on.is_some() && on == self.types.mutation();
                    fields.push(SlotField {
                        on,
                        slot,
                        arguments: self.arguments(scope.at, *number, on),
                        node_field,
                        condition: slot_condition(slot, on),
                        readers: vec![SlotReader {
                            scope: index,
                            slot: *number,
                            on,
                            child: node_field.child,
                        }],
                        mutation_slot: is_mutation.then_some(*number),
                        non_null_set: NonNullSetId::EMPTY,
                    });
                }
            }
        }
        fields
    }

    /// `first: 10, after: $cursor`: arguments that the client wrote, and context arguments.
    pub(super) fn arguments(&self, at: PositionId, number: usize, on: Option<TypeId>) -> String {
        let slot = &self.selection.position(at).slots[number];
        let client_arguments = slot.arguments.iter().filter_map(|(name, argument)| {
            let text = argument.text.as_ref()?;
            Some(format!("{name}: {text}"))
        });
        let contexts = self.context_arguments.iter();
        let contexts = contexts.filter(|context| {
            (context.at, context.slot) == (at, number) && on.is_none_or(|on| on == context.on)
        });
        let contexts = contexts.map(|context| context.text.clone());
        client_arguments
            .chain(contexts)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The nodes that may have a slot of some types, each with its type if that is known.
    pub(super) fn owner_nodes(
        &self,
        scope: &SubgraphScope<'a>,
        types: &[TypeId],
    ) -> Vec<(Option<TypeId>, &'a SourceNode)> {
        let node = self.source.node(scope.node);
        match &node.object_types {
            ObjectTypes::OwnType if types.contains(&node.on) => vec![(Some(node.on), node)],
            ObjectTypes::OwnType => Vec::new(),
            ObjectTypes::ByTypename(members) => members
                .iter()
                .filter(|(ty, _)| types.contains(ty))
                .map(|(ty, node)| (Some(*ty), self.source.node(*node)))
                .collect(),
            ObjectTypes::UnknownType => {
                let only = scope.only_types.as_ref();
                let applies = only.is_none_or(|only| {
                    let mut only = only.iter();
                    only.any(|on| types.iter().any(|ty| ty == on || self.types.is_a(*ty, *on)))
                });
                applies.then_some((None, node)).into_iter().collect()
            }
        }
    }

    /// Merges fields that all types have with the same arguments into one, and puts these first.
    pub(super) fn merge_common_fields(
        &self,
        scopes: &[SubgraphScope<'a>],
        slot_fields: Vec<SlotField<'a>>,
    ) -> Vec<SlotField<'a>> {
        let Some(node) = scopes.first().map(|scope| self.source.node(scope.node)) else {
            return slot_fields;
        };
        let ObjectTypes::ByTypename(members) = &node.object_types else {
            return slot_fields;
        };
        type CommonKey<'a> = (&'a Name, String, NonNullSetId);
        let mut common: IndexMap<CommonKey<'a>, Vec<SlotField<'a>>> = IndexMap::new();
        for slot_field in slot_fields {
            let arguments = slot_field.arguments.clone();
            let key = (&slot_field.slot.field, arguments, slot_field.non_null_set);
            common.entry(key).or_default().push(slot_field);
        }
        let (mut first, mut apart) = (Vec::new(), Vec::new());
        for ((name, ..), group) in common {
            let node_field = node.fields.get(name).filter(|node_field| {
                group.len() == members.len()
                    && group
                        .iter()
                        .all(|each| each.condition == group[0].condition)
                    && group.iter().all(|each| {
                        let mut readers = each.readers.iter();
                        readers.all(|reader| reader.child == node_field.child)
                    })
            });
            match node_field {
                Some(node_field) => first.extend(merge_fields(group, node_field)),
                None => apart.extend(group),
            }
        }
        // Fragments have the order of the types in the subgraph.
        apart.sort_by_key(|each| each.on.and_then(|on| members.get_index_of(&on)));
        first.extend(apart);
        first
    }
}

impl<'a> SlotField<'a> {
    fn key(&self) -> SlotFieldKey<'a> {
        (
            self.on,
            &self.slot.field,
            self.arguments.clone(),
            self.mutation_slot,
            self.non_null_set,
        )
    }

    fn merge(&mut self, other: Self) {
        self.condition.or(&other.condition);
        self.readers.extend(other.readers);
    }
}

/// The condition under which objects of type `on` need a slot; `None` stands for all types.
pub(super) fn slot_condition(slot: &Slot, on: Option<TypeId>) -> Condition {
    on.map_or_else(|| slot.condition.clone(), |on| slot.condition_on(&[on]))
}

/// Merges fields of single types into one field for all types.
fn merge_fields<'a>(group: Vec<SlotField<'a>>, node_field: &'a NodeField) -> Option<SlotField<'a>> {
    let mut group = group.into_iter();
    let mut all = group.next()?;
    group.for_each(|other| all.merge(other));
    all.on = None;
    all.node_field = node_field;
    Some(all)
}
