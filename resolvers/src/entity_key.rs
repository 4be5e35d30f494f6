//! The key of an entity: which entity it is, in the one form that all parts of the crate compare.
//!
//! A key is the canonical JSON text of each of its fields, in the order of the key, each ended by
//! a zero byte, which JSON text cannot contain. Rows, responses and arguments are read into this
//! form; cache keys and invalidation tags are written from it. Equal keys are equal bytes, whatever
//! the order or the escapes of the JSON that they came in, and whatever JSON type a service writes
//! for the GraphQL type of a field ([`KeyLeaf`]). Requests have the values as they came.

use std::fmt::Write as _;

use schema::json::{Json, Node, Object, Value as JsonValue};
use schema::key::FieldSet;
use schema::types::{Name, TypeId, Types};

pub(crate) use self::leaf_form::write_key_leaf;
use crate::cache::{self, canonical_json};
use crate::leaf::KeyLeaf;
use crate::selection::KeySlot;
use crate::tree::{KeyState, Row, Tree, Value, write_canonical};

mod leaf_form;

/// A field of a key with its nested fields.
#[derive(Debug)]
pub(crate) struct KeyField {
    name: Name,
    leaf: KeyLeaf,
    inner: Vec<Self>,
}

impl KeyField {
    /// The fields of a key of objects of type `on`.
    pub(crate) fn from_field_set(
        FieldSet(fields): &FieldSet,
        on: TypeId,
        types: &Types,
    ) -> Vec<Self> {
        let fields = fields.iter();
        let fields = fields.map(|(name, inner)| {
            let ty = types.get(on).field(name).map(|field| field.ty.named_type());
            Self {
                name: Name::clone(name),
                leaf: ty.map_or(KeyLeaf::Exact, |ty| KeyLeaf::from_type(ty, types)),
                inner: ty.map_or_else(Vec::new, |ty| Self::from_field_set(inner, ty, types)),
            }
        });
        fields.collect()
    }
}

/// A key in the form that this module defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EntityKey<'k>(pub(crate) &'k [u8]);

/// Index of an entity among those of one fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EntityIndex(usize);

impl EntityIndex {
    pub(crate) fn new(index: usize) -> Self {
        Self(index)
    }

    pub(crate) fn index(self) -> usize {
        self.0
    }

    /// The index after this one.
    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Appends the key of the entity in `row`; nothing useful is appended unless it is known.
pub(crate) fn write_row_key(tree: &Tree, row: Row, key: &[KeySlot], out: &mut Vec<u8>) -> KeyState {
    for part in key {
        match tree.slot(row, part.slot) {
            Value::Leaf(text) if part.inner.is_empty() => {
                write_key_leaf(part.leaf, tree.text(text), out);
                out.push(END);
            }
            Value::Object(inner) if !part.inner.is_empty() => {
                let state = write_row_key(tree, inner, &part.inner, out);
                if state != KeyState::Known {
                    return state;
                }
            }
            // A nested object of which only the type is part of the key.
            Value::Object(_) => {
                out.extend_from_slice(b"{}");
                out.push(END);
            }
            Value::Failed(failure) => return KeyState::Failed(failure),
            Value::Absent | Value::Null | Value::Leaf(_) | Value::List { .. } => {
                return KeyState::Missing;
            }
        }
    }
    KeyState::Known
}

/// Appends the key of an object of a response; `None` when a field is missing or null.
pub(crate) fn write_object_key(
    object: &JsonValue<'_>,
    fields: &[KeyField],
    out: &mut Vec<u8>,
) -> Option<()> {
    for field in fields {
        let value = object.get(&field.name)?;
        if !field.inner.is_empty() {
            write_object_key(&value, &field.inner, out)?;
            continue;
        }
        match &value {
            JsonValue::Null => return None,
            JsonValue::Node(node) if node.is_null() => return None,
            JsonValue::Node(node) => {
                write_key_leaf(field.leaf, Node::raw_bytes(*node), out);
            }
            computed => {
                let mut text = Vec::new();
                computed.write_json(&mut text);
                write_key_leaf(field.leaf, &text, out);
            }
        }
        out.push(END);
    }
    Some(())
}

/// Appends the key in `row` as an object of its fields with the values as they came: one element
/// of `$batch`.
pub(crate) fn write_row_object(tree: &Tree, row: Row, key: &[KeySlot], out: &mut Vec<u8>) {
    out.push(b'{');
    for (index, part) in key.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        // Names of GraphQL need no escapes.
        out.push(b'"');
        out.extend_from_slice(part.name.as_bytes());
        out.extend_from_slice(b"\":");
        match tree.slot(row, part.slot) {
            Value::Leaf(text) => write_canonical(tree.text(text), out),
            Value::Object(inner) => write_row_object(tree, inner, &part.inner, out),
            Value::Absent | Value::Null | Value::List { .. } | Value::Failed(_) => {
                out.extend_from_slice(b"null");
            }
        }
    }
    out.push(b'}');
}

