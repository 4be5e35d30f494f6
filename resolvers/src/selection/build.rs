//! Builds a selection: adds positions and slots, groups and orders the members of the response.

use std::sync::Arc;

use schema::graph::Graph;
use schema::key::Requirement;
use schema::operation::{Argument, FieldSelection};
use schema::types::{Field, Name, Nullability, TypeId, TypeRef};

use super::groups::FieldGroup;
use super::members::{Member, Members};
use super::non_null_sets::{NonNullField, NonNullSetId, NonNullSets};
use super::slot_sets::{SlotSet, SlotSetId, SlotSets};
use super::type_conditions::TypeConditions;
use super::{
    Condition, KeySlot, Output, OutputValue, Position, PositionId, ROOT, Slot, SlotOrigin,
};
use crate::leaf::KeyLeaf;

/// The positions and slots added so far.
pub(super) struct Builder<'a> {
    pub(super) graph: &'a Graph,
    pub(super) positions: Vec<Position>,
    pub(super) slot_sets: SlotSets,
    pub(super) non_null_sets: NonNullSets<NonNullField>,
    pub(super) root_field_kind: RootFieldKind,
}

/// Whether root fields may be merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RootFieldKind {
    /// Equal fields under two response keys are one slot.
    Query,
    /// Equal fields under two response keys run twice, so each has a slot.
    Mutation,
}

/// When a required slot is needed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RequiredBy {
    /// If a plan uses the fetch with the requirement, which it may not.
    Fetch,
    /// Whenever the slot that contains it is needed.
    Parent,
}

/// A field to find or add a slot for.
pub(super) struct SlotSpec<'a> {
    pub(super) field: &'a Field,
    pub(super) arguments: &'a [(Name, Argument)],
    pub(super) on: &'a [TypeId],
    pub(super) condition: &'a Condition,
    /// The non-null fields of its value, for composite types.
    pub(super) non_null_set: NonNullSetId,
}

