//! `limits`: limits on requests and operations.

use std::num::NonZeroUsize;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::raw::Text;
use super::reader::Reader;
use super::setting::{Bytes, Setting, Timeout};

/// Limits on requests and operations; a request beyond them is rejected before any source is called.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Maximum bytes of a request body.
    pub body_size: NonZeroUsize,
    /// Maximum lexical tokens of a document.
    pub tokens: NonZeroUsize,
    /// Maximum nesting depth of fields; a root field has depth 1.
    pub depth: NonZeroUsize,
    /// Maximum number of fields after fragments are resolved.
    pub fields: NonZeroUsize,
    /// Maximum number of selections after fragments are resolved, skipped ones included.
    pub selections: NonZeroUsize,
    /// Maximum number of aliases after fragments are resolved.
    pub aliases: NonZeroUsize,
    /// Maximum number of root fields after fragments are resolved.
    pub root_fields: NonZeroUsize,
    /// Maximum bytes of the result of introspection.
    pub introspection_size: NonZeroUsize,
    /// Maximum number of entries in `errors`.
    pub errors: NonZeroUsize,
    /// Maximum bytes of a response.
    pub response_size: NonZeroUsize,
    /// Maximum bytes that one operation holds: responses of sources, and what is read from them.
    pub operation_memory: NonZeroUsize,
    /// Time that a request waits until its operation is parsed, validated and planned.
    pub prepare_timeout: Duration,
    /// Time from the end of a request to the end of its response.
    pub operation_timeout: Duration,
}

/// `limits` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct RawLimits {
    /// Maximum size of a request body.
    #[schemars(extend("default" = BODY_SIZE.to_text()))]
    body_size: Option<Text<Bytes>>,
    /// Maximum lexical tokens of a document: names, punctuation, values; no commas or comments.
    #[schemars(extend("default" = TOKENS.to_text()))]
    tokens: Option<Text<NonZeroUsize>>,
    /// Maximum nesting depth of fields; a root field has depth 1.
    #[schemars(extend("default" = DEPTH.to_text()))]
    depth: Option<Text<NonZeroUsize>>,
    /// Maximum number of fields of an operation after fragments are resolved; each alias counts.
    #[schemars(extend("default" = FIELDS.to_text()))]
    fields: Option<Text<NonZeroUsize>>,
    /// Maximum number of selections of a document with fragments resolved, skipped ones included.
    #[schemars(extend("default" = SELECTIONS.to_text()))]
    selections: Option<Text<NonZeroUsize>>,
    /// Maximum number of aliases of an operation after fragments are resolved.
    #[schemars(extend("default" = ALIASES.to_text()))]
    aliases: Option<Text<NonZeroUsize>>,
    /// Maximum number of root fields of an operation after fragments are resolved.
    #[schemars(extend("default" = ROOT_FIELDS.to_text()))]
    root_fields: Option<Text<NonZeroUsize>>,
    /// Maximum size of the result of introspection.
    #[schemars(extend("default" = INTROSPECTION_SIZE.to_text()))]
    introspection_size: Option<Text<Bytes>>,
    /// Maximum number of errors in a response; a last entry counts the omitted ones.
    #[schemars(extend("default" = ERRORS.to_text()))]
    errors: Option<Text<NonZeroUsize>>,
    /// Maximum size of a response.
    #[schemars(extend("default" = RESPONSE_SIZE.to_text()))]
    response_size: Option<Text<Bytes>>,
    /// Maximum memory of one operation: the responses of sources that it holds, with their index, and the values that are read from them.
    #[schemars(extend("default" = OPERATION_MEMORY.to_text()))]
    operation_memory: Option<Text<Bytes>>,
    /// Maximum time that a request waits until its operation is parsed, validated and planned.
    #[schemars(extend("default" = PREPARE_TIMEOUT.to_text()))]
    prepare_timeout: Option<Text<Timeout>>,
    /// Timeout of an operation.
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
            selections: reader.value_or(self.selections, SELECTIONS),
            aliases: reader.value_or(self.aliases, ALIASES),
            root_fields: reader.value_or(self.root_fields, ROOT_FIELDS),
            introspection_size: reader
                .value_or(self.introspection_size, INTROSPECTION_SIZE)
                .0,
            errors: reader.value_or(self.errors, ERRORS),
            response_size: reader.value_or(self.response_size, RESPONSE_SIZE).0,
            operation_memory: reader.value_or(self.operation_memory, OPERATION_MEMORY).0,
            prepare_timeout: reader.value_or(self.prepare_timeout, PREPARE_TIMEOUT).0,
            operation_timeout: reader.value_or(self.operation_timeout, OPERATION_TIMEOUT).0,
        }
    }
}

/// Default maximum bytes of a body: a large document with large variables, but no file uploads.
const BODY_SIZE: Bytes = Bytes(NonZeroUsize::new(256 * 1024).unwrap());

/// Default maximum tokens: five times the introspection query.
const TOKENS: NonZeroUsize = NonZeroUsize::new(5_000).unwrap();

/// Default maximum depth: the introspection query of GraphiQL has depth 13.
const DEPTH: NonZeroUsize = NonZeroUsize::new(25).unwrap();

/// Default maximum fields: only repeated use of fragments reaches it.
const FIELDS: NonZeroUsize = NonZeroUsize::new(2_000).unwrap();

/// Default maximum selections: five times the fields, for fragments and skipped selections.
const SELECTIONS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// Default maximum aliases: as many as fields, so that only graphs that lower one of them notice.
const ALIASES: NonZeroUsize = NonZeroUsize::new(2_000).unwrap();

/// Default maximum root fields: as many as fields. A bulk read of 1,500 entities by alias is valid.
const ROOT_FIELDS: NonZeroUsize = NonZeroUsize::new(2_000).unwrap();

/// Default maximum bytes of an introspection: a graph of 1,000 types has 3 to 6 MiB.
const INTROSPECTION_SIZE: Bytes = Bytes(NonZeroUsize::new(16 * 1024 * 1024).unwrap());

/// Default maximum errors: a failed list would otherwise repeat one error for each item.
const ERRORS: NonZeroUsize = NonZeroUsize::new(100).unwrap();

/// Default maximum bytes of a response: as many as one response of a source may have.
const RESPONSE_SIZE: Bytes = Bytes(NonZeroUsize::new(16 * 1024 * 1024).unwrap());

/// Default maximum bytes that an operation holds: two of the largest responses of sources, which
/// take two to four times their size while they are read.
const OPERATION_MEMORY: Bytes = Bytes(NonZeroUsize::new(128 * 1024 * 1024).unwrap());

/// Default timeout of preparing: a replica that starts prepares a thousand usual operations in it.
const PREPARE_TIMEOUT: Timeout = Timeout(Duration::from_secs(5));

/// Default timeout of an operation: clients and common proxies wait no longer.
const OPERATION_TIMEOUT: Timeout = Timeout(Duration::from_secs(30));
