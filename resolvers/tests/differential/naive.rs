//! How many requests a gateway would make that plans field by field: each field from the first
//! subgraph that gives it, entered once at each place. No good plan needs more.

use std::collections::HashSet;
use std::sync::Arc;

use crate::ask::{Ask, Selection, What};
use crate::model::{HomeKey, Kind, Model, Name, Pick};

/// The number of requests of such a plan; `None` where it would have to be looked for.
pub(crate) fn requests(model: &Model, ask: &Ask) -> Option<usize> {
    let mut naive = Naive {
        model,
        ask,
        made: HashSet::new(),
        is_lost: false,
    };
    let root = At {
        path: String::new(),
        from: "".into(),
    };
    naive.selections(&root, &ask.root, &ask.selections);
    (!naive.is_lost).then_some(naive.made.len())
}

struct Naive<'a> {
    model: &'a Model,
    ask: &'a Ask,
    /// Requests, each told by where it enters, and whose subgraph's it is.
    made: HashSet<String>,
    /// Whether no subgraph has all keys of a type.
    is_lost: bool,
}

/// Where objects stand, and who gave them.
#[derive(Clone)]
struct At {
    path: String,
    from: Name,
}

impl Naive<'_> {
    /// What is asked of objects of type `on`.
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
                    let ask = self.ask;
                    if let Some(fragment) = ask.fragments.get(name) {
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

    /// What is asked of the objects of a field, for each type that they may have.
    fn objects(&mut self, at: &At, target: &str, inner: &[Selection]) {
        if inner.is_empty() {
            return;
        }
        let members = self.model.members(target);
        let home = self.model.home(target, &at.from);
        if home.is_some_and(|home| home.is_interface_object) {
            self.made.insert(format!("{} type", at.path));
        }
        for member in members {
            let mut at = at.clone();
            at.path = format!("{} {member}", at.path);
            self.selections(&at, &member, inner);
        }
    }

    /// A field of objects of type `on`: where its own objects then stand, and their type.
    fn field(&mut self, at: &At, on: &str, (name, key): (&Name, &str)) -> (At, Name) {
        let Some(field) = self.model.types[on].fields.get(name) else {
            self.is_lost = true; // Of a graph that was cut down too far.
            return (at.clone(), on.into());
        };
        let path = format!("{}/{key}", at.path);
        let target = Arc::clone(&field.ty.named);
        let givers = self.model.givers(on, name);
        let given = |giver: &&Name| self.model.given(on, giver, name);
        let mut known = givers.iter().filter_map(given);
        self.is_lost |= known.any(|given| given.narrower.is_some());
        self.is_lost |= self.differs(&target, &givers);
        let gives_it = self.model.gives(on, &at.from, name);
        if gives_it && field.requires.is_empty() {
            let from = Arc::clone(&at.from);
            return (At { path, from }, target);
        }
        let Some(from) = givers.first().map(|from| Arc::clone(from)) else {
            return (at.clone(), target);
        };
        if self.model.types[on].kind == Kind::Root {
            let each = if *on == *"Mutation" { key } else { "" };
            self.made.insert(format!("{on} {from} {each}"));
            return (At { path, from }, target);
        }
        self.enter(at, on, &from);
        if !field.requires.is_empty() {
            self.made.insert(format!("{} {from} told {name}", at.path));
            self.picks(at, on, &field.requires);
        }
        (At { path, from }, target)
    }

    /// Whether subgraphs that give a field know other objects there, so that it matters who does.
    fn differs(&self, target: &str, givers: &[&Name]) -> bool {
        let members = |giver: &&Name| Some(&self.model.home(target, giver)?.members);
        let mut each = givers.iter().map(members);
        let first = each.next();
        each.any(|members| Some(members) != first)
    }

    /// Goes to another subgraph for objects of type `on`, by way of one that has all of the keys
    /// where the two have none in common.
    fn enter(&mut self, at: &At, on: &str, to: &Name) {
        self.made.insert(format!("{} {to}", at.path));
        let ty = &self.model.types[on];
        // A value is asked for where its entity is.
        self.is_lost |= ty.keys.is_empty();
        let known = self.keys(on, &at.from, |_| true);
        let wanted = self.keys(on, to, |key| key.resolvable);
        if !known.iter().any(|key| wanted.contains(key)) {
            let hub = ty.homes.iter().find(|(_, home)| {
                home.keys.iter().filter(|key| key.resolvable).count() == ty.keys.len()
            });
            match hub {
                Some((hub, _)) => self.made.insert(format!("{} {hub}", at.path)),
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

    /// What a field requires is asked for as if a client did.
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
