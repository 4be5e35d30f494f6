//! A plan as text, for people and for tests: the same text for both.

use std::fmt::Write;

use schema::graph::Graph;
use schema::source::{Access, Serves};
use schema::types::TypeId;

use super::{Fetch, Plan};
use crate::selection::{KeySlot, PositionId, Selection, Slot};

pub(crate) mod outline;

/// One paragraph a request, in the order of the plan.
pub(crate) fn explain(graph: &Graph, selection: &Selection, plan: &Plan) -> String {
    let explain = Explain {
        graph,
        selection,
        plan,
    };
    let mut text = String::new();
    for index in 0..plan.requests.len() {
        explain.request(index, &mut text);
    }
    if text.is_empty() {
        text.push_str("no source is asked\n");
    }
    if !plan.is_complete {
        text.push_str("not every plan was looked at: the budget of planning was spent\n");
    }
    text
}

struct Explain<'a> {
    graph: &'a Graph,
    selection: &'a Selection,
    plan: &'a Plan,
}

impl Explain<'_> {
    fn request(&self, index: usize, text: &mut String) {
        let members: Vec<&Fetch> = self.members(index).collect();
        let Some(first) = members.first() else {
            return;
        };
        let source = self.graph.source(first.source);
        let _ = writeln!(text, "{}. {}  {}", index + 1, source.name, self.how(first));
        for fetch in &members {
            self.fetch(fetch, text);
        }
        let after = self.after(index);
        if !after.is_empty() {
            let after: Vec<_> = after.iter().map(|it| (it + 1).to_string()).collect();
            let _ = writeln!(text, "   after {}", after.join(", "));
        } else if self.plan.stages > 1 && first.stage > 0 {
            let _ = writeln!(text, "   after everything of root field {}", first.stage);
        }
    }

    fn members(&self, request: usize) -> impl Iterator<Item = &Fetch> {
        let members = self.plan.requests[request].iter();
        members.map(|fetch| &self.plan.fetches[*fetch])
    }

    fn how(&self, fetch: &Fetch) -> String {
        match &self.graph.source(fetch.source).access {
            Access::Connector(connector) => {
                format!("{} {}", connector.method.as_str(), connector.own.url.text())
            }
            Access::Graphql(_) if !fetch.first().key.is_empty() => "_entities".to_owned(),
            Access::Graphql(_) if Some(fetch.first().on) == self.graph.types().mutation() => {
                "mutation".to_owned()
            }
            Access::Graphql(_) => "query".to_owned(),
        }
    }

    /// The requests that must be answered before this one is made.
    fn after(&self, request: usize) -> Vec<usize> {
        let needed = |other: &usize| {
            let mut members = self.members(request);
            let others = &self.plan.requests[*other];
            members.any(|fetch| fetch.after.iter().any(|it| others.contains(it)))
        };
        (0..self.plan.requests.len()).filter(needed).collect()
    }

    fn fetch(&self, fetch: &Fetch, text: &mut String) {
        if !fetch.first().key.is_empty() {
            let _ = writeln!(text, "   {}", self.entered(fetch));
        }
        for entered in fetch.entered.iter().filter(|it| !it.requires.is_empty()) {
            let told = key(&entered.requires);
            let of = self.type_name(entered.on);
            let _ = writeln!(text, "   told {told} of each {of}");
        }
        for taken in self.contexts(fetch) {
            let _ = writeln!(text, "   {taken}");
        }
        let _ = writeln!(text, "   gives {}", self.takes(fetch, fetch.at));
        if !fetch.when.is_always() {
            let _ = writeln!(text, "   if {}", fetch.when);
        }
    }

    /// `balance(currency:) from currency of each User at users`.
    fn contexts(&self, fetch: &Fetch) -> Vec<String> {
        let mut told = Vec::new();
        for field in &fetch.contexts {
            let name = &self.selection.position(field.at).slots[field.slot].field;
            for from in &*field.arguments {
                let places = from.places.iter().map(|above| {
                    let value = key(std::slice::from_ref(&above.value));
                    let on = self.type_name(above.on);
                    match self.path(above.at).as_str() {
                        "" => format!("{value} of {on}"),
                        path => format!("{value} of each {on} at {path}"),
                    }
                });
                let places: Vec<_> = places.collect();
                let (argument, places) = (&from.argument, places.join(", or "));
                told.push(format!("{name}({argument}:) from {places}"));
            }
        }
        told
    }

    /// `one batch over orders.nodes.customer by id`.
    fn entered(&self, fetch: &Fetch) -> String {
        let entry = &self.graph.source(fetch.source).entries[fetch.first().entry];
        let how = match entry.serves {
            Serves::Batch(None) => "one batch over".to_owned(),
            Serves::Batch(Some(max)) => format!("batches of up to {max} over"),
            Serves::Object | Serves::Field => "one call for each of".to_owned(),
        };
        let path = self.path(fetch.at);
        let position = self.selection.position(fetch.at);
        if !position.is_abstract(self.graph.types()) {
            return format!("{how} {path} by {}", key(&fetch.first().key));
        }
        let mut types: Vec<(String, Vec<&str>)> = Vec::new();
        for entered in &fetch.entered {
            let key = key(&entered.key);
            match types.iter_mut().find(|(known, _)| *known == key) {
                Some((_, names)) => names.push(self.type_name(entered.on)),
                None => types.push((key, vec![self.type_name(entered.on)])),
            }
        }
        let types: Vec<_> = types
            .iter()
            .map(|(key, names)| format!("({}) by {key}", names.join(", ")))
            .collect();
        format!("{how} {path} {}", types.join(" "))
    }

    fn path(&self, at: PositionId) -> String {
        let mut names = Vec::new();
        let mut at = at;
        while let Some((parent, slot)) = self.selection.position(at).parent {
            names.push(called(&self.selection.position(parent).slots[slot]));
            at = parent;
        }
        names.reverse();
        names.join(".")
    }

    /// `nodes { id customer { id } }`.
    fn takes(&self, fetch: &Fetch, at: PositionId) -> String {
        let position = self.selection.position(at);
        let Some(slots) = fetch.takes.get(&at) else {
            return "whether it is there".to_owned();
        };
        let names: Vec<String> = slots
            .keys()
            .copied()
            .map(|index| {
                let slot = &position.slots[index];
                let name = called(slot);
                match slot.child {
                    Some(child) if fetch.takes.contains_key(&child) => {
                        format!("{name} {{ {} }}", self.takes(fetch, child))
                    }
                    _ => name,
                }
            })
            .collect();
        names.join(" ")
    }

    fn type_name(&self, id: TypeId) -> &str {
        &self.graph.types().get(id).name
    }
}

/// `orders(first: 50)`.
fn called(slot: &Slot) -> String {
    if slot.arguments.is_empty() {
        return slot.field.to_string();
    }
    let arguments: Vec<_> = slot
        .arguments
        .iter()
        .map(|(name, argument)| format!("{name}: {}", argument.value))
        .collect();
    format!("{}({})", slot.field, arguments.join(", "))
}

fn key(slots: &[KeySlot]) -> String {
    let parts: Vec<String> = slots
        .iter()
        .map(|part| {
            if part.inner.is_empty() {
                part.name.to_string()
            } else {
                format!("{} {{ {} }}", part.name, key(&part.inner))
            }
        })
        .collect();
    parts.join(" ")
}
