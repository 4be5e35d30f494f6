//! Types that subgraphs see differently: a value whose fields are divided among subgraphs, and a
//! field that returns an interface in one subgraph and an object in another.

use std::sync::Arc;

use super::Generator;
use crate::data::found_at;
use crate::model::{Availability, Field, HomeField, Kind, Name, Role, Ty, Type};

/// The type of the divided value.
pub(super) const NAME: &str = "W";

impl Generator {
    /// Sometimes adds a value whose fields are divided among several subgraphs, at one field that
    /// all of them resolve.
    pub(super) fn split(&mut self) {
        let mut owners = self.named(Kind::Entity);
        owners.push("Query".into());
        let owner = Arc::clone(&owners[self.random.below(owners.len())]);
        let subgraphs = if *owner == *"Query" {
            self.model.subgraphs.clone()
        } else {
            self.entered(&owner)
        };
        if subgraphs.len() < 2 || self.random.one_in(2) {
            return;
        }
        self.declare(NAME, Kind::Value);
        let count = self.random.between(2, 3);
        let subgraphs = self.random.some(&subgraphs, count);
        for (index, first) in subgraphs.iter().enumerate() {
            let name = ["p", "q", "o"][index];
            let ty = self.ty(false);
            self.add(NAME, name, Field::new(ty, Role::Plain));
            let also = self.random.some(&subgraphs, 1);
            for subgraph in [first].into_iter().chain(&also) {
                self.resolve_field(NAME, subgraph, name);
            }
        }
        let mut ty = Ty::named(NAME);
        ty.lists = self.random.below(2);
        self.add(&owner, "w", Field::new(ty, Role::Plain));
        for subgraph in &subgraphs {
            self.resolve_field(&owner, subgraph, "w");
        }
    }

    /// Lets some subgraphs declare a more specific type of a field.
    pub(super) fn narrower(&mut self) {
        let mut found: Vec<(Name, Name, Name, Name)> = Vec::new();
        for (name, ty) in &self.model.types {
            for (field_name, field) in &ty.fields {
                let target = self.model.get(&field.ty.named);
                let subgraphs_of = self.model.subgraphs_of(name, field_name);
                let objects = found_at(&self.model, name, field_name, field);
                let (Some(object), Some(last)) = (objects.last(), subgraphs_of.last()) else {
                    continue;
                };
                let home_field = ty
                    .homes
                    .get(*last)
                    .and_then(|home| home.fields.get(field_name));
                let is_free = home_field.is_some_and(|it| {
                    it.availability == Availability::Resolved && it.provides.is_empty()
                });
                let is_shared = self.is_of_an_interface(name, field_name);
                if target.is_some_and(Type::is_abstract)
                    && subgraphs_of.len() > 1
                    && is_free
                    && !is_shared
                {
                    let place = (Arc::clone(name), Arc::clone(last), Arc::clone(field_name));
                    found.push((place.0, place.1, place.2, Arc::clone(object)));
                }
            }
        }
        for (name, subgraph, field, object) in found {
            if self.random.one_in(2) {
                let home_field: &mut HomeField = &mut self.home(&name, &subgraph).fields[&field];
                home_field.narrower = Some(object);
            }
        }
    }

    fn is_of_an_interface(&self, name: &str, field: &str) -> bool {
        let interfaces = self.model.interfaces(name, None);
        let mut types = interfaces.iter().map(|it| &self.model.types[*it]);
        types.any(|ty| ty.fields.contains_key(field))
    }
}
