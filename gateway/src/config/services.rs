//! `services`: how the services are asked that speak GraphQL.
//!
//! Where they are is said by the graph: by `graph.subgraphs`, or by the supergraph, which alone
//! may be contradicted here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::{HeaderName, HeaderValue};
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

/// How the services are asked that speak GraphQL, by subgraph.
#[derive(Clone, Debug)]
pub struct SubgraphConfigs(pub BTreeMap<String, SubgraphConfig>);

/// What is decided about one of them.
#[derive(Clone, Debug)]
pub struct SubgraphConfig {
    /// Instead of what a supergraph says.
    pub url: Option<Url>,
    /// Sent with every request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The client's headers that are sent on.
    pub forward_headers: Vec<HeaderName>,
    /// For one request.
    pub timeout: Option<Duration>,
    /// Where the configuration names it, for diagnostics; `None` when nobody wrote it.
    pub span: Option<Span>,
}

impl SubgraphConfigs {
    /// Reports the names that are no service's, `known` being all that speak GraphQL.
    pub fn unknown_subgraphs(&self, known: &BTreeSet<&str>) -> Vec<Diagnostic> {
        let unknown = self
            .0
            .iter()
            .filter(|(name, _)| !known.contains(name.as_str()));
        unknown
            .filter_map(|(name, service)| {
                let message = format!("the graph has no service `{name}` that speaks GraphQL");
                let near = nearest(name, known.iter().copied());
                let help = near.map_or_else(
                    || "services behind connectors are set up under `connectors`".to_owned(),
                    |near| format!("write `{near}`"),
                );
                let span = service.span.clone()?;
                Some(Diagnostic::error(Code::ConfigInvalidValue, span, message).help(help))
            })
            .collect()
    }
}

/// One service as written.
#[derive(Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[serde(default)]
pub(super) struct RawSubgraphConfig {
    /// Where the service is, instead of what the supergraph says. For a service under `graph.subgraphs` it is said there.
    url: Option<Text<Url>>,
    /// Headers to send with every request, by name. They count more than the client's.
    headers: Option<Named<Text<String>>>,
    /// The names of the client's headers that are sent on.
    forward_headers: Option<Vec<Text<String>>>,
    /// How long one request may take. Default: `connectors.timeout`.
    timeout: Option<Text<Timeout>>,
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
            let message = "where a subgraph's service is stands beside its schema";
            let help = format!("write it as `graph.subgraphs.{name}.url`");
            reader.report_invalid(url.location(), message, help);
        }
        SubgraphConfig {
            url: self.url.and_then(|url| reader.value(&url)),
            headers: headers::static_headers(self.headers.unwrap_or_default(), reader),
            forward_headers: forwarded_headers(self.forward_headers.unwrap_or_default(), reader),
            timeout: self
                .timeout
                .and_then(|time| reader.value(&time))
                .map(|time| time.0),
            span: Some(span),
        }
    }
}

fn forwarded_headers(names: Vec<Text<String>>, reader: &mut Reader<'_>) -> Vec<HeaderName> {
    let mut headers: Vec<HeaderName> = Vec::new();
    for written in names {
        let Some(text) = reader.value(&written) else {
            continue;
        };
        let Some(name) = headers::header_name(&text, written.location(), reader) else {
            continue;
        };
        if NOT_FORWARDABLE.contains(&name.as_str()) {
            let message =
                format!("the header `{name}` is about the client's own request and answer");
            reader.report_invalid(written.location(), message, None);
        } else if !headers.contains(&name) {
            headers.push(name);
        }
    }
    headers
}

/// Sent on, they would describe a body that is not sent, or ask for one that nobody can read.
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
