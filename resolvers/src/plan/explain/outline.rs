//! A plan as JSON, for tools: the same facts as the text, and the documents that are sent.

use schema::graph::Graph;
use serde_json::{Value, json};

use super::super::{Entered, Fetch, Plan};
use super::{Explain, key};
use crate::selection::Selection;

/// One member for each request, in the order of the plan; `documents` are those of the requests
/// that send one.
pub(crate) fn outline(
    graph: &Graph,
    selection: &Selection,
    plan: &Plan,
    documents: &[Option<&str>],
) -> Value {
    let explain = Explain {
        graph,
        selection,
        plan,
    };
    let requests = (0..plan.requests.len()).map(|index| {
        let document = documents.get(index).copied().flatten();
        explain.outline(index, document)
    });
    json!({
        "requests": requests.collect::<Vec<_>>(),
        "complete": plan.is_complete,
    })
}

impl Explain<'_> {
    fn outline(&self, index: usize, document: Option<&str>) -> Value {
        let members: Vec<&Fetch> = self.members(index).collect();
        let Some(first) = members.first() else {
            return Value::Null;
        };
        let source = self.graph.source(first.source);
        let fetches = members.iter().map(|fetch| self.outline_fetch(fetch));
        let mut request = json!({
            "source": &*source.name,
            "service": &*source.service,
            "how": self.how(first),
            "after": self.after(index),
            "stage": first.stage,
            "fetches": fetches.collect::<Vec<_>>(),
        });
        if let Some(document) = document {
            request["document"] = document.into();
        }
        request
    }

    fn outline_fetch(&self, fetch: &Fetch) -> Value {
        let entered = fetch.entered.iter();
        let entered = entered.filter(|entered| !entered.key.is_empty());
        let mut outline = json!({
            "path": self.path(fetch.at),
            "entities": entered.map(|it| self.outline_entered(it)).collect::<Vec<_>>(),
            "gives": self.takes(fetch, fetch.at),
        });
        let contexts = self.contexts(fetch);
        if !contexts.is_empty() {
            outline["contexts"] = contexts.into();
        }
        if !fetch.when.is_always() {
            outline["if"] = fetch.when.to_string().into();
        }
        outline
    }

    fn outline_entered(&self, entered: &Entered) -> Value {
        let mut outline = json!({
            "type": self.type_name(entered.on),
            "key": key(&entered.key),
        });
        if !entered.requires.is_empty() {
            outline["requires"] = key(&entered.requires).into();
        }
        outline
    }
}
