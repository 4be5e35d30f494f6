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

use super::graph::{Graph, Origin};
use super::headers;
use super::reader::Reader;
use super::setting::Timeout;
use super::written::{Named, Text};

/// How the services are asked that speak GraphQL, by subgraph.
#[derive(Clone, Debug)]
pub struct Services(pub BTreeMap<String, Service>);

/// What is decided about one of them.
#[derive(Clone, Debug)]
pub struct Service {
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

impl Services {
    /// Reports the names that are no service's, `known` being all that speak GraphQL.
    pub fn unknown(&self, known: &BTreeSet<&str>) -> Vec<Diagnostic> {
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
pub(super) struct Written {
    /// Where the service is, instead of what the supergraph says. For a service under `graph.subgraphs` it is said there.
    url: Option<Text<Url>>,
    /// Headers to send with every request, by name. They count more than the client's.
    headers: Option<Named<Text<String>>>,
    /// The names of the client's headers that are sent on.
    forward_headers: Option<Vec<Text<String>>>,
    /// How long one request may take. Default: `connectors.timeout`.
    timeout: Option<Text<Timeout>>,
}

pub(super) fn check(services: Named<Written>, graph: &Graph, reader: &mut Reader<'_>) -> Services {
    let services = services.0.into_iter().map(|(name, service)| {
        graph.demand(&name.value, name.referenced, reader);
        let span = reader.span(name.referenced);
        let service = service.check(&name.value, (graph, span), reader);
        (name.value, service)
    });
    Services(services.collect())
}

impl Written {
    fn check(self, name: &str, (graph, span): (&Graph, Span), reader: &mut Reader<'_>) -> Service {
        if let (Some(url), Origin::Subgraphs(_)) = (&self.url, &graph.origin) {
            let message = "where a subgraph's service is stands beside its schema";
            let help = format!("write it as `graph.subgraphs.{name}.url`");
            reader.refuse(url.at(), message, help);
        }
        Service {
            url: self.url.and_then(|url| reader.value(&url)),
            headers: headers::sent(self.headers.unwrap_or_default(), reader),
            forward_headers: forwarded(self.forward_headers.unwrap_or_default(), reader),
            timeout: self
                .timeout
                .and_then(|time| reader.value(&time))
                .map(|time| time.0),
            span: Some(span),
        }
    }
}

fn forwarded(names: Vec<Text<String>>, reader: &mut Reader<'_>) -> Vec<HeaderName> {
    let mut forwarded: Vec<HeaderName> = Vec::new();
    for written in names {
        let Some(text) = reader.value(&written) else {
            continue;
        };
        let Some(name) = headers::name(&text, written.at(), reader) else {
            continue;
        };
        if OF_THE_CLIENTS_BODY.contains(&name.as_str()) {
            let message =
                format!("the header `{name}` is about the client's own request and answer");
            reader.refuse(written.at(), message, None);
        } else if !forwarded.contains(&name) {
            forwarded.push(name);
        }
    }
    forwarded
}

/// Sent on, they would describe a body that is not sent, or ask for one that nobody can read.
const OF_THE_CLIENTS_BODY: [&str; 8] = [
    "accept",
    "accept-encoding",
    "content-encoding",
    "content-type",
    "expect",
    "if-match",
    "if-none-match",
    "range",
];
