//! Additions to a complete graph: entities that a subgraph does not know, inaccessible fields,
//! documents of federation 1.

use super::Generator;
use crate::model::{Availability, Kind, Model, Name, Pick, Role};

impl Generator {
    /// Lets a subgraph not know an entity, if no other resolves its fields and all of them are
    /// nullable: the unsplit graph has nulls there.
    pub(super) fn strangers(&mut self) {
        let entities = self.named(Kind::Entity);
        for name in self.random.some(&entities, 2) {
            let subgraphs = self.entered(&name);
            let Some(subgraph) = self.random.pick(&subgraphs).cloned() else {
                continue;
            };
            // Some subgraph must know the types of objects that an interface object returns.
            let has_no_interfaces = self.model.interfaces(&name, None).is_empty();
            if has_no_interfaces && is_alone(&self.model, &name, &subgraph) {
                let seed = self.random.next() % 3;
                self.model.types[&name].unknown = Some((subgraph, seed));
            }
        }
    }

    /// Hides some fields from clients.
    pub(super) fn hidden(&mut self) {
        let interfaces = self.named(Kind::Interface);
        let shared: Vec<Name> = interfaces
            .iter()
            .flat_map(|name| self.model.types[name].fields.keys().cloned())
            .collect();
        for name in self.named(Kind::Entity) {
            let fields: Vec<Name> = self.model.types[&name].fields.keys().cloned().collect();
            for field in fields {
                if !shared.contains(&field) && *field != *"id" && self.random.one_in(12) {
                    self.model.types[&name].fields[&field].is_hidden = true;
                }
            }
        }
    }

    /// Writes subgraphs without features of federation 2 in federation 1.
    pub(super) fn legacy(&mut self) {
        for name in self.model.subgraphs.clone() {
            if self.random.one_in(4) && can_be_legacy(&self.model, &name) {
                self.model.legacy.push(name);
            }
        }
    }
}

/// Whether the fields of an entity in a subgraph, except its key, are resolved by no other subgraph
/// and required by none. The key must be known to another: without it the object has no fields.
fn is_alone(model: &Model, name: &Name, subgraph: &Name) -> bool {
    let ty = &model.types[name];
    let is_key = |field: &str| ty.keys.iter().flatten().any(|pick| *pick.field == *field);
    let is_known = |field: &str| is_key(field) && model.subgraphs_of(name, field).len() > 1;
    let mut home_field = ty.homes[subgraph].fields.iter();
    ty.keys.len() == 1
        && home_field.all(|(field, home_field)| {
            let definition = &ty.fields[field];
            is_known(field)
                || home_field.availability == Availability::External
                || home_field.availability == Availability::Resolved
                    && !definition.ty.required[0]
                    && definition.role == Role::Plain
                    && model.subgraphs_of(name, field) == [subgraph]
                    && !is_needed(model, field)
        })
}

/// Whether any field of the name is required, provided, or a part of a key.
fn is_needed(model: &Model, name: &str) -> bool {
    fn names(picks: &[Pick], name: &str) -> bool {
        let mut picks = picks.iter();
        picks.any(|pick| *pick.field == *name || names(&pick.inner, name))
    }
    model.types.values().any(|ty| {
        let requires = ty.fields.values().map(|field| &field.requires);
        let home_field = ty.homes.values().flat_map(|home| home.fields.values());
        let mut sets = requires.chain(home_field.map(|home_field| &home_field.provides));
        ty.keys.iter().chain(&mut sets).any(|set| names(set, name))
    })
}

fn can_be_legacy(model: &Model, subgraph: &Name) -> bool {
    model.types.values().all(|ty| {
        let Some(home) = ty.homes.get(subgraph) else {
            return true;
        };
        let is_plain = |home_field: &crate::model::HomeField| {
            home_field.overrides.is_none() && home_field.availability != Availability::Overridden
        };
        let is_object = !ty.is_abstract() || home.keys.is_empty();
        !home.is_interface_object
            && is_object
            && home.keys.iter().all(|key| key.resolvable)
            && home.fields.values().all(is_plain)
    })
}
