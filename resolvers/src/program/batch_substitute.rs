//! Batches in place of root fields: `user(id:)` is answered by a batch of users of the same source.
//!
//! `entity: true` declares that the field returns the entity whose key is the argument. The field's
//! own connector is still called for entities that the batch does not return or refuses.

use schema::connector::{Connector, ConnectorOutput};
use schema::graph::Graph;
use schema::source::{Access, EntryCardinality, EntryPoint, NodeId, ObjectTypes, Source, SourceId};
use schema::types::TypeRef;

use super::{Coalescing, Program};
use crate::plan::{Fetch, FetchSlots};
use crate::response::mapping::MappingCompiler;
use crate::selection::{PositionId, ROOT, Selection};

/// A batch that can answer a root field.
#[derive(Debug)]
pub(crate) struct BatchSubstitute {
    pub(crate) source: SourceId,
    /// Reads the objects of the batch.
    pub(crate) program: Program,
}

impl BatchSubstitute {
    /// The batch that can answer a fetch; `None` where the graph has none.
    pub(super) fn from_fetch(
        graph: &Graph,
        selection: &Selection,
        fetch: &Fetch,
    ) -> Option<Box<Self>> {
        let slot = fetch.field_slot.filter(|_| fetch.at == ROOT)?;
        let root_slot = &selection.position(ROOT).slots[slot];
        let (Some(at), TypeRef::Named(..), [(argument, _)]) = (
            root_slot.child,
            &root_slot.ty,
            root_slot.arguments.as_slice(),
        ) else {
            return None;
        };
        let own = graph.source(fetch.source);
        let is_key = |entry: &&EntryPoint| {
            let is_argument = matches!(
                entry.key.0.as_slice(),
                [(name, inner)] if name == argument && inner.is_empty()
            );
            is_argument && entry.on == selection.position(at).ty
        };
        let entity = own.entry_points.iter().filter(is_key);
        let entity = entity
            .clone()
            .find(|entry| entry.cardinality == EntryCardinality::Object)?;
        let mut fetch_slots = fetch.slots.clone();
        fetch_slots.remove(&ROOT);
        graph.sources().find_map(|(id, source)| {
            let connector = sibling_batch(own, source)?;
            let mut entries = source.entry_points.iter().filter(is_key);
            let entry = entries.find(|entry| entry.key == entity.key)?;
            provides_all(selection, &fetch_slots, at, source, entry.node).then(|| {
                let compile = MappingCompiler {
                    types: graph.types(),
                    selection,
                    fetch_slots: &fetch_slots,
                };
                Box::new(Self {
                    source: id,
                    program: Program {
                        extract: compile.object_mapping(connector.selection.ast(), at),
                        coalescing: Coalescing::Impossible,
                        batch_substitute: None,
                    },
                })
            })
        })
    }
}

/// The connector of `source`, if it takes batches and calls the same API as `own`.
fn sibling_batch<'g>(own: &Source, source: &'g Source) -> Option<&'g Connector> {
    let (Access::Connector(own_connector), Access::Connector(connector)) =
        (&own.access, &source.access)
    else {
        return None;
    };
    let is_batch = matches!(connector.output, ConnectorOutput::Batch { .. });
    let is_same_source =
        own.subgraph == source.subgraph && own_connector.source == connector.source;
    (is_batch && is_same_source).then_some(connector)
}

/// Whether the objects of a node have all slots of a fetch; each is of one type.
fn provides_all(
    selection: &Selection,
    fetch_slots: &FetchSlots,
    at: PositionId,
    source: &Source,
    node: NodeId,
) -> bool {
    let node = source.node(node);
    let is_one =
        matches!(node.object_types, ObjectTypes::OwnType) && node.on == selection.position(at).ty;
    let slots = fetch_slots
        .get(&at)
        .into_iter()
        .flat_map(|slots| slots.keys());
    let mut slots = slots.map(|slot| &selection.position(at).slots[*slot]);
    is_one
        && slots.all(|slot| {
            let Some(field) = node.fields.get(&slot.field) else {
                return false;
            };
            let is_provided = field.requires.is_none() && !field.only_in_keys;
            let inside = match (slot.child, field.child) {
                (None, None) => true,
                (Some(at), Some(node)) => provides_all(selection, fetch_slots, at, source, node),
                _ => false,
            };
            is_provided && inside
        })
}
