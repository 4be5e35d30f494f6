//! Values of the tree as inputs of a fetch: where they are, and whether they can be sent.

use super::{Row, Tree, Value};
use crate::error::FailureId;
use crate::selection::PositionId;

/// The place of one value: a slot of an object, or an element of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ValueIndex(u32);

/// State of the key and the requirements of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyState {
    /// All fields have values.
    Known,
    /// A key field is null or absent, so the entity cannot be fetched.
    Missing,
    /// A call that was to provide a field failed.
    Failed(FailureId),
    /// A required field has a value that its type does not allow.
    Invalid(InvalidValue),
}

/// A value that its type does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidValue {
    pub(crate) index: ValueIndex,
    /// The position and the slot of the field that has it.
    pub(crate) at: PositionId,
    pub(crate) slot: usize,
    /// Whether it is a null; else it has another type.
    pub(crate) is_null: bool,
}

impl Tree {
    pub(crate) fn slot_index(row: Row, slot: usize) -> ValueIndex {
        ValueIndex(
            row.0
                .saturating_add(u32::try_from(slot).unwrap_or(u32::MAX)),
        )
    }

    pub(crate) fn item_index(start: u32, index: u32) -> ValueIndex {
        ValueIndex(start.saturating_add(index))
    }

    pub(crate) fn value(&self, at: ValueIndex) -> Value {
        self.values[at.0 as usize]
    }

    pub(crate) fn set_value(&mut self, at: ValueIndex, value: Value) {
        self.values[at.0 as usize] = value;
    }
}
