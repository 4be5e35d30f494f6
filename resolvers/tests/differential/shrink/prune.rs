//! What leads nowhere after something was left out, is left out too.

use std::collections::HashSet;
use std::sync::Arc;

use crate::model::{How, Kind, Model, Name, Pick};

/// Leaves out what leads nowhere, until everything leads somewhere.
pub(crate) fn prune(model: &mut Model) {
    loop {
        let before = size(model);
        sets(model);
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
        homes.map(|home| 1 + home.given.len() + home.members.len() + home.keys.len())
    });
    let fields = model.types.values().map(|ty| 1 + ty.fields.len());
    model.subgraphs.len() + homes.sum::<usize>() + fields.sum::<usize>()
}

/// Sets of fields name only what there is; a key must be whole.
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
            for (field, given) in &mut home.given {
                let Some(field) = ty.fields.get_mut(field) else {
                    continue;
                };
                let there = (&known, Some(subgraph));
                if given.how == How::Gives {
                    retain(there, name, &mut field.requires);
                }
                retain(there, &field.ty.named, &mut given.provides);
            }
        }
    }
}

/// Leaves what is in the graph, and in that subgraph.
fn retain(there: (&Model, Option<&Name>), owner: &str, picks: &mut Vec<Pick>) {
    let (model, subgraph) = there;
    picks.retain_mut(|pick| {
        let on = pick.on.as_deref().unwrap_or(owner);
        let Some(field) = model.get(on).and_then(|ty| ty.fields.get(&pick.field)) else {
            return false;
        };
        let is_object = model.get(on).is_some_and(|ty| !ty.is_abstract());
        let is_absent = |it: &Name| is_object && model.given(on, it, &pick.field).is_none();
        if subgraph.is_some_and(is_absent) {
            return false;
        }
        let had_inner = !pick.inner.is_empty();
        retain(there, &field.ty.named, &mut pick.inner);
        !had_inner || !pick.inner.is_empty()
    });
}

/// Fields have a type and somebody who gives them.
fn fields(model: &mut Model) {
    let known = model.clone();
    let names: HashSet<&Name> = known.types.keys().collect();
    for (name, ty) in &mut model.types {
        ty.fields.retain(|field_name, field| {
            let target = &field.ty.named;
            let is_there = LEAVES.contains(&&**target) || names.contains(target);
            let is_given = ty.kind == Kind::Interface || !known.givers(name, field_name).is_empty();
            is_there && is_given
        });
        for home in ty.homes.values_mut() {
            home.given.retain(|field, _| ty.fields.contains_key(field));
        }
    }
}

const LEAVES: [&str; 7] = ["Int", "String", "Float", "Boolean", "ID", "Color", "Json"];

/// External fields are there for something.
fn externals(model: &mut Model) {
    let mut used: HashSet<(Name, Name, Name)> = HashSet::new();
    for (name, ty) in &model.types {
        for (subgraph, home) in &ty.homes {
            for (field_name, given) in &home.given {
                let field = &ty.fields[field_name];
                if given.how == How::Gives {
                    note(model, (name, subgraph), &field.requires, &mut used);
                }
                let target = &field.ty.named;
                note(model, (target, subgraph), &given.provides, &mut used);
            }
        }
    }
    for (name, ty) in &mut model.types {
        for (subgraph, home) in &mut ty.homes {
            home.given.retain(|field, given| {
                let place = (Arc::clone(name), Arc::clone(subgraph), Arc::clone(field));
                given.how != How::External || used.contains(&place)
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

/// Types are somewhere, and there with something.
fn homes(model: &mut Model) {
    let known = model.clone();
    for ty in model.types.values_mut() {
        let is_abstract = ty.is_abstract();
        ty.homes.retain(|subgraph, home| {
            home.members
                .retain(|member| known.home(member, subgraph).is_some());
            !home.given.is_empty() || is_abstract && !home.members.is_empty()
        });
    }
    model.types.retain(|_, ty| !ty.homes.is_empty());
    let types = &model.types;
    model
        .subgraphs
        .retain(|name| types.values().any(|ty| ty.homes.contains_key(name)));
}
