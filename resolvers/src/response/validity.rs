//! Whether the values that a fetch has given are values of their types: what causes an error of the
//! response is not cached.

use schema::types::{Nullability, TypeId, TypeKind, TypeRef, Types};

use crate::leaf::{Leaf, is_enum_value};
use crate::plan::{Fetch, FetchSlots};
use crate::selection::{PositionId, Selection, Slot};
use crate::tree::{Row, Tree, Value};

/// The values of one fetch in the tree.
#[derive(Clone, Copy)]
pub(crate) struct FetchedValues<'a> {
    pub(crate) types: &'a Types,
    pub(crate) selection: &'a Selection,
    pub(crate) slots: &'a FetchSlots,
    pub(crate) tree: &'a Tree,
}

impl FetchedValues<'_> {
    /// Whether all that the fetch has given in a row is valid.
    pub(crate) fn is_valid(self, fetch: &Fetch, row: Row) -> bool {
        match fetch.field_slot {
            Some(slot) => self.is_slot_valid(fetch.at, slot, row),
            None => self.is_object_valid(fetch.at, row),
        }
    }

    fn is_object_valid(self, at: PositionId, row: Row) -> bool {
        let Some(slots) = self.slots.get(&at) else {
            return true;
        };
        let ty = self.tree.type_of(row);
        slots
            .iter()
            .filter(|(_, on)| ty.is_none_or(|ty| on.contains(&ty)))
            .all(|(slot, _)| self.is_slot_valid(at, *slot, row))
    }

    fn is_slot_valid(self, at: PositionId, slot: usize, row: Row) -> bool {
        let value = self.tree.slot(row, slot);
        let slot = &self.selection.position(at).slots[slot];
        self.is_value_valid(value, &slot.ty, slot)
    }

    fn is_value_valid(self, value: Value, ty: &TypeRef, slot: &Slot) -> bool {
        match (value, ty) {
            (Value::Null, ty) => ty.nullability() == Nullability::Nullable,
            // Missing, perhaps because a condition excludes it; or an error has been recorded.
            (Value::Absent | Value::Failed(_), _) => true,
            (Value::List { start, len }, TypeRef::List(item, _)) => {
                let mut items = self.tree.items(start, len);
                items.all(|value| self.is_value_valid(value, item, slot))
            }
            (Value::Object(row), TypeRef::Named(..)) => {
                let child = slot.child;
                child.is_some_and(|child| self.is_object_valid(child, row))
            }
            (Value::Leaf(text), TypeRef::Named(named, _)) => {
                is_leaf_value(self.types, *named, self.tree.text(text))
            }
            (Value::List { .. }, TypeRef::Named(..))
            | (Value::Object(_) | Value::Leaf(_), TypeRef::List(..)) => false,
        }
    }
}

/// Whether JSON text is a value of a leaf type.
pub(crate) fn is_leaf_value(types: &Types, ty: TypeId, text: &[u8]) -> bool {
    match &types.get(ty).kind {
        TypeKind::Scalar(scalar) => Leaf::Scalar(*scalar).is_value(text),
        TypeKind::Enum(values) => is_enum_value(values, text),
        TypeKind::Object(_)
        | TypeKind::Interface(_)
        | TypeKind::Union
        | TypeKind::InputObject(_) => false,
    }
}