/// The arguments of a field that returns the entity with this key, a JSON object, in the form of
/// [`EntityKey::canonical_json`]; `None` if they are no key.
pub(crate) fn canonical_arguments(arguments: &str, fields: &[KeyField]) -> Option<String> {
    let key = argument_key(arguments, fields)?;
    Some(EntityKey(&key).canonical_json(fields))
}

/// The key in the arguments of a field, a JSON object; `None` if a field of the key has no value.
pub(crate) fn argument_key(arguments: &str, fields: &[KeyField]) -> Option<Vec<u8>> {
    let json = Json::parse(bytes::Bytes::copy_from_slice(arguments.as_bytes())).ok()?;
    let mut key = Vec::with_capacity(arguments.len());
    write_object_key(&JsonValue::Node(json.root()), fields, &mut key)?;
    Some(key)
}

/// The key in `row` as mappings see it (`$this`, `$batch`): an object of its fields.
pub(crate) fn mapping_value<'t>(tree: &'t Tree, row: Row, key: &'t [KeySlot]) -> JsonValue<'t> {
    let mut object = Object::with_capacity(key.len());
    for part in key {
        let value = match tree.slot(row, part.slot) {
            Value::Leaf(text) => leaf_value(tree.text(text)),
            Value::Object(inner) => mapping_value(tree, inner, &part.inner),
            Value::Absent | Value::Null | Value::List { .. } | Value::Failed(_) => JsonValue::Null,
        };
        object.insert(part.name.as_ref(), value);
    }
    JsonValue::object(object)
}

/// The fields `fields` of an entity's JSON in the form that invalidation compares: one order of
/// members, numbers as strings. `None` when one is missing.
pub(crate) fn invalidation_key(entity: &Json, fields: &FieldSet) -> Option<String> {
    let mut key = String::new();
    write_members(entity.root(), fields, &mut key)?;
    cache::entity_key(&key)
}

impl<'k> EntityKey<'k> {
    /// Canonical JSON, as cache keys have it: an object with its members in the order of names.
    pub(crate) fn canonical_json(self, key: &[KeyField]) -> String {
        let mut json = String::with_capacity(self.0.len() + 16);
        write_sorted(&mut self.values(), key, &mut json);
        if json.contains('\\') {
            return canonical_json(&json).unwrap_or(json);
        }
        json
    }

    fn values(self) -> impl Iterator<Item = &'k [u8]> {
        self.0.split(|byte| *byte == END)
    }
}

