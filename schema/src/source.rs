//! What can be asked, and what each source can give: all that planning needs to know.
//!
//! A source's view is a graph of nodes. A node says which fields of one type are there; a
//! composite field leads to another node. For a connector the nodes follow its selection, for a
//! service that speaks GraphQL they follow its types. Nothing here knows what HTTP is.

use indexmap::IndexMap;

use crate::connector::Connector;
use crate::graph::{Name, TypeId};

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

/// Fields of an object, and fields of these: `id`, `id address { city }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FieldSet(pub Vec<(Name, Self)>);

impl FieldSet {
    /// Reads `id address { city }`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let spaced = text.replace('{', " { ").replace('}', " } ");
        let mut open = vec![Self::default()];
        for word in spaced
            .split([' ', '\n', '\r', '\t', ','])
            .filter(|word| !word.is_empty())
        {
            match word {
                "{" => open.push(Self::default()),
                "}" => {
                    let inner = open.pop()?;
                    open.last_mut()?.0.last_mut()?.1 = inner;
                }
                name => open.last_mut()?.0.push((name.into(), Self::default())),
            }
        }
        let whole = open.pop()?;
        (open.is_empty() && !whole.is_empty()).then_some(whole)
    }

    /// Whether it names nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields below `name`, which is added when it is not there.
    pub fn enter(&mut self, name: &str) -> &mut Self {
        let index = self
            .0
            .iter()
            .position(|(known, _)| known.as_ref() == name)
            .unwrap_or_else(|| {
                self.0.push((name.into(), Self::default()));
                self.0.len() - 1
            });
        &mut self.0[index].1
    }

    /// Whether every field of `self` is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().all(|(name, inner)| {
            other
                .0
                .iter()
                .any(|(known, deeper)| known == name && inner.is_subset(deeper))
        })
    }
}

impl std::fmt::Display for FieldSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (name, inner)) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(name)?;
            if !inner.is_empty() {
                write!(f, " {{ {inner} }}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_set_reads_what_it_prints() {
        for text in ["id", "id sku", "id address { city country { code } } name"] {
            assert_eq!(FieldSet::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "{ id }", "id {", "id }"] {
            assert_eq!(FieldSet::parse(text), None, "{text}");
        }
    }
}
