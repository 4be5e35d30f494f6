//! `limits`: what one request may ask for.

use std::num::NonZeroUsize;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw::Text;
use super::reader::Reader;
use super::setting::{Bytes, Setting, Timeout};

/// What one request may ask for; one that asks for more is refused before anything is called.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body_size: NonZeroUsize,
    /// Lexical tokens of a document.
    pub tokens: NonZeroUsize,
    /// Fields inside fields; a root field has depth 1.
    pub depth: NonZeroUsize,
    /// Fields after fragments are resolved.
    pub fields: NonZeroUsize,
    /// Entries in `errors`.
    pub errors: NonZeroUsize,
    /// From the end of a request to the end of its answer.
    pub operation_timeout: Duration,
}

/// `limits` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct RawLimits {
    /// The size of a request's body.
    #[schemars(extend("default" = BODY_SIZE.to_text()))]
    body_size: Option<Text<Bytes>>,
    /// How many lexical tokens a document has: names, punctuation, values.
    #[schemars(extend("default" = TOKENS.to_text()))]
    tokens: Option<Text<NonZeroUsize>>,
    /// How deep fields stand inside fields; a root field has depth 1.
    #[schemars(extend("default" = DEPTH.to_text()))]
    depth: Option<Text<NonZeroUsize>>,
    /// How many fields an operation has after its fragments are resolved, aliases counted each.
    #[schemars(extend("default" = FIELDS.to_text()))]
    fields: Option<Text<NonZeroUsize>>,
    /// How many errors are listed in an answer; further ones are counted in a last entry.
    #[schemars(extend("default" = ERRORS.to_text()))]
    errors: Option<Text<NonZeroUsize>>,
    /// How long an operation may take.
    #[schemars(extend("default" = OPERATION_TIMEOUT.to_text()))]
    operation_timeout: Option<Text<Timeout>>,
}

impl RawLimits {
    pub(super) fn check(self, reader: &mut Reader<'_>) -> Limits {
        Limits {
            body_size: reader.value_or(self.body_size, BODY_SIZE).0,
            tokens: reader.value_or(self.tokens, TOKENS),
            depth: reader.value_or(self.depth, DEPTH),
            fields: reader.value_or(self.fields, FIELDS),
            errors: reader.value_or(self.errors, ERRORS),
            operation_timeout: reader.value_or(self.operation_timeout, OPERATION_TIMEOUT).0,
        }
    }
}

/// Room for a large document with large variables; uploads don't come this way.
const BODY_SIZE: Bytes = Bytes(NonZeroUsize::new(256 * 1024).unwrap());

/// Five times the introspection query, which is the longest that most clients send.
const TOKENS: NonZeroUsize = NonZeroUsize::new(5_000).unwrap();

/// The introspection query of GraphiQL needs 13.
const DEPTH: NonZeroUsize = NonZeroUsize::new(25).unwrap();

/// Fragments used many times multiply; documents that people write stay far below.
const FIELDS: NonZeroUsize = NonZeroUsize::new(2_000).unwrap();

/// Nobody reads more, and a failed list would repeat one error for each of its items.
const ERRORS: NonZeroUsize = NonZeroUsize::new(100).unwrap();

/// People wait no longer, and neither do the proxies before Weir.
const OPERATION_TIMEOUT: Timeout = Timeout(Duration::from_secs(30));
