//! What can be asked, and what each source can give: all that planning needs to know.
//!
//! A source's view is a graph of nodes. A node says which fields of one type are there; a
//! composite field leads to another node. For a connector the nodes follow its selection, for a
//! service that speaks GraphQL they follow its types. Nothing here knows what HTTP is.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::connector::Connector;
use crate::key::{ContextArgument, FieldSet, Requirement};
use crate::types::{Name, TypeId};

/// Which source of the graph that gave it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub(crate) usize);

impl SourceId {
    /// A number from 0, dense over the sources of one graph.
    pub fn index(self) -> usize {
        self.0
    }
}

/// Anything that can be asked.
#[derive(Clone, Debug)]
pub struct Source {
    /// Unique and readable: `orders:Query.orders[0]`.
    pub name: Name,
    /// The subgraph it belongs to.
    pub subgraph: Name,
    /// The ways into it.
    pub entry_points: Vec<EntryPoint>,
    /// What it gives.
    pub nodes: Vec<SourceNode>,
    /// How it is asked.
    pub access: Access,
}

/// How a source is asked.
#[derive(Clone, Debug)]
pub enum Access {
    /// By an HTTP request that a connector describes.
    Connector(Arc<Connector>),
    /// By GraphQL requests to a service that speaks it, `_entities` of Apollo Federation included.
    Graphql(SubgraphEndpoint),
}

/// A service that speaks GraphQL.
#[derive(Clone, Debug)]
pub struct SubgraphEndpoint {
    /// Where it is, as the supergraph says; the configuration may say otherwise.
    pub url: Option<Name>,
}

/// A way into a source: from an object of type `on` whose `key` is known.
#[derive(Clone, Debug)]
pub struct EntryPoint {
    /// The object one must stand on; a root type for root fields. Abstract where the source is
    /// asked for objects of which nobody has said yet of which type they are.
    pub on: TypeId,
    /// What the source calls the type of these objects: `on`, or the interface that it has as an
    /// object (`@interfaceObject`).
    pub type_name: Name,
    /// What must be known of that object; empty for root fields.
    pub key: FieldSet,
    /// What is then given of that object.
    pub node: NodeId,
    /// How many objects one request serves.
    pub cardinality: EntryCardinality,
}

impl EntryPoint {
    /// Whether objects are found by it, rather than a field of one or the fields of a root.
    pub fn is_entity_lookup(&self) -> bool {
        !self.key.is_empty() && self.cardinality != EntryCardinality::Field
    }
}

/// How many objects one request of an entry serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryCardinality {
    /// One field with its arguments, of one object.
    Field,
    /// One object.
    Object,
    /// Any number of objects, or at most so many.
    Batch(Option<usize>),
}

/// Which node of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(crate) usize);

impl NodeId {
    /// A number from 0, dense over the nodes of one source.
    pub fn index(self) -> usize {
        self.0
    }
}

/// What a source gives of the objects at one place.
#[derive(Clone, Debug)]
pub struct SourceNode {
    /// The type at this place; may be abstract.
    pub on: TypeId,
    /// Which objects there are.
    pub object_types: ObjectTypes,
    /// The fields there are: of every object, or, for an abstract type, those that may be asked
    /// for without saying which type is meant.
    pub fields: IndexMap<Name, NodeField>,
}

/// Which objects a source gives at one place.
#[derive(Clone, Debug)]
pub enum ObjectTypes {
    /// Those of the node's own type.
    OwnType,
    /// Of these types, and the source says of which; the node says what is given of each.
    ByTypename(IndexMap<TypeId, NodeId>),
    /// Of any type that the node's type may have, and the source does not know of which
    /// (`@interfaceObject`).
    UnknownType,
}

/// A field that a source gives.
#[derive(Clone, Debug)]
pub struct NodeField {
    /// What is given inside; `None` for leaves.
    pub child: Option<NodeId>,
    /// What the source must be told of the object before it gives the field (`@requires`); nothing
    /// where it is told of objects further up only.
    pub requires: Option<Arc<[Requirement]>>,
    /// Arguments that it is given from objects further up; then `requires` is there too.
    pub context_arguments: Arc<[ContextArgument]>,
    /// Whether it is given as a part of a key only, because another source has taken it over
    /// (`@override`).
    pub only_in_keys: bool,
    /// The type as the source writes it; empty for connectors, which have no document.
    pub ty: Name,
}

impl Source {
    /// The node with this id, which this source gave out.
    pub fn node(&self, id: NodeId) -> &SourceNode {
        &self.nodes[id.0]
    }

    /// The node of the objects of type `object` at `id`; `None` when the source has none there.
    pub fn node_for_type(&self, id: NodeId, object: TypeId) -> Option<NodeId> {
        match &self.node(id).object_types {
            ObjectTypes::OwnType => (self.node(id).on == object).then_some(id),
            ObjectTypes::ByTypename(nodes) => nodes.get(&object).copied(),
            ObjectTypes::UnknownType => Some(id),
        }
    }
}

/// Whether all of `set` is given at `node`, one of `nodes`.
pub(crate) fn is_provided(nodes: &[SourceNode], node: NodeId, set: &FieldSet) -> bool {
    set.0.iter().all(|(name, inner)| {
        nodes[node.0].fields.get(name).is_some_and(|field| {
            inner.is_empty()
                || field
                    .child
                    .is_some_and(|child| is_provided(nodes, child, inner))
        })
    })
}
