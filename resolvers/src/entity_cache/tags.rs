//! The tags by which a cached value is invalidated.

use std::borrow::Cow;
use std::sync::Arc;

use schema::caching::TagFormat;
use schema::json::{Json, Kind, canonical_number};
use schema::key::FieldSet;
use schema::operation::{Argument, Variables};
use schema::types::Name;

use crate::cache::Tag;
use crate::entity_key::invalidation_key;
use crate::selection::Condition;
use crate::source_client::request::arguments_json;

/// How the tags of a value follow from its entity and from the arguments of root fields.
#[derive(Debug, Default)]
pub(super) struct TagRules {
    /// Tags of every value of the rule, each with its description.
    pub(super) constant_tags: Vec<(Tag, String)>,
    /// The type of the entity that a value is, and the fields of its key.
    pub(super) entity: Option<(Name, FieldSet)>,
    /// The formats of the tags of the entity.
    pub(super) formats: Vec<TagFormat>,
    /// The root fields of a value whose tags depend on arguments.
    pub(super) fields: Vec<FieldTags>,
}

/// A root field with tags that depend on its arguments.
#[derive(Debug)]
pub(super) struct FieldTags {
    pub(super) formats: Vec<TagFormat>,
    pub(super) arguments: Vec<(Name, Argument)>,
    pub(super) condition: Condition,
}

impl TagRules {
    /// The arguments of `fields` that a request includes, each as a JSON object.
    pub(super) fn field_arguments(&self, variables: &Variables) -> Arc<[Option<String>]> {
        let fields = self.fields.iter();
        let arguments = fields.map(|field| {
            let is_included = field.condition.is_true(variables);
            is_included.then(|| arguments_json(&field.arguments, variables))
        });
        arguments.collect()
    }

    /// The tags of the value of an entity with that key, a JSON object, or of root fields with
    /// these arguments.
    pub(super) fn tags(&self, entity: Option<&str>, fields: &[Option<String>]) -> Vec<Tag> {
        let mut tags: Vec<Tag> = self.constant_tags.iter().map(|(tag, _)| *tag).collect();
        let entity = entity.and_then(parsed_json);
        let key = self.entity_key(entity.as_ref());
        tags.extend(key.map(|(name, key)| Tag::entity(name, &key)));
        let names = self.names(entity.as_ref(), fields);
        tags.extend(names.iter().map(|name| Tag::named(name)));
        tags
    }

    /// The tags as a trace shows them.
    pub(super) fn descriptions(
        &self,
        entity: Option<&str>,
        fields: &[Option<String>],
    ) -> Vec<String> {
        let constant = self.constant_tags.iter();
        let mut descriptions: Vec<String> = constant.map(|(_, text)| text.clone()).collect();
        let entity = entity.and_then(parsed_json);
        let key = self.entity_key(entity.as_ref());
        descriptions.extend(key.map(|(name, key)| format!("entity {name} {key}")));
        for name in self.names(entity.as_ref(), fields) {
            let description = named_description(&name);
            if !descriptions.contains(&description) {
                descriptions.push(description);
            }
        }
        descriptions
    }

    fn entity_key(&self, entity: Option<&Json>) -> Option<(&Name, String)> {
        let (name, fields) = self.entity.as_ref()?;
        Some((name, invalidation_key(entity?, fields)?))
    }

    /// The names of the tags that the formats render to.
    fn names(&self, entity: Option<&Json>, fields: &[Option<String>]) -> Vec<String> {
        let formats = self.formats.iter();
        let of_entity = formats.filter_map(|format| rendered_tag(format, None, entity));
        let mut names: Vec<String> = of_entity.collect();
        for (field, arguments) in self.fields.iter().zip(fields) {
            let Some(arguments) = arguments.as_deref().and_then(parsed_json) else {
                continue; // A condition excludes the field.
            };
            let formats = field.formats.iter();
            names.extend(formats.filter_map(|it| rendered_tag(it, Some(&arguments), None)));
        }
        names
    }

    /// Sorts the constant tags and removes duplicates.
    pub(super) fn sort_and_dedup(&mut self) {
        self.constant_tags.sort_unstable();
        self.constant_tags.dedup();
    }
}

/// The description of a tag that the graph names.
pub(super) fn named_description(name: &str) -> String {
    format!("tag {name}")
}

fn parsed_json(text: &str) -> Option<Json> {
    Json::parse(bytes::Bytes::copy_from_slice(text.as_bytes())).ok()
}

/// The text of a tag; `None` when a value that it refers to is missing.
pub(super) fn rendered_tag(
    format: &TagFormat,
    arguments: Option<&Json>,
    key: Option<&Json>,
) -> Option<String> {
    format.render(
        |path| value_at(arguments?, path),
        |path| value_at(key?, path),
    )
}

fn value_at<'j>(json: &'j Json, path: &[Name]) -> Option<Cow<'j, str>> {
    let mut node = json.root();
    for name in path {
        node = node.get(name)?;
    }
    match node.kind() {
        Kind::String(value) => Some(value.decode()),
        Kind::Number(_) => Some(canonical_number(node.raw()).into_owned().into()),
        Kind::Bool(_) => Some(node.raw().into()),
        Kind::Null | Kind::List(_) | Kind::Object(_) => None,
    }
}
