//! Merges what a fetch returned into the rows that wait for it.

use crate::error::FailureId;
use crate::plan::FetchSlots;
use crate::selection::{PositionId, Selection};
use crate::tree::{Row, SlotRef, Tree, Value};

/// Merges the slots of one fetch.
pub(super) struct Merge<'t> {
    pub(super) tree: &'t mut Tree,
    pub(super) selection: &'t Selection,
    /// The slots that the fetch fills.
    pub(super) slots: &'t FetchSlots,
}

impl<'t> Merge<'t> {
    /// Copies the fetch's slots from one row to another; nested objects that both have are merged.
    pub(super) fn copy_slots(&mut self, position: PositionId, from: Row, to: Row) {
        for slot in self.slots_at(position) {
            let value = self.tree.slot(from, slot);
            let row = to;
            self.set_slot(
                SlotRef {
                    position,
                    row,
                    slot,
                },
                value,
            );
        }
    }

    /// Writes one slot; where it already has an object, the objects are merged.
    pub(super) fn set_slot(&mut self, at: SlotRef, value: Value) {
        let known = self.tree.slot(at.row, at.slot);
        let merged = match self.child(at.position, at.slot) {
            Some(child) => self.merged_value(child, value, known),
            // Another fetch may have filled a slot that this one did not request.
            None if value == Value::Absent => known,
            None => value,
        };
        self.tree.set_slot(at.row, at.slot, merged);
    }

    fn merged_value(&mut self, position: PositionId, value: Value, known: Value) -> Value {
        match (value, known) {
            (Value::Object(from), Value::Object(to)) => {
                if let Some(ty) = self.tree.type_of(from) {
                    self.tree.set_type(to, ty);
                }
                self.copy_slots(position, from, to);
                known
            }
            (
                Value::List { start, len },
                Value::List {
                    start: known_start,
                    len: known_len,
                },
            ) if len == known_len => {
                for index in 0..len {
                    let item = self.tree.item(start, index);
                    let known = self.tree.item(known_start, index);
                    let merged = self.merged_value(position, item, known);
                    self.tree.set_item(known_start, index, merged);
                }
                known
            }
            // A null does not remove what another fetch returned.
            (Value::Null, Value::Object(_) | Value::List { .. }) | (Value::Absent, _) => known,
            _ => value,
        }
    }

    /// Marks the fetch's slots as failed; values of other fetches stay.
    pub(super) fn fail_slots(&mut self, position: PositionId, row: Row, failure: FailureId) {
        for slot in self.slots_at(position) {
            let child = self.child(position, slot);
            let value = self.tree.slot(row, slot);
            let value = self.failed_value(child, value, failure);
            self.tree.set_slot(row, slot, value);
        }
    }

    fn failed_value(
        &mut self,
        child: Option<PositionId>,
        value: Value,
        failure: FailureId,
    ) -> Value {
        match (value, child) {
            (Value::Absent, _) => return Value::Failed(failure),
            (Value::Object(row), Some(child)) => self.fail_slots(child, row, failure),
            (Value::List { start, len }, Some(_)) => {
                for index in 0..len {
                    let item = self.tree.item(start, index);
                    let item = self.failed_value(child, item, failure);
                    self.tree.set_item(start, index, item);
                }
            }
            _ => {}
        }
        value
    }

    fn child(&self, position: PositionId, slot: usize) -> Option<PositionId> {
        self.selection.position(position).slots[slot].child
    }

    fn slots_at(&self, position: PositionId) -> impl Iterator<Item = usize> + use<'t> {
        let slots: &FetchSlots = self.slots;
        let slots = slots.get(&position).into_iter();
        slots.flat_map(|slots| slots.keys().copied())
    }
}
