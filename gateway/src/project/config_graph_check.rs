//! Checks that a configuration and its graph have the same subgraphs, sources and labels.

use std::collections::BTreeSet;

use schema::diagnostic::{Code, Diagnostic, Severity};
use schema::graph::Graph;
use schema::source::{Access, Source};

use crate::config::Config;
use crate::launch;

/// Reports names in the configuration that the graph does not have, and URLs without effect.
pub(super) fn check(config: &Config, graph: &Graph) -> Vec<Diagnostic> {
    let mut diagnostics = config.connectors.unknown_sources(&connector_sources(graph));
    let subgraphs = graphql_subgraphs(graph);
    diagnostics.extend(config.services.unknown_subgraphs(&subgraphs));
    diagnostics.extend(unused_urls(config, &subgraphs));
    let sources = graph.sources().map(|(_, source)| &*source.subgraph);
    let subgraphs = sources.collect();
    diagnostics.extend(config.cache.unknown_subgraphs(&subgraphs));
    diagnostics.extend(config.errors.unknown_subgraphs(&subgraphs));
    diagnostics.extend(config.graph.unknown_labels(graph.override_labels()));
    diagnostics
}

/// Every `<subgraph>.<source>` that a connector uses.
fn connector_sources(graph: &Graph) -> BTreeSet<&str> {
    let connectors = graph.sources().map(|(_, source)| match &source.access {
        Access::Connector(connector) => connector.source.as_deref(),
        Access::Graphql(_) => None,
    });
    connectors.flatten().collect()
}

/// The GraphQL subgraphs.
fn graphql_subgraphs(graph: &Graph) -> BTreeSet<&str> {
    let is_graphql = |source: &&Source| matches!(source.access, Access::Graphql(_));
    let sources = graph.sources().map(|(_, source)| source);
    sources.filter(is_graphql).map(|it| &*it.subgraph).collect()
}

/// Reports the URLs of subgraphs with connectors: they are never called.
fn unused_urls(config: &Config, subgraphs: &BTreeSet<&str>) -> Vec<Diagnostic> {
    let configured = config.graph.subgraphs().iter();
    let unused = configured.filter(|it| it.url.is_some() && !subgraphs.contains(it.name.as_str()));
    unused
        .map(|subgraph| {
            let name = &subgraph.name;
            let message =
                format!("the subgraph `{name}` has connectors, so its `url` is never called");
            let help = format!("remove it, or set `connectors.sources.{name}.<source>.url`");
            let code = Code::ConfigInvalidValue;
            match subgraph.file.span.clone() {
                Some(span) => Diagnostic::error(code, span, message),
                None => Diagnostic::without_span(code, message),
            }
            .help(help)
        })
        .collect()
}

/// Warns about GraphQL subgraphs without a URL.
///
/// Not an error: a program that uses Weir as a library may mount a service for them.
pub(super) fn missing_url_warnings(config: &Config, graph: &Graph) -> Vec<Diagnostic> {
    launch::subgraphs_without_url(config, graph)
        .into_iter()
        .map(|name| {
            let message = format!("no URL is configured for subgraph `{name}`");
            let mut subgraphs = config.graph.subgraphs().iter();
            let subgraph = subgraphs.find(|subgraph| *subgraph.name == *name);
            let code = Code::ConfigInvalidValue;
            let mut diagnostic = match subgraph.and_then(|subgraph| subgraph.file.span.clone()) {
                Some(span) => Diagnostic::error(code, span, message),
                None => Diagnostic::without_span(code, message),
            };
            diagnostic.severity = Severity::Warning;
            diagnostic.help(launch::missing_url_remedy(config, &name))
        })
        .collect()
}
