//! What is asked of a service, as kept answers are known by: in an order of its own and without the
//! names that a client gave its variables.

use std::fmt::Write as _;

use schema::types::Name;

use super::set::Set;

/// A selection set, and what its values depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Values stand as `$0`, `$1`, … in it.
    pub(crate) text: Box<str>,
    /// What these are.
    pub(crate) given: Vec<Given>,
    /// The leaves of it, in order.
    pub(crate) leaves: Box<[Box<str>]>,
}

/// A value that a selection set depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// The client's variable of this name.
    Variable(Name),
    /// Whether this one of the document's conditions holds.
    Condition(usize),
}

impl Asked {
    /// Of a set.
    pub(super) fn of(set: &Set) -> Self {
        let mut leaves = Vec::new();
        set.leaves("", &mut leaves);
        leaves.sort_unstable();
        Self {
            leaves: leaves.into(),
            ..Self::new(&set.canonical())
        }
    }

    /// Of a text, where variables have their names and conditions are `@when(n)`.
    fn new(canonical: &str) -> Self {
        let mut text = String::with_capacity(canonical.len());
        let mut given: Vec<Given> = Vec::new();
        let mut rest = canonical;
        while let Some(at) = rest.find(['"', '$', '@']) {
            let (plain, special) = rest.split_at(at);
            text.push_str(plain);
            let (taken, value) = match special.as_bytes().first() {
                Some(b'"') => (string_end(special), None),
                Some(b'$') => variable(special),
                _ => condition(special),
            };
            let (taken, after) = special.split_at(taken);
            rest = after;
            match value {
                Some(value) => {
                    let known = given.iter().position(|known| *known == value);
                    let number = known.unwrap_or(given.len());
                    if known.is_none() {
                        given.push(value);
                    }
                    let _ = write!(text, "${number}");
                }
                None => text.push_str(taken),
            }
        }
        text.push_str(rest);
        Self {
            text: text.into(),
            given,
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

fn variable(text: &str) -> (usize, Option<Given>) {
    let name = text.strip_prefix('$').unwrap_or_default();
    let is_part = |char: char| char == '_' || char.is_ascii_alphanumeric();
    let end = name.find(|char| !is_part(char)).unwrap_or(name.len());
    let (name, _) = name.split_at(end);
    (end + 1, Some(Given::Variable(name.into())))
}

fn condition(text: &str) -> (usize, Option<Given>) {
    let number = text.strip_prefix(WHEN).and_then(|rest| {
        let (number, _) = rest.split_once(')')?;
        Some((number.len(), number.parse().ok()?))
    });
    match number {
        Some((len, number)) => (WHEN.len() + len + 1, Some(Given::Condition(number))),
        None => (1, None),
    }
}

const WHEN: &str = "@when(";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(canonical: &str, text: &str, given: &[Given]) {
        let asked = Asked::new(canonical);
        assert_eq!((&*asked.text, asked.given.as_slice()), (text, given));
    }

    #[test]
    fn variables_and_conditions_lose_their_names() {
        check(
            "{a(first: $n, last: $m) b(first: $n)@when(2){c}}",
            "{a(first: $0, last: $1) b(first: $0)$2{c}}",
            &[
                Given::Variable("n".into()),
                Given::Variable("m".into()),
                Given::Condition(2),
            ],
        );
    }

    #[test]
    fn what_stands_in_strings_is_text() {
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
