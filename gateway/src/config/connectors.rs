//! `connectors`: the REST services behind the graph, where the graph itself doesn't say enough.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
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

/// The REST services behind the graph.
#[derive(Clone, Debug)]
pub struct Connectors {
    /// For one call to a source that sets none of its own.
    pub timeout: Duration,
    /// Bytes of one answer.
    pub max_response_bytes: NonZeroUsize,
    /// Calls of one operation to a source that sets no bound of its own; `None` is no bound.
    pub max_calls: Option<NonZeroUsize>,
    /// Which operations may share a call.
    pub batching: Batching,
    /// Whether answers tell what mappings met.
    pub reports: Reports,
    /// By `<subgraph>.<source>`.
    pub sources: BTreeMap<String, Source>,
    /// `$config` for every source of a subgraph, instead of the source's own.
    pub subgraphs: BTreeMap<String, Secret<serde_json::Value>>,
}

/// Which operations may share a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batching {
    /// All that are under way at one moment and would send the same.
    AcrossOperations,
    /// Those of one operation only.
    WithinOperation,
}

/// Whether answers tell what mappings met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reports {
    /// To every client.
    Show,
    /// To nobody.
    Hide,
}

/// What is decided about one `@source`.
#[derive(Clone, Debug)]
pub struct Source {
    /// Instead of the graph's `baseURL`.
    pub url: Option<Url>,
    /// `$config` in templates and mappings; an object.
    pub config: Secret<serde_json::Value>,
    /// Sent with every call.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// For one call.
    pub timeout: Option<Duration>,
    /// Calls of one operation.
    pub max_calls: Option<NonZeroUsize>,
    /// Where the configuration names it, for diagnostics; `None` when nobody wrote it.
    pub span: Option<Span>,
}

impl Connectors {
    /// Reports the sources that a graph does not have, `known` being all that it has.
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
    /// How long one call may take, for sources that set none of their own.
    #[schemars(extend("default" = TIMEOUT.to_text()))]
    timeout: Option<Text<Timeout>>,
    /// The size of one answer of a source.
    #[schemars(extend("default" = ANSWER_SIZE.to_text()))]
    answer_size: Option<Text<Bytes>>,
    /// How many calls one operation may make to a source that sets no bound of its own. Default: no bound.
    calls_per_operation: Option<Text<NonZeroUsize>>,
    #[schemars(extend("deprecated" = true, "x-instead" = "connectors.calls_per_operation"))]
    max_requests_per_operation_per_source: Option<Text<NonZeroUsize>>,
    /// Which operations may share a call: `across` all that are under way at one moment and would send the same, forwarded headers included, or only `within` one. Holds for services that speak GraphQL too.
    #[schemars(extend("default" = BATCHING.to_text()))]
    batching: Option<Text<Batching>>,
    /// Whether answers list, in `extensions.connectors.reports`, what mappings did not find or could not do. For development: mappings run twice, and clients see the insides of sources.
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
    /// Where the source is, instead of the `baseURL` in the graph.
    url: Option<Text<Url>>,
    #[schemars(extend("deprecated" = true, "x-instead" = "connectors.sources.<name>.url"))]
    override_url: Option<Text<Url>>,
    /// Any values that templates and mappings of the graph read as `$config`.
    #[serde(rename = "$config")]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    config: Option<Spanned<Node>>,
    /// Headers to send with every call, by name.
    headers: Option<Named<Text<String>>>,
    /// How long one call may take. Default: `connectors.timeout`.
    timeout: Option<Text<Timeout>>,
    /// How many calls one operation may make. Default: `connectors.calls_per_operation`.
    calls_per_operation: Option<Text<NonZeroUsize>>,
    #[schemars(extend(
        "deprecated" = true,
        "x-instead" = "connectors.sources.<name>.calls_per_operation"
    ))]
    max_requests_per_operation: Option<Text<NonZeroUsize>>,
}

impl RawConnectors {
    pub(super) fn check(self, graph: &Graph, reader: &mut Reader<'_>) -> Connectors {
        let sources = self.sources.unwrap_or_default();
        let deprecated_calls = self.max_requests_per_operation_per_source;
        let mut connectors = Connectors {
            timeout: reader.value_or(self.timeout, TIMEOUT).0,
            max_response_bytes: reader.value_or(self.answer_size, ANSWER_SIZE).0,
            max_calls: deprecated::current_or_deprecated(
                self.calls_per_operation,
                deprecated_calls,
                reader,
            ),
            batching: reader.value_or(self.batching, BATCHING),
            reports: if reader.value_or(self.reports, REPORTS) {
                Reports::Show
            } else {
                Reports::Hide
            },
            sources: sources
                .0
                .into_iter()
                .map(|(name, source)| {
                    check_source_name(&name, graph, reader);
                    let span = reader.span(name.referenced);
                    (name.value, source.check(span, reader))
                })
                .collect(),
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
            timeout: self
                .timeout
                .and_then(|time| reader.value(&time))
                .map(|time| time.0),
            max_calls: deprecated::current_or_deprecated(
                self.calls_per_operation,
                self.max_requests_per_operation,
                reader,
            ),
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
            format!(
                "`{}` does not say which source of which subgraph",
                name.value
            ),
            "write `<subgraph>.<source>`, such as `users.api`".to_owned(),
        ),
    }
}

impl Setting for Batching {
    const EXPECTED: &'static str = "a way to batch";
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

/// A request that is alone waits for nobody; those that are not are answered by fewer calls.
const BATCHING: Batching = Batching::AcrossOperations;

/// Who writes a mapping asks for them.
const REPORTS: bool = false;

/// A slow page is still a page; what takes longer is broken.
const TIMEOUT: Timeout = Timeout(Duration::from_secs(10));

/// Lists of thousands of entities fit; a service gone mad does not.
const ANSWER_SIZE: Bytes = Bytes(NonZeroUsize::new(16 * 1024 * 1024).unwrap());
