//! The tags by which a cached value is invalidated.

use std::borrow::Cow;

use schema::caching::TagFormat;
use schema::json::{Json, Kind};
use schema::key::FieldSet;
use schema::types::Name;

use crate::cache::Tag;
use crate::entity_key::invalidation_key;

/// How the tags of a value follow from its entity and its arguments.
#[derive(Debug, Default)]
pub(super) struct TagRules {
    /// Tags of every value of the rule, each with its description.
    pub(super) constant_tags: Vec<(Tag, String)>,
    /// The type of the entity that a value is, and the fields of its key.
    pub(super) entity: Option<(Name, FieldSet)>,
    pub(super) formats: Vec<TagFormat>,
}

impl TagRules {
    /// The tags of the value of an entity with that key, read with those arguments; both are JSON
    /// objects.
    pub(super) fn tags(&self, entity: Option<&str>, arguments: Option<&str>) -> Vec<Tag> {
        let mut tags: Vec<Tag> = self.constant_tags.iter().map(|(tag, _)| *tag).collect();
        let entity = entity.and_then(parsed_json);
        if let (Some((name, fields)), Some(entity)) = (&self.entity, &entity) {
            let key = invalidation_key(entity, fields);
            tags.extend(key.map(|key| Tag::entity(name, &key)));
        }
        if !self.formats.is_empty() {
            let arguments = arguments.and_then(parsed_json);
            let formats = self.formats.iter();
            let names = formats
                .filter_map(|format| rendered_tag(format, arguments.as_ref(), entity.as_ref()));
            tags.extend(names.map(|name| Tag::named(&name)));
        }
        tags
    }

    /// The tags as a trace shows them.
    pub(super) fn descriptions(
        &self,
        entity: Option<&str>,
        arguments: Option<&str>,
    ) -> Vec<String> {
        let constant = self.constant_tags.iter();
        let mut descriptions: Vec<String> = constant.map(|(_, text)| text.clone()).collect();
        let (entity, arguments) = (
            entity.and_then(parsed_json),
            arguments.and_then(parsed_json),
        );
        if let (Some((name, fields)), Some(entity)) = (&self.entity, &entity) {
            let key = invalidation_key(entity, fields);
            descriptions.extend(key.map(|key| format!("entity {name} {key}")));
        }
        let formats = self.formats.iter();
        let names =
            formats.filter_map(|format| rendered_tag(format, arguments.as_ref(), entity.as_ref()));
        for name in names.map(|name| format!("tag {name}")) {
            if !descriptions.contains(&name) {
                descriptions.push(name);
            }
        }
        descriptions
    }

    /// Sorts the constant tags and removes duplicates.
    pub(super) fn sort_and_dedup(&mut self) {
        self.constant_tags.sort_unstable();
        self.constant_tags.dedup();
    }
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
        Kind::Number(_) | Kind::Bool(_) => Some(node.raw().into()),
        Kind::Null | Kind::List(_) | Kind::Object(_) => None,
    }
}
