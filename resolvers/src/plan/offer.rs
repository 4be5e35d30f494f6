//! What a fetch offers of the objects at one position.

use schema::graph::Graph;
use schema::source::{NodeField, NodeId, ObjectTypes, SourceId, SourceNode};
use schema::types::{Name, TypeId};

use crate::selection::{PositionId, Selection};

/// A slot of the objects of one type at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TypedSlot {
    pub(super) at: PositionId,
    pub(super) on: TypeId,
    pub(super) slot: usize,
}

impl TypedSlot {
    /// The name of the slot's field.
    pub(super) fn field(self, selection: &Selection) -> &Name {
        &selection.position(self.at).slots[self.slot].field
    }
}

/// What a fetch offers of the objects at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Offer {
    pub(super) source: SourceId,
    pub(super) node: NodeId,
    /// The only slot it may fill, for an entry that serves one field.
    pub(super) only_slot: Option<usize>,
    /// How many fetches stand before the one that offers it.
    pub(super) level: u32,
}

impl Offer {
    /// What an entry offers, whoever waits for it.
    pub(super) fn from_entry_point(graph: &Graph, source: SourceId, entry: usize) -> Self {
        Self {
            source,
            node: graph.source(source).entry_points[entry].node,
            only_slot: None,
            level: 0,
        }
    }

    /// The node of objects of type `on`; for an abstract `on`, what is given without asking which
    /// type they are.
    pub(super) fn node<'g>(&self, graph: &'g Graph, on: TypeId) -> Option<&'g SourceNode> {
        let source = graph.source(self.source);
        let node = source.node(self.node);
        if node.on == on {
            return Some(node);
        }
        source
            .node_for_type(self.node, on)
            .map(|node| source.node(node))
    }

    /// The field of a slot of objects of type `on`, where it can be given without being told more.
    pub(super) fn provided_field<'g>(
        &self,
        graph: &'g Graph,
        selection: &Selection,
        wanted: TypedSlot,
    ) -> Option<&'g NodeField> {
        if self.only_slot.is_some_and(|only| only != wanted.slot) {
            return None;
        }
        let name = wanted.field(selection);
        let field = self.node(graph, wanted.on)?.fields.get(name)?;
        (field.requires.is_none() && !field.only_in_keys).then_some(field)
    }

    pub(super) fn provides(&self, graph: &Graph, selection: &Selection, wanted: TypedSlot) -> bool {
        self.provided_field(graph, selection, wanted).is_some()
    }

    /// What it offers of the objects in that slot.
    pub(super) fn child_offer(
        &self,
        graph: &Graph,
        selection: &Selection,
        wanted: TypedSlot,
    ) -> Option<Self> {
        Some(Self {
            source: self.source,
            node: self.provided_field(graph, selection, wanted)?.child?,
            only_slot: None,
            level: self.level,
        })
    }

    /// Whether the source says of which type the objects are.
    pub(super) fn provides_typename(&self, graph: &Graph) -> bool {
        let node = graph.source(self.source).node(self.node);
        !matches!(node.object_types, ObjectTypes::UnknownType)
    }
}
