//! `@requires`: fields that are computed from what other subgraphs give.

use std::sync::Arc;

use super::Generator;
use crate::model::{Field, How, Kind, Name, Pick, Role, Ty};

impl Generator {
    /// A few computed fields, each of which may need those before it.
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
        let requires = self.foreign(owner, &subgraph, count, 2);
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
        self.give(owner, &subgraph, name);
    }

    /// Some fields of `owner` that `subgraph` does not give but others do.
    pub(super) fn foreign(
        &mut self,
        owner: &Name,
        subgraph: &Name,
        count: usize,
        depth: usize,
    ) -> Vec<Pick> {
        let ty = &self.model.types[owner];
        let fields: Vec<Name> = ty.fields.keys().cloned().collect();
        let mut names: Vec<Name> = Vec::new();
        for field in fields {
            let given = self.model.given(owner, subgraph, &field);
            let is_foreign = given.is_none_or(|given| given.how == How::External);
            let is_given = !self.model.givers(owner, &field).is_empty();
            if is_foreign && is_given {
                names.push(field);
            }
        }
        let mut picks = Vec::new();
        for name in self.random.some(&names, count) {
            let field = &self.model.types[owner].fields[&name];
            let target = Arc::clone(&field.ty.named);
            let mut pick = Pick::leaf(&name);
            if self.model.get(&target).is_some() {
                pick.inner = self.below(&target, depth);
                if pick.inner.is_empty() {
                    continue;
                }
            }
            picks.push(pick);
        }
        picks
    }

    /// Some fields of the objects of a type, whoever gives them.
    fn below(&mut self, target: &Name, depth: usize) -> Vec<Pick> {
        if depth == 0 {
            return Vec::new();
        }
        let fields: Vec<Name> = self.model.types[target].fields.keys().cloned().collect();
        let count = self.random.between(1, 2);
        let mut picks = Vec::new();
        for name in self.random.some(&fields, count) {
            let next = Arc::clone(&self.model.types[target].fields[&name].ty.named);
            let mut pick = Pick::leaf(&name);
            if self.model.get(&next).is_some() {
                pick.inner = self.below(&next, depth - 1);
                if pick.inner.is_empty() {
                    continue;
                }
            }
            picks.push(pick);
        }
        picks
    }

    /// The subgraph has all fields of the set, as external ones where it does not give them.
    pub(super) fn mention_all(&mut self, owner: &str, subgraph: &str, picks: &[Pick]) {
        for pick in picks {
            let on = pick.on.as_deref().unwrap_or(owner).to_owned();
            self.mention(&on, subgraph, &pick.field, How::External);
            let target = Arc::clone(&self.model.types[&*on].fields[&pick.field].ty.named);
            self.mention_all(&target, subgraph, &pick.inner);
        }
    }
}
