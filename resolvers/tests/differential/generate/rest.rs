//! A subgraph of connectors: a REST service gives some fields of an entity, one by one or in
//! batches, and root fields with the same objects.

use std::sync::Arc;

use super::Generator;
use crate::model::{Field, Kind, Name, Rest, Role, Ty};

impl Generator {
    /// Sometimes adds the subgraph.
    pub(super) fn rest(&mut self) {
        let mut entities = self.named(Kind::Entity);
        // An object with an argument from above is reached through objects that give it only.
        entities.retain(|name| {
            let mut fields = self.model.types[name].fields.values();
            fields.all(|field| field.context.is_none())
        });
        let Some(owner) = self.random.pick(&entities).cloned() else {
            return;
        };
        if !self.random.one_in(3) {
            return;
        }
        let subgraph: Name = "rest".into();
        self.model.subgraphs.push(Arc::clone(&subgraph));
        self.model.rest = Some(Rest {
            subgraph: Arc::clone(&subgraph),
            is_batch: self.random.one_in(2),
        });
        self.key(&owner, &subgraph, 0);
        for index in 0..self.random.between(1, 3) {
            let mut ty = self.rest_type();
            ty.required[0] = self.random.one_in(3);
            let name = format!("t{index}");
            self.add(&owner, &name, Field::new(ty, Role::Plain));
            self.resolve_field(&owner, &subgraph, &name);
        }
        for index in 0..self.random.below(3) {
            let name = format!("rest{index}");
            let mut ty = Ty::named(&owner);
            ty.lists = self.random.below(2);
            self.add("Query", &name, Field::new(ty, Role::Plain));
            self.resolve_field("Query", &subgraph, &name);
        }
    }

    /// A type whose values are JSON without a conversion.
    fn rest_type(&mut self) -> Ty {
        let leaf = ["Int", "String", "Float", "Boolean", "Color"][self.random.below(5)];
        let mut ty = Ty::named(leaf);
        ty.lists = self.random.below(2);
        ty
    }
}
