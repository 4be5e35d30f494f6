//! `@context` and `@fromContext`: fields whose argument is a field of an object above.

use std::sync::Arc;

use super::Generator;
use crate::model::{Availability, Context, Field, HomeField, Kind, Name, Pick, Role, Ty};

impl Generator {
    /// Sometimes adds an entity that is reached through another one only, with a field that takes
    /// a field of that one.
    pub(super) fn contexts(&mut self) {
        let places = self.context_places();
        let Some((owner, subgraph, field)) = self.random.pick(&places).cloned() else {
            return;
        };
        if self.random.one_in(2) {
            return;
        }
        self.declare(NAME, Kind::Entity);
        self.add(NAME, "id", Field::new(Ty::required("ID"), Role::Id));
        self.model.types[NAME].keys = vec![vec![Pick::leaf("id")]];
        self.key(NAME, &subgraph, 0);
        let mut taking = Field::new(Ty::named("String"), Role::Present);
        taking.context = Some(Context {
            owner: Arc::clone(&owner),
            field: Arc::clone(&field),
        });
        self.add(NAME, "v", taking);
        self.resolve_field(NAME, &subgraph, "v");
        let mut ty = Ty::named(NAME);
        ty.lists = self.random.below(2);
        self.add(&owner, "kin", Field::new(ty, Role::Plain));
        self.resolve_field(&owner, &subgraph, "kin");
        if self.model.home_field(&owner, &subgraph, &field).is_none() {
            let external = HomeField::new(Availability::External);
            self.home(&owner, &subgraph).fields.insert(field, external);
        }
        if let Some(other) = self.random.pick(&self.model.subgraphs.clone()).cloned() {
            self.add(NAME, "z", Field::new(Ty::named("Int"), Role::Plain));
            self.key(NAME, &other, 0);
            self.resolve_field(NAME, &other, "z");
        }
    }

    /// Entities in subgraphs, with a field that can be an argument.
    fn context_places(&self) -> Vec<(Name, Name, Name)> {
        let mut places = Vec::new();
        for owner in self.named(Kind::Entity) {
            let ty = &self.model.types[&owner];
            for subgraph in self.entered(&owner) {
                let is_legacy = self.model.legacy.contains(&subgraph);
                let fields = ty.fields.iter().filter(|(name, field)| {
                    let here = self.model.home_field(&owner, &subgraph, name);
                    let is_overridden = ty.homes.values().any(|home| {
                        let there = home.fields.get(*name);
                        there.is_some_and(|it| it.overrides.is_some() || !it.provides.is_empty())
                    });
                    let is_text = *field.ty.named == *"String" && field.ty.lists == 0;
                    is_text
                        && !is_legacy
                        && !is_overridden
                        && !field.is_hidden
                        && field.arguments.is_empty()
                        && field.requires.is_empty()
                        && field.role != Role::High
                        && here.is_none_or(|it| it.availability != Availability::Overridden)
                });
                places.extend(fields.map(|(name, _)| {
                    (Arc::clone(&owner), Arc::clone(&subgraph), Arc::clone(name))
                }));
            }
        }
        places
    }
}

/// The type of the objects below.
const NAME: &str = "C";
