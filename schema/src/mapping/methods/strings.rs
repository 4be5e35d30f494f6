//! Methods on strings.

use std::borrow::Cow;

use bytes::Bytes;

use super::{Arity, Call};
use crate::json::number::Number;
use crate::json::{Json, Value, View};
use crate::mapping::eval::Evaluation;
use crate::mapping::report::ReportKind;

pub(super) fn join_not_null<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
) -> Option<Value<'a>> {
    call.needed_argument(run, Arity::AtLeastOne)?;
    let separator = text_argument(run, call)?;
    let View::List(list) = call.view() else {
        let text = scalar_text(call.input());
        return match text {
            Some(text) => Some(Value::String(text.into_owned().into())),
            None => call.bad_input(run, "a list of scalars or a scalar"),
        };
    };
    let mut joined = String::new();
    let mut is_first = true;
    for element in list.iter().filter(|element| !element.is_null()) {
        let Some(text) = scalar_text(&element) else {
            return call.bad_input(run, "a list of scalars or a scalar");
        };
        call.spend(run, 1 + (text.len() + separator.len()) / 8)?;
        if !is_first {
            joined.push_str(&separator);
        }
        joined.push_str(&text);
        is_first = false;
    }
    Some(Value::String(joined.into()))
}

/// The text of a scalar, empty for null; `None` for a list or an object.
pub(in crate::mapping) fn scalar_text<'v>(value: &'v Value<'_>) -> Option<Cow<'v, str>> {
    match value.view() {
        View::Null => Some(Cow::Borrowed("")),
        View::Bool(true) => Some(Cow::Borrowed("true")),
        View::Bool(false) => Some(Cow::Borrowed("false")),
        View::Number(text) => Some(Cow::Borrowed(text)),
        View::String(text) => Some(text),
        View::List(_) | View::Object(_) => None,
    }
}

fn text_argument<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<String> {
    let argument = call.argument(run, 0)?;
    if let View::String(text) = argument.view() {
        return Some(text.into_owned());
    }
    call.bad_argument(run, || {
        let (name, found) = (&call.name.name, argument.kind_name());
        format!("`->{name}` needs a string, found {found}")
    });
    None
}

pub(super) fn json_stringify<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
) -> Option<Value<'a>> {
    call.check_no_parentheses(run)?;
    call.spend(run, call.input().weight() / 8)?;
    let text = call.input().to_json();
    Some(Value::String(text.into()))
}

pub(super) fn json_parse<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
) -> Option<Value<'a>> {
    call.check_no_parentheses(run)?;
    let View::String(text) = call.view() else {
        return call.bad_input(run, "a string");
    };
    // The result is a computed value with at most one node per two bytes.
    call.spend(run, text.len() / 2)?;
    match Json::parse(Bytes::from(text.into_owned())) {
        Ok(json) => Some(Value::from(&json).to_owned_value()),
        Err(error) => {
            call.report(run, ReportKind::ParseFailure, || {
                format!("not JSON: {error}")
            });
            None
        }
    }
}

pub(super) fn to_string<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
) -> Option<Value<'a>> {
    if call.count() > 0 {
        call.bad_argument(run, || "`->toString` takes no arguments".to_owned());
        return None;
    }
    match scalar_text(call.input()) {
        Some(text) => {
            call.spend(run, text.len() / 8)?;
            Some(Value::String(text.into_owned().into()))
        }
        None => call.bad_input(run, "a scalar"),
    }
}

pub(super) fn split<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    call.needed_argument(run, Arity::AtLeastOne)?;
    let separator = text_argument(run, call)?;
    let limit = limit(run, call)?;
    let View::String(text) = call.view() else {
        return call.bad_input(run, "a string");
    };
    call.spend(run, text.len() / 8)?;
    let mut parts = Vec::new();
    let mut add = |part: &str| -> Option<()> {
        call.spend(run, 1)?;
        parts.push(Value::String(Cow::Owned(part.to_owned())));
        Some(())
    };
    if separator.is_empty() {
        let mut bytes = [0; 4];
        for character in text.chars().take(limit) {
            add(character.encode_utf8(&mut bytes))?;
        }
    } else {
        for part in text.split(separator.as_str()).take(limit) {
            add(part)?;
        }
    }
    Some(Value::list(parts))
}

/// Maximum number of parts.
fn limit<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<usize> {
    if call.count() < 2 {
        return Some(usize::MAX);
    }
    let value = call.argument(run, 1)?;
    let limit = match value.view() {
        View::Number(text) => match Number::read(text) {
            Number::Int(limit) => usize::try_from(limit).ok(),
            Number::Big(limit) if limit > 0.0 => Some(usize::MAX),
            Number::Big(_) | Number::Float(_) => None,
        },
        _ => None,
    };
    if limit.is_none() {
        call.bad_argument(run, || {
            "the limit of `->split` must be an integer of at least 0".to_owned()
        });
    }
    limit
}

pub(super) fn trim<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    trimmed(run, call, str::trim)
}

pub(super) fn trim_start<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
) -> Option<Value<'a>> {
    trimmed(run, call, str::trim_start)
}

pub(super) fn trim_end<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    trimmed(run, call, str::trim_end)
}

fn trimmed<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
    trim: fn(&str) -> &str,
) -> Option<Value<'a>> {
    call.check_no_parentheses(run)?;
    let View::String(text) = call.view() else {
        return call.bad_input(run, "a string");
    };
    call.spend(run, text.len() / 8)?;
    Some(Value::String(Cow::Owned(trim(&text).to_owned())))
}
