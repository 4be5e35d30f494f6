//! Views of values, independent of whether they are nodes of a document or computed.

use std::borrow::Cow;

use super::Node;
use super::object::Object;
use super::value::Value;

/// A value by its type, independent of its storage.
#[derive(Clone, Debug)]
pub enum View<'v, 'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as JSON text.
    Number(&'v str),
    /// A string, decoded.
    String(Cow<'v, str>),
    /// A list.
    List(List<'v, 'a>),
    /// An object.
    Object(Fields<'v, 'a>),
}

/// The elements of a list.
#[derive(Clone, Copy, Debug)]
pub enum List<'v, 'a> {
    /// A list of a document.
    Node(Node<'a>),
    /// A computed list.
    Owned(&'v [Value<'a>]),
}

impl<'v, 'a> List<'v, 'a> {
    /// The number of elements.
    pub fn len(self) -> usize {
        match self {
            Self::Node(node) => node.len(),
            Self::Owned(elements) => elements.len(),
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The element at `index`; in a document this takes time linear in `index`.
    pub fn get(self, index: usize) -> Option<Value<'a>> {
        match self {
            Self::Node(node) => node.elements().nth(index).map(Value::Node),
            Self::Owned(elements) => elements.get(index).cloned(),
        }
    }

    /// The elements in order.
    pub fn iter(self) -> impl Iterator<Item = Value<'a>> + use<'v, 'a> {
        let (nodes, values) = match self {
            Self::Node(node) => (Some(node.elements()), [].as_slice()),
            Self::Owned(elements) => (None, elements),
        };
        nodes
            .into_iter()
            .flatten()
            .map(Value::Node)
            .chain(values.iter().cloned())
    }
}

/// The members of an object.
#[derive(Clone, Copy, Debug)]
pub enum Fields<'v, 'a> {
    /// An object of a document.
    Node(Node<'a>),
    /// A computed object.
    Owned(&'v Object<'a>),
}

impl<'v, 'a> Fields<'v, 'a> {
    /// The number of members; in a document, duplicate keys are counted too.
    pub fn len(self) -> usize {
        match self {
            Self::Node(node) => node.len(),
            Self::Owned(object) => object.len(),
        }
    }

    /// Whether there are no members.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The member called `key`.
    pub fn get(self, key: &str) -> Option<Value<'a>> {
        match self {
            Self::Node(node) => node.get(key).map(Value::Node),
            Self::Owned(object) => object.get(key).cloned(),
        }
    }

    /// The members in order.
    pub fn iter(self) -> impl Iterator<Item = (Cow<'v, str>, Value<'a>)> + use<'v, 'a>
    where
        'a: 'v,
    {
        let (nodes, object) = match self {
            Self::Node(node) => (Some(node.members()), None),
            Self::Owned(object) => (None, Some(object)),
        };
        let nodes = nodes.into_iter().flatten();
        let members = object.into_iter().flat_map(Object::iter);
        nodes
            .map(|(key, node)| (key.decode(), Value::Node(node)))
            .chain(members.map(|(key, value)| (Cow::Borrowed(key), value.clone())))
    }
}
