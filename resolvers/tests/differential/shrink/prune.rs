//! Removes parts that refer to removed parts.

use std::collections::HashSet;
use std::sync::Arc;

use crate::model::{Availability, Kind, Model, Name, Pick};

/// Removes dangling parts until there are none.
pub(crate) fn prune(model: &mut Model) {
    loop {
        let before = size(model);
        sets(model);
        contexts(model);
        fields(model);
        externals(model);
        homes(model);
        if size(model) == before {
            return;
        }
    }
}

fn size(model: &Model) -> usize {
    let types = model.types.values();
    let homes = types.flat_map(|ty| {
        let homes = ty.homes.values();
        homes.map(|home| 1 + home.fields.len() + home.members.len() + home.keys.len())
    });
    let fields = model.types.values().map(|ty| 1 + ty.fields.len());
    model.subgraphs.len() + homes.sum::<usize>() + fields.sum::<usize>()
}

/// Removes missing fields from field sets; a key must be complete.
fn sets(model: &mut Model) {
    let known = model.clone();
    for (name, ty) in &mut model.types {
        for index in (0..ty.keys.len()).rev() {
            let mut key = ty.keys[index].clone();
            retain((&known, None), name, &mut key);
            if key != ty.keys[index] || key.is_empty() {
                ty.keys.remove(index);
                for home in ty.homes.values_mut() {
                    home.keys.retain(|key| key.index != index);
                    for key in &mut home.keys {
                        key.index -= usize::from(key.index > index);
                    }
                }
            }
        }
        for (subgraph, home) in &mut ty.homes {
            for (field, home_field) in &mut home.fields {
                let Some(field) = ty.fields.get_mut(field) else {
                    continue;
                };
                let there = (&known, Some(subgraph));
                if home_field.availability == Availability::Resolved {
                    retain(there, name, &mut field.requires);
                }
                retain(there, &field.ty.named, &mut home_field.provides);
            }
        }
    }
}

/// Removes arguments of missing ancestors.
fn contexts(model: &mut Model) {
    let known = model.clone();
    for ty in model.types.values_mut() {
        for field in ty.fields.values_mut() {
            let is_known = field.context.as_ref().is_none_or(|context| {
                let owner = known.get(&context.owner);
                owner.is_some_and(|owner| owner.fields.contains_key(&context.field))
            });
            if !is_known {
                field.context = None;
            }
        }
    }
}

/// Retains picks of fields that the graph and the subgraph have.
fn retain(there: (&Model, Option<&Name>), owner: &str, picks: &mut Vec<Pick>) {
    let (model, subgraph) = there;
    picks.retain_mut(|pick| {
        let on = pick.on.as_deref().unwrap_or(owner);
        let Some(field) = model.get(on).and_then(|ty| ty.fields.get(&pick.field)) else {
            return false;
        };
        let is_object = model.get(on).is_some_and(|ty| !ty.is_abstract());
        let is_absent = |it: &Name| is_object && model.home_field(on, it, &pick.field).is_none();
        if subgraph.is_some_and(is_absent) {
            return false;
        }
        let had_inner = !pick.inner.is_empty();
        retain(there, &field.ty.named, &mut pick.inner);
        !had_inner || !pick.inner.is_empty()
    });
}

/// Removes fields without a type or a subgraph that resolves them.
fn fields(model: &mut Model) {
    let known = model.clone();
    let names: HashSet<&Name> = known.types.keys().collect();
    for (name, ty) in &mut model.types {
        ty.fields.retain(|field_name, field| {
            let target = &field.ty.named;
            let is_there = LEAVES.contains(&&**target) || names.contains(target);
            let is_resolved =
                ty.kind == Kind::Interface || !known.subgraphs_of(name, field_name).is_empty();
            is_there && is_resolved
        });
        for home in ty.homes.values_mut() {
            home.fields.retain(|field, _| ty.fields.contains_key(field));
        }
    }
}

const LEAVES: [&str; 7] = ["Int", "String", "Float", "Boolean", "ID", "Color", "Json"];

/// Removes external fields that no field set uses.
fn externals(model: &mut Model) {
    let mut used: HashSet<(Name, Name, Name)> = HashSet::new();
    for (name, ty) in &model.types {
        for (subgraph, home) in &ty.homes {
            for (field_name, home_field) in &home.fields {
                let field = &ty.fields[field_name];
                if home_field.availability == Availability::Resolved {
                    note(model, (name, subgraph), &field.requires, &mut used);
                }
                if let Some(context) = &field.context {
                    let picks = [Pick::leaf(&context.field)];
                    note(model, (&context.owner, subgraph), &picks, &mut used);
                }
                let target = &field.ty.named;
                note(model, (target, subgraph), &home_field.provides, &mut used);
            }
        }
    }
    for (name, ty) in &mut model.types {
        for (subgraph, home) in &mut ty.homes {
            home.fields.retain(|field, home_field| {
                let place = (Arc::clone(name), Arc::clone(subgraph), Arc::clone(field));
                home_field.availability != Availability::External || used.contains(&place)
            });
        }
    }
}

fn note(
    model: &Model,
    (owner, subgraph): (&Name, &Name),
    picks: &[Pick],
    used: &mut HashSet<(Name, Name, Name)>,
) {
    for pick in picks {
        let on = pick.on.as_ref().unwrap_or(owner);
        let place = (
            Arc::clone(on),
            Arc::clone(subgraph),
            Arc::clone(&pick.field),
        );
        used.insert(place);
        if let Some(field) = model.get(on).and_then(|ty| ty.fields.get(&pick.field)) {
            note(model, (&field.ty.named, subgraph), &pick.inner, used);
        }
    }
}

/// Removes types without a subgraph, and subgraphs without a field of a type.
fn homes(model: &mut Model) {
    let known = model.clone();
    for ty in model.types.values_mut() {
        let is_abstract = ty.is_abstract();
        ty.homes.retain(|subgraph, home| {
            home.members
                .retain(|member| known.home(member, subgraph).is_some());
            !home.fields.is_empty() || is_abstract && !home.members.is_empty()
        });
    }
    model.types.retain(|_, ty| !ty.homes.is_empty());
    let types = &model.types;
    model
        .subgraphs
        .retain(|name| types.values().any(|ty| ty.homes.contains_key(name)));
}
