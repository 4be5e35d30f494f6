//! Writes representations from the slots that hold their values; values of one name that are held
//! in several slots become one member. A required field whose value its type does not allow is not
//! written: the subgraph would compute with it.

use schema::operation::Variables;
use schema::types::{Nullability, TypeId, TypeRef};

use super::{RepresentationField, RepresentationValue};
use crate::entity_key::write_key_leaf;
use crate::tree::{InvalidValue, KeyState, Row, Tree, Value, ValueIndex};

/// A prefix, and the values that are merged into one member.
type MergedMember<'p> = (&'p [u8], Vec<SlotValue<'p>>);

/// The place of a value, and the field that it is of.
#[derive(Clone, Copy)]
struct SlotValue<'p> {
    index: ValueIndex,
    field: &'p RepresentationField,
    /// Number of lists around it.
    lists: usize,
}

impl<'p> SlotValue<'p> {
    fn new(row: Row, field: &'p RepresentationField) -> Self {
        Self {
            index: Tree::slot_index(row, field.slot),
            field,
            lists: 0,
        }
    }

    /// An element of the list that it is.
    fn item(self, start: u32, index: u32) -> Self {
        Self {
            index: Tree::item_index(start, index),
            lists: self.lists + 1,
            ..self
        }
    }

    /// The state of a value that its type does not allow.
    fn invalid(self, is_null: bool) -> KeyState {
        match &self.field.value_type {
            None => KeyState::Missing,
            Some(value_type) => KeyState::Invalid(InvalidValue {
                index: self.index,
                at: value_type.at,
                slot: self.field.slot,
                is_null,
            }),
        }
    }

    /// Whether its type allows a list, or anything else; a part of the key is not checked.
    fn is_list_possible(self, is_list: bool) -> bool {
        let ty = self.field.type_inside(self.lists);
        ty.is_none_or(|ty| matches!(ty, TypeRef::List(..)) == is_list)
    }

    /// Whether its type allows a leaf; a part of the key is not checked.
    fn is_leaf_possible(self, text: &[u8]) -> bool {
        let value_type = self.field.value_type.as_ref();
        self.is_list_possible(false) && value_type.is_none_or(|it| it.leaf.is_value(text))
    }
}

/// Whether both are objects, lists of one length, or neither.
fn has_same_structure(left: Value, right: Value) -> bool {
    match (left, right) {
        (Value::Object(_), Value::Object(_)) => true,
        (Value::List { len, .. }, Value::List { len: other, .. }) => len == other,
        (Value::Object(_) | Value::List { .. }, _) | (_, Value::Object(_) | Value::List { .. }) => {
            false
        }
        _ => true,
    }
}

/// Writes one representation.
pub(super) struct RepresentationWriter<'t> {
    pub(super) tree: &'t Tree,
    pub(super) variables: &'t Variables,
    pub(super) out: &'t mut Vec<u8>,
}

