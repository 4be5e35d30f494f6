//! Equality of values.
//!
//! Values are equal as JSON: members in any order, `1` is not `1.0`. `Depth::Top` compares numbers
//! by value, at the top level only. Integers of any length are compared exactly.

use std::cmp::Ordering;

use super::Call;
use super::objects::{HASHED_MEMBER_COST, members};
use crate::json::{Fields, List, Value, View, number};
use crate::mapping::eval::Evaluation;

/// Whether numbers compare by value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// By value: `1` equals `1.0`, but `[1]` does not equal `[1.0]`.
    Top,
    /// As JSON: `1` does not equal `1.0`.
    Inside,
}

/// Whether two values are equal; `None` if the evaluation runs out of work.
pub(super) fn equal<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
    left: &Value<'a>,
    right: &Value<'a>,
    depth: Depth,
) -> Option<bool> {
    call.spend(run, 1)?;
    Some(match (left.view(), right.view()) {
        (View::Null, View::Null) => true,
        (View::Bool(left), View::Bool(right)) => left == right,
        (View::Number(left), View::Number(right)) if depth == Depth::Top => {
            number::compare(left, right) == Some(Ordering::Equal)
        }
        (View::Number(left), View::Number(right)) => number::is_same_number(left, right),
        (View::String(left), View::String(right)) => {
            call.spend(run, left.len().min(right.len()) / 8)?;
            left == right
        }
        (View::List(left), View::List(right)) => equal_lists(run, call, left, right)?,
        (View::Object(left), View::Object(right)) => equal_objects(run, call, left, right)?,
        _ => false,
    })
}

fn equal_lists<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
    left: List<'_, 'a>,
    right: List<'_, 'a>,
) -> Option<bool> {
    if left.len() != right.len() {
        return Some(false);
    }
    for (left, right) in left.iter().zip(right.iter()) {
        if !equal(run, call, &left, &right, Depth::Inside)? {
            return Some(false);
        }
    }
    Some(true)
}

fn equal_objects<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
    left: Fields<'_, 'a>,
    right: Fields<'_, 'a>,
) -> Option<bool> {
    call.spend(
        run,
        (left.len() + right.len()).saturating_mul(HASHED_MEMBER_COST),
    )?;
    // Collected for unique keys and lookup in constant time.
    let left = members(left);
    let right = members(right);
    if left.len() != right.len() {
        return Some(false);
    }
    for (key, value) in left.iter() {
        let Some(other) = right.get(key) else {
            return Some(false);
        };
        if !equal(run, call, value, other, Depth::Inside)? {
            return Some(false);
        }
    }
    Some(true)
}
