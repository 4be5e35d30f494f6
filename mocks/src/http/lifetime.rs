//! How long an answer may be kept, as its `Cache-Control` says.
//!
//! Says it and nothing else: nobody here keeps answers.

use hyper::header::{CACHE_CONTROL, HeaderValue, InvalidHeaderValue};

use crate::http::HttpResponse;

/// The text of a `Cache-Control`; empty text is no header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime(Option<HeaderValue>);

/// On answers whose lifetime may be said anew by whoever runs the service.
#[derive(Clone, Copy, Debug)]
struct Overridable;

impl Lifetime {
    /// Nothing said.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// Never to be kept.
    pub(crate) const fn no_store() -> Self {
        Self(Some(HeaderValue::from_static("no-store")))
    }

    /// Whatever can be a header can be one, sensible or not.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidHeaderValue> {
        match text.trim() {
            "" => Ok(Self::none()),
            text => HeaderValue::from_str(text).map(|value| Self(Some(value))),
        }
    }

    /// What was parsed.
    pub(crate) fn text(&self) -> &str {
        let value = self.0.as_ref();
        value.map_or("", |value| value.to_str().unwrap_or_default())
    }

    /// Says it with `answer`, in place of what was said before. Whoever runs the service may say
    /// something else instead.
    pub(crate) fn apply(&self, response: &mut HttpResponse) {
        self.set_header(response);
        response.extensions_mut().insert(Overridable);
    }

    /// Says it with `answer` if that is one whose lifetime may be said anew.
    pub(crate) fn apply_override(&self, response: &mut HttpResponse) {
        if response.extensions().get::<Overridable>().is_some() {
            self.set_header(response);
        }
    }

    fn set_header(&self, response: &mut HttpResponse) {
        match &self.0 {
            Some(value) => response.headers_mut().insert(CACHE_CONTROL, value.clone()),
            None => response.headers_mut().remove(CACHE_CONTROL),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_text_is_unchanged_and_invalid_headers_are_refused() {
        for text in ["max-age=1, stale-if-error=60", "private", "nonsense"] {
            assert_eq!(Lifetime::parse(text).unwrap().text(), text);
        }
        assert_eq!(Lifetime::parse(" ").unwrap(), Lifetime::none());
        assert!(Lifetime::parse("max-age=1\r\nx: y").is_err());
    }
}
