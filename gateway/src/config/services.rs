//! `services`: headers and timeouts of requests to GraphQL subgraphs.
//!
//! The URL of a subgraph is in `graph.subgraphs` or in the supergraph. Only the latter can be
//! overridden here.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use resolvers::settings::CallLimitOverrides;
use schema::diagnostic::{Code, Diagnostic, nearest};
use schema::span::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::graph::{Graph, GraphFiles};
use super::headers;
use super::raw::{Named, Text};
use super::reader::Reader;
use super::setting::Timeout;

/// Settings of GraphQL subgraphs by subgraph name.
#[derive(Clone, Debug)]
pub struct SubgraphConfigs(pub BTreeMap<String, SubgraphConfig>);

/// Settings of one GraphQL subgraph.
#[derive(Clone, Debug)]
pub struct SubgraphConfig {
    /// Replaces the URL in the supergraph.
    pub url: Option<Url>,
    /// Sent with every request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Client headers that are forwarded.
    pub forward_headers: Vec<HeaderName>,
    /// Timeout of one request.
    pub timeout: Option<Duration>,
    /// Limits on the requests of all operations.
    pub call_limits: CallLimitOverrides,
    /// The subgraph's name in the file, for diagnostics; `None` if set by the program.
    pub span: Option<Span>,
}

impl SubgraphConfigs {
    /// Reports configured names that are not in `known`, the GraphQL subgraphs of the graph.
    pub fn unknown_subgraphs(&self, known: &BTreeSet<&str>) -> Vec<Diagnostic> {
        let unknown = self
            .0
            .iter()
            .filter(|(name, _)| !known.contains(name.as_str()));
        unknown
            .filter_map(|(name, service)| {
                let message = format!("the graph has no GraphQL subgraph `{name}`");
                let near = nearest(name, known.iter().copied());
                let help = near.map_or_else(
                    || "REST sources are configured under `connectors.sources`".to_owned(),
                    |near| format!("write `{near}`"),
                );
                let span = service.span.clone()?;
                Some(Diagnostic::error(Code::ConfigInvalidValue, span, message).help(help))
            })
            .collect()
    }
}

/// `services.<name>` as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct RawSubgraphConfig {
    /// URL of the subgraph; replaces the URL in the supergraph. With `graph.subgraphs`, set `graph.subgraphs.<name>.url` instead.
    url: Option<Text<Url>>,
    /// Headers to send with every request, by name. They replace forwarded headers.
    headers: Option<Named<Text<String>>>,
    /// Names of client headers to forward.
    forward_headers: Option<Vec<Text<String>>>,
    /// Timeout of one request. Default: `connectors.timeout`.
    timeout: Option<Text<Timeout>>,
    /// Maximum requests in flight. Default: `connectors.concurrent_calls`.
    concurrent_calls: Option<Text<NonZeroUsize>>,
    /// Maximum requests that wait. Default: `connectors.queued_calls`.
    queued_calls: Option<Text<NonZeroUsize>>,
    /// Maximum entities of one request. Default: `connectors.entities_per_call`.
    entities_per_call: Option<Text<NonZeroUsize>>,
}

pub(super) fn check(
    services: Named<RawSubgraphConfig>,
    graph: &Graph,
    reader: &mut Reader<'_>,
) -> SubgraphConfigs {
    let services = services.0.into_iter().map(|(name, service)| {
        graph.require_subgraph(&name.value, name.referenced, reader);
        let span = reader.span(name.referenced);
        let service = service.check(&name.value, graph, span, reader);
        (name.value, service)
    });
    SubgraphConfigs(services.collect())
}

impl RawSubgraphConfig {
    fn check(
        self,
        name: &str,
        graph: &Graph,
        span: Span,
        reader: &mut Reader<'_>,
    ) -> SubgraphConfig {
        if let (Some(url), GraphFiles::Subgraphs(_)) = (&self.url, &graph.files) {
            let message = "this URL has no effect, because the graph has no supergraph";
            let help = format!("set `graph.subgraphs.{name}.url` instead");
            reader.report_invalid(url.location(), message, help);
        }
        SubgraphConfig {
            url: self.url.and_then(|url| reader.value(&url)),
            headers: headers::static_headers(self.headers.unwrap_or_default(), reader),
            forward_headers: forwarded_headers(self.forward_headers.unwrap_or_default(), reader),
            timeout: reader.optional(self.timeout).map(|time| time.0),
            call_limits: CallLimitOverrides {
                concurrent: reader.optional(self.concurrent_calls),
                queued: reader.optional(self.queued_calls),
                entities: reader.optional(self.entities_per_call),
            },
            span: Some(span),
        }
    }
}

fn forwarded_headers(texts: Vec<Text<String>>, reader: &mut Reader<'_>) -> Vec<HeaderName> {
    let mut headers: Vec<HeaderName> = Vec::new();
    for text in texts {
        let location = text.location();
        let name = reader.value(&text);
        let name = name.and_then(|name| headers::header_name(&name, location, reader));
        let Some(name) = name else {
            continue;
        };
        if NOT_FORWARDABLE.contains(&name.as_str()) {
            let message = format!("the header `{name}` describes one message and is not forwarded");
            reader.report_invalid(location, message, None);
        } else if !headers.contains(&name) {
            headers.push(name);
        }
    }
    headers
}

/// Headers that describe the client's own request and response: forwarded, they would be wrong for
/// the body that Weir sends, or request one that Weir cannot read.
const NOT_FORWARDABLE: [&str; 8] = [
    "accept",
    "accept-encoding",
    "content-encoding",
    "content-type",
    "expect",
    "if-match",
    "if-none-match",
    "range",
];
