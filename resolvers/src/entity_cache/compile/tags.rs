//! The tags of what a fetch returns.

use schema::key::FieldSet;
use schema::types::{Name, TypeId};

use super::connector::PlannedConnector;
use super::{CachePlanCompiler, PartKind, PlannedPart};
use crate::cache::Tag;
use crate::entity_cache::contents::Contents;
use crate::entity_cache::rules::ArgumentRole;
use crate::entity_cache::tags::{FieldTags, TagRules, named_description, rendered_tag};
use crate::selection::Slot;

impl CachePlanCompiler<'_> {
    pub(super) fn connector_tags(
        &self,
        planned: PlannedConnector<'_>,
        argument_role: ArgumentRole,
        contents: &Contents,
    ) -> TagRules {
        let (subgraph, entry) = (&planned.source.subgraph, planned.entry());
        let slot = planned.fetch.field_slot;
        let slot = slot.map(|slot| &self.selection.position(planned.fetch.at).slots[slot]);
        let on = match (argument_role, slot) {
            (ArgumentRole::EntityKey, Some(slot)) => slot.ty.named_type(),
            _ => entry.on,
        };
        let mut tag_rules = self.type_tag_rules(subgraph, on, contents);
        if let Some(slot) = slot {
            self.add_field_tags(subgraph, entry.on, slot, &mut tag_rules);
            if argument_role == ArgumentRole::EntityKey {
                let names = slot.arguments.iter().map(|(name, _)| Name::clone(name));
                let names: Vec<Name> = names.collect();
                self.add_entity_tags(subgraph, on, &names, &mut tag_rules);
                return tag_rules;
            }
        }
        let names = planned.fetch.first_entry().key.iter();
        let names: Vec<Name> = names.map(|key| Name::clone(&key.name)).collect();
        if !names.is_empty() {
            self.add_entity_tags(subgraph, entry.on, &names, &mut tag_rules);
        }
        tag_rules
    }

    /// Adds the tags of one kind of entities of a part, or of its root fields.
    pub(super) fn add_kind_tags(
        &self,
        planned: PlannedPart<'_>,
        kind: &PartKind<'_>,
        tag_rules: &mut TagRules,
    ) {
        let subgraph = &planned.source.subgraph;
        if planned.part.entities_field.is_none() {
            let fetch = planned.fetch;
            let on = fetch.first_entry().on;
            let slots = fetch.slots.get(&fetch.at).into_iter();
            for slot in slots.flat_map(|slots| slots.keys()) {
                let slot = &self.selection.position(fetch.at).slots[*slot];
                self.add_field_tags(subgraph, on, slot, tag_rules);
            }
            return;
        }
        for (spec, entry) in &kind.specs {
            if tag_rules.entity.is_none() {
                let names = entry.key.0.iter().map(|(name, _)| Name::clone(name));
                let names: Vec<Name> = names.collect();
                self.add_entity_tags(subgraph, spec.on, &names, tag_rules);
            } else {
                let name = &self.graph().types().get(spec.on).name;
                tag_rules.constant_tags.extend(object_tags(name));
            }
        }
    }

    /// The tags of every value that a type of a subgraph has: of the subgraph, of the type, and of
    /// the types of nested objects.
    pub(super) fn type_tag_rules(
        &self,
        subgraph: &str,
        on: TypeId,
        contents: &Contents,
    ) -> TagRules {
        let types = self.graph().types();
        let mut tag_rules = TagRules::default();
        let tags = &mut tag_rules.constant_tags;
        tags.push((Tag::subgraph(subgraph), format!("subgraph {subgraph}")));
        tags.push(type_tag(&types.get(on).name));
        for ty in &contents.entity_types {
            tags.extend(object_tags(&types.get(*ty).name));
        }
        let others = contents.other_types.iter();
        tags.extend(others.map(|ty| type_tag(&types.get(*ty).name)));
        tag_rules.sort_and_dedup();
        tag_rules
    }

    /// Adds the tags that a subgraph declares on a field.
    fn add_field_tags(&self, subgraph: &str, on: TypeId, slot: &Slot, tag_rules: &mut TagRules) {
        let directives = self.directives(subgraph);
        let directives = directives.and_then(|it| it.field_directives(on, &slot.field));
        let formats = directives.into_iter().flat_map(|it| it.tags.iter());
        let (constant, formats): (Vec<_>, Vec<_>) = formats.partition(|it| it.is_constant());
        let names = constant
            .into_iter()
            .filter_map(|it| rendered_tag(it, None, None));
        let tags = names.map(|name| (Tag::named(&name), named_description(&name)));
        tag_rules.constant_tags.extend(tags);
        if !formats.is_empty() {
            tag_rules.fields.push(FieldTags {
                formats: formats.into_iter().cloned().collect(),
                arguments: slot.arguments.clone(),
                condition: slot.condition.clone(),
            });
        }
    }

    /// Adds the tags of one entity, which the fields called `names` identify.
    fn add_entity_tags(
        &self,
        subgraph: &str,
        ty: TypeId,
        names: &[Name],
        tag_rules: &mut TagRules,
    ) {
        let graph = self.graph();
        let name = &graph.types().get(ty).name;
        let keys = graph.entity_keys(ty);
        let is_own = |key: &&&FieldSet| {
            let mut fields = key.0.iter();
            key.0.len() == names.len() && fields.all(|(field, _)| names.contains(field))
        };
        let tags = &mut tag_rules.constant_tags;
        tags.push(type_tag(name));
        if let Some(own) = keys.iter().find(is_own) {
            let others = keys.iter().filter(|key| key.sorted() != own.sorted());
            tags.extend(others.map(|key| {
                let description = format!("otherwise {name} {}", key.sorted());
                (Tag::other_key(name, key), description)
            }));
            tag_rules.entity = Some((Name::clone(name), (*own).clone()));
        } else {
            // The fields are no key, so the entity is unknown: any of the type invalidates it.
            tags.extend(object_tags(name));
        }
        let directives = self.directives(subgraph);
        let directives = directives.and_then(|it| it.type_directives(ty));
        let formats = directives.into_iter().flat_map(|it| it.tags.clone());
        tag_rules.formats.extend(formats);
        tag_rules.sort_and_dedup();
    }
}

fn type_tag(name: &str) -> (Tag, String) {
    (Tag::type_name(name), format!("type {name}"))
}

/// The tags of values that contain objects of a type.
fn object_tags(name: &str) -> [(Tag, String); 2] {
    [
        type_tag(name),
        (Tag::contains_type(name), format!("members {name}")),
    ]
}
