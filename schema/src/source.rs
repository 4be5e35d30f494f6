//! Sources: entry points and the fields that each source provides. The input of planning.
//!
//! A source is a graph of nodes. A node lists the fields that the source provides of one type; a
//! composite field points to another node. The nodes of a connector follow its selection, those
//! of a subgraph its types. Knows nothing of HTTP.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::connector::Connector;
use crate::key::{ContextArgument, FieldSet, Requirement};
use crate::types::{Name, TypeId};

/// The index of a source in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub(crate) usize);

impl SourceId {
    /// A number from 0, dense over the sources of one graph.
    pub fn index(self) -> usize {
        self.0
    }
}

/// A subgraph or a connector.
#[derive(Clone, Debug)]
pub struct Source {
    /// Unique and readable: `orders:Query.orders[0]`.
    pub name: Name,
    /// The subgraph it belongs to.
    pub subgraph: Name,
    /// The objects that a fetch from this source can start at.
    pub entry_points: Vec<EntryPoint>,
    /// The fields it provides, by position.
    pub nodes: Vec<SourceNode>,
    /// The protocol of its requests.
    pub access: Access,
}

/// The protocol of a source.
#[derive(Clone, Debug)]
pub enum Access {
    /// HTTP requests that a connector describes.
    Connector(Arc<Connector>),
    /// GraphQL requests to a subgraph, `_entities` of Apollo Federation included.
    Graphql(SubgraphEndpoint),
}

/// The endpoint of a subgraph.
#[derive(Clone, Debug)]
pub struct SubgraphEndpoint {
    /// The URL in the supergraph; the configuration may override it.
    pub url: Option<Name>,
    /// Types with another name in the subgraph: the name in the graph, and its own.
    pub renamed_types: Vec<(Name, Name)>,
}

/// A position where a fetch can start: a root, or an object of type `on` with a known `key`.
#[derive(Clone, Debug)]
pub struct EntryPoint {
    /// The type of the object; a root type for root fields. Abstract where the object's type
    /// is unknown until the source returns it.
    pub on: TypeId,
    /// The source's name for that type: `on`, or the interface that it defines as an object
    /// (`@interfaceObject`).
    pub type_name: Name,
    /// The fields that identify the object; empty for root fields.
    pub key: FieldSet,
    /// The fields provided of the object.
    pub node: NodeId,
    /// The number of objects in one request.
    pub cardinality: EntryCardinality,
}

impl EntryPoint {
    /// Whether it returns entities by key, rather than one field of an object or root fields.
    pub fn is_entity_lookup(&self) -> bool {
        !self.key.is_empty() && self.cardinality != EntryCardinality::Field
    }
}

/// The number of objects in one request of an entry point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryCardinality {
    /// One field with its arguments, of one object.
    Field,
    /// One object.
    Object,
    /// Several objects, with the maximum per request if there is one.
    Batch(Option<usize>),
}

/// The index of a node in its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(crate) usize);

impl NodeId {
    /// A number from 0, dense over the nodes of one source.
    pub fn index(self) -> usize {
        self.0
    }
}

/// The fields that a source provides of the objects at one position.
#[derive(Clone, Debug)]
pub struct SourceNode {
    /// The type at this position; may be abstract.
    pub on: TypeId,
    /// The types of the objects at this position.
    pub object_types: ObjectTypes,
    /// The provided fields; for an abstract type, those that can be selected without a type
    /// condition.
    pub fields: IndexMap<Name, NodeField>,
}

/// The types of the objects that a source returns at one position.
#[derive(Clone, Debug)]
pub enum ObjectTypes {
    /// The node's own type.
    OwnType,
    /// These types, identified by `__typename`, each with its own node.
    ByTypename(IndexMap<TypeId, NodeId>),
    /// Any possible type of the node's type; the source does not know which
    /// (`@interfaceObject`).
    UnknownType,
}

/// A field that a source provides.
#[derive(Clone, Debug)]
pub struct NodeField {
    /// The node of its value; `None` for leaves.
    pub child: Option<NodeId>,
    /// Fields of the object that the source requires (`@requires`); empty for a field that has
    /// context arguments only.
    pub requires: Option<Arc<[Requirement]>>,
    /// Arguments from ancestor objects; with any, `requires` is `Some`.
    pub context_arguments: Arc<[ContextArgument]>,
    /// Whether the source provides it inside keys only, because another source overrides it
    /// (`@override`).
    pub only_in_keys: bool,
    /// The type in the source's own SDL; empty for connectors, which send no document.
    pub ty: Name,
}

impl NodeField {
    /// Whether a subgraph has it as non-null.
    pub fn is_non_null(&self) -> bool {
        self.ty.ends_with('!')
    }
}

impl Source {
    /// The source's own name of the type that the graph calls `name`.
    pub fn own_type_name<'n>(&'n self, name: &'n Name) -> &'n Name {
        let renamed = match &self.access {
            Access::Graphql(endpoint) => endpoint.renamed_types.as_slice(),
            Access::Connector(_) => &[],
        };
        let mut renamed = renamed.iter();
        renamed
            .find(|(known, _)| known == name)
            .map_or(name, |(_, own)| own)
    }

    /// The node with this id, which must be of this source.
    pub fn node(&self, id: NodeId) -> &SourceNode {
        &self.nodes[id.0]
    }

    /// The node for objects of type `object` at node `id`; `None` if the source returns none.
    pub fn node_for_type(&self, id: NodeId, object: TypeId) -> Option<NodeId> {
        match &self.node(id).object_types {
            ObjectTypes::OwnType => (self.node(id).on == object).then_some(id),
            ObjectTypes::ByTypename(nodes) => nodes.get(&object).copied(),
            ObjectTypes::UnknownType => Some(id),
        }
    }
}

/// Whether `node`, one of `nodes`, provides every field of `set`.
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
