//! Representations of entities: `{"__typename":"Product","id":"1"}`, compiled from the key and the
//! requirements of a fetch, and written from the slots that hold them.

use schema::operation::Variables;
use schema::source::Source;
use schema::types::{Name, Scalar, TypeId, TypeKind, TypeRef, Types};

use self::write::RepresentationWriter;
use crate::leaf::{KeyLeaf, Leaf};
use crate::plan::EntrySelection;
use crate::selection::{Condition, KeySlot, PositionId, Selection, applies};
use crate::tree::{KeyState, Row, Tree};

mod write;

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
    /// The type of a required field; `None` for a part of the key.
    value_type: Option<ValueType>,
    /// It is written if this holds; `None`: always.
    condition: Option<Condition>,
    value: RepresentationValue,
    /// Fields of the same name with other nested members, held in other slots.
    overlapping_fields: Vec<Self>,
}

/// Decides what a missing value means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FieldRole {
    /// Without a value the entity cannot be fetched.
    Key,
    /// Without a value, null is sent where the type allows it.
    Requirement,
}

/// The type of a required field, which its values must have to be sent.
#[derive(Debug)]
struct ValueType {
    /// The position of the field.
    at: PositionId,
    ty: TypeRef,
    /// The values of its leaves.
    leaf: Leaf,
}

/// What a slot is written for.
#[derive(Clone, Copy)]
struct FieldUse<'c> {
    role: FieldRole,
    condition: Option<&'c Condition>,
}

/// The row of an entity, and the values that decide which of its requirements are sent.
#[derive(Clone, Copy)]
pub(crate) struct RepresentedRow<'t> {
    pub(crate) tree: &'t Tree,
    pub(crate) variables: &'t Variables,
    pub(crate) row: Row,
}

#[derive(Debug)]
enum RepresentationValue {
    Leaf(KeyLeaf),
    Object {
        /// `"__typename":"Book"` by type, at abstract positions and for objects without fields.
        typenames: Vec<(TypeId, Box<[u8]>)>,
        fields: Vec<RepresentationField>,
    },
}

/// Compiles keys and requirements to fields of representations.
pub(super) struct RepresentationCompiler<'a> {
    pub(super) types: &'a Types,
    pub(super) selection: &'a Selection,
    pub(super) source: &'a Source,
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
        let key = FieldUse {
            role: FieldRole::Key,
            condition: None,
        };
        compiler.add(at, key, &entry.key, &mut fields);
        for required in &entry.requires {
            let value = std::slice::from_ref(&required.value);
            let condition = &required.condition;
            let requirement = FieldUse {
                role: FieldRole::Requirement,
                condition: Some(condition).filter(|it| !it.is_always()),
            };
            compiler.add(at, requirement, value, &mut fields);
        }
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
    pub(crate) fn write(&self, represented: RepresentedRow<'_>, out: &mut Vec<u8>) -> KeyState {
        if self.head.is_empty() {
            return KeyState::Known;
        }
        let RepresentedRow {
            tree,
            variables,
            row,
        } = represented;
        let mut writer = RepresentationWriter {
            tree,
            variables,
            out,
        };
        writer.write_object(row, &self.head, &self.fields)
    }
}

