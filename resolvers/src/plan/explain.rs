//! A plan as text, for people and for tests: the same text for both.

use std::fmt::Write;

use schema::graph::Graph;
use schema::source::{Access, Serves};
use schema::types::TypeId;

use super::{Fetch, KeySlot, Plan};
use crate::selection::{PositionId, Selection, Slot};

/// One paragraph a fetch, in the order of the plan.
pub(crate) fn explain(graph: &Graph, selection: &Selection, plan: &Plan) -> String {
    let explain = Explain { graph, selection };
    let mut text = String::new();
    for (index, fetch) in plan.fetches.iter().enumerate() {
        explain.fetch(index, fetch, plan, &mut text);
    }
    if text.is_empty() {
        text.push_str("no source is asked\n");
    }
    text
}

struct Explain<'a> {
    graph: &'a Graph,
    selection: &'a Selection,
}

impl Explain<'_> {
    fn fetch(&self, index: usize, fetch: &Fetch, plan: &Plan, text: &mut String) {
        let source = self.graph.source(fetch.source);
        let _ = write!(text, "{}. {}", index + 1, source.name);
        match &source.access {
            Access::Connector(connector) => {
                let (method, url) = (connector.method.as_str(), connector.own.url.text());
                let _ = write!(text, "  {method} {url}");
            }
        }
        text.push('\n');
        if !fetch.key.is_empty() {
            let _ = writeln!(text, "   {}", self.entered(fetch));
        }
        let _ = writeln!(text, "   gives {}", self.takes(fetch, fetch.at));
        if !fetch.after.is_empty() {
            let after: Vec<_> = fetch.after.iter().map(|it| (it + 1).to_string()).collect();
            let _ = writeln!(text, "   after {}", after.join(", "));
        } else if plan.stages > 1 && fetch.stage > 0 {
            let _ = writeln!(text, "   after everything of root field {}", fetch.stage);
        }
        if !fetch.when.is_always() {
            let _ = writeln!(text, "   if {}", fetch.when);
        }
    }

    /// `one batch over orders.nodes.customer by id`.
    fn entered(&self, fetch: &Fetch) -> String {
        let entry = &self.graph.source(fetch.source).entries[fetch.entry];
        let how = match entry.serves {
            Serves::Batch(None) => "one batch over".to_owned(),
            Serves::Batch(Some(max)) => format!("batches of up to {max} over"),
            Serves::Object | Serves::Field => "one call for each of".to_owned(),
        };
        let mut path = self.path(fetch.at);
        if self
            .selection
            .position(fetch.at)
            .is_abstract(self.graph.types())
        {
            let _ = write!(path, " ({})", self.type_name(fetch.on));
        }
        format!("{how} {path} by {}", key(&fetch.key))
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
        let mut sorted = slots.clone();
        sorted.sort_unstable();
        let names: Vec<String> = sorted
            .into_iter()
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
