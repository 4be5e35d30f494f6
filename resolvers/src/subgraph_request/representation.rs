//! Representations of entities: `{"__typename":"Product","id":"1"}`, compiled from the key and the
//! requirements of a fetch, and written from the slots that hold them.

use schema::types::{Name, Scalar, TypeId, TypeKind, TypeRef, Types};

use crate::plan::EntrySelection;
use crate::selection::{KeySlot, PositionId, Selection, applies};
use crate::tree::{KeyState, Row, Text, Tree, Value, write_canonical};

/// The representation of entities of one type, without values.
#[derive(Debug)]
pub(crate) struct Representation {
    /// `"__typename":"Product"`; empty for root fields.
    head: Box<[u8]>,
    fields: Vec<RepresentationField>,
}

/// A member of a representation, or of an object nested in it.
#[derive(Debug)]
struct RepresentationField {
    /// `"name":`.
    prefix: Box<[u8]>,
    slot: usize,
    /// Types of the objects that have it; `None`: all.
    on: Option<Vec<TypeId>>,
    role: FieldRole,
    value: RepresentationValue,
    /// Fields of the same name with other nested members, held in other slots.
    overlapping_fields: Vec<Self>,
}

/// Decides what a missing value means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FieldRole {
    /// Without a value the entity cannot be fetched.
    Key,
    /// Without a value, null is sent.
    Requirement,
}

#[derive(Debug)]
enum RepresentationValue {
    Leaf(LeafFormat),
    Object {
        /// `"__typename":"Book"` by type, at abstract positions.
        typenames: Vec<(TypeId, Box<[u8]>)>,
        fields: Vec<RepresentationField>,
    },
}

/// How a leaf is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LeafFormat {
    Verbatim,
    /// Integers become strings, so that one id has one form.
    Id,
}

/// Compiles keys and requirements to fields of representations.
pub(super) struct RepresentationCompiler<'a> {
    pub(super) types: &'a Types,
    pub(super) selection: &'a Selection,
}

impl Representation {
    /// Compiles the representation of entities at position `at` whose type the subgraph calls
    /// `type_name`.
    pub(super) fn new(
        compiler: &RepresentationCompiler<'_>,
        type_name: &Name,
        at: PositionId,
        entry: &EntrySelection,
    ) -> Self {
        let mut fields = Vec::new();
        compiler.add(at, FieldRole::Key, &entry.key, &mut fields);
        compiler.add(at, FieldRole::Requirement, &entry.requires, &mut fields);
        Self {
            head: typename_member(type_name),
            fields,
        }
    }

    /// The representation for root fields, which have none.
    pub(super) fn empty() -> Self {
        Self {
            head: Box::default(),
            fields: Vec::new(),
        }
    }

    /// Appends the representation of the entity in `row`; the caller truncates it unless the state
    /// is `Known`.
    pub(crate) fn write(&self, tree: &Tree, row: Row, out: &mut Vec<u8>) -> KeyState {
        if self.head.is_empty() {
            return KeyState::Known;
        }
        let mut writer = RepresentationWriter { tree, out };
        writer.write_object(row, &self.head, &self.fields)
    }
}

