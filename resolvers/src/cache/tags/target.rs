//! Targets of invalidations, and the tags that invalidate them.
//!
//! Pure. An entry has the tags of all objects it contains: `subgraph` and `type` of each; `entity`
//! of an identified entity; `other_key` for each key of an entity by which it was not fetched;
//! `contains_type` if it contains unidentified objects of the type.

use bytes::Bytes;
use schema::json::{Json, Kind, Node};
use schema::key::FieldSet;

use super::super::key::entity_key;
use super::Tag;

/// A set of cached values to invalidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// All values.
    Everything,
    /// The values of a subgraph.
    Subgraph(String),
    /// Values with objects of a type.
    Type(String),
    /// One entity.
    Entity {
        /// Its type.
        type_name: String,
        /// Its key.
        key: EntityKey,
    },
    /// Values with this name in `@cacheTag`.
    Named(String),
}

/// The key of an entity: fields and their values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityKey {
    json: String,
    fields: FieldSet,
}

impl Target {
    /// The tags to invalidate; every value of the target has at least one.
    pub fn tags(&self) -> Vec<Tag> {
        match self {
            Self::Everything => vec![Tag::everything()],
            Self::Subgraph(name) => vec![Tag::subgraph(name)],
            Self::Type(name) => vec![Tag::type_name(name)],
            Self::Entity { type_name, key } => vec![
                Tag::entity(type_name, &key.json),
                Tag::other_key(type_name, &key.fields),
                Tag::contains_type(type_name),
            ],
            Self::Named(name) => vec![Tag::named(name)],
        }
    }
}

impl EntityKey {
    /// The key in a JSON object; `None` for other JSON, and for an object without fields.
    pub fn from_json(json: &str) -> Option<Self> {
        let json = entity_key(json)?;
        let parsed = Json::parse(Bytes::copy_from_slice(json.as_bytes())).ok()?;
        let fields = field_set(parsed.root());
        (!fields.is_empty()).then_some(Self { json, fields })
    }

    /// The key with one field.
    pub fn from_field(name: &str, value: &str) -> Self {
        let object = serde_json::json!({ name: value }).to_string();
        Self {
            // Only `entity_key` escapes strings uniformly.
            json: entity_key(&object).unwrap_or(object),
            fields: FieldSet(vec![(name.into(), FieldSet::default())]),
        }
    }

    /// The fields, sorted by name.
    pub fn fields(&self) -> &FieldSet {
        &self.fields
    }
}

/// The fields of an object, recursively; the parser limits its depth.
fn field_set(node: Node<'_>) -> FieldSet {
    let Kind::Object(members) = node.kind() else {
        return FieldSet::default();
    };
    let members = members.map(|(name, value)| (name.decode().as_ref().into(), field_set(value)));
    FieldSet(members.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(json: &str) -> Vec<Tag> {
        let key = EntityKey::from_json(json).expect(json);
        let type_name = "Product".to_owned();
        Target::Entity { type_name, key }.tags()
    }

    #[test]
    fn one_entity_has_one_key_however_it_is_written() {
        let tags = entity(r#"{"id":42}"#);

        for same in [
            r#"{"id":"42"}"#,
            r#" { "\u0069d" : "42" } "#,
            r#"{"__typename":"Product","id":"42"}"#,
            r#"{"id":1,"id":42}"#,
        ] {
            assert_eq!(entity(same), tags, "{same}");
        }
        assert_eq!(
            entity(r#"{"a":1,"b":{"c":2,"d":3}}"#),
            entity(r#"{"b":{"d":"3","c":"2"},"a":1}"#)
        );
        for other in [
            r#"{"id":43}"#,
            r#"{"id":"042"}"#,
            r#"{"id":true}"#,
            r#"{"sku":42}"#,
        ] {
            assert_ne!(entity(other)[0], tags[0], "{other}");
        }
    }

    #[test]
    fn an_entity_invalidates_its_other_keys_and_lists_of_its_type() {
        let fields = FieldSet::parse("sku region { code }").unwrap();

        let tags = entity(r#"{"region":{"code":"eu"},"sku":7}"#);

        let expected = [
            Tag::entity("Product", r#"{"region":{"code":"eu"},"sku":"7"}"#),
            Tag::other_key("Product", &fields),
            Tag::contains_type("Product"),
        ];
        assert_eq!(tags, expected);
        let other = FieldSet::parse("sku region { id }").unwrap();
        assert!(!tags.contains(&Tag::other_key("Product", &other)));
    }

    #[test]
    fn the_key_of_one_field_is_that_of_the_object() {
        for value in ["42", "a \"b\" \\ \n \u{7f} é"] {
            let json = serde_json::json!({ "id": value }).to_string();
            let (read, made) = (
                EntityKey::from_json(&json).unwrap(),
                EntityKey::from_field("id", value),
            );
            assert_eq!(
                Target::Entity {
                    type_name: "P".to_owned(),
                    key: read
                }
                .tags(),
                Target::Entity {
                    type_name: "P".to_owned(),
                    key: made
                }
                .tags()
            );
        }
    }

    #[test]
    fn a_key_without_fields_is_refused() {
        for text in [
            "",
            "42",
            "\"42\"",
            "[]",
            "{}",
            "{",
            "null",
            r#"{"__typename":"Product"}"#,
        ] {
            assert_eq!(EntityKey::from_json(text), None, "{text}");
        }
    }

    #[test]
    fn other_targets_are_one_tag_each() {
        let name = || "a".to_owned();
        assert_eq!(Target::Everything.tags(), [Tag::everything()]);
        assert_eq!(Target::Subgraph(name()).tags(), [Tag::subgraph("a")]);
        assert_eq!(Target::Type(name()).tags(), [Tag::type_name("a")]);
        assert_eq!(Target::Named(name()).tags(), [Tag::named("a")]);
    }
}
