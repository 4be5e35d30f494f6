//! The types and fields of each subgraph.
//!
//! One subgraph of each entity can be entered by all its keys, so it leads from each key to each
//! other; therefore every field of an entity can be reached.

use std::sync::Arc;

use super::Generator;
use crate::data::found_at;
use crate::model::{Availability, HomeField, HomeKey, Kind, Label, Name, Pick, Role};

impl Generator {
    pub(super) fn homes(&mut self) {
        for name in self.named(Kind::Entity) {
            self.entity_homes(&name);
        }
        for name in self.named(Kind::Entity) {
            let homes = self.entered(&name);
            self.spread(&name, &homes);
        }
        let subgraphs = self.model.subgraphs.clone();
        for name in self.named(Kind::Root) {
            self.spread(&name, &subgraphs);
        }
    }

    fn entity_homes(&mut self, name: &Name) {
        let count = self.random.between(1, self.model.subgraphs.len().min(4));
        let subgraphs = self.random.some(&self.model.subgraphs, count);
        let keys = self.model.types[name].keys.len();
        let hub = self.random.below(subgraphs.len());
        for (index, subgraph) in subgraphs.iter().enumerate() {
            let least = if index == hub { keys } else { 1 };
            let count = self.random.between(least, keys);
            let known: Vec<usize> = (0..keys).collect();
            for key in self.random.some(&known, count) {
                self.key(name, subgraph, key);
            }
            let closes_one = index != hub && self.random.one_in(6);
            let keys = &mut self.home(name, subgraph).keys;
            // The key may have been added earlier, and not be resolvable.
            for key in keys.iter_mut() {
                key.resolvable = true;
            }
            if let (true, [first, _, ..]) = (closes_one, keys.as_mut_slice()) {
                first.resolvable = false;
            }
        }
    }

    /// The subgraphs that resolve entities of the type by key.
    pub(super) fn entered(&self, name: &str) -> Vec<Name> {
        let homes = self.model.types[name].homes.iter();
        homes
            .filter(|(_, home)| home.keys.iter().any(|key| key.resolvable))
            .map(|(subgraph, _)| Arc::clone(subgraph))
            .collect()
    }

    /// The part of a type that a subgraph has.
    pub(super) fn home(&mut self, name: &str, subgraph: &str) -> &mut crate::model::Home {
        let homes = &mut self.model.types[name].homes;
        homes.entry(subgraph.into()).or_default()
    }

    /// Adds a key of the type to the subgraph.
    pub(super) fn key(&mut self, name: &str, subgraph: &str, index: usize) {
        let home = self.home(name, subgraph);
        if home.keys.iter().any(|key| key.index == index) {
            return;
        }
        home.keys.push(HomeKey {
            index,
            resolvable: true,
        });
        for pick in self.model.types[name].keys[index].clone() {
            self.resolve_field(name, subgraph, &pick.field);
            self.resolve_fields_inside(name, subgraph, &pick);
        }
    }

    fn resolve_fields_inside(&mut self, name: &str, subgraph: &str, pick: &Pick) {
        let target = Arc::clone(&self.model.types[name].fields[&pick.field].ty.named);
        for inner in &pick.inner {
            self.resolve_field(&target, subgraph, &inner.field);
        }
    }

    /// Adds a resolved field to the subgraph, with all types that it needs.
    pub(super) fn resolve_field(&mut self, owner: &str, subgraph: &str, field: &str) {
        self.mention(owner, subgraph, field, Availability::Resolved);
    }

    /// Adds a field to the subgraph. A field that exists stays as it is, but an external one may
    /// become resolved.
    pub(super) fn mention(
        &mut self,
        owner: &str,
        subgraph: &str,
        field: &str,
        availability: Availability,
    ) {
        let home = self.home(owner, subgraph);
        if let Some(home_field) = home.fields.get_mut(field) {
            if home_field.availability == Availability::External {
                home_field.availability = availability;
            }
            return;
        }
        home.fields
            .insert(field.into(), HomeField::new(availability));
        let target = Arc::clone(&self.model.types[owner].fields[field].ty.named);
        self.know(&target, subgraph);
    }

    /// Adds the type to the subgraph, at least to refer to its objects.
    pub(super) fn know(&mut self, name: &str, subgraph: &str) {
        let Some(ty) = self.model.get(name) else {
            return; // The type is a leaf.
        };
        match ty.kind {
            Kind::Entity => {
                if ty.homes.get(subgraph).is_none_or(|it| it.keys.is_empty()) {
                    let index = self.random.below(ty.keys.len());
                    self.key(name, subgraph, index);
                    let resolvable = !self.random.one_in(3);
                    self.home(name, subgraph).keys[0].resolvable = resolvable;
                }
            }
            // The subgraphs of its fields were chosen before.
            Kind::Value if name == super::split::NAME => {}
            Kind::Value => {
                // A value cannot be fetched elsewhere, so all of it is resolved.
                let fields: Vec<Name> = ty.fields.keys().cloned().collect();
                for field in fields {
                    self.resolve_field(name, subgraph, &field);
                }
            }
            Kind::Interface | Kind::Union => self.know_abstract(name, subgraph),
            Kind::Root => {}
        }
    }

