//! What is asked of a service, as kept answers are known by: in an order of its own and without the
//! names that a client gave its variables.

use std::fmt::Write as _;

use schema::types::Name;

use super::selection_set::SelectionSet;

/// A selection set, and what its values depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CanonicalSelection {
    /// Values stand as `$0`, `$1`, … in it.
    pub(crate) text: Box<str>,
    /// What these are.
    pub(crate) inputs: Vec<SelectionInput>,
    /// The leaves of it, in order.
    pub(crate) leaves: Box<[Box<str>]>,
}

/// A value that a selection set depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SelectionInput {
    /// The client's variable of this name.
    Variable(Name),
    /// Whether this one of the document's conditions holds.
    Condition(usize),
}

impl CanonicalSelection {
    /// Of a set.
    pub(super) fn new(set: &SelectionSet) -> Self {
        let mut leaves = Vec::new();
        set.leaves("", &mut leaves);
        leaves.sort_unstable();
        Self {
            leaves: leaves.into(),
            ..Self::from_text(&set.canonical())
        }
    }

    /// Of a text, where variables have their names and conditions are `@when(n)`.
    fn from_text(canonical: &str) -> Self {
        let mut text = String::with_capacity(canonical.len());
        let mut inputs: Vec<SelectionInput> = Vec::new();
        let mut rest = canonical;
        while let Some(at) = rest.find(['"', '$', '@']) {
            let (plain, special) = rest.split_at(at);
            text.push_str(plain);
            let (token_len, value) = match special.as_bytes().first() {
                Some(b'"') => (string_end(special), None),
                Some(b'$') => variable(special),
                _ => condition(special),
            };
            let (taken, after) = special.split_at(token_len);
            rest = after;
            match value {
                Some(value) => {
                    let known = inputs.iter().position(|known| *known == value);
                    let number = known.unwrap_or(inputs.len());
                    if known.is_none() {
                        inputs.push(value);
                    }
                    let _ = write!(text, "${number}");
                }
                None => text.push_str(taken),
            }
        }
        text.push_str(rest);
        Self {
            text: text.into(),
            inputs,
            leaves: Box::default(),
        }
    }
}

/// How long the string is that `text` begins with, quotes included.
fn string_end(text: &str) -> usize {
    if let Some(block) = text.strip_prefix("\"\"\"") {
        let block = block.replace("\\\"\"\"", "....");
        return block.find("\"\"\"").map_or(text.len(), |end| end + 6);
    }
    let mut is_escaped = false;
    let end = text.char_indices().skip(1).find(|(_, char)| {
        let is_end = *char == '"' && !is_escaped;
        is_escaped = *char == '\\' && !is_escaped;
        is_end
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

fn variable(text: &str) -> (usize, Option<SelectionInput>) {
    let name = text.strip_prefix('$').unwrap_or_default();
    let is_part = |char: char| char == '_' || char.is_ascii_alphanumeric();
    let end = name.find(|char| !is_part(char)).unwrap_or(name.len());
    let (name, _) = name.split_at(end);
    (end + 1, Some(SelectionInput::Variable(name.into())))
}

fn condition(text: &str) -> (usize, Option<SelectionInput>) {
    let number = text.strip_prefix(CONDITION_PREFIX).and_then(|rest| {
        let (number, _) = rest.split_once(')')?;
        Some((number.len(), number.parse().ok()?))
    });
    match number {
        Some((len, number)) => (
            CONDITION_PREFIX.len() + len + 1,
            Some(SelectionInput::Condition(number)),
        ),
        None => (1, None),
    }
}

const CONDITION_PREFIX: &str = "@when(";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(canonical: &str, text: &str, inputs: &[SelectionInput]) {
        let selection = CanonicalSelection::from_text(canonical);
        assert_eq!(
            (&*selection.text, selection.inputs.as_slice()),
            (text, inputs)
        );
    }

    #[test]
    fn variables_and_conditions_lose_their_names() {
        check(
            "{a(first: $n, last: $m) b(first: $n)@when(2){c}}",
            "{a(first: $0, last: $1) b(first: $0)$2{c}}",
            &[
                SelectionInput::Variable("n".into()),
                SelectionInput::Variable("m".into()),
                SelectionInput::Condition(2),
            ],
        );
    }

    #[test]
    fn variables_in_strings_stay_text() {
        for text in [
            r#"{a(x: "$n @when(1) \" $m")}"#,
            "{a(x: \"\"\"$n \\\"\"\" $m\"\"\")}",
            r#"{a(x: "", y: "$n")}"#,
            r#"{a(x: "\\") b}"#,
        ] {
            check(text, text, &[]);
        }
    }
}
