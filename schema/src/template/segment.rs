//! The path segments of a URL while its template is rendered: no value may empty its segment, or be
//! a step to another path.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::url::UrlError;
use super::{Expression, Template};

/// Follows the path in a text that grows part by part, and checks each segment with an expression.
pub(super) struct SegmentCheck<'t> {
    template: &'t Template,
    area: Area,
    /// The start of the current segment in the text.
    start: usize,
    /// The last expression in the current segment.
    expression: Option<&'t Expression>,
}

/// The component of a URL (RFC 3986 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Area {
    /// Scheme and authority, with the number of slashes so far.
    Origin {
        slashes: u8,
    },
    Path,
    /// Query and fragment.
    Rest,
}

impl<'t> SegmentCheck<'t> {
    /// Starts at the scheme of an absolute URL.
    pub(super) fn absolute(template: &'t Template) -> Self {
        Self::new(template, Area::Origin { slashes: 0 })
    }

    /// Starts at the path.
    pub(super) fn relative(template: &'t Template) -> Self {
        Self::new(template, Area::Path)
    }

    fn new(template: &'t Template, area: Area) -> Self {
        Self {
            template,
            area,
            start: 0,
            expression: None,
        }
    }

    /// Follows constant text, which `text` has from `from` on.
    pub(super) fn constant(&mut self, text: &str, from: usize) -> Result<(), UrlError> {
        for (at, byte) in text.bytes().enumerate().skip(from) {
            match (self.area, byte) {
                (Area::Origin { slashes }, b'/') if slashes < 2 => {
                    self.area = Area::Origin {
                        slashes: slashes + 1,
                    };
                }
                (Area::Origin { .. } | Area::Path, b'/') => {
                    self.end_segment(text.get(self.start..at))?;
                    self.area = Area::Path;
                    self.start = at + 1;
                }
                (Area::Origin { .. } | Area::Path, b'?' | b'#') => {
                    self.end_segment(text.get(self.start..at))?;
                    self.area = Area::Rest;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Follows a value, in which reserved characters are escaped.
    pub(super) fn expression(&mut self, expression: &'t Expression) {
        if self.area == Area::Path {
            self.expression = Some(expression);
        }
    }

    /// Checks the last segment of `text`.
    pub(super) fn finish(mut self, text: &str) -> Result<(), UrlError> {
        self.end_segment(text.get(self.start..))
    }

    fn end_segment(&mut self, segment: Option<&str>) -> Result<(), UrlError> {
        let (Some(expression), Some(segment)) = (self.expression.take(), segment) else {
            return Ok(());
        };
        check_segment(segment, || {
            let text = self.template.text().get(expression.range.clone());
            format!("the expression `{}`", text.unwrap_or_default())
        })
    }
}

/// Checks a segment that contains a value; `origin` names the value in an error.
pub(super) fn check_segment(segment: &str, origin: impl Fn() -> String) -> Result<(), UrlError> {
    if segment.is_empty() {
        return Err(UrlError::EmptySegment(origin()));
    }
    if has_dot_segment(segment) {
        return Err(UrlError::DotSegment(origin()));
    }
    Ok(())
}

/// Whether a server could take the segment for `.` or `..`, or for several segments with one of
/// them. Servers differ in what they decode first, so escaped dots, slashes and backslashes count,
/// also those that are escaped again, and what follows a semicolon does not (`..;`).
fn has_dot_segment(segment: &str) -> bool {
    let mut text = Cow::Borrowed(segment.as_bytes());
    if !text.contains(&b'.') && !segment.contains("2e") && !segment.contains("2E") {
        return false;
    }
    for _ in 0..MAX_DECODINGS {
        let mut parts = text.split(|byte| matches!(byte, b'/' | b'\\'));
        if parts.any(is_dots) {
            return true;
        }
        text = match Cow::from(percent_decode(&text)) {
            Cow::Borrowed(_) => return false,
            Cow::Owned(decoded) => Cow::Owned(decoded),
        };
    }
    false
}

fn is_dots(part: &[u8]) -> bool {
    let name = part.split(|byte| *byte == b';').next();
    matches!(name, Some(b"." | b".."))
}

/// Maximum number of times that the servers between here and a file decode a path.
const MAX_DECODINGS: usize = 4;
