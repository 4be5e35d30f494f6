//! What the fetch of a connector does at run time, compiled with the plan.

use schema::connector::ConnectorOutput;
use schema::graph::Graph;
use schema::source::Access;

pub(crate) use self::batch_substitute::BatchSubstitute;
use crate::plan::{Fetch, FetchSlots, KeySlot, Plan};
use crate::response::mapping::{MappingCompiler, ValueMapping};
use crate::selection::{PositionId, Selection};

mod batch_substitute;

/// The program of one fetch.
#[derive(Debug)]
pub(crate) struct Program {
    /// Reads a response into slots.
    pub(crate) extract: ValueMapping,
    pub(crate) coalescing: Coalescing,
    /// A batch that returns the same entity.
    pub(crate) batch_substitute: Option<Box<BatchSubstitute>>,
}

/// Whether another call of the plan may be equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coalescing {
    Possible,
    Impossible,
}

impl Program {
    /// The program of a fetch; `None` for fetches of subgraphs.
    pub(crate) fn new(
        graph: &Graph,
        selection: &Selection,
        plan: &Plan,
        fetch: &Fetch,
    ) -> Option<Self> {
        let Access::Connector(connector) = &graph.source(fetch.source).access else {
            return None;
        };
        let mut fetch_slots = fetch.slots.clone();
        if matches!(connector.output, ConnectorOutput::Batch { .. }) {
            // The key, which assigns the objects of a response to entities, is read too.
            let key = &fetch.first_entry().key;
            add_key(selection, key, fetch.at, &mut fetch_slots);
        }
        let compiler = MappingCompiler {
            types: graph.types(),
            selection,
            fetch_slots: &fetch_slots,
        };
        let items = connector.selection.ast();
        let extract = match fetch.field_slot {
            Some(slot) => compiler.slot_mapping(items, fetch.at, slot),
            None => compiler.object_mapping(items, fetch.at),
        };
        Some(Self {
            extract,
            coalescing: Coalescing::new(graph, plan, fetch),
            batch_substitute: BatchSubstitute::from_fetch(graph, selection, fetch),
        })
    }
}

impl Coalescing {
    /// Calls can only be equal where a subgraph is called by more than one fetch.
    fn new(graph: &Graph, plan: &Plan, fetch: &Fetch) -> Self {
        let subgraph = &graph.source(fetch.source).subgraph;
        let mut fetches = plan.fetches.iter();
        let is_same = |other: &&Fetch| graph.source(other.source).subgraph == *subgraph;
        if fetches.by_ref().filter(is_same).nth(1).is_some() {
            Self::Possible
        } else {
            Self::Impossible
        }
    }
}

/// Adds the slots of a key.
pub(crate) fn add_key(
    selection: &Selection,
    key: &[KeySlot],
    at: PositionId,
    fetch_slots: &mut FetchSlots,
) {
    for part in key {
        let slot = &selection.position(at).slots[part.slot];
        let slots = fetch_slots.entry(at).or_default();
        slots.entry(part.slot).or_insert_with(|| slot.on.clone());
        if let Some(child) = slot.child {
            add_key(selection, &part.inner, child, fetch_slots);
        }
    }
}
