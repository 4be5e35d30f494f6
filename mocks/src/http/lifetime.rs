//! The `Cache-Control` of responses.
//!
//! The services only send the header; they cache nothing.

use hyper::header::{CACHE_CONTROL, HeaderValue, InvalidHeaderValue};

use crate::http::HttpResponse;

/// The value of a `Cache-Control` header; empty text omits the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime(Option<HeaderValue>);

/// Marks responses whose `Cache-Control` can be overridden.
#[derive(Clone, Copy, Debug)]
struct Overridable;

impl Lifetime {
    /// No header.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// Forbids caching.
    pub(crate) const fn no_store() -> Self {
        Self(Some(HeaderValue::from_static("no-store")))
    }

    /// Accepts any valid header value, even if it is not a valid `Cache-Control`.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidHeaderValue> {
        match text.trim() {
            "" => Ok(Self::none()),
            text => HeaderValue::from_str(text).map(|value| Self(Some(value))),
        }
    }

    /// The text of the header; empty without a header.
    pub(crate) fn text(&self) -> &str {
        let value = self.0.as_ref();
        value.map_or("", |value| value.to_str().unwrap_or_default())
    }

    /// Sets the header of `response`, which can then be overridden.
    pub(crate) fn apply(&self, response: &mut HttpResponse) {
        self.set_header(response);
        response.extensions_mut().insert(Overridable);
    }

    /// Sets the header of `response` if it can be overridden.
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
