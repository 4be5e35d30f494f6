//! Grouping of fetches into requests: simultaneous `_entities` fetches of one subgraph share one.

use std::collections::HashMap;

use schema::graph::Graph;
use schema::source::Access;

use super::{ByFetch, ByRequest, Fetch, FetchId};

/// Groups `fetches`, each of which comes after all that it depends on.
///
/// Two fetches share a request if their longest dependency chains are equally long, so that no
/// fetch waits longer than for the slowest one of the level before. Fallbacks share requests with
/// fallbacks of the same fetch only.
pub(super) fn group(graph: &Graph, fetches: &ByFetch<Fetch>) -> ByRequest<Vec<FetchId>> {
    let levels = levels(fetches);
    let mut requests = ByRequest::<Vec<FetchId>>::default();
    let mut batches = HashMap::new();
    let fallbacks = fetches.pairs().filter(|(_, it)| it.fallback_of.is_some());
    let main = fetches.pairs().filter(|(_, it)| it.fallback_of.is_none());
    for (id, fetch) in main.chain(fallbacks) {
        if !is_batchable(graph, fetch) || is_alone(fetches, fetch) {
            requests.push(vec![id]);
            continue;
        }
        let batch = (fetch.source, fetch.stage, levels[id], fetch.fallback_of);
        let request = batches
            .entry(batch)
            .or_insert_with(|| requests.push(Vec::new()));
        requests[*request].push(id);
    }
    requests
}

/// Whether a fallback has a request of its own: of two fallbacks, of which one needs no inputs, only
/// that one is ever made.
fn is_alone(fetches: &ByFetch<Fetch>, fetch: &Fetch) -> bool {
    let Some(whole) = fetch.fallback_of.map(|it| &fetches[it]) else {
        return false;
    };
    let mut fallbacks = whole.fallbacks.iter().map(|it| &fetches[*it]);
    whole.fallbacks.len() == 2 && fallbacks.any(|it| !it.has_inputs())
}

/// Length of the longest dependency chain before each fetch.
fn levels(fetches: &ByFetch<Fetch>) -> ByFetch<usize> {
    let mut levels = ByFetch::<usize>::default();
    for fetch in fetches {
        let dependencies = fetch.depends_on.iter();
        let level = dependencies.map(|dependency| levels[*dependency] + 1).max();
        levels.push(level.unwrap_or(0));
    }
    levels
}

/// Whether a fetch uses `_entities`, so that a request can hold several of it under aliases.
fn is_batchable(graph: &Graph, fetch: &Fetch) -> bool {
    let source = graph.source(fetch.source);
    let entry = &source.entry_points[fetch.first_entry().entry];
    // A fetch with contexts may need a part of its request for each set of context values.
    let has_contexts = !fetch.context_fields.is_empty();
    matches!(source.access, Access::Graphql(_)) && !entry.key.is_empty() && !has_contexts
}
