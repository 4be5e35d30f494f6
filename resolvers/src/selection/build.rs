//! A selection while it is made: places and slots added one by one, members grouped and ordered.

use std::collections::HashSet;
use std::sync::Arc;

use schema::key::Requirement;
use schema::operation::{Argument, FieldSelection, OperationSelection};
use schema::types::{Field, Name, Nullability, TypeId, TypeRef, Types};

use super::collect::FieldCollector;
use super::groups::{self, group_fields};
use super::slot_sets::{SlotSet, SlotSetId, SlotSets};
use super::{
    Condition, KeySlot, Output, OutputValue, Position, PositionId, ROOT, Slot, SlotOrigin,
};

/// Places and slots so far.
pub(super) struct Builder<'a> {
    pub(super) collector: FieldCollector<'a>,
    pub(super) types: &'a Types,
    pub(super) positions: Vec<Position>,
    pub(super) slot_sets: SlotSets,
    pub(super) root_field_kind: RootFieldKind,
}

/// What a field of the root does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RootFieldKind {
    /// The same under two names is the same.
    Query,
    /// The same under two names is done twice.
    Mutation,
}

/// Who asks for a slot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RequiredBy {
    /// Only a fetch that may never be made.
    Fetch,
    /// Whoever asks for the slot above.
    Parent,
}

/// A field that is to have a slot.
pub(super) struct SlotSpec<'a> {
    pub(super) field: &'a Field,
    pub(super) arguments: &'a [(Name, Argument)],
    pub(super) on: &'a [TypeId],
    pub(super) condition: &'a Condition,
}

/// Selection sets that apply to one place, each with the conditions on the way to it.
pub(super) type Occurrences<'a> = Vec<(Condition, &'a [OperationSelection])>;

