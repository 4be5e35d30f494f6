//! What a mutation makes invalid, as the graph says it on its root fields: entities that it returns,
//! tags, types.
//!
//! An entity that is returned is known by its key, which is asked for although the client may not
//! want it. Where no key came, everything of the type is invalid: too much rather than too little.

use schema::caching::{Invalidation, TagFormat};
use schema::graph::Graph;
use schema::json::{Json, Object, Value as JsonValue};
use schema::key::FieldSet;
use schema::operation::Variables;
use schema::types::{Name, TypeId};

use super::named;
use crate::cache::{EntityKey, Tag, Target};
use crate::fetch::request;
use crate::plan::Step;
use crate::selection::{From, PositionId, ROOT, Selection};
use crate::tree::{Row, Tree, Value};

/// What one root field makes invalid.
#[derive(Debug)]
pub(crate) struct Effect {
    slot: usize,
    /// Whatever it returns.
    tags: Vec<Tag>,
    formats: Vec<TagFormat>,
    returned: Option<Returned>,
}

/// Entities that are returned.
#[derive(Debug)]
struct Returned {
    at: PositionId,
    kinds: Vec<Kind>,
}

/// Entities of one type.
#[derive(Debug)]
struct Kind {
    ty: TypeId,
    name: Name,
    /// The key by which each is known: its fields and the slots that hold them.
    key: Vec<(Name, usize)>,
}

/// What the root fields of a mutation make invalid; asks for the keys that say it.
pub(crate) fn effects(graph: &Graph, selection: &mut Selection) -> Vec<Effect> {
    let Some(mutation) = graph.types().mutation() else {
        return Vec::new();
    };
    let slots = selection.position(ROOT).slots.len();
    let effects = (0..slots).filter_map(|slot| {
        let field = Name::clone(&selection.position(ROOT).slots[slot].field);
        let said: Vec<&Invalidation> = graph
            .said_of_caching()
            .filter_map(|said| said.of_field(mutation, &field))
            .flat_map(|said| &said.invalidates)
            .collect();
        if said.is_empty() || selection.position(ROOT).slots[slot].from != From::Source {
            return None;
        }
        let mut effect = Effect {
            slot,
            tags: Vec::new(),
            formats: Vec::new(),
            returned: None,
        };
        for said in said {
            match said {
                Invalidation::Tag(format) => effect.formats.push(format.clone()),
                Invalidation::Type(ty) => effect.tags.extend(type_tags(graph, *ty)),
                Invalidation::Returned => {
                    effect.returned = returned(graph, selection, slot);
                }
            }
        }
        Some(effect)
    });
    effects.collect()
}

fn type_tags(graph: &Graph, ty: TypeId) -> Vec<Tag> {
    let types = graph.types();
    let possible = types.get(ty).possible.iter().copied();
    let all = possible.chain([ty]);
    all.map(|ty| Tag::type_name(&types.get(ty).name)).collect()
}

fn returned(graph: &Graph, selection: &mut Selection, slot: usize) -> Option<Returned> {
    let types = graph.types();
    let root = &selection.position(ROOT).slots[slot];
    let (at, when) = (root.child?, root.when.clone());
    let ty = types.get(selection.position(at).ty);
    let is_leaf = |ty: TypeId, name: &Name| {
        let field = types.get(ty).field(name);
        field.is_some_and(|field| field.arguments.is_empty())
    };
    let mut kinds = Vec::with_capacity(ty.possible.len());
    for on in &ty.possible {
        let plain = graph.entity_keys(*on).into_iter().find(|FieldSet(key)| {
            let mut fields = key.iter();
            fields.all(|(name, inner)| inner.is_empty() && is_leaf(*on, name))
        });
        let fields = plain.into_iter().flat_map(|FieldSet(key)| key);
        let key = fields.filter_map(|(name, _)| {
            let field = types.get(*on).field(name)?;
            let slot = selection.ask((at, *on), field, &when, types);
            Some((Name::clone(name), slot))
        });
        kinds.push(Kind {
            ty: *on,
            name: Name::clone(&types.get(*on).name),
            key: key.collect(),
        });
    }
    if ty.is_abstract() {
        selection.position_mut(at).told = true;
    }
    Some(Returned { at, kinds })
}

impl Effect {
    /// What is invalid now that the mutation was made, or may have been made.
    pub(crate) fn tags(
        &self,
        (selection, variables): (&Selection, &Variables),
        tree: &Tree,
    ) -> Vec<Tag> {
        let mut tags = self.at_least(selection, variables);
        let Some(returned) = &self.returned else {
            return tags;
        };
        let step = Step {
            slot: self.slot,
            through: None,
        };
        if let Value::Failed(_) = tree.slot(tree.root(), self.slot) {
            tags.extend(returned.whole_types());
        }
        for row in tree.rows(&[step]) {
            let ty = tree
                .type_of(row)
                .unwrap_or(selection.position(returned.at).ty);
            tags.extend(returned.of_row(tree, row, ty));
        }
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    /// What is invalid whatever the mutation returns; nothing where it does not run.
    fn at_least(&self, selection: &Selection, variables: &Variables) -> Vec<Tag> {
        let slot = &selection.position(ROOT).slots[self.slot];
        if !slot.when.holds(variables) {
            return Vec::new();
        }
        let mut tags = self.tags.clone();
        if !self.formats.is_empty() {
            let arguments = request::arguments(&slot.arguments, variables);
            let arguments = Json::parse(arguments.into()).ok();
            let names = self.formats.iter();
            let names = names.filter_map(|format| named(format, arguments.as_ref(), None));
            tags.extend(names.map(|name| Tag::named(&name)));
        }
        tags
    }

    /// The same for a mutation of which nobody knows how it ended.
    pub(crate) fn all(&self, selection: &Selection, variables: &Variables) -> Vec<Tag> {
        let mut tags = self.at_least(selection, variables);
        let returned = self.returned.iter();
        tags.extend(returned.flat_map(Returned::whole_types));
        tags
    }
}

impl Returned {
    fn whole_types(&self) -> Vec<Tag> {
        let kinds = self.kinds.iter();
        kinds.map(|kind| Tag::type_name(&kind.name)).collect()
    }

    fn of_row(&self, tree: &Tree, row: Row, ty: TypeId) -> Vec<Tag> {
        let mut kinds = self.kinds.iter();
        let Some(Kind { name, key, .. }) = kinds.find(|kind| kind.ty == ty) else {
            return self.whole_types();
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
        match EntityKey::read(&JsonValue::object(object).to_json()) {
            Some(key) => {
                let type_name = name.to_string();
                Target::Entity { type_name, key }.tags()
            }
            None => vec![Tag::type_name(name)],
        }
    }
}
