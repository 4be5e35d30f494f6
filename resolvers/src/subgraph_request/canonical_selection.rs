//! Selections as cache keys: sorted, and without the names of the client's variables.

use std::fmt::Write as _;

use schema::types::Name;

use super::selection_set::SelectionSet;

/// A selection set as sorted text, and the inputs on which its values depend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CanonicalSelection {
    /// Inputs are written as `$0`, `$1`, …
    pub(crate) text: Box<str>,
    /// By the number in the text.
    pub(crate) inputs: Vec<SelectionInput>,
    /// Paths of its leaves, sorted.
    pub(crate) leaves: Box<[Box<str>]>,
}

/// A value that a selection set depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SelectionInput {
    /// A variable of the client.
    Variable(Name),
    /// A condition of the document, by index.
    Condition(usize),
}

impl CanonicalSelection {
    pub(super) fn new(set: &SelectionSet) -> Self {
        let mut leaves = Vec::new();
        set.leaves("", &mut leaves);
        leaves.sort_unstable();
        Self {
            leaves: leaves.into(),
            ..Self::from_text(&set.canonical())
        }
    }

    /// Replaces the variables and conditions (`@when(n)`) of a text by numbers.
    fn from_text(canonical: &str) -> Self {
        let mut text = String::with_capacity(canonical.len());
        let mut inputs: Vec<SelectionInput> = Vec::new();
        let mut rest = canonical;
        while let Some(start) = rest.find(['"', '$', '@']) {
            let (plain, special) = rest.split_at(start);
            text.push_str(plain);
            let (token_len, input) = match special.as_bytes().first() {
                Some(b'"') => (string_end(special), None),
                Some(b'$') => variable(special),
                _ => condition(special),
            };
            let (token, after) = special.split_at(token_len);
            rest = after;
            match input {
                Some(input) => {
                    let known = inputs.iter().position(|known| *known == input);
                    let number = known.unwrap_or(inputs.len());
                    if known.is_none() {
                        inputs.push(input);
                    }
                    let _ = write!(text, "${number}");
                }
                None => text.push_str(token),
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

/// Length of the string literal at the start of `text`, including its quotes.
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
    end.map_or(text.len(), |(index, _)| index + 1)
}

/// Length of the variable at the start of `text`, and its input.
fn variable(text: &str) -> (usize, Option<SelectionInput>) {
    let name = text.strip_prefix('$').unwrap_or_default();
    let is_part = |char: char| char == '_' || char.is_ascii_alphanumeric();
    let end = name.find(|char| !is_part(char)).unwrap_or(name.len());
    let (name, _) = name.split_at(end);
    (end + 1, Some(SelectionInput::Variable(name.into())))
}

/// Length of the condition at the start of `text`, and its input.
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
    fn variables_and_conditions_are_numbered() {
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
    fn string_literals_are_unchanged() {
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
