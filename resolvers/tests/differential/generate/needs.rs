//! `@requires`: fields that are computed from fields of other subgraphs.

use std::sync::Arc;

use super::Generator;
use crate::model::{Availability, Field, Kind, Name, Pick, Role, Ty};

impl Generator {
    /// Adds some computed fields, each of which may require those before it.
    pub(super) fn needs(&mut self) {
        for index in 0..self.random.below(5) {
            let entities = self.named(Kind::Entity);
            if let Some(owner) = self.random.pick(&entities).cloned() {
                self.need(&owner, &format!("r{index}"));
            }
        }
    }

    fn need(&mut self, owner: &Name, name: &str) {
        let entered = self.entered(owner);
        let Some(subgraph) = self.random.pick(&entered).cloned() else {
            return;
        };
        let count = self.random.between(1, 3);
        let requires = self.foreign(owner, &subgraph, (count, 2));
        if requires.is_empty() {
            return;
        }
        self.mention_all(owner, &subgraph, &requires);
        let ty = if self.random.one_in(4) {
            self.ty(false)
        } else {
            Ty::named("String")
        };
        let mut field = Field::new(ty, Role::Plain);
        field.requires = requires;
        self.add(owner, name, field);
        self.resolve_field(owner, &subgraph, name);
    }

    /// Some fields of `owner` that `subgraph` does not resolve, but others do.
    pub(super) fn foreign(
        &mut self,
        owner: &Name,
        subgraph: &Name,
        (count, depth): (usize, usize),
    ) -> Vec<Pick> {
        let mut names: Vec<Name> = Vec::new();
        for (field, it) in &self.model.types[owner].fields {
            let home_field = self.model.home_field(owner, subgraph, field);
            let is_foreign = home_field
                .is_none_or(|home_field| home_field.availability == Availability::External);
            let is_resolved = !self.model.subgraphs_of(owner, field).is_empty();
            // An `id` may still become a key everywhere.
            if is_foreign && is_resolved && it.role != Role::Id {
                names.push(Arc::clone(field));
            }
        }
        let names = self.random.some(&names, count);
        self.picks(owner, subgraph, &names, depth)
    }

    /// Some fields of the objects of a type, of any subgraph.
    pub(super) fn below(&mut self, target: &Name, subgraph: &Name, depth: usize) -> Vec<Pick> {
        if depth == 0 {
            return Vec::new();
        }
        let count = self.random.between(1, 2);
        if !self.model.types[target].is_abstract() {
            let fields: Vec<Name> = self.model.types[target].fields.keys().cloned().collect();
            let names = self.random.some(&fields, count);
            return self.picks(target, subgraph, &names, depth - 1);
        }
        self.know(target, subgraph);
        let members = self.model.types[target].homes[subgraph].members.clone();
        let mut picks = Vec::new();
        for member in self.random.some(&members, count) {
            let mut inner = self.below(&member, subgraph, depth);
            for pick in &mut inner {
                pick.on = Some(Arc::clone(&member));
            }
            picks.extend(inner);
        }
        let shared = self.model.interface_fields(target, subgraph);
        if shared.iter().any(|field| ***field == *"id") && self.random.one_in(3) {
            picks.retain(|pick| *pick.field != *"id");
            picks.push(Pick::leaf("id"));
        }
        picks
    }

    fn picks(&mut self, of: &Name, subgraph: &Name, names: &[Name], depth: usize) -> Vec<Pick> {
        let mut picks = Vec::new();
        for name in names {
            let target = Arc::clone(&self.model.types[of].fields[name].ty.named);
            let mut pick = Pick::leaf(name);
            if self.model.get(&target).is_some() {
                pick.inner = self.below(&target, subgraph, depth);
                if pick.inner.is_empty() {
                    continue;
                }
            }
            picks.push(pick);
        }
        picks
    }

    /// Adds all fields of the set to the subgraph, as external ones if it does not resolve them.
    pub(super) fn mention_all(&mut self, owner: &str, subgraph: &str, picks: &[Pick]) {
        for pick in picks {
            let on = pick.on.as_deref().unwrap_or(owner).to_owned();
            if !self.model.types[&*on].is_abstract() {
                self.mention(&on, subgraph, &pick.field, Availability::External);
            }
            let target = Arc::clone(&self.model.types[&*on].fields[&pick.field].ty.named);
            self.mention_all(&target, subgraph, &pick.inner);
        }
    }
}
