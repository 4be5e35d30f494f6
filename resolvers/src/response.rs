//! Response bodies of sources, read into rows of the tree.
//!
//! `mapping` compiles a connector's mapping for a fetch, and `rows` reads a body by it. `shape`
//! describes the `data` of a subgraph, and `read` reads a body by it. Both readers merge into the
//! values that other fetches wrote, and leave leaves in the body.

use crate::selection::PositionId;
use crate::tree::{Row, Tree, Value, Widths};

pub(crate) mod mapping;
pub(crate) mod read;
pub(crate) mod rows;
pub(crate) mod shape;
pub(crate) mod validity;

/// Null, unless another fetch already provided an object or a list.
fn null_unless_known(known: Value) -> Value {
    match known {
        Value::Object(_) | Value::List { .. } => known,
        Value::Absent | Value::Null | Value::Leaf(_) | Value::Failed(_) => Value::Null,
    }
}

/// The row of `known` if it is an object, else a new row; `None` if the execution holds too much.
fn known_or_new_row(tree: &mut Tree, at: PositionId, widths: &Widths, known: Value) -> Option<Row> {
    match known {
        Value::Object(row) => Some(row),
        _ => tree.add_object(at, widths),
    }
}

/// Start and length of `known` if it is a list of `count` values, else of a new list. `None`
/// if the execution holds too much.
fn known_or_new_list(tree: &mut Tree, count: usize, known: Value) -> Option<(u32, u32)> {
    let expected = u32::try_from(count).unwrap_or(u32::MAX);
    match known {
        Value::List { start, len } if len == expected => Some((start, len)),
        _ => tree.add_list(count),
    }
}

/// The index of the member that `is_match` accepts, searched from `next` on, then before it:
/// sources mostly return the members of an object in the order of the request.
fn position<T>(members: &[T], next: usize, is_match: impl Fn(&T) -> bool) -> Option<usize> {
    let (before, after) = members.split_at(next.min(members.len()));
    let behind = after.iter().position(&is_match);
    behind
        .map(|index| index + before.len())
        .or_else(|| before.iter().position(&is_match))
}
