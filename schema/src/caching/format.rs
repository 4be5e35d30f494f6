//! The text of a tag, as it is written and as it is filled in: `product-{$key.id}`.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};
use std::ops::Range;

use super::{TagFormat, TagPart};
use crate::types::Name;

impl TagFormat {
    /// The tag, with the values that the two give for its paths; `None` when one of them has
    /// none.
    pub fn render<'v>(
        &self,
        argument: impl Fn(&[Name]) -> Option<Cow<'v, str>>,
        key: impl Fn(&[Name]) -> Option<Cow<'v, str>>,
    ) -> Option<String> {
        let mut tag = String::new();
        for part in &self.0 {
            match part {
                TagPart::Text(text) => tag.push_str(text),
                TagPart::Argument(path) => tag.push_str(&argument(path)?),
                TagPart::Key(path) => tag.push_str(&key(path)?),
            }
        }
        Some(tag)
    }
}

/// As it is written.
impl Display for TagFormat {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            match part {
                TagPart::Text(text) => f.write_str(text)?,
                TagPart::Argument(path) => write!(f, "{{$args.{}}}", path.join("."))?,
                TagPart::Key(path) => write!(f, "{{$key.{}}}", path.join("."))?,
            }
        }
        Ok(())
    }
}

/// A part of a format that was read, and not looked at further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FormatPart {
    Text(Box<str>),
    Path(Path),
}

/// `{$args.a.b}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// `args`.
    pub(crate) root: String,
    /// What follows, with its place in the format; none for `{$args}`.
    pub(crate) names: Vec<(Name, Range<usize>)>,
    /// Between the braces.
    pub(crate) range: Range<usize>,
}

/// What cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormatError {
    pub(crate) message: String,
    pub(crate) range: Range<usize>,
}

/// Reads a format.
pub(crate) fn parse(format: &str) -> Result<Vec<FormatPart>, FormatError> {
    if format.is_empty() {
        return Err(format_error("a tag needs a text", 0..0));
    }
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(rest) = format.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(brace) = rest.find(['{', '}']) else {
            pieces.push(FormatPart::Text(rest.into()));
            break;
        };
        let (text, inside) = rest.split_at(brace);
        if !text.is_empty() {
            pieces.push(FormatPart::Text(text.into()));
        }
        at += brace;
        let inside = inside
            .strip_prefix('{')
            .ok_or_else(|| format_error("`}` closes nothing", at..at + 1))?;
        let end = inside
            .find(['{', '}'])
            .filter(|end| inside.get(*end..).is_some_and(|it| it.starts_with('}')));
        let Some(content) = end.and_then(|end| inside.get(..end)) else {
            return Err(format_error("`{` is not closed", at..at + 1));
        };
        pieces.push(FormatPart::Path(path(content, at + 1)?));
        at += content.len() + 2;
    }
    Ok(pieces)
}

/// Reads what stands between two braces, from `start` on.
fn path(content: &str, start: usize) -> Result<Path, FormatError> {
    let trimmed = content.trim();
    let start = start + (content.len() - content.trim_start().len());
    let range = start..start + trimmed.len();
    let message = "only `$args` or `$key` and names can stand between braces, as in `{$args.id}`";
    let Some(path) = trimmed.strip_prefix('$') else {
        return Err(format_error(message, range));
    };
    let mut at = start + 1;
    let mut names = Vec::new();
    for name in path.split('.') {
        if !is_name(name) {
            return Err(format_error(message, range));
        }
        if names.len() > MAX_PATH_DEPTH {
            return Err(format_error(
                "this is deeper than keys and arguments go",
                range,
            ));
        }
        names.push((Name::from(name), at..at + name.len()));
        at += name.len() + 1;
    }
    let (root, _) = names.remove(0);
    Ok(Path {
        root: root.to_string(),
        names,
        range,
    })
}

/// More names than anybody writes.
const MAX_PATH_DEPTH: usize = 32;

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next();
    first.is_some_and(|it| it == b'_' || it.is_ascii_alphabetic())
        && bytes.all(|it| it == b'_' || it.is_ascii_alphanumeric())
}

fn format_error(message: &str, range: Range<usize>) -> FormatError {
    FormatError {
        message: message.to_owned(),
        range,
    }
}

#[cfg(test)]
mod tests;
