//! The number of requests of a naive gateway that plans field by field: each field from the first
//! subgraph that resolves it, entered once at each position. No good plan needs more.

use std::collections::HashSet;
use std::sync::Arc;

use crate::model::{HomeKey, Kind, Model, Name, Pick};
use crate::operation::{Operation, Selection, What};

/// The number of requests of a naive plan; `None` if it would have to be searched for.
pub(crate) fn requests(model: &Model, operation: &Operation) -> Option<usize> {
    let mut naive = Naive {
        model,
        operation,
        requests: HashSet::new(),
        is_lost: model.rest.is_some(),
    };
    let root = At {
        path: String::new(),
        from: "".into(),
    };
    naive.selections(&root, &operation.root, &operation.selections);
    (!naive.is_lost).then_some(naive.requests.len())
}

struct Naive<'a> {
    model: &'a Model,
    operation: &'a Operation,
    /// Requests, each identified by where it enters, and its subgraph.
    requests: HashSet<String>,
    /// Whether no subgraph has all keys of a type.
    is_lost: bool,
}

/// The position of objects, and the subgraph that returned them.
#[derive(Clone)]
struct At {
    path: String,
    from: Name,
}

impl Naive<'_> {
    /// Adds the selections of objects of type `on`.
    fn selections(&mut self, at: &At, on: &str, selections: &[Selection]) {
        for selection in selections {
            match &selection.what {
                What::Field { name, .. } if **name == *"__typename" => {}
                What::Field {
                    alias,
                    name,
                    arguments,
                } => {
                    let key = format!("{alias:?}{name}{arguments:?}");
                    let (child, target) = self.field(at, on, (name, &key));
                    self.objects(&child, &target, &selection.inner);
                }
                What::Inline(condition) => {
                    let condition = condition.clone();
                    self.narrowed(at, on, condition.as_ref(), &selection.inner);
                }
                What::Spread(name) => {
                    let operation = self.operation;
                    if let Some(fragment) = operation.fragments.get(name) {
                        self.narrowed(at, on, Some(&fragment.on), &fragment.selections);
                    }
                }
            }
        }
    }

    fn narrowed(&mut self, at: &At, on: &str, to: Option<&Name>, inner: &[Selection]) {
        let applies = |to: &Name| self.model.members(to).iter().any(|it| **it == *on);
        if to.is_none_or(applies) {
            self.selections(at, on, inner);
        }
    }

    /// Adds the selections of the objects of a field, for each type that they may have.
    fn objects(&mut self, at: &At, target: &str, inner: &[Selection]) {
        if inner.is_empty() {
            return;
        }
        let members = self.model.members(target);
        let home = self.model.home(target, &at.from);
        if home.is_some_and(|home| home.is_interface_object) {
            self.requests.insert(format!("{} type", at.path));
        }
        for member in members {
            let mut at = at.clone();
            at.path = format!("{} {member}", at.path);
            self.selections(&at, &member, inner);
        }
    }

    /// Adds a field of objects of type `on`; returns the position of its own objects, and their
    /// type.
    fn field(&mut self, at: &At, on: &str, (name, key): (&Name, &str)) -> (At, Name) {
        let Some(field) = self.model.types[on].fields.get(name) else {
            self.is_lost = true; // The field is missing in a graph that was shrunk too far.
            return (at.clone(), on.into());
        };
        self.is_lost |= field.context.is_some();
        let path = format!("{}/{key}", at.path);
        let target = Arc::clone(&field.ty.named);
        let subgraphs_of = self.model.subgraphs_of(on, name);
        let home_field = |subgraph: &&Name| self.model.home_field(on, subgraph, name);
        let mut known = subgraphs_of.iter().filter_map(home_field);
        self.is_lost |= known.any(|home_field| home_field.narrower.is_some());
        self.is_lost |= self.differs(&target, &subgraphs_of);
        let resolves_it = self.model.resolves(on, &at.from, name);
        if resolves_it && field.requires.is_empty() {
            let from = Arc::clone(&at.from);
            return (At { path, from }, target);
        }
        let Some(from) = subgraphs_of.first().map(|from| Arc::clone(from)) else {
            return (at.clone(), target);
        };
        if self.model.types[on].kind == Kind::Root {
            let each = if *on == *"Mutation" { key } else { "" };
            self.requests.insert(format!("{on} {from} {each}"));
            return (At { path, from }, target);
        }
        self.enter(at, on, &from);
        if !field.requires.is_empty() {
            self.requests
                .insert(format!("{} {from} requires {name}", at.path));
            self.picks(at, on, &field.requires);
        }
        (At { path, from }, target)
    }

    /// Whether the subgraphs of a field know different objects, so that it matters which one
    /// resolves it.
    fn differs(&self, target: &str, subgraphs_of: &[&Name]) -> bool {
        let members = |subgraph: &&Name| Some(&self.model.home(target, subgraph)?.members);
        let mut each = subgraphs_of.iter().map(members);
        let first = each.next();
        each.any(|members| Some(members) != first)
    }

    /// Enters another subgraph for objects of type `on`, through one with all keys if the two have
    /// no key in common.
    fn enter(&mut self, at: &At, on: &str, to: &Name) {
        self.requests.insert(format!("{} {to}", at.path));
        let ty = &self.model.types[on];
        // A value without a key is requested with its entity.
        self.is_lost |= ty.keys.is_empty();
        let known = self.keys(on, &at.from, |_| true);
        let wanted = self.keys(on, to, |key| key.resolvable);
        if !known.iter().any(|key| wanted.contains(key)) {
            let hub = ty.homes.iter().find(|(_, home)| {
                home.keys.iter().filter(|key| key.resolvable).count() == ty.keys.len()
            });
            match hub {
                Some((hub, _)) => self.requests.insert(format!("{} {hub}", at.path)),
                None => std::mem::replace(&mut self.is_lost, true),
            };
        }
    }

    /// The keys of a type that a subgraph knows; the first one for an interface object.
    fn keys(&self, on: &str, subgraph: &str, which: fn(&&HomeKey) -> bool) -> Vec<usize> {
        match self.model.home(on, subgraph) {
            Some(home) => {
                let keys = home.keys.iter().filter(which);
                keys.map(|key| key.index).collect()
            }
            None => vec![0],
        }
    }

    /// Adds the requirements of a field, like selections of a client.
    fn picks(&mut self, at: &At, on: &str, picks: &[Pick]) {
        for pick in picks {
            if pick.on.as_ref().is_some_and(|to| **to != *on) {
                continue;
            }
            let key = format!("required {}", pick.field);
            let (child, target) = self.field(at, on, (&pick.field, &key));
            if pick.inner.is_empty() {
                continue;
            }
            for member in self.model.members(&target) {
                let mut child = child.clone();
                child.path = format!("{} {member}", child.path);
                self.picks(&child, &member, &pick.inner);
            }
        }
    }
}
