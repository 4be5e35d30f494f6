//! Values of mappings: nodes of a document or computed values.
//!
//! Numbers stay text, so that an id of 19 digits and `2.0` are written as they were read. Values
//! are created and dropped within one evaluation and never leave their thread.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use super::object::{Object, Values};
use super::view::{Fields, List, View};
use super::{Json, Kind, Node, text};

/// A JSON value. Cloning copies at most one string.
#[derive(Clone)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as JSON text: an integer when it has neither point nor exponent.
    Number(Cow<'a, str>),
    /// A string, decoded.
    String(Cow<'a, str>),
    /// A computed list.
    List(Rc<Values<'a>>),
    /// A computed object.
    Object(Rc<Object<'a>>),
    /// A value of a document.
    Node(Node<'a>),
}

impl<'a> Value<'a> {
    /// Creates an integer.
    pub fn int(value: i64) -> Self {
        Self::Number(Cow::Owned(value.to_string()))
    }

    /// Creates a float, written with a decimal point (`3.0`); `None` for NaN and infinities.
    pub fn float(value: f64) -> Option<Self> {
        let number = serde_json::Number::from_f64(value)?;
        Some(Self::Number(Cow::Owned(number.to_string())))
    }

    /// Creates a string.
    pub fn string(text: impl Into<Cow<'a, str>>) -> Self {
        Self::String(text.into())
    }

    /// Creates a list.
    pub fn list(elements: Vec<Self>) -> Self {
        Self::List(Rc::new(Values::new(elements)))
    }

    /// Creates an object value.
    pub fn object(object: Object<'a>) -> Self {
        Self::Object(Rc::new(object))
    }

    /// The value by its type, independent of its storage.
    #[inline]
    pub fn view(&self) -> View<'_, 'a> {
        match self {
            Self::Null => View::Null,
            Self::Bool(value) => View::Bool(*value),
            Self::Number(text) => View::Number(text),
            Self::String(text) => View::String(Cow::Borrowed(text)),
            Self::List(elements) => View::List(List::Owned(elements)),
            Self::Object(object) => View::Object(Fields::Owned(object)),
            Self::Node(node) => match node.kind() {
                Kind::Null => View::Null,
                Kind::Bool(value) => View::Bool(value),
                Kind::Number(text) => View::Number(text),
                Kind::String(text) => View::String(text.decode()),
                Kind::List(_) => View::List(List::Node(*node)),
                Kind::Object(_) => View::Object(Fields::Node(*node)),
            },
        }
    }

    /// The member called `key`; `None` for other kinds.
    #[inline]
    pub fn get(&self, key: &str) -> Option<Self> {
        match self {
            Self::Node(node) => node.get(key).map(Self::Node),
            Self::Object(object) => object.get(key).cloned(),
            _ => None,
        }
    }

    /// Whether it is `null`.
    #[inline]
    pub fn is_null(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Node(node) => node.is_null(),
            _ => false,
        }
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        self.as_object().is_some()
    }

    /// The list; `None` for other kinds. Cheaper than [`Self::view`], which decodes strings.
    #[inline]
    pub fn as_list(&self) -> Option<List<'_, 'a>> {
        match self {
            Self::List(elements) => Some(List::Owned(elements)),
            Self::Node(node) if node.is_list() => Some(List::Node(*node)),
            _ => None,
        }
    }

    /// The object; `None` for other kinds. Cheaper than [`Self::view`], which decodes strings.
    #[inline]
    pub fn as_object(&self) -> Option<Fields<'_, 'a>> {
        match self {
            Self::Object(object) => Some(Fields::Owned(object)),
            Self::Node(node) if node.is_object() => Some(Fields::Node(*node)),
            _ => None,
        }
    }

    /// Writes the value as compact JSON. Strings and numbers of a document are written verbatim.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(value) => write_bool(*value, out),
            Self::Number(text) => out.extend_from_slice(text.as_bytes()),
            Self::String(text) => text::write(text, out),
            Self::List(elements) => write_list(elements.iter(), out, Self::write_json),
            Self::Object(object) => write_members(object.iter(), out, |(key, value), out| {
                text::write(key, out);
                out.push(b':');
                value.write_json(out);
            }),
            Self::Node(node) => write_node(*node, out),
        }
    }

    /// The value as compact JSON text.
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.write_json(&mut out);
        // Only complete strings and ASCII are written, so the bytes are UTF-8.
        String::from_utf8(out).unwrap_or_default()
    }

    /// A deep copy that borrows nothing from a document.
    pub fn to_owned_value(&self) -> Value<'static> {
        match self.view() {
            View::Null => Value::Null,
            View::Bool(value) => Value::Bool(value),
            View::Number(text) => Value::Number(Cow::Owned(text.to_owned())),
            View::String(text) => Value::String(Cow::Owned(text.into_owned())),
            View::List(list) => {
                Value::list(list.iter().map(|value| value.to_owned_value()).collect())
            }
            View::Object(fields) => Value::object(
                fields
                    .iter()
                    .map(|(key, value)| (Cow::Owned(key.into_owned()), value.to_owned_value()))
                    .collect(),
            ),
        }
    }

    /// The approximate text length in bytes, in constant time.
    pub fn weight(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) => 4,
            Self::Number(text) | Self::String(text) => text.len() + 2,
            Self::List(elements) => elements.weight(),
            Self::Object(object) => object.weight(),
            Self::Node(node) => node.span().1 as usize,
        }
    }

    /// The weight of a string; 0 for other kinds.
    pub(crate) fn weight_of_string(&self) -> usize {
        match self {
            Self::String(text) => text.len(),
            Self::Node(node) => match node.kind() {
                Kind::String(_) => node.span().1 as usize,
                _ => 0,
            },
            _ => 0,
        }
    }

    /// The kind of value with its article, for messages: `a number`.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
            Self::Node(node) => match node.kind() {
                Kind::Null => "null",
                Kind::Bool(_) => "a boolean",
                Kind::Number(_) => "a number",
                Kind::String(_) => "a string",
                Kind::List(_) => "a list",
                Kind::Object(_) => "an object",
            },
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_json())
    }
}

impl<'a> From<Node<'a>> for Value<'a> {
    fn from(node: Node<'a>) -> Self {
        Self::Node(node)
    }
}

impl<'a> From<&'a Json> for Value<'a> {
    fn from(json: &'a Json) -> Self {
        Self::Node(json.root())
    }
}

fn write_node(node: Node<'_>, out: &mut Vec<u8>) {
    if node.is_object() {
        write_members(node.members(), out, |(key, value), out| {
            out.extend_from_slice(key.raw_bytes());
            out.push(b':');
            write_node(value, out);
        });
    } else if node.is_list() {
        write_list(node.elements(), out, write_node);
    } else {
        out.extend_from_slice(node.raw_bytes());
    }
}

fn write_bool(value: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

fn write_list<T>(
    elements: impl Iterator<Item = T>,
    out: &mut Vec<u8>,
    write: impl Fn(T, &mut Vec<u8>),
) {
    out.push(b'[');
    write_items(elements, out, write);
    out.push(b']');
}

fn write_members<T>(
    members: impl Iterator<Item = T>,
    out: &mut Vec<u8>,
    write: impl Fn(T, &mut Vec<u8>),
) {
    out.push(b'{');
    write_items(members, out, write);
    out.push(b'}');
}

fn write_items<T>(
    items: impl Iterator<Item = T>,
    out: &mut Vec<u8>,
    write: impl Fn(T, &mut Vec<u8>),
) {
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out);
    }
}
