//! The stages of a mutation: root fields run one after another (GraphQL §6.2.2).

use schema::graph::Graph;
use schema::operation::OperationKind;
use schema::source::{Access, SourceId};
use schema::types::TypeId;

use super::scope::PlanScope;
use super::search::{Search, SearchContext};
use crate::selection::{ROOT, Selection};

/// Root fields of a mutation run one after another (GraphQL §6.2.2); those that follow each other
/// at one service are sent to it together, and it runs them so.
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
    let stage = |slots: &[usize], only: Option<SourceId>| PlanScope {
        wanted_slots: vec![(on, slots.to_vec())],
        only_source: only,
        ..root.clone()
    };
    let mut stages = Vec::new();
    for (service, slots_together) in runs(graph, selection, on, &slots) {
        let joint_stage = stage(
            &slots_together,
            service.filter(|_| slots_together.len() > 1),
        );
        let mut search = Search {
            graph,
            selection,
            context: search_context,
        };
        if joint_stage.only_source.is_none() || search.cover(&joint_stage, &[]).is_some() {
            stages.push(joint_stage);
        } else {
            let alone = slots_together.iter().map(|slot| stage(&[*slot], None));
            stages.extend(alone);
        }
    }
    stages
}

/// Root fields that follow each other and that one service gives, with that service.
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
            Some((known, together)) if known.iter().any(|source| providers.contains(source)) => {
                known.retain(|source| providers.contains(source));
                together.push(*slot);
            }
            _ => runs.push((providers, vec![*slot])),
        }
    }
    let runs = runs.into_iter();
    runs.map(|(known, together)| (known.first().copied(), together))
        .collect()
}

/// The services that speak GraphQL and give a root field.
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
