//! What is added to a graph that is whole already: entities that a subgraph does not know, fields
//! that clients do not see, documents of federation 1.

use super::Generator;
use crate::model::{How, Kind, Model, Name, Pick, Role};

impl Generator {
    /// A subgraph may not know an entity, where nobody else could give what it gives and all of
    /// that may be null: the whole graph has nulls there.
    pub(super) fn strangers(&mut self) {
        let entities = self.named(Kind::Entity);
        for name in self.random.some(&entities, 2) {
            let subgraphs = self.entered(&name);
            let Some(subgraph) = self.random.pick(&subgraphs).cloned() else {
                continue;
            };
            // Of what an interface object knows, somebody must be able to say the type.
            let is_told = self.model.interfaces(&name, None).is_empty();
            if is_told && is_alone(&self.model, &name, &subgraph) {
                let seed = self.random.next() % 3;
                self.model.types[&name].unknown = Some((subgraph, seed));
            }
        }
    }

    /// Some fields are there for other subgraphs only.
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

    /// Subgraphs that use nothing of federation 2 may be written as in federation 1.
    pub(super) fn legacy(&mut self) {
        for name in self.model.subgraphs.clone() {
            if self.random.one_in(4) && can_be_legacy(&self.model, &name) {
                self.model.legacy.push(name);
            }
        }
    }
}

/// Whether all that a subgraph gives of an entity, but for its key, is given by nobody else and
/// needed by nobody. Somebody else must give the key: of what nobody knows, nothing can be told.
fn is_alone(model: &Model, name: &Name, subgraph: &Name) -> bool {
    let ty = &model.types[name];
    let is_key = |field: &str| ty.keys.iter().flatten().any(|pick| *pick.field == *field);
    let is_known = |field: &str| is_key(field) && model.givers(name, field).len() > 1;
    let mut given = ty.homes[subgraph].given.iter();
    ty.keys.len() == 1
        && given.all(|(field, given)| {
            let definition = &ty.fields[field];
            is_known(field)
                || given.how == How::External
                || given.how == How::Gives
                    && !definition.ty.required[0]
                    && definition.role == Role::Plain
                    && model.givers(name, field) == [subgraph]
                    && !is_needed(model, field)
        })
}

/// Whether any field of the name is required, provided, or part of a key.
fn is_needed(model: &Model, name: &str) -> bool {
    fn names(picks: &[Pick], name: &str) -> bool {
        let mut picks = picks.iter();
        picks.any(|pick| *pick.field == *name || names(&pick.inner, name))
    }
    model.types.values().any(|ty| {
        let requires = ty.fields.values().map(|field| &field.requires);
        let given = ty.homes.values().flat_map(|home| home.given.values());
        let mut sets = requires.chain(given.map(|given| &given.provides));
        ty.keys.iter().chain(&mut sets).any(|set| names(set, name))
    })
}

fn can_be_legacy(model: &Model, subgraph: &Name) -> bool {
    model.types.values().all(|ty| {
        let Some(home) = ty.homes.get(subgraph) else {
            return true;
        };
        let is_plain =
            |given: &crate::model::Given| given.overrides.is_none() && given.how != How::Overridden;
        let is_object = !ty.is_abstract() || home.keys.is_empty();
        !home.is_interface_object
            && is_object
            && home.keys.iter().all(|key| key.resolvable)
            && home.given.values().all(is_plain)
    })
}