impl Builder<'_> {
    /// What is written of the objects at `at`, and which fields are asked for that.
    pub(super) fn outputs(
        &mut self,
        at: PositionId,
        occurrences: &Occurrences<'_>,
    ) -> (Vec<Output>, SlotSetId) {
        let ty = self.positions[at.0].ty;
        let mut collected = Vec::new();
        for (when, selections) in occurrences {
            let possible = &self.types.get(ty).possible_types;
            let finder = self.collector;
            finder.collect(selections, possible, when, &mut collected);
        }
        let across_types = collected.iter().filter(|found| found.on.len() > 1);
        let together: HashSet<&str> = across_types
            .map(|found| found.field.name.as_ref())
            .collect();
        let groups: Vec<_> = group_fields(collected)
            .into_iter()
            .flat_map(|group| self.split_by_field_type(group))
            .collect();
        let mut outputs = Vec::with_capacity(groups.len());
        let mut slot_set = SlotSet::default();
        for group in &groups {
            let Some((output, inside)) = self.output(at, group) else {
                continue;
            };
            if let OutputValue::Slot(slot) = output.value {
                slot_set.add(slot, &output.on, inside);
                let slot = &mut self.positions[at.0].slots[slot];
                slot.across_types |= together.contains(slot.field.as_ref());
            }
            outputs.extend(ordered_outputs(&output, group));
        }
        outputs.sort_by_key(|(order, _)| *order);
        let outputs = join_leaves(outputs.into_iter().map(|(_, output)| output));
        let possible = &self.types.get(ty).possible_types;
        let for_all = |output: &Output| possible.iter().all(|ty| output.on.contains(ty));
        self.positions[at.0].needs_typename |= !outputs.iter().all(for_all);
        (outputs, self.slot_sets.add(slot_set))
    }

    /// One group for each type that the field has on the objects of `group`: objects of one
    /// interface may narrow a field differently, and what is read and written follows the type.
    fn split_by_field_type<'a>(
        &self,
        group: groups::FieldGroup<'a>,
    ) -> Vec<groups::FieldGroup<'a>> {
        let name = &group.occurrences[0].field.name;
        let mut by_type: Vec<(Option<&TypeRef>, groups::FieldGroup<'a>)> = Vec::new();
        for on in group.on {
            let ty = self.types.get(on).field(name).map(|field| &field.ty);
            match by_type.iter_mut().find(|(known, _)| *known == ty) {
                Some((_, same)) => same.on.push(on),
                None => by_type.push((
                    ty,
                    groups::FieldGroup {
                        on: vec![on],
                        occurrences: group.occurrences.clone(),
                    },
                )),
            }
        }
        by_type.into_iter().map(|(_, group)| group).collect()
    }

    /// A member and, for a composite type, which fields are asked for inside of it.
    fn output(
        &mut self,
        at: PositionId,
        group: &groups::FieldGroup<'_>,
    ) -> Option<(Output, Option<SlotSetId>)> {
        let first = group.occurrences.first()?.field;
        let mut condition = Condition::never();
        for occurrence in &group.occurrences {
            condition.or(&occurrence.condition);
        }
        let mut output = Output {
            key: Arc::clone(&first.response_key),
            value: OutputValue::TypeName,
            on: group.on.clone(),
            condition,
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
        let on = group.on.first()?;
        let field = self.types.get(*on).field(&first.name)?;
        let slot_spec = SlotSpec {
            field,
            arguments: &first.arguments,
            on: &group.on,
            condition: &output.condition,
        };
        let slot = self.find_or_add_slot(at, &slot_spec);
        output.value = OutputValue::Slot(slot);
        let child = self.positions[at.0].slots[slot].child;
        let inner_set = child.map(|child| {
            let inside = group.occurrences.iter();
            let occurrences = inside
                .map(|it| (it.condition.clone(), it.field.selections.as_slice()))
                .collect();
            let (outputs, set) = self.outputs(child, &occurrences);
            output.outputs = outputs;
            set
        });
        Some((output, inner_set))
    }

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
            // The library that answers has checked the value; any named type will do.
            ty: TypeRef::Named(output.on[0], Nullability::Nullable),
            on: output.on.clone(),
            required_on: Vec::new(),
            across_types: false,
            condition: output.condition.clone(),
            is_context_source: false,
            child: None,
            origin: SlotOrigin::Introspection(Arc::clone(&field.response_key)),
        });
        slots.len() - 1
    }

    /// The slot for a field that a source must be told, and those inside of it.
    pub(super) fn add_required_slot(
        &mut self,
        at: PositionId,
        on: &[TypeId],
        need: &Requirement,
        required_by: RequiredBy,
    ) -> Option<KeySlot> {
        let types = self.types;
        let first = types.get(*on.first()?).field(&need.field)?;
        let slot_spec = SlotSpec {
            field: first,
            arguments: &need.arguments,
            on: match required_by {
                RequiredBy::Fetch => &[],
                RequiredBy::Parent => on,
            },
            condition: &Condition::never(),
        };
        let slot = match need.inner.as_slice() {
            [] => self.find_or_add_slot(at, &slot_spec),
            _ => self.add_slot(at, &slot_spec),
        };
        self.require_on(at, slot, slot_spec.on);
        let child = self.positions[at.0].slots[slot].child;
        let inner = child.map_or_else(Vec::new, |child| {
            self.add_required_inner_slots(child, &need.inner)
        });
        Some(KeySlot {
            name: Arc::clone(&need.field),
            slot,
            on: None,
            inner,
        })
    }

    fn add_required_inner_slots(&mut self, at: PositionId, needs: &[Requirement]) -> Vec<KeySlot> {
        let types = self.types;
        let mut inner = Vec::new();
        for need in needs {
            let possible = types
                .get(self.positions[at.0].ty)
                .possible_types
                .iter()
                .copied();
            let on = possible.filter(|ty| need.on.is_none_or(|only| types.is_a(*ty, only)));
            let mut by_field_type: Vec<(&TypeRef, Vec<TypeId>)> = Vec::new();
            for ty in on {
                let Some(field) = types.get(ty).field(&need.field) else {
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
            let apply_to_all = need.on.is_none() && by_field_type.len() == 1;
            for (_, on) in by_field_type {
                let slot = self.add_required_slot(at, &on, need, RequiredBy::Parent);
                inner.extend(slot.map(|slot| KeySlot {
                    on: (!apply_to_all).then_some(on),
                    ..slot
                }));
            }
        }
        inner
    }

    /// The slot for a field, made when there is none.
    pub(super) fn find_or_add_slot(&mut self, at: PositionId, slot_spec: &SlotSpec<'_>) -> usize {
        let position = &mut self.positions[at.0];
        let same = |slot: &Slot| {
            slot.field == slot_spec.field.name
                && slot.arguments == slot_spec.arguments
                && slot.ty == slot_spec.field.ty
        };
        let is_mutation_root = self.root_field_kind == RootFieldKind::Mutation && at == ROOT;
        if let Some(index) = position
            .slots
            .iter()
            .position(same)
            .filter(|_| !is_mutation_root)
        {
            let slot = &mut position.slots[index];
            slot.condition.or(slot_spec.condition);
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

    /// Has a slot of objects of these types asked for wherever they stand.
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
        let child = self.types.get(ty).is_composite().then(|| {
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
        self.positions[at.0].slots.push(Slot {
            field: Arc::clone(&slot_spec.field.name),
            arguments: slot_spec.arguments.to_vec(),
            ty: slot_spec.field.ty.clone(),
            on: slot_spec.on.to_vec(),
            required_on: Vec::new(),
            across_types: false,
            condition: slot_spec.condition.clone(),
            is_context_source: false,
            child,
            origin: SlotOrigin::Source,
        });
        index
    }
}

/// Leaves that stand side by side for some types and for others are one member for all of them.
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

/// A member stands where the first of its occurrences that is not skipped stands: once for each
/// that may be the first.
fn ordered_outputs(output: &Output, group: &groups::FieldGroup<'_>) -> Vec<(usize, Output)> {
    let firsts = group.first_occurrences().into_iter();
    let found = firsts.map(|first| {
        let output = Output {
            condition: first.condition,
            unless: first.unless,
            ..output.clone()
        };
        (first.order, output)
    });
    found.collect()
}
