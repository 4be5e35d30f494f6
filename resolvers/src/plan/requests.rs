//! Which fetches go out as one request: `_entities` of one service at one moment.

use schema::graph::Graph;
use schema::source::Access;

use super::{ByFetch, ByRequest, Fetch, FetchId};

/// Groups `fetches`, which stand in an order in which each comes after all that it needs.
///
/// Two are asked for together when the ways to them are equally long: nothing waits for longer
/// than for the slowest fetch of the level before.
pub(super) fn group(graph: &Graph, fetches: &ByFetch<Fetch>) -> ByRequest<Vec<FetchId>> {
    let levels = levels(fetches);
    let mut requests = ByRequest::<Vec<FetchId>>::default();
    for (id, fetch) in fetches.pairs() {
        let together = |request: &&mut Vec<FetchId>| {
            let first = request[0];
            let other = &fetches[first];
            other.source == fetch.source
                && other.stage == fetch.stage
                && levels[first] == levels[id]
                && is_batchable(graph, other)
        };
        match requests.iter_mut().find(together) {
            Some(request) if is_batchable(graph, fetch) => request.push(id),
            _ => {
                requests.push(vec![id]);
            }
        }
    }
    requests
}

/// How many fetches stand one behind the other on the longest way to each.
fn levels(fetches: &ByFetch<Fetch>) -> ByFetch<usize> {
    let mut levels = ByFetch::<usize>::default();
    for fetch in fetches {
        let before = fetch.depends_on.iter().map(|needed| levels[*needed] + 1);
        let level: usize = before.max().unwrap_or(0);
        levels.push(level);
    }
    levels
}

/// Whether a fetch asks for entities of a service that takes several lists of them at once.
fn is_batchable(graph: &Graph, fetch: &Fetch) -> bool {
    let source = graph.source(fetch.source);
    let entry = &source.entry_points[fetch.first_entry().entry];
    // Objects below different contexts are asked for apart, in parts of their own.
    let is_single = fetch.context_fields.is_empty();
    matches!(source.access, Access::Graphql(_)) && !entry.key.is_empty() && is_single
}
