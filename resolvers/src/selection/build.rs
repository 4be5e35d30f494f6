//! A selection while it is made: places and slots added one by one, members grouped and ordered.

use std::collections::HashSet;
use std::sync::Arc;

use schema::key::Need;
use schema::operation::{Argument, FieldSelected, Selected};
use schema::types::{Field, Name, Nullability, TypeId, TypeRef, Types};

use super::found::Finder;
use super::groups::{self, groups};
use super::sets::{Set, SetId, Sets};
use super::{From, KeySlot, Output, OutputValue, Position, PositionId, ROOT, Slot, When};

/// Places and slots so far.
pub(super) struct Builder<'a> {
    pub(super) finder: Finder<'a>,
    pub(super) types: &'a Types,
    pub(super) positions: Vec<Position>,
    pub(super) sets: Sets,
    pub(super) root_fields: RootFields,
}

/// What a field of the root does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RootFields {
    /// The same under two names is the same.
    Read,
    /// The same under two names is done twice.
    Act,
}

/// Who asks for a slot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Only a fetch that may never be made.
    ByFetch,
    /// Whoever asks for the slot above.
    FromAbove,
}

/// A field that is to have a slot.
pub(super) struct Wanted<'a> {
    pub(super) field: &'a Field,
    pub(super) arguments: &'a [(Name, Argument)],
    pub(super) on: &'a [TypeId],
    pub(super) when: &'a When,
}

/// Selection sets that apply to one place, each with the conditions on the way to it.
pub(super) type Occurrences<'a> = Vec<(When, &'a [Selected])>;

