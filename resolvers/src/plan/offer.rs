//! Offers: the fields that a fetch or an entry point can provide at a position.

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

/// The fields that one fetch can provide for the objects at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Offer {
    pub(super) source: SourceId,
    pub(super) node: NodeId,
    /// The only slot it may fill, for an entry point that serves a single field.
    pub(super) only_slot: Option<usize>,
    /// Length of the longest chain of fetches before the one that makes the offer.
    pub(super) level: u32,
}

impl Offer {
    /// The offer of an entry point, at level 0.
    pub(super) fn from_entry_point(graph: &Graph, source: SourceId, entry: usize) -> Self {
        Self {
            source,
            node: graph.source(source).entry_points[entry].node,
            only_slot: None,
            level: 0,
        }
    }

    /// The source node for objects of type `on`; for an abstract `on`, the node of fields that the
    /// source provides without a type condition.
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

    /// The field of a slot, if the source provides it without requirements.
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

    /// Whether the source provides a slot without requirements.
    pub(super) fn provides(&self, graph: &Graph, selection: &Selection, wanted: TypedSlot) -> bool {
        self.provided_field(graph, selection, wanted).is_some()
    }

    /// The offer for the objects nested in a slot.
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

    /// Whether the source can return the types of the objects.
    pub(super) fn provides_typename(&self, graph: &Graph) -> bool {
        let node = graph.source(self.source).node(self.node);
        !matches!(node.object_types, ObjectTypes::UnknownType)
    }
}