/// Reads the values in the order of the key, writes them in the order of their names.
fn write_sorted<'k>(
    values: &mut impl Iterator<Item = &'k [u8]>,
    key: &[KeyField],
    json: &mut String,
) {
    let mut members: Vec<(&str, String)> = Vec::with_capacity(key.len());
    for part in key {
        let mut value = String::new();
        if part.inner.is_empty() {
            let text = values.next().unwrap_or(b"null");
            value.push_str(str::from_utf8(text).unwrap_or("null"));
        } else {
            write_sorted(values, &part.inner, &mut value);
        }
        members.push((&part.name, value));
    }
    members.sort_unstable_by_key(|(name, _)| *name);
    json.push('{');
    for (index, (name, value)) in members.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let _ = write!(json, "{comma}\"{name}\":{value}");
    }
    json.push('}');
}

fn write_members(object: Node<'_>, FieldSet(fields): &FieldSet, key: &mut String) -> Option<()> {
    key.push('{');
    for (index, (name, inner)) in fields.iter().enumerate() {
        let value = object.get(name)?;
        let comma = if index > 0 { "," } else { "" };
        let _ = write!(key, "{comma}\"{name}\":");
        if inner.is_empty() {
            key.push_str(value.raw());
        } else {
            write_members(value, inner, key)?;
        }
    }
    key.push('}');
    Some(())
}

fn leaf_value(text: &[u8]) -> JsonValue<'_> {
    let plain = std::str::from_utf8(text).unwrap_or_default();
    let quoted = plain.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    match quoted {
        Some(inner) if !inner.contains('\\') => JsonValue::string(inner),
        None if plain.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) => {
            JsonValue::Number(plain.into())
        }
        _ => Json::parse(bytes::Bytes::copy_from_slice(text)).map_or(JsonValue::Null, |json| {
            JsonValue::Node(json.root()).to_owned_value()
        }),
    }
}

/// Ends the value of a field.
const END: u8 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &'static str) -> Json {
        Json::parse(bytes::Bytes::from_static(text.as_bytes())).unwrap()
    }

    /// `id: ID!` and `at: { city: String! }`.
    fn fields() -> Vec<KeyField> {
        let field = |name: &str, leaf, inner| KeyField {
            name: name.into(),
            leaf,
            inner,
        };
        let city = field("city", KeyLeaf::Exact, Vec::new());
        vec![
            field("id", KeyLeaf::Id, Vec::new()),
            field("at", KeyLeaf::Exact, vec![city]),
        ]
    }

    #[test]
    fn an_object_of_a_response_has_a_key_when_no_field_is_null() {
        let key = |text| {
            let json = json(text);
            let mut key = Vec::new();
            write_object_key(&JsonValue::Node(json.root()), &fields(), &mut key).map(|()| key)
        };
        assert_eq!(
            key(r#"{"at":{"city":"a\u0062"},"id":1}"#).unwrap(),
            b"\"1\"\0\"ab\"\0"
        );
        assert_eq!(key(r#"{"at":{"city":null},"id":1}"#), None);
        assert_eq!(key(r#"{"id":1}"#), None);
    }

    #[test]
    fn arguments_are_the_key_of_the_entity_whatever_their_order_and_json_type() {
        let canonical = |arguments| canonical_arguments(arguments, &fields());
        let expected = r#"{"at":{"city":"a"},"id":"1"}"#;
        for arguments in [
            r#"{"id":"1","at":{"city":"a"}}"#,
            r#"{"at":{"city":"\u0061"},"id":1}"#,
        ] {
            assert_eq!(canonical(arguments).as_deref(), Some(expected));
        }
        assert_eq!(canonical(r#"{"id":1,"at":null}"#), None);
    }

    #[test]
    fn invalidation_compares_numbers_as_strings_and_ignores_other_members() {
        let fields = FieldSet::parse("id").unwrap();
        let number = invalidation_key(&json(r#"{"id":5,"price":1}"#), &fields);
        let string = invalidation_key(&json(r#"{"__typename":"P","id":"5"}"#), &fields);
        assert_eq!(number.as_deref(), Some(r#"{"id":"5"}"#));
        assert_eq!(number, string);
        assert_eq!(invalidation_key(&json("{}"), &fields), None);
    }
}
