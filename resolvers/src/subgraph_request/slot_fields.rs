//! Which fields a place needs: slot by slot and type by type, equal ones together.

use indexmap::IndexMap;
use schema::source::{NodeField, NodeId, ObjectTypes as Given, SourceNode};
use schema::types::{Name, TypeId};

use super::walk::{SubgraphScope, Walk};
use crate::selection::{Condition, PositionId, Slot};

/// A field that is to be written, for the objects of one type.
pub(super) struct SlotField<'a> {
    /// `None`: of all objects, whatever their type.
    pub(super) on: Option<TypeId>,
    /// Whether it shares a response key with nothing, not with its like either.
    pub(super) is_mutation: bool,
    pub(super) slot: &'a Slot,
    pub(super) arguments: String,
    pub(super) node_field: &'a NodeField,
    pub(super) condition: Condition,
    pub(super) readers: Vec<SlotReader>,
}

/// A slot that a field fills.
pub(super) struct SlotReader {
    /// Which of the places that are walked together.
    pub(super) scope: usize,
    pub(super) slot: usize,
    /// Objects of this type only.
    pub(super) on: Option<TypeId>,
    pub(super) child: Option<NodeId>,
}

impl<'a> Walk<'a> {
    /// Every field that a slot asks for, type by type.
    pub(super) fn slot_fields(&self, scopes: &[SubgraphScope<'a>]) -> Vec<SlotField<'a>> {
        type SlotFieldKey<'a> = (Option<TypeId>, &'a Name, String, Option<usize>);
        let mut slot_fields: IndexMap<SlotFieldKey<'a>, SlotField<'a>> = IndexMap::new();
        for (index, scope) in scopes.iter().enumerate() {
            let slots = scope.fetch_slots.get(&scope.at).into_iter().flatten();
            for (number, types) in slots {
                let slot = &self.selection.position(scope.at).slots[*number];
                for (on, node) in self.owner_nodes(scope, types) {
                    let Some(node_field) = node.fields.get(&slot.field) else {
                        continue; // Others of these objects give it.
                    };
                    let arguments = self.arguments((scope.at, *number, on));
                    // A mutation that is written twice is done twice.
                    let is_mutation = on.is_some() && on == self.types.mutation();
                    let key = (
                        on,
                        &slot.field,
                        arguments.clone(),
                        is_mutation.then_some(*number),
                    );
                    let found = slot_fields.entry(key).or_insert_with(|| SlotField {
                        on,
                        is_mutation,
                        slot,
                        arguments,
                        node_field,
                        condition: Condition::never(),
                        readers: Vec::new(),
                    });
                    found.condition.or(&slot.condition);
                    found.readers.push(SlotReader {
                        scope: index,
                        slot: *number,
                        on,
                        child: node_field.child,
                    });
                }
            }
        }
        slot_fields.into_values().collect()
    }

    /// `first: 10, after: $cursor`; nothing that neither the client wrote nor a context gives.
    fn arguments(&self, (at, number, on): (PositionId, usize, Option<TypeId>)) -> String {
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

    /// The nodes whose objects a slot is taken of, each with its type where that is known.
    fn owner_nodes(
        &self,
        scope: &SubgraphScope<'a>,
        types: &[TypeId],
    ) -> Vec<(Option<TypeId>, &'a SourceNode)> {
        let node = self.source.node(scope.node);
        match &node.object_types {
            Given::OwnType if types.contains(&node.on) => vec![(Some(node.on), node)],
            Given::OwnType => Vec::new(),
            Given::ByTypename(members) => members
                .iter()
                .filter(|(ty, _)| types.contains(ty))
                .map(|(ty, node)| (Some(*ty), self.source.node(*node)))
                .collect(),
            Given::UnknownType => {
                let only = scope.only_types.as_ref();
                let applies = only.is_none_or(|only| {
                    let mut only = only.iter();
                    only.any(|on| types.iter().any(|ty| ty == on || self.types.is_a(*ty, *on)))
                });
                applies.then_some((None, node)).into_iter().collect()
            }
        }
    }

    /// Writes once what is asked of objects of all types in the same way, those first.
    pub(super) fn merge_common_fields(
        &self,
        scopes: &[SubgraphScope<'a>],
        slot_fields: Vec<SlotField<'a>>,
    ) -> Vec<SlotField<'a>> {
        let Some(node) = scopes.first().map(|place| self.source.node(place.node)) else {
            return slot_fields;
        };
        let Given::ByTypename(members) = &node.object_types else {
            return slot_fields;
        };
        let mut common: IndexMap<(&Name, String), Vec<SlotField<'a>>> = IndexMap::new();
        for each in slot_fields {
            let key = (&each.slot.field, each.arguments.clone());
            common.entry(key).or_default().push(each);
        }
        let (mut first, mut apart) = (Vec::new(), Vec::new());
        for ((name, _), group) in common {
            let node_field = node.fields.get(name).filter(|given| {
                group.len() == members.len()
                    && group.iter().all(|each| {
                        let mut readers = each.readers.iter();
                        readers.all(|reader| reader.child == given.child)
                    })
            });
            match node_field {
                Some(given) => first.extend(merge_fields(group, given)),
                None => apart.extend(group),
            }
        }
        // Fragments in the order in which the service has its types.
        apart.sort_by_key(|each| each.on.and_then(|on| members.get_index_of(&on)));
        first.extend(apart);
        first
    }
}

/// One field for the objects of all types.
fn merge_fields<'a>(group: Vec<SlotField<'a>>, node_field: &'a NodeField) -> Option<SlotField<'a>> {
    let mut group = group.into_iter();
    let mut all = group.next()?;
    for other in group {
        all.condition.or(&other.condition);
        all.readers.extend(other.readers);
    }
    all.on = None;
    all.node_field = node_field;
    Some(all)
}
