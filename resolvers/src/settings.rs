//! Settings of an engine: the gateway makes them from its configuration.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use url::Url;

use crate::cache::Cache;
use crate::local::LocalService;

/// Settings of an engine, all that is configured beside the graph.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Settings of sources by `<subgraph>.<source>`, and by `<subgraph>` for connectors without a
    /// source; others use the graph's values.
    pub sources: BTreeMap<String, SourceSettings>,
    /// Settings of subgraphs by name; others use the URL in the graph.
    pub subgraphs: BTreeMap<String, SubgraphSettings>,
    /// Services in this process by subgraph; they take precedence over URLs.
    pub local: BTreeMap<String, Arc<dyn LocalService>>,
    /// Limits of one operation.
    pub limits: Limits,
    /// Timeout of an operation, from the start of its processing to the end of its response.
    pub operation_timeout: Duration,
    /// Maximum time that a request waits until its operation is parsed, validated and planned.
    pub prepare_timeout: Duration,
    /// Timeout of a call to a source without one of its own.
    pub source_timeout: Duration,
    /// Maximum number of calls of one operation to a source without a maximum of its own.
    pub source_call_limit: Option<NonZeroUsize>,
    /// Limits on the calls to a source without limits of its own.
    pub call_limits: CallLimits,
    /// Whether operations share calls.
    pub batching: Batching,
    /// Settings of caching; `None`: nothing is cached.
    pub caching: Option<Caching>,
    /// Values of `$env` in templates and mappings.
    pub environment: BTreeMap<String, String>,
    /// Whether responses include problems found by mappings.
    pub reports: Reports,
    /// Maximum number of cached prepared operations.
    pub prepared_operations: NonZeroUsize,
    /// Maximum estimated bytes of the cached prepared operations.
    pub operation_cache_size: usize,
    /// Whether clients may read the schema.
    pub introspection: Introspection,
    /// Percentage of requests for which a progressive override is active, by its label; others
    /// follow their label (`percent(5)`) or are inactive.
    pub overrides: BTreeMap<String, f64>,
}

/// Settings of one `@source`.
#[derive(Clone, Debug, Default)]
pub struct SourceSettings {
    /// Replaces the graph's `baseURL`, its path and query included.
    pub url: Option<Url>,
    /// Value of `$config` in templates and mappings.
    pub config: serde_json::Value,
    /// Headers sent with every call, after those of the graph.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Timeout of one call.
    pub timeout: Option<Duration>,
    /// Maximum number of calls of one operation.
    pub call_limit: Option<NonZeroUsize>,
    /// Limits on the calls of all operations.
    pub call_limits: CallLimitOverrides,
}

/// Settings of one subgraph.
#[derive(Clone, Debug, Default)]
pub struct SubgraphSettings {
    /// Replaces the URL in the graph.
    pub url: Option<Url>,
    /// Headers sent with every request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Client headers to forward.
    pub forwarded_headers: Vec<HeaderName>,
    /// Timeout of one request.
    pub timeout: Option<Duration>,
    /// Limits on the requests of all operations.
    pub call_limits: CallLimitOverrides,
}

/// Limits on the calls of all operations to one source.
#[derive(Clone, Copy, Debug)]
pub struct CallLimits {
    /// Maximum calls in flight.
    pub concurrent: NonZeroUsize,
    /// Maximum calls that wait for one in flight to end.
    pub queued: NonZeroUsize,
    /// Maximum entities of one call, where the graph sets none (`batch.maxSize`).
    pub entities: NonZeroUsize,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            concurrent: NonZeroUsize::new(256).unwrap_or(NonZeroUsize::MIN),
            queued: NonZeroUsize::new(4_096).unwrap_or(NonZeroUsize::MIN),
            entities: NonZeroUsize::new(1_000).unwrap_or(NonZeroUsize::MIN),
        }
    }
}

/// Limits of one source that replace the common ones.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallLimitOverrides {
    /// Replaces `CallLimits::concurrent`.
    pub concurrent: Option<NonZeroUsize>,
    /// Replaces `CallLimits::queued`.
    pub queued: Option<NonZeroUsize>,
    /// Replaces `CallLimits::entities`.
    pub entities: Option<NonZeroUsize>,
}

