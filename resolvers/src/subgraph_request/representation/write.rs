//! Writes representations from the slots that hold their values; values of one name that are held
//! in several slots become one member.

use schema::operation::Variables;
use schema::types::TypeId;

use super::{FieldRole, LeafFormat, RepresentationField, RepresentationValue};
use crate::tree::{KeyState, Row, Text, Tree, Value, write_canonical};

/// A prefix, and the values that are merged into one member.
type MergedMember<'p> = (&'p [u8], Vec<(Value, &'p RepresentationField)>);

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
                self.write_value(self.tree.slot(row, field.slot), field)
            } else {
                let fields = [field].into_iter().chain(&field.overlapping_fields);
                let sent = fields.filter(|field| self.is_active(field));
                let values = sent.map(|field| (self.tree.slot(row, field.slot), field));
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

    /// Writes one value whose members are held in several slots.
    fn write_merged(&mut self, values: &[(Value, &RepresentationField)]) -> KeyState {
        let Some((first, field)) = values.first().copied() else {
            return KeyState::Missing;
        };
        let other = values
            .iter()
            .find(|(value, _)| !has_same_structure(*value, first));
        match (first, other) {
            // One of the fetches provided no object or list, so its state decides.
            (_, Some((value, field)))
                if !matches!(value, Value::Object(_) | Value::List { .. }) =>
            {
                self.write_value(*value, field)
            }
            (_, Some(_)) => KeyState::Missing,
            (Value::List { len, .. }, None) => self.write_merged_list(len, values),
            (Value::Object(row), None) => {
                let ty = self.tree.type_of(row);
                self.write_merged_object(ty, field, values)
            }
            (value, None) => self.write_value(value, field),
        }
    }

    fn write_merged_list(
        &mut self,
        len: u32,
        values: &[(Value, &RepresentationField)],
    ) -> KeyState {
        self.out.push(b'[');
        for index in 0..len {
            if index > 0 {
                self.out.push(b',');
            }
            let items = values.iter().map(|(value, field)| match value {
                Value::List { start, .. } => (self.tree.item(*start, index), *field),
                other => (*other, *field),
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
        values: &[(Value, &RepresentationField)],
    ) -> KeyState {
        self.out.push(b'{');
        let head = first.typename(ty);
        self.out.extend_from_slice(head);
        let mut is_first = head.is_empty();
        for (_, members) in self.merged_members(ty, values) {
            if !is_first {
                self.out.push(b',');
            }
            is_first = false;
            self.out.extend_from_slice(&members[0].1.prefix);
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
        values: &[(Value, &'p RepresentationField)],
    ) -> Vec<MergedMember<'p>> {
        let mut merged: Vec<MergedMember<'p>> = Vec::new();
        for (value, field) in values {
            let (Value::Object(row), RepresentationValue::Object { fields, .. }) =
                (value, &field.value)
            else {
                continue;
            };
            let fields = fields
                .iter()
                .flat_map(|field| [field].into_iter().chain(&field.overlapping_fields));
            for field in fields.filter(|field| field.is_applicable(ty)) {
                let value = (self.tree.slot(*row, field.slot), field);
                match merged.iter_mut().find(|(name, _)| **name == *field.prefix) {
                    Some((_, values)) => values.push(value),
                    None => merged.push((&field.prefix, vec![value])),
                }
            }
        }
        merged
    }

    fn write_value(&mut self, value: Value, field: &RepresentationField) -> KeyState {
        match (value, &field.value) {
            (Value::Failed(failure), _) => KeyState::Failed(failure),
            (Value::List { start, len }, _) => self.write_list(start, len, field),
            (Value::Leaf(text), RepresentationValue::Leaf(leaf)) => {
                self.write_leaf(text, *leaf);
                KeyState::Known
            }
            (Value::Object(row), RepresentationValue::Object { fields, .. }) => {
                let head = field.typename(self.tree.type_of(row));
                self.write_object(row, head, fields)
            }
            _ if field.role == FieldRole::Requirement => {
                self.out.extend_from_slice(b"null");
                KeyState::Known
            }
            _ => KeyState::Missing,
        }
    }

    fn write_list(&mut self, start: u32, len: u32, field: &RepresentationField) -> KeyState {
        self.out.push(b'[');
        for (index, item) in self.tree.items(start, len).enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            let state = self.write_value(item, field);
            if state != KeyState::Known {
                return state;
            }
        }
        self.out.push(b']');
        KeyState::Known
    }

    fn write_leaf(&mut self, text: Text, leaf: LeafFormat) {
        let text = self.tree.text(text);
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        if leaf == LeafFormat::Id && !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) {
            self.out.push(b'"');
            self.out.extend_from_slice(text);
            self.out.push(b'"');
        } else {
            write_canonical(text, self.out);
        }
    }
}
