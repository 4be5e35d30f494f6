//! Methods on objects, and methods that return their input.

use std::borrow::Cow;

use super::{Arity, Call};
use crate::json::{Fields, Object, Value, View};
use crate::mapping::eval::Evaluation;
use crate::mapping::report::{Report, ReportKind};

pub(super) fn echo<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    call.needed_argument(run, Arity::AtLeastOne)?;
    call.argument(run, 0)
}

#[expect(clippy::unnecessary_wraps, reason = "methods share a signature")]
pub(super) fn echo_input<'a>(_: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    Some(call.input().clone())
}

pub(super) fn entries<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    call.check_no_parentheses(run)?;
    let View::Object(fields) = call.view() else {
        return call.bad_input(run, "an object");
    };
    call.spend(run, fields.len().saturating_mul(3 * HASHED_MEMBER_COST))?;
    let entries = members(fields).into_members().map(|(key, value)| {
        let mut entry = Object::with_capacity(2);
        entry.insert("key", Value::String(key));
        entry.insert("value", value);
        Value::object(entry)
    });
    Some(Value::list(entries.collect()))
}

/// Work units per member for collecting an object into a hash map.
pub(super) const HASHED_MEMBER_COST: usize = 4;

/// The members with unique keys.
pub(super) fn members<'a>(fields: Fields<'_, 'a>) -> Object<'a> {
    match fields {
        Fields::Owned(object) => object.clone(),
        Fields::Node(node) => node
            .members()
            .map(|(key, node)| (key.decode(), Value::Node(node)))
            .collect(),
    }
}

pub(super) fn keys_to_camel_case<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
) -> Option<Value<'a>> {
    call.check_no_parentheses(run)?;
    let View::Object(fields) = call.view() else {
        return call.bad_input(run, "an object");
    };
    renamed(run, call, fields, |_, value| Some(value))
}

pub(super) fn keys_to_camel_case_deep<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
) -> Option<Value<'a>> {
    call.check_no_parentheses(run)?;
    match call.view() {
        View::List(_) | View::Object(_) => renamed_deep(run, call, call.input()),
        _ => call.bad_input(run, "an object or a list"),
    }
}

fn renamed_deep<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
    value: &Value<'a>,
) -> Option<Value<'a>> {
    call.spend(run, 1)?;
    match value.view() {
        View::Object(fields) => renamed(run, call, fields, |run, value| {
            renamed_deep(run, call, &value)
        }),
        View::List(list) => {
            let elements: Option<Vec<_>> = list
                .iter()
                .map(|element| renamed_deep(run, call, &element))
                .collect();
            elements.map(Value::list)
        }
        _ => Some(value.clone()),
    }
}

fn renamed<'r, 'a>(
    run: &mut Evaluation<'r, 'a>,
    call: &Call<'_, 'a>,
    fields: Fields<'_, 'a>,
    inside: impl Fn(&mut Evaluation<'r, 'a>, Value<'a>) -> Option<Value<'a>>,
) -> Option<Value<'a>> {
    call.spend(run, fields.len().saturating_mul(3 * HASHED_MEMBER_COST))?;
    let mut object = Object::with_capacity(fields.len());
    for (key, value) in members(fields).into_members() {
        let name = camel_case(&key);
        let value = inside(run, value)?;
        if object.insert(Cow::Owned(name), value).is_some() {
            call.report(run, ReportKind::KeyCollision, || {
                format!("`{key}` replaces another key of the same name in camelCase")
            });
        }
    }
    Some(Value::object(object))
}

/// Converts `user_name`, `UserName` and `USER_NAME` to `userName`. Leading underscores stay.
fn camel_case(key: &str) -> String {
    let words = key.trim_start_matches('_');
    let mut name = "_".repeat(key.len() - words.len());
    let mut is_first = true;
    for word in words.split('_').filter(|word| !word.is_empty()) {
        let has_lowercase = word.chars().any(char::is_lowercase);
        let has_separators = words.contains('_');
        if is_first {
            push_first(&mut name, word);
        } else {
            let mut characters = word.chars();
            name.extend(characters.next().into_iter().flat_map(char::to_uppercase));
            if has_separators && !has_lowercase {
                name.extend(characters.flat_map(char::to_lowercase));
            } else {
                name.push_str(characters.as_str());
            }
        }
        is_first = false;
    }
    name
}

/// Appends the first word with its leading capitals in lower case, except for the one that begins
/// a word of its own: `HTTPServer` becomes `httpServer`.
fn push_first(name: &mut String, word: &str) {
    let capitals = word.chars().take_while(|c| c.is_uppercase()).count();
    let begins_word = word.chars().nth(capitals).is_some_and(char::is_lowercase);
    let lowered = if capitals > 1 && begins_word {
        capitals - 1
    } else {
        capitals
    };
    for (index, character) in word.chars().enumerate() {
        if index < lowered {
            name.extend(character.to_lowercase());
        } else {
            name.push(character);
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "methods share a signature")]
pub(super) fn with_warning<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
) -> Option<Value<'a>> {
    if let Some(value) = authored_value(run, call) {
        let message = match value.view() {
            View::String(text) => text.into_owned(),
            _ => value.to_json(),
        };
        report_authored(run, call, ReportKind::AuthoredWarning, message, None);
    }
    Some(call.input().clone())
}

#[expect(clippy::unnecessary_wraps, reason = "methods share a signature")]
pub(super) fn with_error<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
) -> Option<Value<'a>> {
    if let Some(value) = authored_value(run, call) {
        match authored_error(&value) {
            Some(error) => {
                let kind = ReportKind::AuthoredError;
                report_authored(run, call, kind, error.message, error.extensions);
            }
            None => call.bad_argument(run, || {
                "`->withError` needs a string or `{ message, extensions }`".to_owned()
            }),
        }
    }
    Some(call.input().clone())
}

fn authored_value<'a>(run: &mut Evaluation<'_, 'a>, call: &Call<'_, 'a>) -> Option<Value<'a>> {
    call.needed_argument(run, Arity::Exact)?;
    let value = call.argument(run, 0);
    if value.is_none() {
        let name = &call.name.name;
        call.bad_argument(run, || format!("the argument of `->{name}` has no value"));
    }
    value
}

/// An error that a mapping sends to the client.
struct AuthoredError {
    message: String,
    /// A JSON object.
    extensions: Option<String>,
}

/// The argument of `->withError` as an error; `None` when it is neither form.
fn authored_error(value: &Value<'_>) -> Option<AuthoredError> {
    match value.view() {
        View::String(text) => Some(AuthoredError {
            message: text.into_owned(),
            extensions: None,
        }),
        View::Object(fields) => {
            let message = fields.get("message")?;
            let View::String(message) = message.view() else {
                return None;
            };
            let extensions = match fields.get("extensions") {
                None => None,
                Some(extensions) if extensions.is_object() => Some(extensions.to_json()),
                Some(_) => return None,
            };
            Some(AuthoredError {
                message: message.into_owned(),
                extensions,
            })
        }
        _ => None,
    }
}

fn report_authored<'a>(
    run: &mut Evaluation<'_, 'a>,
    call: &Call<'_, 'a>,
    kind: ReportKind,
    message: String,
    extensions: Option<String>,
) {
    run.add(Report {
        kind,
        message,
        path: call.scope.at.trail.path(),
        range: call.name.range.clone(),
        extensions,
    });
}