impl CallLimitOverrides {
    /// These limits, and those of `base` where there is none.
    pub fn over(self, base: CallLimits) -> CallLimits {
        CallLimits {
            concurrent: self.concurrent.unwrap_or(base.concurrent),
            queued: self.queued.unwrap_or(base.queued),
            entities: self.entities.unwrap_or(base.entities),
        }
    }
}

/// Settings of caching.
#[derive(Clone, Debug)]
pub struct Caching {
    /// The cache. It outlives a graph: values of unchanged types survive a reload.
    pub cache: Cache,
    /// Policy of subgraphs without one of their own.
    pub default: CachePolicy,
    /// Policies by subgraph.
    pub subgraphs: BTreeMap<String, CachePolicy>,
    /// Client headers that identify the caller, for private values. If empty, the credentials of a
    /// call identify it.
    pub caller_headers: Vec<HeaderName>,
    /// Whether whole responses are cached above the values in them.
    pub responses: ResponseCaching,
}

/// Whether whole responses are cached above the values in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseCaching {
    /// Responses are cached whose parts are all cached.
    Enabled,
    /// Responses are made of cached values each time.
    Disabled,
}

/// Lifetimes of a subgraph's values; the graph and responses may shorten them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachePolicy {
    /// Whether values are cached.
    pub is_enabled: bool,
    /// Default fresh time, if neither the graph nor the response sets one.
    pub default_ttl: Duration,
    /// Maximum fresh time, and maximum of each stale window.
    pub max_ttl: Duration,
    /// Default stale-while-revalidate window, if the response sets none.
    pub stale_while_revalidate: Duration,
    /// Default stale-if-error window, if the response sets none.
    pub stale_if_error: Duration,
    /// Maximum fresh time of an absent value.
    pub negative_ttl: Duration,
}

/// Limits of one operation; one over a limit is rejected before any call.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Maximum nesting of fields; a root field has depth 1.
    pub depth: usize,
    /// Maximum number of tokens of the document; white space, commas and comments are none.
    pub tokens: usize,
    /// Maximum number of fields after fragments are expanded, each occurrence counted.
    pub fields: usize,
    /// Maximum number of selections of the document's operations after fragments are expanded:
    /// fields, spreads and inline fragments, also skipped ones and those of introspection.
    pub selections: usize,
    /// Maximum number of aliases of an operation after fragments are expanded.
    pub aliases: usize,
    /// Maximum number of root fields of an operation after fragments are expanded, each occurrence
    /// counted.
    pub root_fields: usize,
    /// Maximum bytes of the results of `__schema` and `__type` together.
    pub introspection_size: usize,
    /// Maximum bytes of `data`, and with it of the whole response.
    pub response_size: usize,
    /// Maximum bytes that one operation holds: responses of sources, and what is read from them.
    pub operation_memory: usize,
    /// Maximum bytes of a response body of a source.
    pub source_body: usize,
    /// Maximum bytes of a URL; a batch with a longer URL is split, any other call fails.
    pub source_url: usize,
    /// Maximum bytes of the headers of a call; a call with more fails.
    pub source_headers: usize,
    /// Maximum number of entries in `errors`; a last entry counts the omitted ones.
    pub errors: usize,
}

/// Which calls are shared. Equal calls within one operation always are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batching {
    /// Calls of all operations in flight that would send the same request, credentials included.
    AcrossOperations,
    /// Calls of one operation only.
    WithinOperation,
}

/// Whether responses include problems found by mappings: missing members, failed methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reports {
    /// Not included, except for errors that a mapping reports to clients (`->withError`).
    Hide,
    /// Included for every client, for development. Mappings are evaluated a second time,
    /// completely.
    Show,
}

/// Whether `__schema` and `__type` may be selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Introspection {
    /// Allowed.
    Allow,
    /// Rejected with a request error.
    Refuse,
}