impl RepresentationCompiler<'_> {
    fn add(
        &self,
        at: PositionId,
        role: FieldRole,
        slots: &[KeySlot],
        fields: &mut Vec<RepresentationField>,
    ) {
        for key in slots {
            let new = self.field(at, role, key);
            let overlapping = fields
                .iter_mut()
                .find(|field| field.prefix == new.prefix && field.on == new.on);
            let siblings = match overlapping {
                Some(field) if field.slot != key.slot => &mut field.overlapping_fields,
                _ => &mut *fields,
            };
            let known = siblings.iter().position(|field| field.slot == key.slot);
            let index = known.unwrap_or(siblings.len());
            match siblings.get_mut(index) {
                Some(field) => field.on = union_of_types(field.on.take(), key.on.as_deref()),
                None => siblings.push(new),
            }
            self.add_inner(at, role, key, &mut siblings[index]);
        }
    }

    fn field(&self, at: PositionId, role: FieldRole, key: &KeySlot) -> RepresentationField {
        let slot = &self.selection.position(at).slots[key.slot];
        let value = match slot.child {
            Some(child) => RepresentationValue::Object {
                typenames: self.typename_members(child),
                fields: Vec::new(),
            },
            None => RepresentationValue::Leaf(self.leaf_format(&slot.ty)),
        };
        RepresentationField {
            prefix: format!("\"{}\":", key.name).into_bytes().into(),
            slot: key.slot,
            on: key.on.clone(),
            role,
            value,
            overlapping_fields: Vec::new(),
        }
    }

    fn add_inner(
        &self,
        at: PositionId,
        role: FieldRole,
        key: &KeySlot,
        field: &mut RepresentationField,
    ) {
        let child = self.selection.position(at).slots[key.slot].child;
        if let (Some(child), RepresentationValue::Object { fields, .. }) = (child, &mut field.value)
        {
            self.add(child, role, &key.inner, fields);
        }
    }

    fn typename_members(&self, at: PositionId) -> Vec<(TypeId, Box<[u8]>)> {
        let position = self.selection.position(at);
        if !position.is_abstract(self.types) {
            return Vec::new();
        }
        let possible = self.types.get(position.ty).possible_types.iter();
        possible
            .map(|ty| (*ty, typename_member(&self.types.get(*ty).name)))
            .collect()
    }

    fn leaf_format(&self, ty: &TypeRef) -> LeafFormat {
        match self.types.get(ty.named_type()).kind {
            TypeKind::Scalar(Scalar::Id) => LeafFormat::Id,
            _ => LeafFormat::Verbatim,
        }
    }
}

/// The union of two type conditions; `None` is all types.
fn union_of_types(on: Option<Vec<TypeId>>, more: Option<&[TypeId]>) -> Option<Vec<TypeId>> {
    let (mut on, more) = on.zip(more)?;
    on.extend_from_slice(more);
    Some(on)
}

/// `"__typename":"Product"`.
fn typename_member(name: &str) -> Box<[u8]> {
    format!("\"__typename\":\"{name}\"").into_bytes().into()
}

impl RepresentationField {
    fn is_applicable(&self, ty: Option<TypeId>) -> bool {
        applies(self.on.as_deref(), ty)
    }

    /// `"__typename":"Book"` for an object at an abstract position; else empty.
    fn typename(&self, ty: Option<TypeId>) -> &[u8] {
        let RepresentationValue::Object { typenames, .. } = &self.value else {
            return &[];
        };
        let mut typenames = typenames.iter();
        let typename = typenames.find(|(known, _)| Some(*known) == ty);
        typename.map_or(&[], |(_, member)| member)
    }
}

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

struct RepresentationWriter<'t> {
    tree: &'t Tree,
    out: &'t mut Vec<u8>,
}

impl RepresentationWriter<'_> {
    fn write_object(&mut self, row: Row, head: &[u8], fields: &[RepresentationField]) -> KeyState {
        self.out.push(b'{');
        self.out.extend_from_slice(head);
        let mut is_first = head.is_empty();
        let ty = self.tree.type_of(row);
        for field in fields {
            if !field.is_applicable(ty) {
                continue;
            }
            if !is_first {
                self.out.push(b',');
            }
            is_first = false;
            self.out.extend_from_slice(&field.prefix);
            let value = self.tree.slot(row, field.slot);
            let state = if field.overlapping_fields.is_empty() {
                self.write_value(value, field)
            } else {
                let others = field.overlapping_fields.iter();
                let others = others.map(|other| (self.tree.slot(row, other.slot), other));
                self.write_merged(
                    &[(value, field)]
                        .into_iter()
                        .chain(others)
                        .collect::<Vec<_>>(),
                )
            };
            if state != KeyState::Known {
                return state;
            }
        }
        self.out.push(b'}');
        KeyState::Known
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
