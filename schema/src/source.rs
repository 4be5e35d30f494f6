//! What can be asked, and what each source can give: all that planning needs to know.
//!
//! A source's view is a graph of nodes. A node says which fields of one type are there; a
//! composite field leads to another node. For a connector the nodes follow its selection, for a
//! service that speaks GraphQL they follow its types. Nothing here knows what HTTP is.

use indexmap::IndexMap;

use crate::connector::Connector;
use crate::key::FieldSet;
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
#[derive(Debug)]
pub struct Source {
    /// Unique and readable: `orders:Query.orders[0]`.
    pub name: Name,
    /// The subgraph it belongs to.
    pub service: Name,
    /// The ways into it.
    pub entries: Vec<Entry>,
    /// What it gives.
    pub nodes: Vec<Node>,
    /// How it is asked.
    pub access: Access,
}

/// How a source is asked.
#[derive(Debug)]
pub enum Access {
    /// By an HTTP request that a connector describes.
    Connector(Box<Connector>),
}

/// A way into a source: from an object of type `on` whose `key` is known.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The object one must stand on; a root type for root fields.
    pub on: TypeId,
    /// What must be known of that object; empty for root fields.
    pub key: FieldSet,
    /// What is then given of that object.
    pub node: NodeId,
    /// How many objects one request serves.
    pub serves: Serves,
}

/// How many objects one request of an entry serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serves {
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

/// What a source gives of an object at one place.
#[derive(Clone, Debug)]
pub struct Node {
    /// The type at this place; may be abstract.
    pub on: TypeId,
    /// The fields there are.
    pub fields: IndexMap<Name, NodeField>,
}

/// A field that a source gives.
#[derive(Clone, Debug)]
pub struct NodeField {
    /// What is given inside; `None` for leaves.
    pub child: Option<NodeId>,
}

impl Source {
    /// The node with this id, which this source gave out.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }
}

/// Whether all of `set` is given at `node`, one of `nodes`.
pub(crate) fn gives(nodes: &[Node], node: NodeId, set: &FieldSet) -> bool {
    set.0.iter().all(|(name, inner)| {
        nodes[node.0].fields.get(name).is_some_and(|field| {
            inner.is_empty() || field.child.is_some_and(|child| gives(nodes, child, inner))
        })
    })
}
