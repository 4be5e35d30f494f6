//! What is given in pieces or in other words: a value of which no subgraph gives all, and a field
//! that is an interface to one subgraph and an object to another.

use std::sync::Arc;

use super::Generator;
use crate::data::found_at;
use crate::model::{Field, Given, How, Kind, Name, Role, Ty, Type};

/// The type of the value that is split.
pub(super) const NAME: &str = "W";

impl Generator {
    /// Perhaps a value whose fields are given by several subgraphs, at one field that all of them
    /// give.
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
                self.give(NAME, subgraph, name);
            }
        }
        let mut ty = Ty::named(NAME);
        ty.lists = self.random.below(2);
        self.add(&owner, "w", Field::new(ty, Role::Plain));
        for subgraph in &subgraphs {
            self.give(&owner, subgraph, "w");
        }
    }

    /// Some subgraphs know better of which type the objects of a field are.
    pub(super) fn narrower(&mut self) {
        let mut found: Vec<(Name, Name, Name, Name)> = Vec::new();
        for (name, ty) in &self.model.types {
            for (field_name, field) in &ty.fields {
                let target = self.model.get(&field.ty.named);
                let givers = self.model.givers(name, field_name);
                let objects = found_at(&self.model, name, field_name, field);
                let (Some(object), Some(last)) = (objects.last(), givers.last()) else {
                    continue;
                };
                let given = ty
                    .homes
                    .get(*last)
                    .and_then(|home| home.given.get(field_name));
                let is_free =
                    given.is_some_and(|it| it.how == How::Gives && it.provides.is_empty());
                let is_shared = self.is_of_an_interface(name, field_name);
                if target.is_some_and(Type::is_abstract)
                    && givers.len() > 1
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
                let given: &mut Given = &mut self.home(&name, &subgraph).given[&field];
                given.narrower = Some(object);
            }
        }
    }

    fn is_of_an_interface(&self, name: &str, field: &str) -> bool {
        let interfaces = self.model.interfaces(name, None);
        let mut types = interfaces.iter().map(|it| &self.model.types[*it]);
        types.any(|ty| ty.fields.contains_key(field))
    }
}
