//! Plans as text, one format for users and tests.

use std::fmt::Write;

use schema::graph::Graph;
use schema::source::{Access, EntryCardinality};
use schema::types::TypeId;

use super::{Fetch, Plan, PlanRequestId, RequiredSlot};
use crate::redacted::redacted_template;
use crate::selection::{KeySlot, PositionId, Selection, Slot};

pub(crate) mod json;

/// The plan as text: a paragraph for each request, in plan order.
pub(crate) fn plan_text(graph: &Graph, selection: &Selection, plan: &Plan) -> String {
    let printer = PlanPrinter {
        graph,
        selection,
        plan,
    };
    let mut text = String::new();
    for request in plan.main_requests() {
        printer.write_request(request, &mut text);
    }
    if text.is_empty() {
        text.push_str("no source is asked\n");
    }
    if !plan.is_complete {
        text.push_str("not every plan was looked at: the budget of planning was spent\n");
    }
    text
}

/// A plan with its graph and selection, which hold the names to print.
struct PlanPrinter<'a> {
    graph: &'a Graph,
    selection: &'a Selection,
    plan: &'a Plan,
}

impl PlanPrinter<'_> {
    fn write_request(&self, request: PlanRequestId, text: &mut String) {
        let fetches: Vec<&Fetch> = self.request_fetches(request).collect();
        let Some(first) = fetches.first() else {
            return;
        };
        let source = self.graph.source(first.source);
        let _ = writeln!(
            text,
            "{}. {}  {}",
            request.number(),
            source.name,
            self.access_text(first)
        );
        for fetch in &fetches {
            self.write_fetch(fetch, text);
        }
        let depends_on = self.request_dependencies(request);
        if !depends_on.is_empty() {
            let numbers: Vec<_> = depends_on
                .iter()
                .map(|it| it.number().to_string())
                .collect();
            let _ = writeln!(text, "   after {}", numbers.join(", "));
        } else if self.plan.stages > 1 && first.stage > 0 {
            let _ = writeln!(text, "   after everything of root field {}", first.stage);
        }
    }

    fn request_fetches(&self, request: PlanRequestId) -> impl Iterator<Item = &Fetch> {
        let fetches = self.plan.requests[request].iter();
        fetches.map(|fetch| &self.plan.fetches[*fetch])
    }

    fn access_text(&self, fetch: &Fetch) -> String {
        match &self.graph.source(fetch.source).access {
            Access::Connector(connector) => {
                format!(
                    "{} {}",
                    connector.method.as_str(),
                    redacted_template(connector.connect_url.url.text())
                )
            }
            Access::Graphql(_) if !fetch.first_entry().key.is_empty() => "_entities".to_owned(),
            Access::Graphql(_) if Some(fetch.first_entry().on) == self.graph.types().mutation() => {
                "mutation".to_owned()
            }
            Access::Graphql(_) => "query".to_owned(),
        }
    }

    /// The requests whose responses this request waits for.
    fn request_dependencies(&self, request: PlanRequestId) -> Vec<PlanRequestId> {
        let is_dependency = |other: &PlanRequestId| {
            let mut members = self.request_fetches(request);
            let others = &self.plan.requests[*other];
            members.any(|fetch| fetch.depends_on.iter().any(|it| others.contains(it)))
        };
        self.plan.main_requests().filter(is_dependency).collect()
    }

    fn write_fetch(&self, fetch: &Fetch, text: &mut String) {
        if !fetch.first_entry().key.is_empty() {
            let _ = writeln!(text, "   {}", self.entities_text(fetch));
        }
        for entry_selection in fetch
            .selected_entries
            .iter()
            .filter(|it| !it.requires.is_empty())
        {
            let required = requirements_text(&entry_selection.requires);
            let on = self.type_name(entry_selection.on);
            let _ = writeln!(text, "   told {required} of each {on}");
        }
        for context in self.context_texts(fetch) {
            let _ = writeln!(text, "   {context}");
        }
        let _ = writeln!(text, "   gives {}", self.slots_text(fetch, fetch.at));
        if !fetch.condition.is_always() {
            let _ = writeln!(text, "   if {}", fetch.condition);
        }
    }

    /// `balance(currency:) from currency of each User at users`.
    fn context_texts(&self, fetch: &Fetch) -> Vec<String> {
        let mut texts = Vec::new();
        for field in &fetch.context_fields {
            let name = &self.selection.position(field.at).slots[field.slot].field;
            for argument in &*field.arguments {
                let sources = argument.sources.iter().map(|source| {
                    let value = key_text(std::slice::from_ref(&source.value));
                    let on = self.type_name(source.on);
                    match self.path_text(source.at).as_str() {
                        "" => format!("{value} of {on}"),
                        path => format!("{value} of each {on} at {path}"),
                    }
                });
                let sources: Vec<_> = sources.collect();
                let (argument, sources) = (&argument.argument, sources.join(", or "));
                texts.push(format!("{name}({argument}:) from {sources}"));
            }
        }
        texts
    }

    /// `one batch over orders.nodes.customer by id`.
    fn entities_text(&self, fetch: &Fetch) -> String {
        let entry = &self.graph.source(fetch.source).entry_points[fetch.first_entry().entry];
        let how = match entry.cardinality {
            EntryCardinality::Batch(None) => "one batch over".to_owned(),
            EntryCardinality::Batch(Some(max)) => format!("batches of up to {max} over"),
            EntryCardinality::Object | EntryCardinality::Field => "one call for each of".to_owned(),
        };
        let path = self.path_text(fetch.at);
        let position = self.selection.position(fetch.at);
        if !position.is_abstract(self.graph.types()) {
            return format!("{how} {path} by {}", key_text(&fetch.first_entry().key));
        }
        let mut types: Vec<(String, Vec<&str>)> = Vec::new();
        for entry_selection in &fetch.selected_entries {
            let key = key_text(&entry_selection.key);
            let on = self.type_name(entry_selection.on);
            match types.iter_mut().find(|(known, _)| *known == key) {
                Some((_, names)) => names.push(on),
                None => types.push((key, vec![on])),
            }
        }
        let types: Vec<_> = types
            .iter()
            .map(|(key, names)| format!("({}) by {key}", names.join(", ")))
            .collect();
        format!("{how} {path} {}", types.join(" "))
    }

    /// `orders.nodes.customer`.
    fn path_text(&self, at: PositionId) -> String {
        let mut names = Vec::new();
        let mut at = at;
        while let Some((parent, slot)) = self.selection.position(at).parent {
            names.push(field_text(&self.selection.position(parent).slots[slot]));
            at = parent;
        }
        names.reverse();
        names.join(".")
    }

    /// `nodes { id customer { id } }`.
    fn slots_text(&self, fetch: &Fetch, at: PositionId) -> String {
        let position = self.selection.position(at);
        let Some(slots) = fetch.slots.get(&at) else {
            return "whether it is there".to_owned();
        };
        let names: Vec<String> = slots
            .keys()
            .copied()
            .map(|index| {
                let slot = &position.slots[index];
                let name = field_text(slot);
                match slot.child {
                    Some(child) if fetch.slots.contains_key(&child) => {
                        format!("{name} {{ {} }}", self.slots_text(fetch, child))
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
fn field_text(slot: &Slot) -> String {
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

/// The required fields, as those of a key.
fn requirements_text(requires: &[RequiredSlot]) -> String {
    let values: Vec<KeySlot> = requires.iter().map(|it| it.value.clone()).collect();
    key_text(&values)
}

/// `id owner { id }`.
fn key_text(slots: &[KeySlot]) -> String {
    let parts: Vec<String> = slots
        .iter()
        .map(|part| {
            if part.inner.is_empty() {
                part.name.to_string()
            } else {
                format!("{} {{ {} }}", part.name, key_text(&part.inner))
            }
        })
        .collect();
    parts.join(" ")
}
