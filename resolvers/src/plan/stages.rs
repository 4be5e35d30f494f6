//! Stages of a mutation: root fields run one after another (GraphQL §6.2.2).
//!
//! Consecutive fields of one subgraph form one stage and are sent in one request, because the
//! subgraph itself runs them in order.

use schema::graph::Graph;
use schema::operation::OperationKind;
use schema::source::{Access, SourceId};
use schema::types::TypeId;

use super::scope::PlanScope;
use super::search::{Search, SearchContext};
use crate::selection::{ROOT, Selection};

/// The root scope of a query, or one root scope for each stage of a mutation.
pub(super) fn stages(
    graph: &Graph,
    selection: &mut Selection,
    kind: OperationKind,
    search_context: &mut SearchContext,
) -> Vec<PlanScope> {
    let root = PlanScope::new(graph, selection, ROOT, vec![selection.root_set], &[]);
    let (OperationKind::Mutation, Some((on, slots))) = (kind, root.wanted_slots.first().cloned())
    else {
        return vec![root];
    };
    let stage = |slots: &[usize], only_source: Option<SourceId>| PlanScope {
        only_source,
        ..root.with_wanted_slots(vec![(on, slots.to_vec())])
    };
    let mut stages = Vec::new();
    for (subgraph, slots) in runs(graph, selection, on, &slots) {
        let joint_stage = stage(&slots, subgraph.filter(|_| slots.len() > 1));
        let mut search = Search {
            graph,
            selection,
            context: search_context,
        };
        if joint_stage.only_source.is_none() || search.cover(&joint_stage, &[]).is_some() {
            stages.push(joint_stage);
        } else {
            stages.extend(slots.iter().map(|slot| stage(&[*slot], None)));
        }
    }
    stages
}

/// Runs of consecutive root fields that one subgraph provides, each with the subgraph, if any.
fn runs(
    graph: &Graph,
    selection: &Selection,
    on: TypeId,
    slots: &[usize],
) -> Vec<(Option<SourceId>, Vec<usize>)> {
    let mut runs: Vec<(Vec<SourceId>, Vec<usize>)> = Vec::new();
    for slot in slots {
        let providers = providing_subgraphs(graph, selection, on, *slot);
        match runs.last_mut() {
            Some((shared, run)) if shared.iter().any(|source| providers.contains(source)) => {
                shared.retain(|source| providers.contains(source));
                run.push(*slot);
            }
            _ => runs.push((providers, vec![*slot])),
        }
    }
    let runs = runs.into_iter();
    runs.map(|(shared, run)| (shared.first().copied(), run))
        .collect()
}

/// The subgraphs that provide a root field.
fn providing_subgraphs(
    graph: &Graph,
    selection: &Selection,
    on: TypeId,
    slot: usize,
) -> Vec<SourceId> {
    let field = &selection.position(ROOT).slots[slot].field;
    let entries = graph.entry_points(on).iter();
    entries
        .filter(|(source, index)| {
            let source = graph.source(*source);
            let node = source.node(source.entry_points[*index].node);
            matches!(source.access, Access::Graphql(_)) && node.fields.contains_key(field)
        })
        .map(|(source, _)| *source)
        .collect()
}
