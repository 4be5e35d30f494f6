//! What a service is told of an entity: `{"__typename":"Product","id":"1"}`, compiled from the
//! key and the requirements, written from the slots that hold them.

use schema::types::{Name, Scalar, TypeId, TypeKind, TypeRef, Types};

use crate::plan::EntrySelection;
use crate::selection::{KeySlot, PositionId, Selection, applies};
use crate::tree::{KeyState, Row, Text, Tree, Value, write_canonical};

/// The JSON of one entity, but for its values.
#[derive(Debug)]
pub(crate) struct Representation {
    /// `"__typename":"Product"`; nothing for root fields.
    head: Box<[u8]>,
    fields: Vec<RepresentationField>,
}

/// A member of an object.
#[derive(Debug)]
struct RepresentationField {
    /// `"name":`.
    prefix: Box<[u8]>,
    slot: usize,
    /// Of objects of these types only; `None`: of all.
    on: Option<Vec<TypeId>>,
    role: FieldRole,
    value: RepresentationValue,
    /// The same member with other members inside, which are held in slots of their own.
    overlapping_fields: Vec<Self>,
}

/// What a value that is not there means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FieldRole {
    /// The object cannot be asked for.
    Key,
    /// The service is told null.
    Requirement,
}

#[derive(Debug)]
enum RepresentationValue {
    Leaf(LeafFormat),
    Object {
        /// `"__typename":"Book"`, by type, where several are possible.
        typenames: Vec<(TypeId, Box<[u8]>)>,
        fields: Vec<RepresentationField>,
    },
}

/// How a leaf is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LeafFormat {
    Verbatim,
    /// Integers become text, as services write ids.
    Id,
}

/// What compiling needs at every step.
pub(super) struct RepresentationCompiler<'a> {
    pub(super) types: &'a Types,
    pub(super) selection: &'a Selection,
}

impl Representation {
    /// Of the objects at a place that a service is asked for as `type_name`.
    pub(super) fn new(
        compile: &RepresentationCompiler<'_>,
        type_name: &Name,
        (at, entered): (PositionId, &EntrySelection),
    ) -> Self {
        let mut fields = Vec::new();
        compile.add((at, FieldRole::Key), &entered.key, &mut fields);
        compile.add((at, FieldRole::Requirement), &entered.requires, &mut fields);
        Self {
            head: typename_member(type_name),
            fields,
        }
    }

    /// Of the root, of which nothing is told.
    pub(super) fn empty() -> Self {
        Self {
            head: Box::default(),
            fields: Vec::new(),
        }
    }

    /// Appends the JSON of the object in `row`; what is appended counts only if all is known.
    pub(crate) fn write(&self, tree: &Tree, row: Row, out: &mut Vec<u8>) -> KeyState {
        if self.head.is_empty() {
            return KeyState::Known;
        }
        let mut write = RepresentationWriter { tree, out };
        write.write_object(row, &self.head, &self.fields)
    }
}