impl RepresentationWriter<'_> {
    pub(super) fn write_object(
        &mut self,
        row: Row,
        head: &[u8],
        fields: &[RepresentationField],
    ) -> KeyState {
        self.out.push(b'{');
        self.out.extend_from_slice(head);
        let mut is_first = head.is_empty();
        let ty = self.tree.type_of(row);
        for field in fields {
            if !field.is_applicable(ty) || !self.is_sent(field) {
                continue;
            }
            if !is_first {
                self.out.push(b',');
            }
            is_first = false;
            self.out.extend_from_slice(&field.prefix);
            let state = if field.overlapping_fields.is_empty() {
                self.write_value(SlotValue::new(row, field))
            } else {
                let fields = [field].into_iter().chain(&field.overlapping_fields);
                let sent = fields.filter(|field| self.is_active(field));
                let values = sent.map(|field| SlotValue::new(row, field));
                self.write_merged(&values.collect::<Vec<_>>())
            };
            if state != KeyState::Known {
                return state;
            }
        }
        self.out.push(b'}');
        KeyState::Known
    }

    fn is_active(&self, field: &RepresentationField) -> bool {
        let condition = field.condition.as_ref();
        condition.is_none_or(|condition| condition.is_true(self.variables))
    }

    /// Whether any of the slots of a member is needed.
    fn is_sent(&self, field: &RepresentationField) -> bool {
        let mut overlapping = field.overlapping_fields.iter();
        self.is_active(field) || overlapping.any(|field| self.is_active(field))
    }

    fn value(&self, at: SlotValue<'_>) -> Value {
        self.tree.value(at.index)
    }

    /// Writes one value whose members are held in several slots.
    fn write_merged(&mut self, values: &[SlotValue<'_>]) -> KeyState {
        let Some(first) = values.first().copied() else {
            return KeyState::Missing;
        };
        let value = self.value(first);
        let is_other = |other: &&SlotValue<'_>| !has_same_structure(self.value(**other), value);
        let other = values.iter().find(is_other).copied();
        match (value, other) {
            // One of the fetches provided no object or list, so its state decides.
            (_, Some(other))
                if !matches!(self.value(other), Value::Object(_) | Value::List { .. }) =>
            {
                self.write_value(other)
            }
            (_, Some(_)) => KeyState::Missing,
            (Value::List { len, .. }, None) => self.write_merged_list(len, values),
            (Value::Object(row), None) => {
                let ty = self.tree.type_of(row);
                self.write_merged_object(ty, first.field, values)
            }
            (_, None) => self.write_value(first),
        }
    }

    fn write_merged_list(&mut self, len: u32, values: &[SlotValue<'_>]) -> KeyState {
        self.out.push(b'[');
        for index in 0..len {
            if index > 0 {
                self.out.push(b',');
            }
            let items = values.iter().map(|at| match self.value(*at) {
                Value::List { start, .. } => at.item(start, index),
                _ => *at,
            });
            let items: Vec<_> = items.collect();
            let state = self.write_merged(&items);
            if state != KeyState::Known {
                return state;
            }
        }
        self.out.push(b']');
        KeyState::Known
    }

    fn write_merged_object(
        &mut self,
        ty: Option<TypeId>,
        first: &RepresentationField,
        values: &[SlotValue<'_>],
    ) -> KeyState {
        self.out.push(b'{');
        let head = first.typename(ty);
        self.out.extend_from_slice(head);
        let mut is_first = head.is_empty();
        for (prefix, members) in self.merged_members(ty, values) {
            if !is_first {
                self.out.push(b',');
            }
            is_first = false;
            self.out.extend_from_slice(prefix);
            let state = self.write_merged(&members);
            if state != KeyState::Known {
                return state;
            }
        }
        self.out.push(b'}');
        KeyState::Known
    }

    /// The members of objects that are merged into one, each name once.
    fn merged_members<'p>(
        &self,
        ty: Option<TypeId>,
        values: &[SlotValue<'p>],
    ) -> Vec<MergedMember<'p>> {
        let mut merged: Vec<MergedMember<'p>> = Vec::new();
        for at in values {
            let (Value::Object(row), RepresentationValue::Object { fields, .. }) =
                (self.value(*at), &at.field.value)
            else {
                continue;
            };
            let fields = fields
                .iter()
                .flat_map(|field| [field].into_iter().chain(&field.overlapping_fields));
            for field in fields.filter(|field| field.is_applicable(ty)) {
                let value = SlotValue::new(row, field);
                match merged.iter_mut().find(|(name, _)| **name == *field.prefix) {
                    Some((_, values)) => values.push(value),
                    None => merged.push((&field.prefix, vec![value])),
                }
            }
        }
        merged
    }

    fn write_value(&mut self, at: SlotValue<'_>) -> KeyState {
        match (self.value(at), &at.field.value) {
            (Value::Failed(failure), _) => KeyState::Failed(failure),
            (Value::List { start, len }, _) if at.is_list_possible(true) => {
                self.write_list(start, len, at)
            }
            (Value::Leaf(text), RepresentationValue::Leaf(leaf))
                if at.is_leaf_possible(self.tree.text(text)) =>
            {
                write_key_leaf(*leaf, self.tree.text(text), self.out);
                KeyState::Known
            }
            (Value::Object(row), RepresentationValue::Object { fields, .. })
                if at.is_list_possible(false) =>
            {
                let head = at.field.typename(self.tree.type_of(row));
                self.write_object(row, head, fields)
            }
            (Value::Null | Value::Absent, _) => self.write_null(at),
            _ => at.invalid(false),
        }
    }

    /// Writes null where the type allows it; a part of the key has no value then.
    fn write_null(&mut self, at: SlotValue<'_>) -> KeyState {
        let ty = at.field.type_inside(at.lists);
        if ty.is_none_or(|ty| ty.nullability() == Nullability::NonNull) {
            return at.invalid(true);
        }
        self.out.extend_from_slice(b"null");
        KeyState::Known
    }

    fn write_list(&mut self, start: u32, len: u32, list: SlotValue<'_>) -> KeyState {
        self.out.push(b'[');
        for index in 0..len {
            if index > 0 {
                self.out.push(b',');
            }
            let state = self.write_value(list.item(start, index));
            if state != KeyState::Known {
                return state;
            }
        }
        self.out.push(b']');
        KeyState::Known
    }
}
