//! Methods on lists, and on both lists and strings.
//!
//! Positions in strings count UTF-8 bytes, as the specification requires; a cut inside a character
//! is moved back to its start, so that the result is valid UTF-8.

use std::borrow::Cow;

use super::equal::{Depth, equal};
use super::objects::{HASHED_MEMBER_COST, members};
use super::{Arity, Call};
use crate::json::number::Number;
use crate::json::{List, Value, View};
use crate::mapping::ast::Expr;
use crate::mapping::eval::Evaluation;
use crate::mapping::report::ReportKind;

pub(super) fn map<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    let expr = call.needed_argument(run, Arity::AtLeastOne)?;
    let View::List(list) = call.view() else {
        let value = call.argument(run, 0)?;
        return Some(Value::list(vec![value]));
    };
    let mut mapped = Vec::with_capacity(list.len());
    for (index, element) in list.iter().enumerate() {
        call.spend(run, 1)?;
        let value = call.for_element(run, expr, index, &element);
        mapped.push(value.unwrap_or(Value::Null));
    }
    Some(Value::list(mapped))
}

pub(super) fn filter<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    let expr = call.needed_argument(run, Arity::AtLeastOne)?;
    let View::List(list) = call.view() else {
        let selected = condition(run, call, expr)?.then(|| call.input().clone());
        return Some(Value::list(selected.into_iter().collect()));
    };
    let mut selected = Vec::new();
    let mut is_valid = true;
    for (index, element) in list.iter().enumerate() {
        call.spend(run, 1)?;
        match call.condition_for(run, expr, index, &element) {
            Some(true) => selected.push(element),
            Some(false) => {}
            // Continues, so that all invalid conditions are reported.
            None => is_valid = false,
        }
    }
    is_valid.then(|| Value::list(selected))
}

pub(super) fn find<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    let expr = call.needed_argument(run, Arity::AtLeastOne)?;
    let View::List(list) = call.view() else {
        return condition(run, call, expr)?.then(|| call.input().clone());
    };
    for (index, element) in list.iter().enumerate() {
        call.spend(run, 1)?;
        if call.condition_for(run, expr, index, &element)? {
            return Some(element);
        }
    }
    None
}

fn condition<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
    expr: &'a Expr,
) -> Option<bool> {
    let value = call.value_of(run, expr);
    call.boolean(run, value.as_ref(), call.scope.at.trail)
}

pub(super) fn contains<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    call.needed_argument(run, Arity::Exact)?;
    let View::List(list) = call.view() else {
        return call.bad_input(run, "a list");
    };
    let wanted = call.argument(run, 0)?;
    any_equal(run, call, list, &wanted).map(Value::Bool)
}

/// Whether one of the elements equals `wanted`.
pub(super) fn any_equal<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
    list: List<'_, 'a>,
    wanted: &Value<'a>,
) -> Option<bool> {
    for element in list.iter() {
        if equal(run, call, &element, wanted, Depth::Top)? {
            return Some(true);
        }
    }
    Some(false)
}

pub(super) fn first<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    call.check_no_parentheses(run)?;
    match call.view() {
        View::List(list) => list.get(0),
        View::String(text) => text.chars().next().map(character),
        _ => Some(unchanged_input(run, call)),
    }
}

pub(super) fn last<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    call.check_no_parentheses(run)?;
    match call.view() {
        View::List(list) => {
            call.spend(run, list.len() / 2)?;
            list.get(list.len().checked_sub(1)?)
        }
        View::String(text) => text.chars().next_back().map(character),
        _ => Some(unchanged_input(run, call)),
    }
}

fn character(character: char) -> Value<'static> {
    Value::String(Cow::Owned(character.into()))
}

fn unchanged_input<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Value<'a> {
    call.bad_input(run, "a list or a string");
    call.input().clone()
}

