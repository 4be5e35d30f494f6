//! `connectors`: URLs, headers and limits of REST sources, beyond what the graph declares.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use resolvers::settings::{CallLimitOverrides, CallLimits};
use schema::diagnostic::{Code, Diagnostic, nearest};
use schema::span::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;
use url::Url;

use super::graph::Graph;
use super::headers;
use super::node::Node;
use super::raw::{Named, Text};
use super::reader::Reader;
use super::secret::Secret;
use super::setting::{Bytes, Setting, Timeout};

mod deprecated;

/// Settings of REST sources.
#[derive(Clone, Debug)]
pub struct Connectors {
    /// Default timeout of one call.
    pub timeout: Duration,
    /// Maximum bytes of one response.
    pub max_response_bytes: NonZeroUsize,
    /// Maximum bytes of the URL of one call.
    pub max_url_bytes: NonZeroUsize,
    /// Maximum bytes of the headers of one call.
    pub max_header_bytes: NonZeroUsize,
    /// Default maximum calls of one operation to one source.
    pub max_calls: NonZeroUsize,
    /// Default limits on the calls of all operations to one source.
    pub call_limits: CallLimits,
    /// Which operations may share a call.
    pub batching: Batching,
    /// Whether responses list mapping reports.
    pub reports: Reports,
    /// Settings by `<subgraph>.<source>`.
    pub sources: BTreeMap<String, Source>,
    /// `$config` of every source of a subgraph; replaces the source's own.
    pub subgraphs: BTreeMap<String, Secret<serde_json::Value>>,
}

/// Which operations may share a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batching {
    /// All concurrent operations that would send the same request.
    AcrossOperations,
    /// Only fetches of one operation.
    WithinOperation,
}

/// Whether responses list mapping reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reports {
    /// To every client.
    Show,
    /// To no client.
    Hide,
}

/// Settings of one `@source`.
#[derive(Clone, Debug)]
pub struct Source {
    /// Replaces the `baseURL` of the graph.
    pub url: Option<Url>,
    /// `$config` in templates and mappings; an object.
    pub config: Secret<serde_json::Value>,
    /// Sent with every call.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Timeout of one call.
    pub timeout: Option<Duration>,
    /// Maximum calls of one operation.
    pub max_calls: Option<NonZeroUsize>,
    /// Limits on the calls of all operations.
    pub call_limits: CallLimitOverrides,
    /// The source's name in the file, for diagnostics; `None` if set by the program.
    pub span: Option<Span>,
}

impl Reports {
    fn from_shown(is_shown: bool) -> Self {
        if is_shown { Self::Show } else { Self::Hide }
    }
}

impl Source {
    /// Settings that only replace the URL.
    pub fn with_url(url: Option<Url>) -> Self {
        Self {
            url,
            config: Secret::new(serde_json::json!({})),
            headers: Vec::new(),
            timeout: None,
            max_calls: None,
            call_limits: CallLimitOverrides::default(),
            span: None,
        }
    }
}

impl Connectors {
    /// Reports configured sources that are not in `known`, the sources of the graph.
    pub fn unknown_sources(&self, known: &BTreeSet<&str>) -> Vec<Diagnostic> {
        let unknown = self
            .sources
            .iter()
            .filter(|(name, _)| !known.contains(name.as_str()));
        unknown
            .filter_map(|(name, source)| {
                let message = format!("the graph has no source `{name}`");
                let near = nearest(name, known.iter().copied());
                let help = near.map(|near| format!("write `{near}`"));
                let span = source.span.clone()?;
                Some(Diagnostic::error(Code::ConfigInvalidValue, span, message).help(help))
            })
            .collect()
    }
}

