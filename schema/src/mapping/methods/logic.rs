//! Methods for comparison, matching and boolean logic.

use std::cmp::Ordering;

use super::equal::{Depth, equal};
use super::{Arity, Call, lists};
use crate::json::{Value, View, number};
use crate::mapping::ast::Expr;
use crate::mapping::eval::Evaluation;
use crate::mapping::report::ReportKind;

pub(super) fn eq<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    equals(run, call).map(Value::Bool)
}

pub(super) fn ne<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    equals(run, call).map(|equal| Value::Bool(!equal))
}

fn equals<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<bool> {
    call.needed_argument(run, Arity::Exact)?;
    let other = call.argument(run, 0)?;
    equal(run, call, call.input(), &other, Depth::Top)
}

pub(super) fn gt<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    ordered(run, call, Ordering::is_gt)
}

pub(super) fn gte<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    ordered(run, call, Ordering::is_ge)
}

pub(super) fn lt<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    ordered(run, call, Ordering::is_lt)
}

pub(super) fn lte<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    ordered(run, call, Ordering::is_le)
}

fn ordered<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
    holds: fn(Ordering) -> bool,
) -> Option<Value<'a>> {
    call.needed_argument(run, Arity::AtLeastOne)?;
    let other = call.argument(run, 0)?;
    let order = match (call.view(), other.view()) {
        (View::Number(left), View::Number(right)) => number::compare(left, right),
        (View::String(left), View::String(right)) => Some(left.cmp(&right)),
        _ => None,
    };
    let Some(order) = order else {
        call.report(run, ReportKind::BadInput, || {
            let (name, left, right) = (&call.name.name, call.input(), &other);
            let (left, right) = (left.kind_name(), right.kind_name());
            format!("`->{name}` compares two numbers or two strings, found {left} and {right}")
        });
        return None;
    };
    Some(Value::Bool(holds(order)))
}

pub(super) fn is_in<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    call.needed_argument(run, Arity::Exact)?;
    let candidates = call.argument(run, 0)?;
    let View::List(list) = candidates.view() else {
        call.bad_argument(run, || {
            format!("`->in` needs a list, found {}", candidates.kind_name())
        });
        return None;
    };
    lists::any_equal(run, call, list, call.input()).map(Value::Bool)
}

pub(super) fn matches<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    for arg in call.args.unwrap_or_default() {
        let Expr::List(pair, _) = arg else { continue };
        let [key, value] = pair.as_slice() else {
            continue;
        };
        let Some(key) = call.value_of(run, key) else {
            continue;
        };
        if equal(run, call, call.input(), &key, Depth::Inside)? {
            return call.value_of(run, value);
        }
    }
    call.report(run, ReportKind::NoMatch, || {
        let found = call.input().kind_name();
        format!("no pair of `->match` matches this value, {found}; `[@, …]` matches any value")
    });
    None
}

pub(super) fn and<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    short_circuit(run, call, false)
}

pub(super) fn or<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    short_circuit(run, call, true)
}

/// Evaluates the input and the arguments until one equals `stop`, which is then the result.
fn short_circuit<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
    stop: bool,
) -> Option<Value<'a>> {
    let name = call.name.name.as_str();
    let Some(args) = call.args else {
        call.bad_argument(run, || format!("`->{name}` needs arguments"));
        return None;
    };
    let View::Bool(input) = call.view() else {
        return call.bad_input(run, "a boolean");
    };
    if input == stop {
        return Some(Value::Bool(stop));
    }
    for arg in args {
        let value = call.value_of(run, arg)?;
        match value.view() {
            View::Bool(value) if value == stop => return Some(Value::Bool(stop)),
            View::Bool(_) => {}
            _ => call.bad_argument(run, || {
                format!("`->{name}` needs booleans, found {}", value.kind_name())
            }),
        }
    }
    Some(Value::Bool(!stop))
}

pub(super) fn not<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    call.check_no_parentheses(run)?;
    match call.view() {
        View::Bool(value) => Some(Value::Bool(!value)),
        _ => call.bad_input(run, "a boolean"),
    }
}
