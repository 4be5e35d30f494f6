//! Which subgraph has which types and gives which fields.
//!
//! One subgraph of each entity can be entered by all of its keys and so leads from each key to
//! each other; with that, whatever a subgraph gives of an entity can be reached.

use std::sync::Arc;

use super::Generator;
use crate::data::found_at;
use crate::model::{Given, HomeKey, How, Kind, Label, Name, Pick, Role};

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
            // It may have been known before, and not have been open.
            for key in keys.iter_mut() {
                key.resolvable = true;
            }
            if let (true, [first, _, ..]) = (closes_one, keys.as_mut_slice()) {
                first.resolvable = false;
            }
        }
    }

    /// The subgraphs that can be asked for entities of the type.
    pub(super) fn entered(&self, name: &str) -> Vec<Name> {
        let homes = self.model.types[name].homes.iter();
        homes
            .filter(|(_, home)| home.keys.iter().any(|key| key.resolvable))
            .map(|(subgraph, _)| Arc::clone(subgraph))
            .collect()
    }

    /// What a subgraph has of a type.
    pub(super) fn home(&mut self, name: &str, subgraph: &str) -> &mut crate::model::Home {
        let homes = &mut self.model.types[name].homes;
        homes.entry(subgraph.into()).or_default()
    }

    /// The subgraph knows entities of the type by that key.
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
            self.give(name, subgraph, &pick.field);
            self.give_inside(name, subgraph, &pick);
        }
    }

    fn give_inside(&mut self, name: &str, subgraph: &str, pick: &Pick) {
        let target = Arc::clone(&self.model.types[name].fields[&pick.field].ty.named);
        for inner in &pick.inner {
            self.give(&target, subgraph, &inner.field);
        }
    }

    /// The subgraph gives the field, and has all types that it needs to say so.
    pub(super) fn give(&mut self, owner: &str, subgraph: &str, field: &str) {
        self.mention(owner, subgraph, field, How::Gives);
    }

    /// The subgraph names the field; nothing changes where it does so already, but that an
    /// external one may be given after all.
    pub(super) fn mention(&mut self, owner: &str, subgraph: &str, field: &str, how: How) {
        let home = self.home(owner, subgraph);
        if let Some(given) = home.given.get_mut(field) {
            if given.how == How::External {
                given.how = how;
            }
            return;
        }
        home.given.insert(field.into(), Given::new(how));
        let target = Arc::clone(&self.model.types[owner].fields[field].ty.named);
        self.know(&target, subgraph);
    }

    /// The subgraph has the type, be it only to refer to its objects.
    pub(super) fn know(&mut self, name: &str, subgraph: &str) {
        let Some(ty) = self.model.get(name) else {
            return; // A leaf.
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
            // What each subgraph gives of it was decided before.
            Kind::Value if name == super::split::NAME => {}
            Kind::Value => {
                // A value cannot be asked for elsewhere, so all of it is given.
                let fields: Vec<Name> = ty.fields.keys().cloned().collect();
                for field in fields {
                    self.give(name, subgraph, &field);
                }
            }
            Kind::Interface | Kind::Union => self.know_abstract(name, subgraph),
            Kind::Root => {}
        }
    }

    /// Some subgraphs take fields over from others.
    pub(super) fn overrides(&mut self) {
        for _ in 0..self.random.below(3) {
            let mut owners = self.named(Kind::Entity);
            owners.push("Query".into());
            let owner = Arc::clone(&owners[self.random.below(owners.len())]);
            let fields: Vec<Name> = self.model.types[&owner].fields.keys().cloned().collect();
            if let Some(field) = self.random.pick(&fields).cloned() {
                self.take_over(&owner, &field);
            }
        }
    }

    fn take_over(&mut self, owner: &Name, field: &Name) {
        let role = self.model.types[owner].fields[field].role;
        let givers: Vec<Name> = self
            .model
            .givers(owner, field)
            .into_iter()
            .cloned()
            .collect();
        let mut others = if **owner == *"Query" {
            self.model.subgraphs.clone()
        } else {
            self.entered(owner)
        };
        others.retain(|subgraph| self.model.given(owner, subgraph, field).is_none());
        let ([from], Role::Plain | Role::Present) = (givers.as_slice(), role) else {
            return;
        };
        let homes = self.model.types[owner].homes.values();
        let mut given = homes.filter_map(|home| home.given.get(field));
        if given.any(|given| given.overrides.is_some()) {
            return; // Nothing is taken over twice.
        }
        let Some(subgraph) = self.random.pick(&others).cloned() else {
            return;
        };
        self.give(owner, &subgraph, field);
        let label = [None, None, Some(Label::On), Some(Label::Off)][self.random.below(4)];
        let taker = &mut self.home(owner, &subgraph).given[field];
        taker.overrides = Some(Arc::clone(from));
        taker.label = label;
        let loser = if label == Some(Label::Off) {
            &subgraph
        } else {
            from
        };
        self.home(owner, loser).given[field].how = How::Overridden;
    }

    /// Gives each field that is nowhere to one of the subgraphs, or to several.
    fn spread(&mut self, owner: &str, subgraphs: &[Name]) {
        let fields: Vec<Name> = self.model.types[owner].fields.keys().cloned().collect();
        for field in fields {
            if !self.model.givers(owner, &field).is_empty() {
                continue;
            }
            let count = [1, 1, 1, 1, 2, 2, 3][self.random.below(7)];
            let mut givers = self.random.some(subgraphs, count);
            for subgraph in &givers {
                self.give(owner, subgraph, &field);
            }
            // There must be objects that all of them know.
            while givers.len() > 1 && self.is_of_nothing(owner, &field) {
                let last = givers.pop().unwrap_or_else(|| owner.into());
                let home = self.home(owner, &last);
                home.given.shift_remove(&field);
                if home.given.is_empty() {
                    self.model.types[owner].homes.shift_remove(&last);
                }
            }
        }
    }

    /// Whether a field leads to objects, but to none that all who give it know.
    fn is_of_nothing(&self, owner: &str, name: &str) -> bool {
        let field = &self.model.types[owner].fields[name];
        self.model.get(&field.ty.named).is_some()
            && found_at(&self.model, owner, name, field).is_empty()
    }

    /// Some subgraphs promise more than others.
    pub(super) fn stricter(&mut self) {
        let mut found = Vec::new();
        for (name, ty) in &self.model.types {
            for (field, it) in &ty.fields {
                let target = self.model.get(&it.ty.named);
                let is_abstract = target.is_some_and(crate::model::Type::is_abstract);
                let homes: Vec<&Name> = self.model.givers(name, field);
                if it.role == Role::Present && homes.len() > 1 && !is_abstract {
                    found.push((Arc::clone(name), Arc::clone(field), Arc::clone(homes[0])));
                }
            }
        }
        for (name, field, subgraph) in found {
            let is_stricter = self.random.one_in(2);
            if let Some(given) = self.home(&name, &subgraph).given.get_mut(&field) {
                given.is_stricter = is_stricter;
            }
        }
    }
}