/// `connectors` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct RawConnectors {
    /// Timeout of one call, for sources that set none.
    #[schemars(extend("default" = TIMEOUT.to_text()))]
    timeout: Option<Text<Timeout>>,
    /// Maximum size of one response of a source.
    #[schemars(extend("default" = ANSWER_SIZE.to_text()))]
    answer_size: Option<Text<Bytes>>,
    /// Maximum size of the URL of one call. A batch with a longer one is split, any other call fails.
    #[schemars(extend("default" = URL_SIZE.to_text()))]
    url_size: Option<Text<Bytes>>,
    /// Maximum size of the headers of one call; a call with more fails. Applies to GraphQL subgraphs too.
    #[schemars(extend("default" = HEADER_SIZE.to_text()))]
    header_size: Option<Text<Bytes>>,
    /// Maximum calls of one operation to one source, for sources that set none.
    #[schemars(extend("default" = CALLS_PER_OPERATION.to_text()))]
    calls_per_operation: Option<Text<NonZeroUsize>>,
    /// Maximum calls of all operations that one source has in flight, for sources that set none; more wait. Applies to GraphQL subgraphs too.
    #[schemars(extend("default" = CONCURRENT_CALLS.to_text()))]
    concurrent_calls: Option<Text<NonZeroUsize>>,
    /// Maximum calls that wait for one source, for sources that set none; more fail. Applies to GraphQL subgraphs too.
    #[schemars(extend("default" = QUEUED_CALLS.to_text()))]
    queued_calls: Option<Text<NonZeroUsize>>,
    /// Maximum entities of one request to a GraphQL subgraph, and of one call of a batch connector without `batch.maxSize`; more are divided among several.
    #[schemars(extend("default" = ENTITIES_PER_CALL.to_text()))]
    entities_per_call: Option<Text<NonZeroUsize>>,
    #[schemars(extend("deprecated" = true, "x-instead" = "connectors.calls_per_operation"))]
    max_requests_per_operation_per_source: Option<Text<NonZeroUsize>>,
    /// Which operations may share a call: `across` all concurrent operations that would send the same request, including forwarded headers, or only `within` one operation. Applies to GraphQL subgraphs too.
    #[schemars(extend("default" = BATCHING.to_text()))]
    batching: Option<Text<Batching>>,
    /// Whether responses list mapping reports in `extensions.connectors.reports`: missing properties and failed methods. For development: mappings run twice, and clients see internals of sources.
    #[schemars(extend("default" = REPORTS.to_text()))]
    reports: Option<Text<bool>>,
    /// The sources by `<subgraph>.<source>`, where `<source>` is the name of a `@source`.
    sources: Option<Named<RawSource>>,
    #[schemars(extend("deprecated" = true))]
    subgraphs: Option<Named<deprecated::DeprecatedSubgraph>>,
}

/// One source as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
struct RawSource {
    /// URL of the source; replaces `baseURL` in the graph.
    url: Option<Text<Url>>,
    #[schemars(extend("deprecated" = true, "x-instead" = "connectors.sources.<name>.url"))]
    override_url: Option<Text<Url>>,
    /// Values that templates and mappings of the graph read as `$config`. They are those of YAML 1.2: `NO`, `on`, `1_000` and dates are text, and so is a number with a leading zero.
    #[serde(rename = "$config")]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    config: Option<Spanned<Node>>,
    /// Headers to send with every call, by name.
    headers: Option<Named<Text<String>>>,
    /// Timeout of one call. Default: `connectors.timeout`.
    timeout: Option<Text<Timeout>>,
    /// Maximum calls of one operation. Default: `connectors.calls_per_operation`.
    calls_per_operation: Option<Text<NonZeroUsize>>,
    /// Maximum calls in flight. Default: `connectors.concurrent_calls`.
    concurrent_calls: Option<Text<NonZeroUsize>>,
    /// Maximum calls that wait. Default: `connectors.queued_calls`.
    queued_calls: Option<Text<NonZeroUsize>>,
    /// Maximum entities of one call without `batch.maxSize`. Default: `connectors.entities_per_call`.
    entities_per_call: Option<Text<NonZeroUsize>>,
    #[schemars(extend(
        "deprecated" = true,
        "x-instead" = "connectors.sources.<name>.calls_per_operation"
    ))]
    max_requests_per_operation: Option<Text<NonZeroUsize>>,
}

impl RawConnectors {
    pub(super) fn check(self, graph: &Graph, reader: &mut Reader<'_>) -> Connectors {
        let sources = self.sources.unwrap_or_default().0.into_iter();
        let sources = sources.map(|(name, source)| {
            check_source_name(&name, graph, reader);
            let span = reader.span(name.referenced);
            (name.value, source.check(span, reader))
        });
        let sources = sources.collect();
        let max_calls = self.calls_per_operation;
        let deprecated = self.max_requests_per_operation_per_source;
        let mut connectors = Connectors {
            timeout: reader.value_or(self.timeout, TIMEOUT).0,
            max_response_bytes: reader.value_or(self.answer_size, ANSWER_SIZE).0,
            max_url_bytes: reader.value_or(self.url_size, URL_SIZE).0,
            max_header_bytes: reader.value_or(self.header_size, HEADER_SIZE).0,
            max_calls: deprecated::current_or_deprecated(max_calls, deprecated, reader)
                .unwrap_or(CALLS_PER_OPERATION),
            call_limits: CallLimits {
                concurrent: reader.value_or(self.concurrent_calls, CONCURRENT_CALLS),
                queued: reader.value_or(self.queued_calls, QUEUED_CALLS),
                entities: reader.value_or(self.entities_per_call, ENTITIES_PER_CALL),
            },
            batching: reader.value_or(self.batching, BATCHING),
            reports: Reports::from_shown(reader.value_or(self.reports, REPORTS)),
            sources,
            subgraphs: BTreeMap::new(),
        };
        for (name, subgraph) in self.subgraphs.unwrap_or_default().0 {
            graph.require_subgraph(&name.value, name.referenced, reader);
            subgraph.check(&name.value, &mut connectors, reader);
        }
        connectors
    }
}

