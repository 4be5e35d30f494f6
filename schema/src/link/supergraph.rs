//! A composed supergraph → `Graph`.
//!
//! Reads the join specification, v0.1 to v0.5. Each subgraph becomes a `SubgraphSchema`, the form
//! that composition produces too (`federation`).

use apollo_compiler::Schema;
use apollo_compiler::validation::Valid;

use self::document::SupergraphDocument;
use self::join::{GraphId, Join};
use super::federation::SubgraphSchema;
use super::{LinkOptions, api, connect, federation, sorted, types};
use crate::client::ClientSchema;
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::graph::{Graph, GraphDigest};
use crate::sdl::{self, Sdl};
use crate::span::Document;

mod arguments;
mod caching;
mod connectors;
mod contexts;
mod document;
mod features;
mod fields;
mod join;
mod members;
mod strip_join;
mod subgraph_schemas;
mod unlisted_fields;

/// Links a supergraph into a graph; reports every problem, not only the first.
///
/// Returns no graph exactly when one of the diagnostics is an error.
pub fn link_supergraph(
    document: &Document,
    options: LinkOptions,
) -> (Option<Graph>, Vec<Diagnostic>) {
    let mut problems = Problems::default();
    let graph = build(document, options, &mut problems);
    options.access_directives.apply(&mut problems);
    let graph = graph.filter(|_| !problems.has_errors());
    let digest = GraphDigest::from_documents(std::iter::once(("", &*document.text)));
    let graph = graph.map(|graph| graph.with_digest(digest));
    (graph, sorted(problems.into_vec()))
}

fn build(document: &Document, options: LinkOptions, problems: &mut Problems) -> Option<Graph> {
    let document = document::read(document, problems)?;
    let join = join::read(&document, problems)?;
    let subgraphs = subgraph_schemas::subgraph_schemas(&join, problems);
    if problems.has_errors() {
        return None;
    }
    let schema = strip_join::strip_join(&join);
    let cache_directives = caching::cache_directives(&join, &subgraphs);
    let (connector_sdls, subgraphs) = split_connectors(&join, &schema, subgraphs, problems);
    let client = client_schema(&document, &schema, problems)?;
    let types = types::read(&problems.ok_or_push(document.validated(schema))?);
    let mut sources = Vec::new();
    for sdl in &connector_sdls {
        sources.extend(connect::sources(sdl, &types, options, problems));
    }
    let (sources, labels) = federation::sources(subgraphs, sources, &types, problems);
    let caching = super::caching::read(&cache_directives, &types, &sources, problems);
    let graph =
        Graph::new(types, sources, ClientSchema::new(client)).with_cache_directives(caching);
    Some(match labels {
        Some(labels) => graph.with_override_labels(labels),
        None => graph,
    })
}

/// The documents of the connector subgraphs, and the schemas of the GraphQL subgraphs.
fn split_connectors(
    join: &Join<'_>,
    schema: &Schema,
    subgraphs: Vec<SubgraphSchema>,
    problems: &mut Problems,
) -> (Vec<Sdl>, Vec<SubgraphSchema>) {
    let mut connector_sdls = Vec::new();
    let mut graphql_subgraphs = Vec::new();
    for (index, subgraph) in subgraphs.into_iter().enumerate() {
        match connectors::subgraph(join, schema, GraphId(index), &subgraph) {
            Some(document) => connector_sdls.extend(sdl::read(&document, problems)),
            None => graphql_subgraphs.push(subgraph),
        }
    }
    (connector_sdls, graphql_subgraphs)
}

/// The API schema; `None` when it is empty or invalid.
fn client_schema(
    document: &SupergraphDocument,
    schema: &Schema,
    problems: &mut Problems,
) -> Option<Valid<Schema>> {
    let client = api::visible(schema);
    let mark = problems.mark();
    for (name, definition) in &client.types {
        if strip_join::is_empty(definition)
            && !schema.types.get(name).is_some_and(strip_join::is_empty)
        {
            let message =
                format!("`{name}` has no accessible members: all of them are `@inaccessible`");
            let span = document.span(definition.name().location());
            let problem = Diagnostic::error(Code::OnlyInaccessibleChildren, span, message);
            problems.push(problem.help(Some(format!(
                "mark `{name}` as `@inaccessible`, or make one of its members accessible"
            ))));
        }
    }
    if problems.has_errors_since(mark) {
        return None;
    }
    if client.schema_definition.query.is_none() {
        let message = "`Query` has no accessible fields";
        problems.push(Diagnostic::without_span(Code::NoQueries, message));
        return None;
    }
    let valid = document.validated(client).map_err(|mut problem| {
        problem.message = format!(
            "the schema without its `@inaccessible` elements is invalid: {}",
            problem.message
        );
        problem
    });
    problems.ok_or_push(valid)
}
