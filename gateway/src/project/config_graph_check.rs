//! Whether a configuration and its graph speak of the same services.

use std::collections::BTreeSet;

use schema::diagnostic::{Code, Diagnostic, Severity};
use schema::graph::Graph;
use schema::source::{Access, Source};

use crate::config::Config;
use crate::launch;

/// Reports what one of the two has and the other does not.
pub(super) fn check(config: &Config, graph: &Graph) -> Vec<Diagnostic> {
    let mut diagnostics = config.connectors.unknown_sources(&connector_sources(graph));
    let subgraphs = graphql_subgraphs(graph);
    diagnostics.extend(config.services.unknown_subgraphs(&subgraphs));
    diagnostics.extend(unused_urls(config, &subgraphs));
    let sources = graph.sources().map(|(_, source)| &*source.subgraph);
    diagnostics.extend(config.cache.unknown_subgraphs(&sources.collect()));
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

/// The subgraphs that speak GraphQL.
fn graphql_subgraphs(graph: &Graph) -> BTreeSet<&str> {
    let is_graphql = |source: &&Source| matches!(source.access, Access::Graphql(_));
    let sources = graph.sources().map(|(_, source)| source);
    sources.filter(is_graphql).map(|it| &*it.subgraph).collect()
}

/// An address that is never called would be believed to count.
fn unused_urls(config: &Config, subgraphs: &BTreeSet<&str>) -> Vec<Diagnostic> {
    let configured = config.graph.subgraphs().iter();
    let unused = configured.filter(|it| it.url.is_some() && !subgraphs.contains(it.name.as_str()));
    unused
        .map(|subgraph| {
            let name = &subgraph.name;
            let message =
                format!("the subgraph `{name}` has connectors, so its `url` is never called");
            let help = format!("leave it out, or set `connectors.sources.{name}.<source>.url`");
            let code = Code::ConfigInvalidValue;
            match subgraph.file.span.clone() {
                Some(span) => Diagnostic::error(code, span, message),
                None => Diagnostic::without_span(code, message),
            }
            .help(help)
        })
        .collect()
}

/// Warns of services that nobody says the address of.
///
/// Warns only: a program that uses Weir as a library may have these services in itself.
pub(super) fn missing_url_warnings(config: &Config, graph: &Graph) -> Vec<Diagnostic> {
    launch::subgraphs_without_url(config, graph)
        .into_iter()
        .map(|name| {
            let message = format!("nobody says where the service `{name}` is");
            let mut subgraphs = config.graph.subgraphs().iter();
            let file = subgraphs.find(|subgraph| *subgraph.name == *name);
            let span = file.and_then(|file| file.file.span.clone());
            let help = match (file, &span) {
                (None, _) => format!("set `services.{name}.url`"),
                (Some(_), None) => format!("write `--subgraph {name}=FILE@URL`"),
                (Some(_), Some(_)) => format!("set `graph.subgraphs.{name}.url`"),
            };
            let code = Code::ConfigInvalidValue;
            let mut diagnostic = match span {
                Some(span) => Diagnostic::error(code, span, message),
                None => Diagnostic::without_span(code, message),
            };
            diagnostic.severity = Severity::Warning;
            diagnostic.help(help)
        })
        .collect()
}
