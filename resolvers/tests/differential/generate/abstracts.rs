//! Interfaces and unions, whose members differ by subgraph, and `@interfaceObject`.

use std::sync::Arc;

use super::Generator;
use crate::model::{Availability, Field, Home, HomeField, HomeKey, Kind, Name, Pick, Role, Ty};

impl Generator {
    /// Declares some interfaces and unions, and their candidates.
    pub(super) fn abstracts(&mut self) {
        let mut objects = self.named(Kind::Entity);
        let interfaces = self.random.below(3);
        if self.random.one_in(3) {
            objects.extend(self.named(Kind::Value));
        }
        for index in 0..interfaces {
            let name = format!("I{index}");
            self.declare(&name, Kind::Interface);
            let count = self.random.between(2, 3);
            let members = self.random.some(&objects, count);
            self.candidates.insert(name.into(), members);
        }
        if self.random.one_in(2) {
            self.declare("U0", Kind::Union);
            objects = self.named(Kind::Entity);
            objects.extend(self.named(Kind::Value));
            let count = self.random.between(2, 4);
            let members = self.random.some(&objects, count);
            self.candidates.insert("U0".into(), members);
        }
    }

    /// Adds fields to all members of an interface.
    pub(super) fn shared_fields(&mut self) {
        for name in self.named(Kind::Interface) {
            let id = Field::new(Ty::required("ID"), Role::Id);
            self.add(&name, "id", id);
            for _ in 0..self.random.between(1, 2) {
                let field_name = ["n", "m"][self.random.below(2)];
                let members = self.candidates[&name].clone();
                let known = |member: &Name| {
                    let fields = &self.model.types[member].fields;
                    fields.contains_key(field_name)
                };
                if members.iter().any(known) {
                    continue; // The field may belong to another interface, with another type.
                }
                let field = self.plain_field(false);
                for member in &members {
                    self.add(member, field_name, field.clone());
                }
                self.add(&name, field_name, field);
            }
        }
    }

    /// Adds the interface or union to the subgraph, with some of its members.
    pub(super) fn know_abstract(&mut self, name: &str, subgraph: &str) {
        if self.model.home(name, subgraph).is_some() {
            return;
        }
        let candidates = self.candidates[name].clone();
        let least = candidates.len().min(2) - usize::from(self.random.one_in(4));
        let count = self.random.between(least.max(1), candidates.len());
        let members = self.random.some(&candidates, count);
        self.home(name, subgraph).members.clone_from(&members);
        for member in &members {
            self.know_member(member, subgraph);
        }
    }

    fn know_member(&mut self, member: &Name, subgraph: &str) {
        match self.model.types[member].kind {
            // All interfaces have an `id`.
            Kind::Entity => self.key(member, subgraph, 0),
            _ => self.know(member, subgraph),
        }
    }

    /// Sometimes adds a subgraph with fields of an interface, whatever the members are.
    pub(super) fn interface_object(&mut self) {
        let mut names = self.named(Kind::Interface);
        let entities = self.named(Kind::Entity);
        names.retain(|name| {
            let members = self.model.members(name);
            !members.is_empty() && members.iter().all(|member| entities.contains(member))
        });
        let Some(name) = self.random.pick(&names).cloned() else {
            return;
        };
        if self.random.one_in(2) {
            return;
        }
        self.enter_by_interface(&name);
        let subgraph: Name = "io".into();
        self.model.subgraphs.push(Arc::clone(&subgraph));
        let mut home = Home {
            is_interface_object: true,
            keys: vec![HomeKey {
                index: 0,
                resolvable: true,
            }],
            ..Home::default()
        };
        home.fields
            .insert("id".into(), HomeField::new(Availability::Resolved));
        self.model.types[&name].homes.insert(subgraph, home);
        for index in 0..self.random.between(1, 3) {
            self.extra_field(&name, &format!("x{index}"));
        }
        self.roots_of(&name);
    }

    /// Lets one subgraph know all members, so that it can return the type of an object.
    fn enter_by_interface(&mut self, name: &Name) {
        let members = self.model.members(name);
        let homes: Vec<Name> = self.model.types[name].homes.keys().cloned().collect();
        let subgraph = &homes[self.random.below(homes.len())];
        for member in &members {
            self.key(member, subgraph, 0);
            for key in &mut self.home(member, subgraph).keys {
                key.resolvable = true;
            }
        }
        self.model.types[name].keys = vec![vec![Pick::leaf("id")]];
        let home = self.home(name, subgraph);
        home.members = members;
        home.keys.push(HomeKey {
            index: 0,
            resolvable: true,
        });
    }

    /// Adds a field to the interface, and so to all members, that only the subgraph `io` has.
    fn extra_field(&mut self, name: &Name, field_name: &str) {
        let leaf = ["String", "Int", "Color", "Json"][self.random.below(4)];
        let mut field = Field::new(Ty::named(leaf), Role::Plain);
        field.ty.lists = self.random.below(2);
        if self.random.one_in(3) {
            field.arguments = self.arguments();
        }
        let visible = self.model.visible(name);
        let fields = &self.model.types[name].fields;
        let mut leaves: Vec<Name> = visible.into_iter().cloned().collect();
        leaves.retain(|leaf| {
            let is_leaf = self.model.get(&fields[leaf].ty.named).is_none();
            is_leaf && fields[leaf].role != Role::Id && !leaf.starts_with('x')
        });
        if self.random.one_in(2) {
            field.requires = self
                .random
                .some(&leaves, 1)
                .iter()
                .map(|leaf| Pick::leaf(leaf))
                .collect();
        }
        for pick in &field.requires {
            let home = &mut self.model.types[name].homes["io"];
            let external = HomeField::new(Availability::External);
            home.fields.insert(Arc::clone(&pick.field), external);
        }
        for member in self.model.members(name) {
            self.add(&member, field_name, field.clone());
        }
        self.add(name, field_name, field);
        let home = &mut self.model.types[name].homes["io"];
        home.fields
            .insert(field_name.into(), HomeField::new(Availability::Resolved));
    }

    /// Adds root fields to the subgraph `io`, which does not know the types of their objects.
    fn roots_of(&mut self, name: &Name) {
        for index in 0..self.random.below(3) {
            let field_name = format!("io{index}");
            let mut ty = Ty::named(name);
            ty.lists = self.random.below(2);
            self.add("Query", &field_name, Field::new(ty, Role::Plain));
            self.resolve_field("Query", "io", &field_name);
        }
    }
}