impl RepresentationCompiler<'_> {
    fn add(
        &self,
        at: PositionId,
        field_use: FieldUse<'_>,
        slots: &[KeySlot],
        fields: &mut Vec<RepresentationField>,
    ) {
        for key in slots {
            let new = self.field(at, field_use, key);
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
                Some(field) => {
                    field.on = union_of_types(field.on.take(), key.on.as_deref());
                    field.condition = either_condition(field.condition.take(), new.condition);
                }
                None => siblings.push(new),
            }
            self.add_inner(at, field_use.role, key, &mut siblings[index]);
        }
    }

    fn field(&self, at: PositionId, field_use: FieldUse<'_>, key: &KeySlot) -> RepresentationField {
        let slot = &self.selection.position(at).slots[key.slot];
        let value = match slot.child {
            Some(child) => RepresentationValue::Object {
                typenames: self.typename_members(child, key),
                fields: Vec::new(),
            },
            None => RepresentationValue::Leaf(leaf_form(field_use.role, key.leaf)),
        };
        RepresentationField {
            prefix: format!("\"{}\":", key.name).into_bytes().into(),
            slot: key.slot,
            on: key.on.clone(),
            value_type: match field_use.role {
                FieldRole::Key => None,
                FieldRole::Requirement => Some(ValueType {
                    at,
                    ty: slot.ty.clone(),
                    leaf: self.leaf(slot.ty.named_type()),
                }),
            },
            condition: field_use.condition.cloned(),
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
            let condition = None; // That of the enclosing field applies.
            self.add(child, FieldUse { role, condition }, &key.inner, fields);
        }
    }

    /// `"__typename":"Book"` by type, for an abstract position or for a value without fields.
    fn typename_members(&self, at: PositionId, key: &KeySlot) -> Vec<(TypeId, Box<[u8]>)> {
        let position = self.selection.position(at);
        if !position.is_abstract(self.types) && !key.inner.is_empty() {
            return Vec::new();
        }
        let possible = self.types.get(position.ty).possible_types.iter();
        possible
            .map(|ty| {
                let name = self.source.own_type_name(&self.types.get(*ty).name);
                (*ty, typename_member(name))
            })
            .collect()
    }

    /// The values of a leaf type; those that clients do not see are values too.
    fn leaf(&self, ty: TypeId) -> Leaf {
        match &self.types.get(ty).kind {
            TypeKind::Enum(values) => Leaf::from_enum_values(values.iter()),
            TypeKind::Scalar(scalar) => Leaf::Scalar(*scalar),
            TypeKind::Object(_)
            | TypeKind::Interface(_)
            | TypeKind::Union
            | TypeKind::InputObject(_) => Leaf::Scalar(Scalar::Custom),
        }
    }
}

/// The form in which a leaf is written: one entity has one key, and a requirement is computed with,
/// so it keeps its digits.
fn leaf_form(role: FieldRole, leaf: KeyLeaf) -> KeyLeaf {
    match (role, leaf) {
        (FieldRole::Requirement, KeyLeaf::Int | KeyLeaf::Float) => KeyLeaf::Exact,
        (FieldRole::Requirement | FieldRole::Key, leaf) => leaf,
    }
}

/// The union of two type conditions; `None` is all types.
fn union_of_types(on: Option<Vec<TypeId>>, more: Option<&[TypeId]>) -> Option<Vec<TypeId>> {
    let (mut on, more) = on.zip(more)?;
    on.extend_from_slice(more);
    Some(on)
}

/// The condition under which one of two holds; `None` is always.
fn either_condition(first: Option<Condition>, second: Option<Condition>) -> Option<Condition> {
    let (mut either, second) = first.zip(second)?;
    either.or(&second);
    Some(either)
}

/// `"__typename":"Product"`.
fn typename_member(name: &str) -> Box<[u8]> {
    format!("\"__typename\":\"{name}\"").into_bytes().into()
}

impl RepresentationField {
    /// The type of its values inside of this number of lists; `None` for a part of the key.
    fn type_inside(&self, lists: usize) -> Option<&TypeRef> {
        let mut ty = &self.value_type.as_ref()?.ty;
        for _ in 0..lists {
            if let TypeRef::List(inner, _) = ty {
                ty = inner;
            }
        }
        Some(ty)
    }

    fn is_applicable(&self, ty: Option<TypeId>) -> bool {
        applies(self.on.as_deref(), ty)
    }

    /// `"__typename":"Book"` for an object at an abstract position, or without fields; else empty.
    fn typename(&self, ty: Option<TypeId>) -> &[u8] {
        let RepresentationValue::Object { typenames, .. } = &self.value else {
            return &[];
        };
        let typename = match typenames.as_slice() {
            [only] => Some(only),
            typenames => typenames.iter().find(|(known, _)| Some(*known) == ty),
        };
        typename.map_or(&[], |(_, member)| member)
    }
}
