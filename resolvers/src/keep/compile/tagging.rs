//! By which tags the values of a fetch are invalidated.

use schema::caching::Caching as Said;
use schema::key::FieldSet;
use schema::source::{Entry, Source};
use schema::types::{Name, TypeId};

use super::super::inside::Inside;
use super::super::{Arguments, Tagging};
use super::{ByConnector, Compile};
use crate::cache::Tag;
use crate::document::{EnteredAs, Part};
use crate::plan::Fetch;

impl Compile<'_> {
    pub(super) fn tagging_of_connector(
        &self,
        by: &ByConnector<'_>,
        (entry, arguments): (&Entry, Arguments),
        inside: &Inside,
    ) -> Tagging {
        let slot = by.fetch.slot;
        let slot = slot.map(|slot| &self.selection.position(by.fetch.at).slots[slot]);
        let on = match (arguments, slot) {
            (Arguments::Entity, Some(slot)) => slot.ty.named(),
            _ => entry.on,
        };
        let mut tagging = self.tagging(&by.source.service, on, inside);
        let said = self.said(&by.source.service);
        if let Some(slot) = slot {
            let of_field = said.and_then(|said| said.of_field(entry.on, &slot.field));
            let formats = of_field.into_iter().flat_map(|said| said.tags.clone());
            tagging.formats.extend(formats);
            let given = slot.ty.named();
            if arguments == Arguments::Entity {
                let names = slot.arguments.iter().map(|(name, _)| Name::clone(name));
                self.entity((said, given), &names.collect::<Vec<_>>(), &mut tagging);
                return tagging;
            }
        }
        let names = by.fetch.first().key.iter();
        let names: Vec<Name> = names.map(|key| Name::clone(&key.name)).collect();
        if !names.is_empty() {
            self.entity((said, entry.on), &names, &mut tagging);
        }
        tagging
    }

    pub(super) fn tag_kind(
        &self,
        (fetch, part): (&Fetch, &Part),
        (source, entered): (&Source, &[(&EnteredAs, &Entry)]),
        tagging: &mut Tagging,
    ) {
        let said = self.said(&source.service);
        if part.entities.is_none() {
            let slots = fetch.takes.get(&fetch.at).into_iter().flatten();
            for (slot, _) in slots {
                let slot = &self.selection.position(fetch.at).slots[*slot];
                let on = fetch.first().on;
                let of_field = said.and_then(|said| said.of_field(on, &slot.field));
                // Which arguments belong to which of several root fields a tag does not say.
                let formats = of_field.into_iter().flat_map(|said| said.tags.clone());
                tagging.formats.extend(formats);
            }
            return;
        }
        for (as_told, entry) in entered {
            let names = entry.key.0.iter().map(|(name, _)| Name::clone(name));
            let ty = as_told.on;
            if tagging.entity.is_none() {
                self.entity((said, ty), &names.collect::<Vec<_>>(), tagging);
            } else {
                let name = &self.graph().types().get(ty).name;
                tagging.always.extend(of_objects(name));
            }
        }
    }

    /// What every value of a subgraph's type has.
    pub(super) fn tagging(&self, service: &str, on: TypeId, inside: &Inside) -> Tagging {
        let types = self.graph().types();
        let mut tagging = Tagging::default();
        let subgraph = (Tag::subgraph(service), format!("subgraph {service}"));
        tagging.always.push(subgraph);
        tagging.always.push(of_type(&types.get(on).name));
        for ty in &inside.types {
            tagging.always.extend(of_objects(&types.get(*ty).name));
        }
        let others = inside.others.iter().map(|ty| of_type(&types.get(*ty).name));
        tagging.always.extend(others);
        tagging.tidy();
        tagging
    }

    /// Of one entity, which is known by the fields called `names`.
    pub(super) fn entity(
        &self,
        (said, ty): (Option<&Said>, TypeId),
        names: &[Name],
        tagging: &mut Tagging,
    ) {
        let graph = self.graph();
        let name = &graph.types().get(ty).name;
        let sets = graph.entity_keys(ty);
        let same = |set: &&&FieldSet| {
            let mut fields = set.0.iter();
            set.0.len() == names.len() && fields.all(|(field, _)| names.contains(field))
        };
        tagging.always.push(of_type(name));
        if let Some(own) = sets.iter().find(same) {
            let others = sets.iter().filter(|set| set.in_order() != own.in_order());
            let otherwise = others.map(|set| {
                let word = format!("otherwise {name} {}", set.in_order());
                (Tag::otherwise(name, set), word)
            });
            tagging.always.extend(otherwise);
            tagging.entity = Some((Name::clone(name), (*own).clone()));
        } else {
            // Which entity it is nobody can tell.
            tagging.always.extend(of_objects(name));
        }
        let said = said.and_then(|said| said.of_type(ty));
        let formats = said.into_iter().flat_map(|said| said.tags.clone());
        tagging.formats.extend(formats);
        tagging.tidy();
    }
}

fn of_type(name: &str) -> (Tag, String) {
    (Tag::type_name(name), format!("type {name}"))
}

/// Of values that have objects of a type inside.
fn of_objects(name: &str) -> [(Tag, String); 2] {
    [
        of_type(name),
        (Tag::members(name), format!("members {name}")),
    ]
}

impl Tagging {
    fn tidy(&mut self) {
        self.always.sort_unstable();
        self.always.dedup();
    }
}
