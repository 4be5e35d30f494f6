//! `@provides`: fields of other subgraphs' entities that a subgraph resolves at some positions.

use std::sync::Arc;

use super::Generator;
use crate::model::{Availability, Kind, Name, Pick};

impl Generator {
    /// Lets some fields provide others.
    pub(super) fn provides(&mut self) {
        for _ in 0..self.random.below(4) {
            let places = self.places();
            if let Some((owner, subgraph, field)) = self.random.pick(&places).cloned() {
                self.provide(&owner, &subgraph, &field);
            }
        }
    }

    /// Fields that return objects, by type and subgraph.
    fn places(&self) -> Vec<(Name, Name, Name)> {
        let mut places = Vec::new();
        for (name, ty) in &self.model.types {
            // Neither side of an override may provide anything.
            let is_overridden = |field: &Name| {
                let mut fields = ty.homes.values().filter_map(|home| home.fields.get(field));
                fields.any(|field| field.overrides.is_some())
            };
            for (subgraph, home) in &ty.homes {
                for (field, home_field) in &home.fields {
                    let target = &ty.fields[field].ty.named;
                    let is_free = home_field.availability == Availability::Resolved
                        && home_field.provides.is_empty()
                        && !is_overridden(field);
                    if is_free && self.model.get(target).is_some() {
                        let place = (Arc::clone(name), Arc::clone(subgraph), Arc::clone(field));
                        places.push(place);
                    }
                }
            }
        }
        places
    }

    fn provide(&mut self, owner: &Name, subgraph: &Name, field: &Name) {
        let target = Arc::clone(&self.model.types[owner].fields[field].ty.named);
        let kind = self.model.types[&target].kind;
        let mut picks = Vec::new();
        match kind {
            Kind::Entity => picks = self.foreign(&target, subgraph, (2, 2)),
            Kind::Interface | Kind::Union => {
                let members = self.model.types[&target].homes[subgraph].members.clone();
                for member in self.random.some(&members, 1) {
                    if self.model.types[&member].kind == Kind::Entity {
                        picks = self.foreign(&member, subgraph, (2, 1));
                        let on = |pick: &mut Pick| pick.on = Some(Arc::clone(&member));
                        picks.iter_mut().for_each(on);
                    }
                }
            }
            Kind::Value | Kind::Root => {}
        }
        self.without_arguments(&target, &mut picks);
        if picks.is_empty() {
            return;
        }
        self.mention_all(&target, subgraph, &picks);
        self.home(owner, subgraph).fields[field].provides = picks;
    }

    /// Only fields without arguments can be provided.
    fn without_arguments(&self, owner: &Name, picks: &mut Vec<Pick>) {
        picks.retain_mut(|pick| {
            let on = pick.on.as_ref().unwrap_or(owner);
            let field = &self.model.types[on].fields[&pick.field];
            let had_inner = !pick.inner.is_empty();
            self.without_arguments(&field.ty.named, &mut pick.inner);
            field.arguments.is_empty() && !(had_inner && pick.inner.is_empty())
        });
    }
}
