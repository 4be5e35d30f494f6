//! Tag formats, parsed, printed and rendered: `product-{$key.id}`.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};
use std::ops::Range;

use super::{TagFormat, TagPart};
use crate::types::Name;

impl TagFormat {
    /// Renders the tag with the values that `argument` and `key` return for its paths; `None` if
    /// a path has no value.
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

/// Prints the format as it is written in the directive.
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

/// A part of a format that is parsed but not yet checked against the schema.
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
    /// The names after the root with their ranges in the format; empty for `{$args}`.
    pub(crate) names: Vec<(Name, Range<usize>)>,
    /// The range between the braces, without white space.
    pub(crate) range: Range<usize>,
}

/// A syntax error in a format, with its range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormatError {
    pub(crate) message: String,
    pub(crate) range: Range<usize>,
}

/// Parses a format.
pub(crate) fn parse(format: &str) -> Result<Vec<FormatPart>, FormatError> {
    if format.is_empty() {
        return Err(format_error("a tag must not be empty", 0..0));
    }
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(rest) = format.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(brace) = rest.find(['{', '}']) else {
            parts.push(FormatPart::Text(rest.into()));
            break;
        };
        let (text, inside) = rest.split_at(brace);
        if !text.is_empty() {
            parts.push(FormatPart::Text(text.into()));
        }
        at += brace;
        let inside = inside
            .strip_prefix('{')
            .ok_or_else(|| format_error("`}` without a matching `{`", at..at + 1))?;
        let end = inside
            .find(['{', '}'])
            .filter(|end| inside.get(*end..).is_some_and(|rest| rest.starts_with('}')));
        let Some(content) = end.and_then(|end| inside.get(..end)) else {
            return Err(format_error("`{` is not closed", at..at + 1));
        };
        parts.push(FormatPart::Path(path(content, at + 1)?));
        at += content.len() + 2;
    }
    Ok(parts)
}

/// Parses the path between two braces; `content` starts at byte `start` of the format.
fn path(content: &str, start: usize) -> Result<Path, FormatError> {
    let trimmed = content.trim();
    let start = start + (content.len() - content.trim_start().len());
    let range = start..start + trimmed.len();
    let message = "braces must contain a path from `$args` or `$key`, as in `{$args.id}`";
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
            let message = format!("a path may have at most {MAX_PATH_DEPTH} names");
            return Err(format_error(&message, range));
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

/// Maximum number of names after the root of a path.
const MAX_PATH_DEPTH: usize = 32;

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next();
    first.is_some_and(|byte| byte == b'_' || byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

fn format_error(message: &str, range: Range<usize>) -> FormatError {
    FormatError {
        message: message.to_owned(),
        range,
    }
}

#[cfg(test)]
mod tests;
