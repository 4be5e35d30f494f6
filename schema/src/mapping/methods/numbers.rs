//! Arithmetic methods.
//!
//! Integers have 64 bits and floats are IEEE doubles. A result that neither can represent is
//! reported, not rounded.

use super::Call;
use crate::json::number::Number;
use crate::json::{Value, View};
use crate::mapping::eval::Evaluation;
use crate::mapping::report::ReportKind;

pub(super) fn add<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    fold(run, call, |left, right| {
        exact(left, right, i64::checked_add, |left, right| left + right)
    })
}

pub(super) fn sub<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    fold(run, call, |left, right| {
        exact(left, right, i64::checked_sub, |left, right| left - right)
    })
}

pub(super) fn mul<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    fold(run, call, |left, right| {
        exact(left, right, i64::checked_mul, |left, right| left * right)
    })
}

pub(super) fn div<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    fold(run, call, |left, right| {
        Some(Number::Float(left.to_float() / right.to_float()))
    })
}

pub(super) fn modulo<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    fold(run, call, |left, right| {
        exact(left, right, i64::checked_rem, |left, right| left % right)
    })
}

/// Applies `integers` to two integers, and `floats` if one operand is a float.
fn exact(
    left: Number,
    right: Number,
    integers: fn(i64, i64) -> Option<i64>,
    floats: fn(f64, f64) -> f64,
) -> Option<Number> {
    match (left, right) {
        (Number::Int(left), Number::Int(right)) => integers(left, right).map(Number::Int),
        (Number::Float(_), _) | (_, Number::Float(_)) => {
            Some(Number::Float(floats(left.to_float(), right.to_float())))
        }
        _ => None,
    }
}

fn fold<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
    step: impl Fn(Number, Number) -> Option<Number>,
) -> Option<Value<'a>> {
    let name = call.name.name.as_str();
    let Some(args) = call.args else {
        call.bad_argument(run, || format!("`->{name}` needs arguments"));
        return None;
    };
    let View::Number(input) = call.view() else {
        return call.bad_input(run, "a number");
    };
    if args.is_empty() {
        return Some(call.input().clone());
    }
    let mut result = Number::read(input);
    for arg in args {
        let value = call.value_of(run, arg)?;
        let View::Number(operand) = value.view() else {
            call.bad_argument(run, || {
                format!("`->{name}` needs numbers, found {}", value.kind_name())
            });
            return None;
        };
        let Some(next) = step(result, Number::read(operand)).filter(is_finite) else {
            call.report(run, ReportKind::Arithmetic, || {
                format!("the result of `->{name}` cannot be represented as a number")
            });
            return None;
        };
        result = next;
    }
    number_value(result)
}

fn is_finite(number: &Number) -> bool {
    number.to_float().is_finite()
}

fn number_value(number: Number) -> Option<Value<'static>> {
    match number {
        Number::Int(value) => Some(Value::int(value)),
        Number::Float(value) | Number::Big(value) => Value::float(value),
    }
}

pub(super) fn parse_int<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
) -> Option<Value<'a>> {
    let base = base(run, call)?;
    let parsed = match call.view() {
        View::String(text) => i64::from_str_radix(&text, base).ok(),
        View::Number(text) => {
            truncated(text).and_then(|value| i64::from_str_radix(&value.to_string(), base).ok())
        }
        _ => return call.bad_input(run, "a string or a number"),
    };
    if parsed.is_none() {
        call.report(run, ReportKind::ParseFailure, || {
            format!("not an integer of 64 bits in base {base}")
        });
    }
    parsed.map(Value::int)
}

fn base<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<u32> {
    if call.count() > 1 {
        call.bad_argument(run, || {
            "`->parseInt` takes one argument, the base".to_owned()
        });
        return None;
    }
    if call.count() == 0 {
        return Some(10);
    }
    let value = call.argument(run, 0)?;
    let base = match value.view() {
        View::Number(text) => text.parse().ok().filter(|base| (2..=36).contains(base)),
        _ => None,
    };
    if base.is_none() {
        call.bad_argument(run, || {
            "the base of `->parseInt` is an integer from 2 to 36".to_owned()
        });
    }
    base
}

/// The number rounded towards zero; `None` if it does not fit into 64 bits.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the range is checked, and truncation is intended"
)]
fn truncated(text: &str) -> Option<i64> {
    match Number::read(text) {
        Number::Int(value) => Some(value),
        Number::Float(value) if value.abs() < i64::MAX as f64 => Some(value as i64),
        Number::Float(_) | Number::Big(_) => None,
    }
}