pub(super) fn slice<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    let start = bound(run, call, 0);
    let end = bound(run, call, 1);
    match call.view() {
        View::List(list) => {
            call.spend(run, list.len())?;
            let (start, end) = bounds(start, end, list.len());
            let elements = list.iter().skip(start).take(end.saturating_sub(start));
            Some(Value::list(elements.collect()))
        }
        View::String(text) => {
            call.spend(run, text.len() / 8)?;
            let (start, end) = bounds(start, end, text.len());
            let start = text.floor_char_boundary(start);
            let end = text.floor_char_boundary(end).max(start);
            let piece = text.get(start..end).unwrap_or_default();
            Some(Value::String(Cow::Owned(piece.to_owned())))
        }
        _ => call.bad_input(run, "a list or a string"),
    }
}

/// An integer argument; a value of another kind counts as missing.
fn bound<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>, index: usize) -> Option<i64> {
    integer(&call.argument(run, index)?)
}

fn bounds(start: Option<i64>, end: Option<i64>, len: usize) -> (usize, usize) {
    let clamp = |bound: i64| usize::try_from(bound.max(0)).unwrap_or(len).min(len);
    (start.map_or(0, clamp), end.map_or(len, clamp))
}

fn integer(value: &Value<'_>) -> Option<i64> {
    match value.view() {
        View::Number(text) => match Number::read(text) {
            Number::Int(value) => Some(value),
            // Outside of any list or string; only the sign matters.
            Number::Big(value) if value > 0.0 => Some(i64::MAX),
            Number::Big(_) => Some(i64::MIN),
            Number::Float(_) => None,
        },
        _ => None,
    }
}

pub(super) fn size<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    call.check_no_parentheses(run)?;
    let size = match call.view() {
        View::List(list) => list.len(),
        View::String(text) => text.len(),
        View::Object(fields) => {
            call.spend(run, fields.len().saturating_mul(HASHED_MEMBER_COST))?;
            // Duplicate keys of a document are one member.
            members(fields).len()
        }
        _ => return call.bad_input(run, "a list, a string or an object"),
    };
    Some(Value::Number(Cow::Owned(size.to_string())))
}

pub(super) fn get<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    call.needed_argument(run, Arity::AtLeastOne)?;
    let wanted = call.argument(run, 0)?;
    match call.view() {
        View::List(list) => {
            let index = index(run, call, &wanted, list.len())?;
            call.spend(run, index / 2)?;
            list.get(index)
        }
        View::String(text) => {
            let index = index(run, call, &wanted, text.len())?;
            match text.get(index..=index) {
                Some(byte) => Some(Value::String(Cow::Owned(byte.to_owned()))),
                None => out_of_range(run, call, "inside a character"),
            }
        }
        View::Object(fields) => {
            let View::String(key) = wanted.view() else {
                call.bad_argument(run, || {
                    format!(
                        "`->get` on an object needs a key, found {}",
                        wanted.kind_name()
                    )
                });
                return None;
            };
            call.spend(run, fields.len() / 4)?;
            let member = fields.get(&key);
            if member.is_none() {
                call.report(run, ReportKind::PropertyMissing, || {
                    format!("an object has no `{key}`")
                });
            }
            member
        }
        _ => call.bad_input(run, "a list, a string or an object"),
    }
}

fn index<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
    wanted: &Value<'a>,
    len: usize,
) -> Option<usize> {
    let Some(index) = integer(wanted) else {
        call.bad_argument(run, || {
            format!(
                "`->get` needs an integer here, found {}",
                wanted.kind_name()
            )
        });
        return None;
    };
    let distance = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    let position = if index < 0 {
        len.checked_sub(distance)
    } else {
        Some(distance).filter(|index| *index < len)
    };
    if position.is_none() {
        out_of_range(run, call, &format!("outside of 0 to {len}"));
    }
    position
}

fn out_of_range<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
    place: &str,
) -> Option<Value<'a>> {
    call.report(run, ReportKind::OutOfRange, || {
        format!("the index of `->get` is {place}")
    });
    None
}
