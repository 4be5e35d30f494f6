//! Separates the entities that a subgraph knows by their interface only (`@interfaceObject`).
//!
//! The subgraph has one type for all of them, so the fields of one selection set are resolved for
//! each of them, also those that the operation selects on other object types. A non-null field that
//! fails would make an entity null whose type does not have it in the operation (GraphQL §6.4.4).
//! Entities whose types select other such fields are therefore fetched apart, in one request.

use std::collections::HashSet;

use schema::graph::Graph;
use schema::source::{NodeField, ObjectTypes};
use schema::types::{Name, TypeId};

use super::{ByFetch, Fetch, replace_fetches};
use crate::selection::{PositionId, Selection, Slot};

/// Replaces each fetch of such entities by one for each set of non-null fields.
pub(super) fn separate_types(
    graph: &Graph,
    selection: &Selection,
    fetches: ByFetch<Fetch>,
) -> ByFetch<Fetch> {
    replace_fetches(fetches, |_, fetch| {
        match type_groups(graph, selection, &fetch).as_slice() {
            [] | [_] => vec![fetch],
            groups => {
                let parts = groups.iter().map(|on| part(selection, &fetch, on));
                parts.collect()
            }
        }
    })
}

/// The types of a fetch's entities, grouped by the fields that are selected on them and may make
/// them null, or are resolved again if types share them; no groups for a fetch whose subgraph knows
/// the types.
fn type_groups(graph: &Graph, selection: &Selection, fetch: &Fetch) -> Vec<Vec<TypeId>> {
    if fetch.selected_entries.len() < 2 {
        return Vec::new();
    }
    let mut groups: Vec<(Vec<usize>, Vec<TypeId>)> = Vec::new();
    let source = graph.source(fetch.source);
    let slots = &selection.position(fetch.at).slots;
    let divided = divided_fields(slots, fetch);
    for entry in &fetch.selected_entries {
        let node = source.node(source.entry_points[entry.entry].node);
        let is_object = !graph.types().get(entry.on).is_abstract();
        if !is_object || !matches!(node.object_types, ObjectTypes::UnknownType) {
            return Vec::new();
        }
        let own = fetch.slots.get(&fetch.at).into_iter().flatten();
        let own = own.filter(|(slot, types)| {
            let name = &slots[**slot].field;
            let is_non_null = || node.fields.get(name).is_some_and(NodeField::is_non_null);
            types.contains(&entry.on) && (divided.contains(name) || is_non_null())
        });
        let own: Vec<usize> = own.map(|(slot, _)| *slot).collect();
        match groups.iter_mut().find(|(known, _)| *known == own) {
            Some((_, types)) => types.push(entry.on),
            None => groups.push((own, vec![entry.on])),
        }
    }
    groups.into_iter().map(|(_, types)| types).collect()
}

/// The fields that are selected several times, with other arguments or other non-null fields below.
fn divided_fields<'s>(slots: &'s [Slot], fetch: &Fetch) -> HashSet<&'s Name> {
    let own = fetch.slots.get(&fetch.at).into_iter().flatten();
    let mut seen = HashSet::new();
    let names = own.map(|(slot, _)| &slots[*slot].field);
    names.filter(|name| !seen.insert(*name)).collect()
}

/// The part of a fetch for entities of the types `on`.
fn part(selection: &Selection, fetch: &Fetch, on: &[TypeId]) -> Fetch {
    let mut slots = fetch.slots.clone();
    if let Some(own) = slots.get_mut(&fetch.at) {
        for types in own.values_mut() {
            types.retain(|ty| on.contains(ty));
        }
        own.retain(|_, types| !types.is_empty());
    }
    let own = slots.get(&fetch.at).cloned().unwrap_or_default();
    let is_filled = |at: PositionId| {
        at == fetch.at
            || slot_towards(selection, fetch.at, at).is_some_and(|slot| own.contains_key(&slot))
    };
    slots.retain(|at, _| is_filled(*at));
    let entries = fetch.selected_entries.iter();
    let context_fields = fetch.context_fields.iter();
    let context_fields = context_fields.filter(|field| {
        let is_own = field.at == fetch.at;
        is_filled(field.at) && (!is_own || on.contains(&field.on))
    });
    Fetch {
        selected_entries: entries.filter(|it| on.contains(&it.on)).cloned().collect(),
        context_fields: context_fields.cloned().collect(),
        slots,
        ..fetch.clone()
    }
}

/// The slot at `outer` whose objects `at` is nested in.
fn slot_towards(selection: &Selection, outer: PositionId, at: PositionId) -> Option<usize> {
    let mut at = at;
    loop {
        let (parent, slot) = selection.position(at).parent?;
        if parent == outer {
            return Some(slot);
        }
        at = parent;
    }
}