impl Builder<'_> {
    /// What is written of the objects at `at`, and which fields are asked for that.
    pub(super) fn outputs(
        &mut self,
        at: PositionId,
        occurrences: &Occurrences<'_>,
    ) -> (Vec<Output>, SetId) {
        let ty = self.positions[at.0].ty;
        let mut found = Vec::new();
        for (when, selections) in occurrences {
            let possible = &self.types.get(ty).possible;
            let finder = self.finder;
            finder.find(selections, (possible, when), &mut found);
        }
        let together = found.iter().filter(|found| found.on.len() > 1);
        let together: HashSet<&str> = together.map(|found| found.field.name.as_ref()).collect();
        let groups: Vec<_> = groups(found)
            .into_iter()
            .flat_map(|group| self.by_field_type(group))
            .collect();
        let mut outputs = Vec::with_capacity(groups.len());
        let mut set = Set::default();
        for group in &groups {
            let Some((output, inside)) = self.output(at, group) else {
                continue;
            };
            if let OutputValue::Slot(slot) = output.value {
                set.add(slot, &output.on, inside);
                let slot = &mut self.positions[at.0].slots[slot];
                slot.together |= together.contains(slot.field.as_ref());
            }
            outputs.extend(in_order(&output, group));
        }
        outputs.sort_by_key(|(order, _)| *order);
        let outputs = together_again(outputs.into_iter().map(|(_, output)| output));
        let possible = &self.types.get(ty).possible;
        let for_all = |output: &Output| possible.iter().all(|ty| output.on.contains(ty));
        self.positions[at.0].told |= !outputs.iter().all(for_all);
        (outputs, self.sets.add(set))
    }

    /// One group for each type that the field has on the objects of `group`: objects of one
    /// interface may narrow a field differently, and what is read and written follows the type.
    fn by_field_type<'a>(&self, group: groups::Group<'a>) -> Vec<groups::Group<'a>> {
        let name = &group.fields[0].field.name;
        let mut apart: Vec<(Option<&TypeRef>, groups::Group<'a>)> = Vec::new();
        for on in group.on {
            let ty = self.types.get(on).field(name).map(|field| &field.ty);
            match apart.iter_mut().find(|(known, _)| *known == ty) {
                Some((_, same)) => same.on.push(on),
                None => apart.push((
                    ty,
                    groups::Group {
                        on: vec![on],
                        fields: group.fields.clone(),
                    },
                )),
            }
        }
        apart.into_iter().map(|(_, group)| group).collect()
    }

    /// A member and, for a composite type, which fields are asked for inside of it.
    fn output(
        &mut self,
        at: PositionId,
        group: &groups::Group<'_>,
    ) -> Option<(Output, Option<SetId>)> {
        let first = group.fields.first()?.field;
        let mut when = When::never();
        for occurrence in &group.fields {
            when.or(&occurrence.when);
        }
        let mut output = Output {
            key: Arc::clone(&first.key),
            value: OutputValue::TypeName,
            on: group.on.clone(),
            when,
            unless: When::never(),
            outputs: Vec::new(),
        };
        if first.name.as_ref() == "__typename" {
            self.positions[at.0].told = true;
            return Some((output, None));
        }
        if first.name.starts_with("__") {
            output.value = OutputValue::Slot(self.introspection(at, first, &output));
            return Some((output, None));
        }
        let on = group.on.first()?;
        let field = self.types.get(*on).field(&first.name)?;
        let wanted = Wanted {
            field,
            arguments: &first.arguments,
            on: &group.on,
            when: &output.when,
        };
        let slot = self.slot(at, &wanted);
        output.value = OutputValue::Slot(slot);
        let child = self.positions[at.0].slots[slot].child;
        let inside = child.map(|child| {
            let inside = group.fields.iter();
            let inside = inside
                .map(|it| (it.when.clone(), it.field.selections.as_slice()))
                .collect();
            let (outputs, set) = self.outputs(child, &inside);
            output.outputs = outputs;
            set
        });
        Some((output, inside))
    }

    fn introspection(&mut self, at: PositionId, field: &FieldSelected, output: &Output) -> usize {
        let slots = &mut self.positions[at.0].slots;
        slots.push(Slot {
            field: Arc::clone(&field.name),
            arguments: Vec::new(),
            // The library that answers has checked the value; any named type will do.
            ty: TypeRef::Named(output.on[0], Nullability::Nullable),
            on: output.on.clone(),
            beside: Vec::new(),
            together: false,
            when: output.when.clone(),
            early: false,
            child: None,
            from: From::Introspection(Arc::clone(&field.key)),
        });
        slots.len() - 1
    }

    /// The slot for a field that a source must be told, and those inside of it.
    pub(super) fn required(
        &mut self,
        (at, on): (PositionId, &[TypeId]),
        need: &Need,
        asked: Asked,
    ) -> Option<KeySlot> {
        let types = self.types;
        let first = types.get(*on.first()?).field(&need.field)?;
        let wanted = Wanted {
            field: first,
            arguments: &need.arguments,
            on: match asked {
                Asked::ByFetch => &[],
                Asked::FromAbove => on,
            },
            when: &When::never(),
        };
        let slot = match need.inner.as_slice() {
            [] => self.slot(at, &wanted),
            _ => self.new_slot(at, &wanted),
        };
        self.ask_beside((at, slot), wanted.on);
        let child = self.positions[at.0].slots[slot].child;
        let inner = child.map_or_else(Vec::new, |child| self.required_inside(child, &need.inner));
        Some(KeySlot {
            name: Arc::clone(&need.field),
            slot,
            on: None,
            inner,
        })
    }

    fn required_inside(&mut self, at: PositionId, needs: &[Need]) -> Vec<KeySlot> {
        let types = self.types;
        let mut inner = Vec::new();
        for need in needs {
            let possible = types.get(self.positions[at.0].ty).possible.iter().copied();
            let on = possible.filter(|ty| need.on.is_none_or(|only| types.is_a(*ty, only)));
            let mut apart: Vec<(&TypeRef, Vec<TypeId>)> = Vec::new();
            for ty in on {
                let Some(field) = types.get(ty).field(&need.field) else {
                    continue;
                };
                match apart.iter_mut().find(|(known, _)| **known == field.ty) {
                    Some((_, same)) => same.push(ty),
                    None => apart.push((&field.ty, vec![ty])),
                }
            }
            let apply_to_all = need.on.is_none() && apart.len() == 1;
            for (_, on) in apart {
                let slot = self.required((at, &on), need, Asked::FromAbove);
                inner.extend(slot.map(|slot| KeySlot {
                    on: (!apply_to_all).then_some(on),
                    ..slot
                }));
            }
        }
        inner
    }

    /// The slot for a field, made when there is none.
    pub(super) fn slot(&mut self, at: PositionId, wanted: &Wanted<'_>) -> usize {
        let position = &mut self.positions[at.0];
        let same = |slot: &Slot| {
            slot.field == wanted.field.name
                && slot.arguments == wanted.arguments
                && slot.ty == wanted.field.ty
        };
        let acts = self.root_fields == RootFields::Act && at == ROOT;
        if let Some(index) = position.slots.iter().position(same).filter(|_| !acts) {
            let slot = &mut position.slots[index];
            slot.when.or(wanted.when);
            let new = wanted.on.iter().filter(|ty| !slot.on.contains(ty)).copied();
            let new: Vec<_> = new.collect();
            slot.on.extend(new);
            return index;
        }
        self.new_slot(at, wanted)
    }

    /// Has a slot of objects of these types asked for wherever they stand.
    pub(super) fn ask_beside(&mut self, (at, slot): (PositionId, usize), on: &[TypeId]) {
        let beside = &mut self.positions[at.0].slots[slot].beside;
        let new: Vec<_> = on
            .iter()
            .filter(|ty| !beside.contains(ty))
            .copied()
            .collect();
        beside.extend(new);
    }

    fn new_slot(&mut self, at: PositionId, wanted: &Wanted<'_>) -> usize {
        let position = &self.positions[at.0];
        let index = position.slots.len();
        let many = position.many || matches!(wanted.field.ty, TypeRef::List(..));
        let ty = wanted.field.ty.named();
        let child = self.types.get(ty).is_composite().then(|| {
            self.positions.push(Position {
                ty,
                slots: Vec::new(),
                parent: Some((at, index)),
                many,
                told: false,
                members: None,
            });
            PositionId(self.positions.len() - 1)
        });
        self.positions[at.0].slots.push(Slot {
            field: Arc::clone(&wanted.field.name),
            arguments: wanted.arguments.to_vec(),
            ty: wanted.field.ty.clone(),
            on: wanted.on.to_vec(),
            beside: Vec::new(),
            together: false,
            when: wanted.when.clone(),
            early: false,
            child,
            from: From::Source,
        });
        index
    }
}

/// Leaves that stand side by side for some types and for others are one member for all of them.
fn together_again(outputs: impl Iterator<Item = Output>) -> Vec<Output> {
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
fn in_order(output: &Output, group: &groups::Group<'_>) -> Vec<(usize, Output)> {
    let firsts = group.firsts().into_iter();
    let found = firsts.map(|first| {
        let output = Output {
            when: first.when,
            unless: first.unless,
            ..output.clone()
        };
        (first.order, output)
    });
    found.collect()
}
