//! By which tags the values of a fetch are invalidated.

use schema::caching::CacheDirectives as Said;
use schema::key::FieldSet;
use schema::source::{EntryPoint, Source};
use schema::types::{Name, TypeId};

use super::super::contents::Contents;
use super::super::rules::ArgumentRole;
use super::super::tags::TagRules;
use super::{CachePlanCompiler, PlannedConnector};
use crate::cache::Tag;
use crate::plan::Fetch;
use crate::subgraph_request::{Part, RepresentationSpec};

impl CachePlanCompiler<'_> {
    pub(super) fn connector_tags(
        &self,
        planned: &PlannedConnector<'_>,
        (entry, arguments): (&EntryPoint, ArgumentRole),
        contents: &Contents,
    ) -> TagRules {
        let slot = planned.fetch.field_slot;
        let slot = slot.map(|slot| &self.selection.position(planned.fetch.at).slots[slot]);
        let on = match (arguments, slot) {
            (ArgumentRole::EntityKey, Some(slot)) => slot.ty.named_type(),
            _ => entry.on,
        };
        let mut tag_rules = self.type_tag_rules(&planned.source.subgraph, on, contents);
        let directives = self.directives(&planned.source.subgraph);
        if let Some(slot) = slot {
            let of_field = directives.and_then(|said| said.field_directives(entry.on, &slot.field));
            let formats = of_field.into_iter().flat_map(|said| said.tags.clone());
            tag_rules.formats.extend(formats);
            let returned_type = slot.ty.named_type();
            if arguments == ArgumentRole::EntityKey {
                let names = slot.arguments.iter().map(|(name, _)| Name::clone(name));
                self.add_entity_tags(
                    (directives, returned_type),
                    &names.collect::<Vec<_>>(),
                    &mut tag_rules,
                );
                return tag_rules;
            }
        }
        let names = planned.fetch.first_entry().key.iter();
        let names: Vec<Name> = names.map(|key| Name::clone(&key.name)).collect();
        if !names.is_empty() {
            self.add_entity_tags((directives, entry.on), &names, &mut tag_rules);
        }
        tag_rules
    }

    pub(super) fn add_kind_tags(
        &self,
        (fetch, part): (&Fetch, &Part),
        (source, specs): (&Source, &[(&RepresentationSpec, &EntryPoint)]),
        tag_rules: &mut TagRules,
    ) {
        let directives = self.directives(&source.subgraph);
        if part.entities_field.is_none() {
            let slots = fetch.slots.get(&fetch.at).into_iter().flatten();
            for (slot, _) in slots {
                let slot = &self.selection.position(fetch.at).slots[*slot];
                let on = fetch.first_entry().on;
                let of_field = directives.and_then(|said| said.field_directives(on, &slot.field));
                // Which arguments belong to which of several root fields a tag does not say.
                let formats = of_field.into_iter().flat_map(|said| said.tags.clone());
                tag_rules.formats.extend(formats);
            }
            return;
        }
        for (spec, entry) in specs {
            let names = entry.key.0.iter().map(|(name, _)| Name::clone(name));
            let ty = spec.on;
            if tag_rules.entity.is_none() {
                self.add_entity_tags((directives, ty), &names.collect::<Vec<_>>(), tag_rules);
            } else {
                let name = &self.graph().types().get(ty).name;
                tag_rules.constant_tags.extend(object_tags(name));
            }
        }
    }

    /// What every value of a subgraph's type has.
    pub(super) fn type_tag_rules(
        &self,
        service: &str,
        on: TypeId,
        contents: &Contents,
    ) -> TagRules {
        let types = self.graph().types();
        let mut tag_rules = TagRules::default();
        let subgraph = (Tag::subgraph(service), format!("subgraph {service}"));
        tag_rules.constant_tags.push(subgraph);
        tag_rules.constant_tags.push(type_tag(&types.get(on).name));
        for ty in &contents.entity_types {
            tag_rules
                .constant_tags
                .extend(object_tags(&types.get(*ty).name));
        }
        let others = contents
            .other_types
            .iter()
            .map(|ty| type_tag(&types.get(*ty).name));
        tag_rules.constant_tags.extend(others);
        tag_rules.sort_and_dedup();
        tag_rules
    }

    /// Of one entity, which is known by the fields called `names`.
    pub(super) fn add_entity_tags(
        &self,
        (directives, ty): (Option<&Said>, TypeId),
        names: &[Name],
        tag_rules: &mut TagRules,
    ) {
        let graph = self.graph();
        let name = &graph.types().get(ty).name;
        let sets = graph.entity_keys(ty);
        let is_key = |set: &&&FieldSet| {
            let mut fields = set.0.iter();
            set.0.len() == names.len() && fields.all(|(field, _)| names.contains(field))
        };
        tag_rules.constant_tags.push(type_tag(name));
        if let Some(own) = sets.iter().find(is_key) {
            let others = sets.iter().filter(|set| set.sorted() != own.sorted());
            let other_keys = others.map(|set| {
                let description = format!("otherwise {name} {}", set.sorted());
                (Tag::other_key(name, set), description)
            });
            tag_rules.constant_tags.extend(other_keys);
            tag_rules.entity = Some((Name::clone(name), (*own).clone()));
        } else {
            // Which entity it is nobody can tell.
            tag_rules.constant_tags.extend(object_tags(name));
        }
        let type_directives = directives.and_then(|said| said.type_directives(ty));
        let formats = type_directives
            .into_iter()
            .flat_map(|said| said.tags.clone());
        tag_rules.formats.extend(formats);
        tag_rules.sort_and_dedup();
    }
}

fn type_tag(name: &str) -> (Tag, String) {
    (Tag::type_name(name), format!("type {name}"))
}

/// Of values that have objects of a type inside.
fn object_tags(name: &str) -> [(Tag, String); 2] {
    [
        type_tag(name),
        (Tag::contains_type(name), format!("members {name}")),
    ]
}