impl RepresentationCompiler<'_> {
    fn add(
        &self,
        (at, role): (PositionId, FieldRole),
        slots: &[KeySlot],
        parts: &mut Vec<RepresentationField>,
    ) {
        for key in slots {
            let new = self.field(at, role, key);
            let overlapping = parts
                .iter_mut()
                .find(|part| part.prefix == new.prefix && part.on == new.on);
            let same = match overlapping {
                Some(twin) if twin.slot != key.slot => &mut twin.overlapping_fields,
                _ => &mut *parts,
            };
            let known = same.iter().position(|part| part.slot == key.slot);
            let index = known.unwrap_or(same.len());
            match same.get_mut(index) {
                Some(part) => part.on = union_of_types(part.on.take(), key.on.as_deref()),
                None => same.push(new),
            }
            self.add_inner((at, role), key, &mut same[index]);
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
        (at, role): (PositionId, FieldRole),
        key: &KeySlot,
        part: &mut RepresentationField,
    ) {
        let child = self.selection.position(at).slots[key.slot].child;
        if let (Some(child), RepresentationValue::Object { fields: parts, .. }) =
            (child, &mut part.value)
        {
            self.add((child, role), &key.inner, parts);
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

/// Objects of either's types.
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

    /// `"__typename":"Book"`, where it must be said of which type the object is.
    fn typename(&self, ty: Option<TypeId>) -> &[u8] {
        let RepresentationValue::Object {
            typenames: names, ..
        } = &self.value
        else {
            return &[];
        };
        let mut names = names.iter();
        let name = names.find(|(known, _)| Some(*known) == ty);
        name.map_or(&[], |(_, name)| name)
    }
}

/// A name, and the values that are one value.
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
    fn write_object(&mut self, row: Row, head: &[u8], parts: &[RepresentationField]) -> KeyState {
        self.out.push(b'{');
        self.out.extend_from_slice(head);
        let mut is_first = head.is_empty();
        let ty = self.tree.type_of(row);
        for part in parts {
            if !part.is_applicable(ty) {
                continue;
            }
            if !is_first {
                self.out.push(b',');
            }
            is_first = false;
            self.out.extend_from_slice(&part.prefix);
            let value = self.tree.slot(row, part.slot);
            let state = if part.overlapping_fields.is_empty() {
                self.write_value(value, part)
            } else {
                let twins = part.overlapping_fields.iter();
                let twins = twins.map(|twin| (self.tree.slot(row, twin.slot), twin));
                self.write_merged(&[(value, part)].into_iter().chain(twins).collect::<Vec<_>>())
            };
            if state != KeyState::Known {
                return state;
            }
        }
        self.out.push(b'}');
        KeyState::Known
    }

    /// One value whose members are held in several slots.
    fn write_merged(&mut self, values: &[(Value, &RepresentationField)]) -> KeyState {
        let Some((first, part)) = values.first().copied() else {
            return KeyState::Missing;
        };
        let other = values
            .iter()
            .find(|(value, _)| !has_same_structure(*value, first));
        match (first, other) {
            // One of the fetches brought nothing, so nothing can be told.
            (_, Some((value, part))) if !matches!(value, Value::Object(_) | Value::List { .. }) => {
                self.write_value(*value, part)
            }
            (_, Some(_)) => KeyState::Missing,
            (Value::List { len, .. }, None) => self.write_merged_list(len, values),
            (Value::Object(row), None) => {
                let ty = self.tree.type_of(row);
                self.write_merged_object(ty, part, values)
            }
            (value, None) => self.write_value(value, part),
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
            let items = values.iter().map(|(value, part)| match value {
                Value::List { start, .. } => (self.tree.item(*start, index), *part),
                other => (*other, *part),
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

    /// The members of objects that are one object, each name once.
    fn merged_members<'p>(
        &self,
        ty: Option<TypeId>,
        values: &[(Value, &'p RepresentationField)],
    ) -> Vec<MergedMember<'p>> {
        let mut found: Vec<MergedMember<'p>> = Vec::new();
        for (value, part) in values {
            let (Value::Object(row), RepresentationValue::Object { fields: parts, .. }) =
                (value, &part.value)
            else {
                continue;
            };
            let parts = parts
                .iter()
                .flat_map(|part| [part].into_iter().chain(&part.overlapping_fields));
            for part in parts.filter(|part| part.is_applicable(ty)) {
                let value = (self.tree.slot(*row, part.slot), part);
                match found.iter_mut().find(|(name, _)| **name == *part.prefix) {
                    Some((_, same)) => same.push(value),
                    None => found.push((&part.prefix, vec![value])),
                }
            }
        }
        found
    }

    fn write_value(&mut self, value: Value, part: &RepresentationField) -> KeyState {
        match (value, &part.value) {
            (Value::Failed(failure), _) => KeyState::Failed(failure),
            (Value::List { start, len }, _) => self.write_list((start, len), part),
            (Value::Leaf(text), RepresentationValue::Leaf(leaf)) => {
                self.write_leaf(text, *leaf);
                KeyState::Known
            }
            (Value::Object(row), RepresentationValue::Object { fields: parts, .. }) => {
                let name = part.typename(self.tree.type_of(row));
                self.write_object(row, name, parts)
            }
            _ if part.role == FieldRole::Requirement => {
                self.out.extend_from_slice(b"null");
                KeyState::Known
            }
            _ => KeyState::Missing,
        }
    }

    fn write_list(&mut self, (start, len): (u32, u32), part: &RepresentationField) -> KeyState {
        self.out.push(b'[');
        for index in 0..len {
            if index > 0 {
                self.out.push(b',');
            }
            let state = self.write_value(self.tree.item(start, index), part);
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
