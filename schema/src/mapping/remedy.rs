//! Remedies for what comes from other languages: methods, text without quotes, choices.
//!
//! Each text in back-ticks is valid itself.

use super::ast::{Expr, Head, Item, MemberValue, Path, Selection};
use super::{Version, methods};
use crate::diagnostic::nearest;

/// A choice between two values.
pub(crate) const CHOICE: &str = "`active->match([true, 'yes'], [@, 'no'])`";

/// The remedy for an undefined method in a mapping of `version`.
pub(crate) fn unknown_method(name: &str, version: Version) -> String {
    if version >= Version::V0_3 && ["default", "coalesce"].contains(&name) {
        return "write `$(name ?? 'none')`".to_owned();
    }
    if let Some((_, usage)) = OTHER_NAMES
        .iter()
        .find(|(other, _)| other.eq_ignore_ascii_case(name))
    {
        return format!("write `{usage}`");
    }
    // Two letters are close to any two letters, and more often name a member.
    if name.len() < 3 {
        return format!("to read a member, write `.{name}`");
    }
    let names = || methods().iter().map(|method| method.name);
    let longer = || names().find(|known| known.starts_with(name));
    if let Some(close) = nearest(name, names()).or_else(longer) {
        return format!("write `->{close}`");
    }
    let all: Vec<_> = names().map(|name| format!("`->{name}`")).collect();
    format!(
        "the methods are {}; to read a member, write `.{name}`",
        all.join(", ")
    )
}

/// Methods of other languages, with the text that replaces each.
const OTHER_NAMES: [(&str, &str); 30] = [
    ("any", "->filter(@)->size->gt(0)"),
    ("at", "->get(0)"),
    ("coalesce", "->match([null, 'none'], [@, @])"),
    ("concat", "$([$.first, $.last])->joinNotNull('')"),
    ("count", "->size"),
    ("default", "->match([null, 'none'], [@, @])"),
    ("elementAt", "->get(0)"),
    ("equals", "->eq('x')"),
    ("exists", "->ne(null)"),
    ("flatMap", "->map(@.name)"),
    ("if", "->match([true, 'yes'], [@, 'no'])"),
    ("includes", "->contains('x')"),
    ("isNull", "->eq(null)"),
    ("join", "->joinNotNull(',')"),
    ("keys", "->entries->map(@.key)"),
    ("length", "->size"),
    ("len", "->size"),
    ("minus", "->sub(1)"),
    ("neq", "->ne('x')"),
    ("nth", "->get(0)"),
    ("plus", "->add(1)"),
    ("pluck", "->map(@.name)"),
    ("some", "->filter(@)->size->gt(0)"),
    ("stringify", "->jsonStringify"),
    ("substr", "->slice(0, 3)"),
    ("substring", "->slice(0, 3)"),
    ("times", "->mul(2)"),
    ("toInt", "->parseInt"),
    ("toJson", "->jsonStringify"),
    ("values", "->entries->map(@.value)"),
];

/// The remedy for a key in quotes, where it is read before the response: it was meant as text.
pub(crate) fn quoted_text(name: &str) -> String {
    format!("write text as `$({})`", quoted(name))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// The remedy where the text of a mapping needs a single value and is an object: it was meant as a
/// literal, or as a path.
pub(crate) fn literal_or_path(selection: &Selection, text: &str) -> Option<String> {
    let names: Option<Vec<&str>> = selection.items.iter().map(field_name).collect();
    match names?.as_slice() {
        [] => None,
        [only] if is_keyword(only) => Some(format!("write `$({only})`")),
        [only] => Some(format!(
            "write `$({})` for this text, or `$.{}` for a member of the response",
            quoted(only),
            path_key(only)
        )),
        _ => Some(format!("write text as `$({})`", quoted(text.trim()))),
    }
}

/// Whether a name is a literal in expressions.
pub(crate) fn is_keyword(name: &str) -> bool {
    matches!(name, "true" | "false" | "null")
}

/// The name of an item that is a plain field.
fn field_name(item: &Item) -> Option<&str> {
    let Item::Member(member) = item else {
        return None;
    };
    match &member.value {
        MemberValue::Expr(Expr::Path(Path {
            head: Head::Key(key),
            steps,
            group: None,
            ..
        })) if steps.is_empty() && key.range == member.key.range => Some(&key.name),
        _ => None,
    }
}

/// A key as it is written in a path.
pub(crate) fn path_key(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(is_plain) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// The remedy where `text` before `at` ends a condition, as in `active ? 'yes' : 'no'`.
pub(crate) fn choice(text: &str, at: usize) -> Option<String> {
    let before = text.get(..at)?;
    let condition = before.rfind(" ? ")?;
    let is_one_line = !before.get(condition..)?.contains('\n');
    is_one_line.then(|| format!("write a choice as {CHOICE}"))
}
