//! Plans as JSON, for tools: the content of the text format, and the documents that are sent.

use schema::graph::Graph;
use serde_json::{Value, json};

use super::super::{ByRequest, EntrySelection, Fetch, Plan, PlanRequestId};
use super::{PlanPrinter, key_text, requirements_text};
use crate::selection::Selection;

/// The plan as JSON, with an element for each request in plan order; `documents` has the GraphQL
/// documents of requests to subgraphs.
pub(crate) fn plan_json(
    graph: &Graph,
    selection: &Selection,
    plan: &Plan,
    documents: &ByRequest<Option<&str>>,
) -> Value {
    let printer = PlanPrinter {
        graph,
        selection,
        plan,
    };
    let requests = plan.main_requests().map(|request| {
        let document = documents.get(request).copied().flatten();
        printer.request_json(request, document)
    });
    json!({
        "requests": requests.collect::<Vec<_>>(),
        "complete": plan.is_complete,
    })
}

impl PlanPrinter<'_> {
    fn request_json(&self, request: PlanRequestId, document: Option<&str>) -> Value {
        let fetches: Vec<&Fetch> = self.request_fetches(request).collect();
        let Some(first) = fetches.first() else {
            return Value::Null;
        };
        let source = self.graph.source(first.source);
        let fetches = fetches.iter().map(|fetch| self.fetch_json(fetch));
        let depends_on = self.request_dependencies(request).into_iter();
        let depends_on: Vec<usize> = depends_on.map(PlanRequestId::index).collect();
        let mut request = json!({
            "source": &*source.name,
            "service": &*source.subgraph,
            "how": self.access_text(first),
            "after": depends_on,
            "stage": first.stage,
            "fetches": fetches.collect::<Vec<_>>(),
        });
        if let Some(document) = document {
            request["document"] = document.into();
        }
        request
    }

    fn fetch_json(&self, fetch: &Fetch) -> Value {
        let entries = fetch.selected_entries.iter();
        let entries = entries.filter(|entry_selection| !entry_selection.key.is_empty());
        let mut outline = json!({
            "path": self.path_text(fetch.at),
            "entities": entries.map(|it| self.entry_selection_json(it)).collect::<Vec<_>>(),
            "gives": self.slots_text(fetch, fetch.at),
        });
        let contexts = self.context_texts(fetch);
        if !contexts.is_empty() {
            outline["contexts"] = contexts.into();
        }
        if !fetch.condition.is_always() {
            outline["if"] = fetch.condition.to_string().into();
        }
        outline
    }

    fn entry_selection_json(&self, entry_selection: &EntrySelection) -> Value {
        let mut outline = json!({
            "type": self.type_name(entry_selection.on),
            "key": key_text(&entry_selection.key),
        });
        if !entry_selection.requires.is_empty() {
            outline["requires"] = requirements_text(&entry_selection.requires).into();
        }
        outline
    }
}
