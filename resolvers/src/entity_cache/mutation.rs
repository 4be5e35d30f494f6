//! What a mutation invalidates, as the graph declares it on its root fields: entities that it
//! returns, tags, types.
//!
//! The key of a returned entity is fetched even if the client does not select it. Without a key
//! all entities of the type are invalidated: too many rather than too few.

use schema::caching::{Invalidation, TagFormat};
use schema::graph::Graph;
use schema::json::{Json, Object, Value as JsonValue};
use schema::key::FieldSet;
use schema::operation::Variables;
use schema::types::{Name, TypeId};

use super::tags::rendered_tag;
use crate::cache::{EntityKey, Tag, Target};
use crate::plan::Step;
use crate::selection::{PositionId, ROOT, Selection, SlotOrigin};
use crate::source_client::request;
use crate::tree::{Row, Tree, Value};

/// What one root field of a mutation invalidates.
#[derive(Debug)]
pub(crate) struct InvalidationRule {
    slot: usize,
    /// Tags that do not depend on the result.
    tags: Vec<Tag>,
    formats: Vec<TagFormat>,
    returned_entities: Option<ReturnedEntities>,
}

/// Returned entities.
#[derive(Debug)]
struct ReturnedEntities {
    at: PositionId,
    kinds: Vec<EntityKind>,
}

/// Entities of one type.
#[derive(Debug)]
struct EntityKind {
    ty: TypeId,
    name: Name,
    /// The fields of the key, and their slots.
    key: Vec<(Name, usize)>,
}

/// The rules of a mutation; adds the keys of returned entities to the selection.
pub(crate) fn invalidation_rules(
    graph: &Graph,
    selection: &mut Selection,
) -> Vec<InvalidationRule> {
    let Some(mutation) = graph.types().mutation() else {
        return Vec::new();
    };
    let slots = selection.position(ROOT).slots.len();
    let rules = (0..slots).filter_map(|slot| {
        let field = Name::clone(&selection.position(ROOT).slots[slot].field);
        let invalidations: Vec<&Invalidation> = graph
            .cache_directives()
            .filter_map(|directives| directives.field_directives(mutation, &field))
            .flat_map(|directives| &directives.invalidates)
            .collect();
        if invalidations.is_empty()
            || selection.position(ROOT).slots[slot].origin != SlotOrigin::Source
        {
            return None;
        }
        let mut rule = InvalidationRule {
            slot,
            tags: Vec::new(),
            formats: Vec::new(),
            returned_entities: None,
        };
        for invalidation in invalidations {
            match invalidation {
                Invalidation::Tag(format) => rule.formats.push(format.clone()),
                Invalidation::Type(ty) => rule.tags.extend(type_tags(graph, *ty)),
                Invalidation::Returned => {
                    rule.returned_entities = returned_entities(graph, selection, slot);
                }
            }
        }
        Some(rule)
    });
    rules.collect()
}

fn type_tags(graph: &Graph, ty: TypeId) -> Vec<Tag> {
    let types = graph.types();
    let all = types.with_possible_types(ty);
    all.map(|ty| Tag::type_name(&types.get(ty).name)).collect()
}

fn returned_entities(
    graph: &Graph,
    selection: &mut Selection,
    slot: usize,
) -> Option<ReturnedEntities> {
    let types = graph.types();
    let at = selection.position(ROOT).slots[slot].child?;
    let ty = types.get(selection.position(at).ty);
    let is_leaf = |ty: TypeId, name: &Name| {
        let field = types.get(ty).field(name);
        field.is_some_and(|field| field.arguments.is_empty())
    };
    let mut kinds = Vec::with_capacity(ty.possible_types.len());
    for on in &ty.possible_types {
        let plain = graph.entity_keys(*on).into_iter().find(|FieldSet(key)| {
            let mut fields = key.iter();
            fields.all(|(name, inner)| inner.is_empty() && is_leaf(*on, name))
        });
        let fields = plain.into_iter().flat_map(|FieldSet(key)| key);
        let key = fields.filter_map(|(name, _)| {
            let field = types.get(*on).field(name)?;
            let slot = selection.add_internal_slot(at, *on, field, graph);
            Some((Name::clone(name), slot))
        });
        kinds.push(EntityKind {
            ty: *on,
            name: Name::clone(&types.get(*on).name),
            key: key.collect(),
        });
    }
    if ty.is_abstract() {
        selection.position_mut(at).needs_typename = true;
    }
    Some(ReturnedEntities { at, kinds })
}

impl InvalidationRule {
    /// The tags to invalidate after a mutation, which may have failed.
    pub(crate) fn tags(
        &self,
        selection: &Selection,
        variables: &Variables,
        tree: &Tree,
    ) -> Vec<Tag> {
        let mut tags = self.constant_tags(selection, variables);
        let Some(returned) = &self.returned_entities else {
            return tags;
        };
        let step = Step {
            slot: self.slot,
            types: None,
        };
        if let Value::Failed(_) = tree.slot(tree.root(), self.slot) {
            tags.extend(returned.type_tags());
        }
        for row in tree.rows(&[step]) {
            let ty = tree.type_of(row);
            let ty = ty.unwrap_or(selection.position(returned.at).ty);
            tags.extend(returned.row_tags(tree, row, ty));
        }
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    /// The tags that do not depend on the result; none where a condition excludes the field.
    fn constant_tags(&self, selection: &Selection, variables: &Variables) -> Vec<Tag> {
        let slot = &selection.position(ROOT).slots[self.slot];
        if !slot.condition.is_true(variables) {
            return Vec::new();
        }
        let mut tags = self.tags.clone();
        if !self.formats.is_empty() {
            let arguments = request::arguments_json(&slot.arguments, variables);
            let arguments = Json::parse(arguments.into()).ok();
            let names = self.formats.iter();
            let names = names.filter_map(|format| rendered_tag(format, arguments.as_ref(), None));
            tags.extend(names.map(|name| Tag::named(&name)));
        }
        tags
    }

    /// The tags to invalidate when the result of the mutation is unknown.
    pub(crate) fn tags_without_result(
        &self,
        selection: &Selection,
        variables: &Variables,
    ) -> Vec<Tag> {
        let mut tags = self.constant_tags(selection, variables);
        let returned = self.returned_entities.iter();
        tags.extend(returned.flat_map(ReturnedEntities::type_tags));
        tags
    }
}

impl ReturnedEntities {
    fn type_tags(&self) -> Vec<Tag> {
        let kinds = self.kinds.iter();
        kinds.map(|kind| Tag::type_name(&kind.name)).collect()
    }

    fn row_tags(&self, tree: &Tree, row: Row, ty: TypeId) -> Vec<Tag> {
        let mut kinds = self.kinds.iter();
        let Some(EntityKind { name, key, .. }) = kinds.find(|kind| kind.ty == ty) else {
            return self.type_tags();
        };
        let mut object = Object::with_capacity(key.len());
        for (field, slot) in key {
            let Value::Leaf(text) = tree.slot(row, *slot) else {
                return vec![Tag::type_name(name)];
            };
            let text = bytes::Bytes::copy_from_slice(tree.text(text));
            let Ok(json) = Json::parse(text) else {
                return vec![Tag::type_name(name)];
            };
            let value = JsonValue::Node(json.root()).to_owned_value();
            object.insert(field.to_string(), value);
        }
        match EntityKey::from_json(&JsonValue::object(object).to_json()) {
            Some(key) => {
                let type_name = name.to_string();
                Target::Entity { type_name, key }.tags()
            }
            None => vec![Tag::type_name(name)],
        }
    }
}