impl RawSource {
    fn check(self, span: Span, reader: &mut Reader<'_>) -> Source {
        let config = self.config.map(|config| reader.json(&config));
        Source {
            url: deprecated::current_or_deprecated(self.url, self.override_url, reader),
            config: Secret::new(config.unwrap_or_else(|| serde_json::json!({}))),
            headers: headers::static_headers(self.headers.unwrap_or_default(), reader),
            timeout: reader.optional(self.timeout).map(|time| time.0),
            max_calls: deprecated::current_or_deprecated(
                self.calls_per_operation,
                self.max_requests_per_operation,
                reader,
            ),
            call_limits: CallLimitOverrides {
                concurrent: reader.optional(self.concurrent_calls),
                queued: reader.optional(self.queued_calls),
                entities: reader.optional(self.entities_per_call),
            },
            span: Some(span),
        }
    }
}

fn check_source_name(name: &Spanned<String>, graph: &Graph, reader: &mut Reader<'_>) {
    match name.value.split_once('.') {
        Some((subgraph, source)) if !source.is_empty() => {
            graph.require_subgraph(subgraph, name.referenced, reader);
        }
        _ => reader.report_invalid(
            name.referenced,
            format!("`{}` is not the name of a source", name.value),
            "write `<subgraph>.<source>`, such as `users.api`".to_owned(),
        ),
    }
}

impl Setting for Batching {
    const EXPECTED: &'static str = "a batching mode";
    const EXAMPLE: &'static str = "`across` or `within`";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "across" => Some(Self::AcrossOperations),
            "within" => Some(Self::WithinOperation),
            _ => None,
        }
    }

    fn to_text(&self) -> String {
        match self {
            Self::AcrossOperations => "across".to_owned(),
            Self::WithinOperation => "within".to_owned(),
        }
    }

    fn json_schema() -> serde_json::Value {
        serde_json::json!({ "type": "string", "enum": ["across", "within"] })
    }
}

/// Default of `batching`: a single operation waits no longer, concurrent ones make fewer calls.
const BATCHING: Batching = Batching::AcrossOperations;

/// Default of `reports`: they are for development.
const REPORTS: bool = false;

/// Default timeout of one call: a source that takes longer is assumed to be broken.
const TIMEOUT: Timeout = Timeout(Duration::from_secs(10));

/// Default maximum bytes of a URL: all servers should support this many (RFC 9110 §4.1).
const URL_SIZE: Bytes = Bytes(NonZeroUsize::new(8_000).unwrap());

/// Default maximum bytes of headers: as many as common servers accept; tokens and cookies fit.
const HEADER_SIZE: Bytes = Bytes(NonZeroUsize::new(32 * 1024).unwrap());

/// Default maximum calls of one operation: as many as an operation may have root fields.
const CALLS_PER_OPERATION: NonZeroUsize = NonZeroUsize::new(2_000).unwrap();

/// Default maximum calls in flight: calls of 20 ms are 12,800 in a second, and the sockets of
/// several sources stay below the 1,024 files that many systems allow a process.
const CONCURRENT_CALLS: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// Default maximum calls that wait: those of two operations with as many calls as they may have.
const QUEUED_CALLS: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();

/// Default maximum entities of a call: with representations of 60 bytes, a body stays below the
/// 100 kB that common servers of GraphQL accept.
const ENTITIES_PER_CALL: NonZeroUsize = NonZeroUsize::new(1_000).unwrap();

/// Default maximum bytes of a response: lists of thousands of entities fit.
const ANSWER_SIZE: Bytes = Bytes(NonZeroUsize::new(16 * 1024 * 1024).unwrap());