impl Builder<'_> {
    /// The members of the objects at `at`, and the set of slots that they select.
    pub(super) fn outputs(
        &mut self,
        at: PositionId,
        members: &Members<'_>,
    ) -> (Vec<Output>, SlotSetId) {
        let mut outputs = Vec::with_capacity(members.members.len());
        let mut slot_set = SlotSet::default();
        for member in &members.members {
            let Some((output, nested_set)) = self.output(at, member) else {
                continue;
            };
            if let OutputValue::Slot(slot) = output.value {
                slot_set.add(slot, &output.on, nested_set);
                self.positions[at.0].slots[slot].across_types |= member.across_types;
            }
            outputs.extend(ordered_outputs(&output, &member.group));
        }
        outputs.sort_by_key(|(order, _)| *order);
        let outputs = join_leaves(outputs.into_iter().map(|(_, output)| output));
        let types = self.graph.types();
        let possible = &types.get(self.positions[at.0].ty).possible_types;
        let for_all = |output: &Output| possible.iter().all(|ty| output.on.contains(ty));
        self.positions[at.0].needs_typename |= !outputs.iter().all(for_all);
        (outputs, self.slot_sets.add(slot_set))
    }

    /// A member and, for a composite type, the set of slots selected inside of it.
    fn output(
        &mut self,
        at: PositionId,
        member: &Member<'_>,
    ) -> Option<(Output, Option<SlotSetId>)> {
        let first = member.group.first();
        let mut output = Output {
            key: Arc::clone(&first.response_key),
            value: OutputValue::TypeName,
            on: member.group.on.clone(),
            condition: member.condition.clone(),
            unless: Condition::never(),
            outputs: Vec::new(),
        };
        if first.name.as_ref() == "__typename" {
            self.positions[at.0].needs_typename = true;
            return Some((output, None));
        }
        if first.name.starts_with("__") {
            output.value = OutputValue::Slot(self.add_introspection_slot(at, first, &output));
            return Some((output, None));
        }
        let on = output.on.first()?;
        let field = self.graph.types().get(*on).field(&first.name)?;
        let nested = member.nested.as_ref();
        let slot_spec = SlotSpec {
            field,
            arguments: &first.arguments,
            on: &output.on,
            condition: &output.condition,
            non_null_set: nested.map_or(NonNullSetId::EMPTY, |nested| nested.non_null_set),
        };
        let slot = self.find_or_add_slot(at, &slot_spec);
        output.value = OutputValue::Slot(slot);
        let child = self.positions[at.0].slots[slot].child;
        let nested_set = child.zip(nested).map(|(child, nested)| {
            let (outputs, set) = self.outputs(child, nested);
            output.outputs = outputs;
            set
        });
        Some((output, nested_set))
    }

    /// Adds a slot for `__schema` or `__type`.
    fn add_introspection_slot(
        &mut self,
        at: PositionId,
        field: &FieldSelection,
        output: &Output,
    ) -> usize {
        let slots = &mut self.positions[at.0].slots;
        slots.push(Slot {
            field: Arc::clone(&field.name),
            arguments: Vec::new(),
            non_null_set: NonNullSetId::EMPTY,
            // Introspection values are checked where they are computed, so any named type will do.
            ty: TypeRef::Named(output.on[0], Nullability::Nullable),
            on: output.on.clone(),
            required_on: Vec::new(),
            across_types: false,
            condition: output.condition.clone(),
            type_conditions: TypeConditions::default(),
            is_context_source: false,
            child: None,
            origin: SlotOrigin::Introspection(Arc::clone(&field.response_key)),
        });
        slots.len() - 1
    }

    /// Adds the slot of a required field, and those of its nested fields.
    pub(super) fn add_required_slot(
        &mut self,
        at: PositionId,
        on: &[TypeId],
        requirement: &Requirement,
        required_by: RequiredBy,
    ) -> Option<KeySlot> {
        let types = self.graph.types();
        let first = types.get(*on.first()?).field(&requirement.field)?;
        let inner = requirement.inner.as_slice();
        let slot_spec = SlotSpec {
            field: first,
            arguments: &requirement.arguments,
            on: match required_by {
                RequiredBy::Fetch => &[],
                RequiredBy::Parent => on,
            },
            condition: &Condition::never(),
            non_null_set: (self.non_null_sets).add_required(
                self.graph,
                first.ty.named_type(),
                inner,
            ),
        };
        let slot = match inner {
            [] => self.find_or_add_slot(at, &slot_spec),
            _ => self.add_slot(at, &slot_spec),
        };
        self.require_on(at, slot, slot_spec.on);
        let child = self.positions[at.0].slots[slot].child;
        let inner = child.map_or_else(Vec::new, |child| {
            self.add_required_inner_slots(child, &requirement.inner)
        });
        Some(KeySlot {
            name: Arc::clone(&requirement.field),
            slot,
            on: None,
            leaf: KeyLeaf::from_type(first.ty.named_type(), types),
            inner,
        })
    }

    fn add_required_inner_slots(
        &mut self,
        at: PositionId,
        requirements: &[Requirement],
    ) -> Vec<KeySlot> {
        let types = self.graph.types();
        let mut inner = Vec::new();
        for requirement in requirements {
            let possible = types
                .get(self.positions[at.0].ty)
                .possible_types
                .iter()
                .copied();
            let on = possible.filter(|ty| requirement.on.is_none_or(|only| types.is_a(*ty, only)));
            let mut by_field_type: Vec<(&TypeRef, Vec<TypeId>)> = Vec::new();
            for ty in on {
                let Some(field) = types.get(ty).field(&requirement.field) else {
                    continue;
                };
                match by_field_type
                    .iter_mut()
                    .find(|(known, _)| **known == field.ty)
                {
                    Some((_, same)) => same.push(ty),
                    None => by_field_type.push((&field.ty, vec![ty])),
                }
            }
            let applies_to_all = requirement.on.is_none() && by_field_type.len() == 1;
            for (_, on) in by_field_type {
                let slot = self.add_required_slot(at, &on, requirement, RequiredBy::Parent);
                inner.extend(slot.map(|slot| KeySlot {
                    on: (!applies_to_all).then_some(on),
                    ..slot
                }));
            }
        }
        inner
    }

    /// The slot of a field whose value has the same non-null fields, added unless there is one.
    pub(super) fn find_or_add_slot(&mut self, at: PositionId, slot_spec: &SlotSpec<'_>) -> usize {
        let position = &mut self.positions[at.0];
        let same = |slot: &Slot| {
            slot.field == slot_spec.field.name
                && slot.arguments == slot_spec.arguments
                && slot.ty == slot_spec.field.ty
                && slot.non_null_set == slot_spec.non_null_set
        };
        let is_mutation_root = self.root_field_kind == RootFieldKind::Mutation && at == ROOT;
        if let Some(index) = position
            .slots
            .iter()
            .position(same)
            .filter(|_| !is_mutation_root)
        {
            let slot = &mut position.slots[index];
            slot.need(slot_spec.on, slot_spec.condition);
            let new = slot_spec
                .on
                .iter()
                .filter(|ty| !slot.on.contains(ty))
                .copied();
            let new: Vec<_> = new.collect();
            slot.on.extend(new);
            return index;
        }
        self.add_slot(at, slot_spec)
    }

    /// Marks a slot as needed by objects of the types `on`, on every path to the position.
    pub(super) fn require_on(&mut self, at: PositionId, slot: usize, on: &[TypeId]) {
        let required_on = &mut self.positions[at.0].slots[slot].required_on;
        let new: Vec<_> = on
            .iter()
            .filter(|ty| !required_on.contains(ty))
            .copied()
            .collect();
        required_on.extend(new);
    }

    fn add_slot(&mut self, at: PositionId, slot_spec: &SlotSpec<'_>) -> usize {
        let position = &self.positions[at.0];
        let index = position.slots.len();
        let in_list = position.in_list || matches!(slot_spec.field.ty, TypeRef::List(..));
        let ty = slot_spec.field.ty.named_type();
        let child = self.graph.types().get(ty).is_composite().then(|| {
            self.positions.push(Position {
                ty,
                slots: Vec::new(),
                parent: Some((at, index)),
                in_list,
                needs_typename: false,
                members: None,
            });
            PositionId(self.positions.len() - 1)
        });
        let mut slot = Slot {
            field: Arc::clone(&slot_spec.field.name),
            arguments: slot_spec.arguments.to_vec(),
            non_null_set: slot_spec.non_null_set,
            ty: slot_spec.field.ty.clone(),
            on: slot_spec.on.to_vec(),
            required_on: Vec::new(),
            across_types: false,
            condition: Condition::never(),
            type_conditions: TypeConditions::default(),
            is_context_source: false,
            child,
            origin: SlotOrigin::Source,
        };
        slot.need(slot_spec.on, slot_spec.condition);
        self.positions[at.0].slots.push(slot);
        index
    }
}

/// Joins adjacent leaves that differ only in their object types.
fn join_leaves(outputs: impl Iterator<Item = Output>) -> Vec<Output> {
    let mut joined: Vec<Output> = Vec::new();
    for output in outputs {
        match joined.last_mut() {
            Some(last) if last.is_same_leaf(&output) => last.on.extend(output.on),
            _ => joined.push(output),
        }
    }
    joined
}

/// One output for each occurrence that may be the first not skipped, which is the member's place
/// in the response (GraphQL §6.3.2).
fn ordered_outputs(output: &Output, group: &FieldGroup<'_>) -> Vec<(usize, Output)> {
    let firsts = group.first_occurrences().into_iter();
    let outputs = firsts.map(|first| {
        let output = Output {
            condition: first.condition,
            unless: first.unless,
            ..output.clone()
        };
        (first.order, output)
    });
    outputs.collect()
}