    /// Lets some subgraphs override fields of others.
    pub(super) fn overrides(&mut self) {
        for _ in 0..self.random.below(3) {
            let mut owners = self.named(Kind::Entity);
            owners.push("Query".into());
            let owner = Arc::clone(&owners[self.random.below(owners.len())]);
            let fields: Vec<Name> = self.model.types[&owner].fields.keys().cloned().collect();
            if let Some(field) = self.random.pick(&fields).cloned() {
                self.override_field(&owner, &field);
            }
        }
    }

    fn override_field(&mut self, owner: &Name, field: &Name) {
        let role = self.model.types[owner].fields[field].role;
        let subgraphs_of: Vec<Name> = self
            .model
            .subgraphs_of(owner, field)
            .into_iter()
            .cloned()
            .collect();
        let mut others = if **owner == *"Query" {
            self.model.subgraphs.clone()
        } else {
            self.entered(owner)
        };
        others.retain(|subgraph| self.model.home_field(owner, subgraph, field).is_none());
        let ([from], Role::Plain | Role::Present) = (subgraphs_of.as_slice(), role) else {
            return;
        };
        let homes = self.model.types[owner].homes.values();
        let mut home_field = homes.filter_map(|home| home.fields.get(field));
        if home_field.any(|home_field| home_field.overrides.is_some()) {
            return; // A field is overridden once only.
        }
        let Some(subgraph) = self.random.pick(&others).cloned() else {
            return;
        };
        self.resolve_field(owner, &subgraph, field);
        let label = [None, None, Some(Label::On), Some(Label::Off)][self.random.below(4)];
        let overriding = &mut self.home(owner, &subgraph).fields[field];
        overriding.overrides = Some(Arc::clone(from));
        overriding.label = label;
        let overridden = if label == Some(Label::Off) {
            &subgraph
        } else {
            from
        };
        self.home(owner, overridden).fields[field].availability = Availability::Overridden;
    }

    /// Adds each field that no subgraph has to one of the subgraphs, or to several.
    fn spread(&mut self, owner: &str, subgraphs: &[Name]) {
        let fields: Vec<Name> = self.model.types[owner].fields.keys().cloned().collect();
        for field in fields {
            if !self.model.subgraphs_of(owner, &field).is_empty() {
                continue;
            }
            let count = [1, 1, 1, 1, 2, 2, 3][self.random.below(7)];
            let mut subgraphs_of = self.random.some(subgraphs, count);
            for subgraph in &subgraphs_of {
                self.resolve_field(owner, subgraph, &field);
            }
            // The subgraphs must have a common object type.
            while subgraphs_of.len() > 1 && self.is_of_nothing(owner, &field) {
                let last = subgraphs_of.pop().unwrap_or_else(|| owner.into());
                let home = self.home(owner, &last);
                home.fields.shift_remove(&field);
                if home.fields.is_empty() {
                    self.model.types[owner].homes.shift_remove(&last);
                }
            }
        }
    }

    /// Whether a field returns objects, but of no type that all its subgraphs know.
    fn is_of_nothing(&self, owner: &str, name: &str) -> bool {
        let field = &self.model.types[owner].fields[name];
        self.model.get(&field.ty.named).is_some()
            && found_at(&self.model, owner, name, field).is_empty()
    }

    /// Lets some subgraphs declare fields non-null that others do not.
    pub(super) fn stricter(&mut self) {
        let mut found = Vec::new();
        for (name, ty) in &self.model.types {
            for (field, it) in &ty.fields {
                let target = self.model.get(&it.ty.named);
                let is_abstract = target.is_some_and(crate::model::Type::is_abstract);
                let homes: Vec<&Name> = self.model.subgraphs_of(name, field);
                if it.role == Role::Present && homes.len() > 1 && !is_abstract {
                    found.push((Arc::clone(name), Arc::clone(field), Arc::clone(homes[0])));
                }
            }
        }
        for (name, field, subgraph) in found {
            let is_stricter = self.random.one_in(2);
            if let Some(home_field) = self.home(&name, &subgraph).fields.get_mut(&field) {
                home_field.is_stricter = is_stricter;
            }
        }
    }
}
