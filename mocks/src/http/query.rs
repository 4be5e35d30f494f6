//! The parameters of a query string. Each is taken once; unknown ones are rejected.

use std::borrow::Cow;

use hyper::StatusCode;
use percent_encoding::percent_decode_str;

use crate::http::Problem;

/// The parameters that have not been taken yet.
#[derive(Debug)]
pub(crate) struct Query<'r> {
    remaining: Vec<(Cow<'r, str>, Cow<'r, str>)>,
}

impl<'r> Query<'r> {
    /// Decodes `a=1&b=2`; a repeated parameter is a problem.
    pub(crate) fn parse(raw: Option<&'r str>) -> Result<Self, Problem> {
        let mut remaining: Vec<(Cow<'r, str>, Cow<'r, str>)> = Vec::new();
        for pair in raw.unwrap_or_default().split('&') {
            if pair.is_empty() {
                continue;
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if remaining.iter().any(|(other, _)| *other == name) {
                return Err(bad_request(format!("The parameter `{name}` is repeated.")));
            }
            if remaining.len() == MAX_PARAMETERS {
                return Err(bad_request(format!(
                    "A query has at most {MAX_PARAMETERS} parameters."
                )));
            }
            remaining.push((name, value));
        }
        Ok(Self { remaining })
    }

    /// Takes the value of `name`, if present.
    pub(crate) fn take(&mut self, name: &str) -> Option<Cow<'r, str>> {
        let index = self.remaining.iter().position(|(other, _)| other == name)?;
        Some(self.remaining.swap_remove(index).1)
    }

    /// Takes a number from 1 to `max`; `default` if absent.
    pub(crate) fn take_count(
        &mut self,
        name: &str,
        default: usize,
        max: usize,
    ) -> Result<usize, Problem> {
        let Some(text) = self.take(name) else {
            return Ok(default);
        };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits && (1..=max).contains(&number) => Ok(number),
            _ => Err(bad_request(format!(
                "`{name}` must be a number from 1 to {max}, not `{text}`."
            ))),
        }
    }

    /// Takes one of `choices` by its `name_of`.
    pub(crate) fn take_choice<T: Copy>(
        &mut self,
        name: &str,
        choices: &[T],
        name_of: impl Fn(T) -> &'static str,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.take(name) else {
            return Ok(None);
        };
        let chosen = choices.iter().find(|choice| name_of(**choice) == text);
        chosen.copied().map(Some).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|choice| name_of(*choice)).collect();
            let names = names.join(", ");
            bad_request(format!("`{name}` must be one of {names}, not `{text}`."))
        })
    }

    /// Rejects parameters that were not taken.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        match self.remaining.first() {
            None => Ok(()),
            Some((name, _)) => Err(bad_request(format!(
                "The parameter `{name}` is unknown, or not allowed with the others."
            ))),
        }
    }
}

fn decode(text: &str) -> Result<Cow<'_, str>, Problem> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return match percent_decode_str(&spaced).decode_utf8() {
            Ok(decoded) => Ok(Cow::Owned(decoded.into_owned())),
            Err(_) => Err(not_utf8()),
        };
    }
    percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| not_utf8())
}

fn not_utf8() -> Problem {
    bad_request("The decoded query is not UTF-8.".to_owned())
}

fn bad_request(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

/// Maximum number of parameters. Endpoints take up to seven; more leaves room for precise problems.
const MAX_PARAMETERS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_taken_once() {
        let mut query = Query::parse(Some("q=garden+chair%2Bfoot&limit=7&&empty")).unwrap();
        assert_eq!(query.take("q").as_deref(), Some("garden chair+foot"));
        assert_eq!(query.take("q"), None);
        assert_eq!(query.take_count("limit", 20, 500).unwrap(), 7);
        assert_eq!(query.take_count("first", 10, 100).unwrap(), 10);
        assert_eq!(query.take("empty").as_deref(), Some(""));
        query.finish().unwrap();
    }

    #[test]
    fn malformed_parameters_are_refused() {
        assert!(Query::parse(Some("a=1&a=2")).is_err());
        assert!(Query::parse(Some("a=%FF")).is_err());
        assert!(Query::parse(Some("a=1")).unwrap().finish().is_err());
        for number in ["0", "501", "-1", "+5", "1e2", "", "99999999999999999999999"] {
            let text = format!("limit={}", number.replace('+', "%2B"));
            let mut query = Query::parse(Some(&text)).unwrap();
            assert!(query.take_count("limit", 20, 500).is_err(), "{number:?}");
        }
    }
}
