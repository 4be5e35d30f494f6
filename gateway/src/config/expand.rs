//! Expands `${NAME}` and `${NAME:default}` in values, and reads the variables of `$env`.
//!
//! The only place that reads the environment. Values are expanded after YAML is parsed, so the
//! value of a variable can neither change the structure of the file nor move positions.

use std::collections::BTreeMap;
use std::fmt;

/// The variables that `${NAME}` may name.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

/// The environment variables with these names, for connectors to read as `$env`.
///
/// Omits variables that are unset or not UTF-8.
pub fn process_variables(names: impl IntoIterator<Item = String>) -> BTreeMap<String, String> {
    names
        .into_iter()
        .filter_map(|name| {
            let value = std::env::var_os(&name)?.into_string().ok()?;
            Some((name, value))
        })
        .collect()
}

/// A `${…}` that cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExpandError<'t> {
    /// The reference as written, from `${` on.
    pub(super) reference: &'t str,
    pub(super) kind: ExpandErrorKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ExpandErrorKind {
    Unset { name: String },
    InvalidName,
    Unclosed,
}

impl Environment {
    /// All environment variables of this process, except those that are not UTF-8.
    pub fn from_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The names of all variables, in alphabetical order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// `text` with every reference replaced; `$${` stands for `${`.
    ///
    /// The value of a variable, or its default, is not expanded again.
    pub(super) fn expand<'t>(&self, text: &'t str) -> Result<String, ExpandError<'t>> {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, reference)) = split_at_reference(rest) {
            if let Some(before) = before.strip_suffix('$') {
                expanded.push_str(before);
                expanded.push_str("${");
                rest = reference.get(2..).unwrap_or_default();
                continue;
            }
            expanded.push_str(before);
            let (value, after) = self.reference_value(reference)?;
            expanded.push_str(&value);
            rest = after;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }

    /// The value of the reference at the start of `text`, and the text after it.
    fn reference_value<'t>(&self, text: &'t str) -> Result<(String, &'t str), ExpandError<'t>> {
        let inside = text.strip_prefix("${").unwrap_or(text);
        let (inside, after) = inside.split_once('}').ok_or(ExpandError {
            reference: text,
            kind: ExpandErrorKind::Unclosed,
        })?;
        let reference = text.strip_suffix(after).unwrap_or(text);
        let (name, default) = match inside.split_once(':') {
            // Shells write `:-`, so this is accepted too.
            Some((name, default)) => (name, Some(default.strip_prefix('-').unwrap_or(default))),
            None => (inside, None),
        };
        let error = |kind| ExpandError { reference, kind };
        if !is_name(name) {
            return Err(error(ExpandErrorKind::InvalidName));
        }
        if let Some(value) = self.0.get(name).map(String::as_str).or(default) {
            return Ok((value.to_owned(), after));
        }
        let name = name.to_owned();
        Err(error(ExpandErrorKind::Unset { name }))
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

/// Prints only the number of variables, because their values are often secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}

fn split_at_reference(text: &str) -> Option<(&str, &str)> {
    text.find("${").and_then(|at| text.split_at_checked(at))
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    first && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, ExpandErrorKind>) {
        let environment: Environment = [("HOST", "db"), ("EMPTY", ""), ("NESTED", "${HOST}")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        let expanded = environment.expand(text).map_err(|error| error.kind);
        assert_eq!(expanded, expected.map(str::to_owned));
    }

    #[test]
    fn references_are_replaced_anywhere_in_a_value() {
        check("http://${HOST}:80/${HOST}", Ok("http://db:80/db"));
        check("no reference, $HOST", Ok("no reference, $HOST"));
    }

    #[test]
    fn a_default_is_used_only_if_the_variable_is_unset() {
        check("${PORT:4000}", Ok("4000"));
        check("${PORT:-4000}", Ok("4000"));
        check("${URL:http://a/b}", Ok("http://a/b"));
        check("${EMPTY:x}", Ok(""));
    }

    #[test]
    fn two_dollars_escape_a_reference_and_values_are_not_expanded_again() {
        check("$${HOST}", Ok("${HOST}"));
        check("${NESTED}", Ok("${HOST}"));
    }

    #[test]
    fn an_invalid_reference_is_an_error() {
        check(
            "${PORT}",
            Err(ExpandErrorKind::Unset {
                name: "PORT".to_owned(),
            }),
        );
        check("${1A}", Err(ExpandErrorKind::InvalidName));
        check("${}", Err(ExpandErrorKind::InvalidName));
        check("${HOST", Err(ExpandErrorKind::Unclosed));
    }
}
