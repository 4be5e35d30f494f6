//! Looking at a value without caring whether it stands in a document or was computed.

use std::borrow::Cow;

use super::Node;
use super::object::Object;
use super::value::Value;

/// One look at a value that does not care where it stands.
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

/// The elements of a list, wherever they stand.
#[derive(Clone, Copy, Debug)]
pub enum List<'v, 'a> {
    /// In a document.
    Node(Node<'a>),
    /// Computed.
    Owned(&'v [Value<'a>]),
}

impl<'v, 'a> List<'v, 'a> {
    /// How many there are.
    pub fn len(self) -> usize {
        match self {
            Self::Node(node) => node.len(),
            Self::Owned(elements) => elements.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The element at `index`; in a document those before it are passed over.
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

/// The members of an object, wherever they stand.
#[derive(Clone, Copy, Debug)]
pub enum Fields<'v, 'a> {
    /// In a document.
    Node(Node<'a>),
    /// Computed.
    Owned(&'v Object<'a>),
}

impl<'v, 'a> Fields<'v, 'a> {
    /// How many there are; in a document, keys that occur twice count twice.
    pub fn len(self) -> usize {
        match self {
            Self::Node(node) => node.len(),
            Self::Owned(object) => object.len(),
        }
    }

    /// Whether there are none.
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
