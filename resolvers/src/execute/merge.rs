//! What a call brought, into the rows that wait for it.

use crate::error::FailureId;
use crate::plan::FetchSlots;
use crate::selection::{PositionId, Selection};
use crate::tree::{Row, Tree, Value};

/// Copies the slots that a fetch takes from one row to another, and what is inside of them where
/// both have it.
pub(crate) fn copy_slots(
    tree: &mut Tree,
    selection: &Selection,
    fetch_slots: &FetchSlots,
    (at, from, to): (PositionId, Row, Row),
) {
    for slot in fetch_slots
        .get(&at)
        .into_iter()
        .flat_map(|slots| slots.keys())
    {
        let value = tree.slot(from, *slot);
        merge_slot(tree, selection, fetch_slots, ((at, to, *slot), value));
    }
}

/// Writes one slot; where both have objects, the objects are merged.
pub(crate) fn merge_slot(
    tree: &mut Tree,
    selection: &Selection,
    fetch_slots: &FetchSlots,
    ((at, row, slot), value): ((PositionId, Row, usize), Value),
) {
    let known = tree.slot(row, slot);
    let merged = match selection.position(at).slots[slot].child {
        Some(child) => merged_value(tree, selection, fetch_slots, (child, value, known)),
        // What was not asked for here may have come from elsewhere.
        None if value == Value::Absent => known,
        None => value,
    };
    tree.set_slot(row, slot, merged);
}

fn merged_value(
    tree: &mut Tree,
    selection: &Selection,
    fetch_slots: &FetchSlots,
    (at, value, known): (PositionId, Value, Value),
) -> Value {
    match (value, known) {
        (Value::Object(from), Value::Object(to)) => {
            if let Some(ty) = tree.type_of(from) {
                tree.set_type(to, ty);
            }
            copy_slots(tree, selection, fetch_slots, (at, from, to));
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
                let pair = (at, tree.item(start, index), tree.item(known_start, index));
                let merged = merged_value(tree, selection, fetch_slots, pair);
                tree.set_item(known_start, index, merged);
            }
            known
        }
        // What is there stays when the other has nothing.
        (Value::Null, Value::Object(_) | Value::List { .. }) | (Value::Absent, _) => known,
        _ => value,
    }
}

/// Marks what a failed call was to bring; what others brought stays.
pub(crate) fn fail_slots(
    tree: &mut Tree,
    selection: &Selection,
    fetch_slots: &FetchSlots,
    (at, row, failure): (PositionId, Row, FailureId),
) {
    for slot in fetch_slots
        .get(&at)
        .into_iter()
        .flat_map(|slots| slots.keys())
    {
        let child = selection.position(at).slots[*slot].child;
        let value = tree.slot(row, *slot);
        let value = fail_value(tree, selection, fetch_slots, (child, value, failure));
        tree.set_slot(row, *slot, value);
    }
}

fn fail_value(
    tree: &mut Tree,
    selection: &Selection,
    fetch_slots: &FetchSlots,
    (child, value, failure): (Option<PositionId>, Value, FailureId),
) -> Value {
    match (value, child) {
        (Value::Absent, _) => Value::Failed(failure),
        (Value::Object(row), Some(child)) => {
            fail_slots(tree, selection, fetch_slots, (child, row, failure));
            value
        }
        (Value::List { start, len }, Some(_)) => {
            for index in 0..len {
                let item = tree.item(start, index);
                let item = fail_value(tree, selection, fetch_slots, (child, item, failure));
                tree.set_item(start, index, item);
            }
            value
        }
        _ => value,
    }
}
