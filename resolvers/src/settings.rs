//! What an operator decides about answering; made from the configuration, never read from it here.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use url::Url;

use crate::cache::Cache;
use crate::local::LocalService;

/// Everything that is decided beside the graph.
#[derive(Clone, Debug)]
pub struct Settings {
    /// By `<subgraph>.<source>`, and by `<subgraph>` for its connectors that name no source; those
    /// not named use what the graph says.
    pub sources: BTreeMap<String, SourceSettings>,
    /// Services that speak GraphQL, by subgraph; those not named are where the graph says.
    pub subgraphs: BTreeMap<String, SubgraphSettings>,
    /// Services in this process, by subgraph. One of these is asked whatever else says where it is.
    pub local: BTreeMap<String, Arc<dyn LocalService>>,
    /// What an operation may ask for.
    pub limits: Limits,
    /// From the first byte of the request's work to the last of its answer.
    pub operation_timeout: Duration,
    /// For one call to a source or service that sets none of its own.
    pub source_timeout: Duration,
    /// How many calls one operation may make to a source that sets no bound of its own.
    pub source_call_limit: Option<NonZeroUsize>,
    /// Whether operations share calls.
    pub batching: Batching,
    /// What is kept of what sources give; `None` is nothing.
    pub caching: Option<Caching>,
    /// `$env` in templates and mappings.
    pub environment: BTreeMap<String, String>,
    /// Whether answers tell what mappings met.
    pub reports: Reports,
    /// How many prepared operations are kept.
    pub prepared_operations: NonZeroUsize,
    /// Whether clients may read the schema.
    pub introspection: Introspection,
    /// For how many of a hundred requests a progressive override is on, by its label; those not
    /// named are on as their label says (`percent(5)`), or off.
    pub overrides: BTreeMap<String, f64>,
}

/// What is decided about one `@source`.
#[derive(Clone, Debug, Default)]
pub struct SourceSettings {
    /// Instead of the graph's `baseURL`, with its path and query.
    pub url: Option<Url>,
    /// `$config` in templates and mappings.
    pub config: serde_json::Value,
    /// Sent with every call, after the graph's own.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// For one call.
    pub timeout: Option<Duration>,
    /// How many calls one operation may make.
    pub call_limit: Option<NonZeroUsize>,
}

/// What is decided about one service that speaks GraphQL.
#[derive(Clone, Debug, Default)]
pub struct SubgraphSettings {
    /// Instead of what the graph says.
    pub url: Option<Url>,
    /// Sent with every request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The client's headers that are sent on.
    pub forwarded_headers: Vec<HeaderName>,
    /// For one request.
    pub timeout: Option<Duration>,
}

/// What is kept of what sources give, and for how long.
#[derive(Clone, Debug)]
pub struct Caching {
    /// Where it is kept. It outlives a graph: what a reload leaves as it was is found again.
    pub cache: Cache,
    /// For subgraphs that set nothing of their own.
    pub default: CachePolicy,
    /// By subgraph.
    pub subgraphs: BTreeMap<String, CachePolicy>,
    /// Headers of the client that say who it is, for what only one caller may be given. Without
    /// them the credentials that a call carries do.
    pub caller_headers: Vec<HeaderName>,
}

/// For how long what a subgraph gives is kept; the graph and the answers may say less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachePolicy {
    /// Whether anything is kept.
    pub is_enabled: bool,
    /// Fresh for so long when neither the graph nor the answer says.
    pub default_ttl: Duration,
    /// Nothing is kept for longer.
    pub max_ttl: Duration,
    /// Then given out for so long while it is renewed, where the answer says nothing of that.
    pub stale_while_revalidate: Duration,
    /// Then given out for so long when the source fails, where the answer says nothing of that.
    pub stale_if_error: Duration,
    /// For so long "does not exist" is believed.
    pub negative_ttl: Duration,
}

/// Bounds on one operation; an operation over one is refused before anything is called.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Fields inside fields; a root field has depth 1.
    pub depth: usize,
    /// Tokens of the document; a run of white space is one too.
    pub tokens: usize,
    /// Fields after fragments are resolved, each occurrence counted.
    pub fields: usize,
    /// Bytes of one body that a source answers with.
    pub source_body: usize,
    /// Bytes of a URL that is called; a batch whose URL would be longer is asked for in parts.
    pub source_url: usize,
    /// Entries in `errors`; further ones are counted in a last entry.
    pub errors: usize,
}

/// Which operations may share a call. Those of one operation always do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batching {
    /// All that are under way at one moment and would send the same, credentials included.
    AcrossOperations,
    /// None: every operation makes its own calls.
    WithinOperation,
}

/// Whether answers tell what mappings met: members that are missing, methods that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reports {
    /// To nobody, but for what a mapping says to clients itself (`->withError`).
    Hide,
    /// To every client: for development. Mappings are evaluated a second time, whole.
    Show,
}

/// Whether `__schema` and `__type` are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Introspection {
    /// Answered.
    Allow,
    /// Refused as a request error.
    Refuse,
}
