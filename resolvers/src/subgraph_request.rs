//! The GraphQL requests to subgraphs: one document for each request of a plan.
//!
//! Pure, and compiled once for an operation: the text depends on the plan alone, never on values,
//! so that subgraphs can cache it. `walk` decides which fields are written and, in the same pass,
//! how they are read from the response; `selection_set` is the text; `representation` writes the
//! representations of entities.

use schema::graph::Graph;
use schema::operation::Operation;
use schema::types::{Name, TypeId};

use self::builder::DocumentBuilder;
pub(crate) use self::canonical_selection::{CanonicalSelection, SelectionInput};
use self::representation::Representation;
use crate::plan::{ContextSource, FetchId, Plan, PlanRequestId};
use crate::response::shape::ObjectShape;
use crate::selection::{Condition, Selection};

mod assemble;
mod builder;
mod canonical_selection;
mod non_null;
pub(crate) mod representation;
mod selection_set;
mod slot_fields;
mod walk;

/// One request to a subgraph, without the values of its variables.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) text: Name,
    /// Derived from the name of the client's operation, if that has one.
    pub(crate) name: Option<Name>,
    /// The JSON of the request up to its first variable.
    pub(crate) head: Box<[u8]>,
    /// Variables of the client: name, and `"name":`.
    pub(crate) variables: Vec<(Name, Box<[u8]>)>,
    /// Conditions that are sent as variables: `"name":`, and when it is true.
    pub(crate) conditions: Vec<(Box<[u8]>, Condition)>,
    /// In the order of the request's fetches.
    pub(crate) parts: Vec<Part>,
    /// The document with its only part repeated 2, 4, … times, for entities below different
    /// contexts.
    pub(crate) repeats: Vec<Self>,
    /// Whether the operation is a query, which may be sent again.
    pub(crate) is_query: bool,
}

/// The part of a request that serves one fetch.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) fetch: FetchId,
    /// `None` for root fields.
    pub(crate) entities_field: Option<EntitiesField>,
    /// Variables that take values of ancestors; all entities of the part share them.
    pub(crate) contexts: Vec<ContextVariable>,
    /// How entities are represented, by type; exactly one for root fields.
    pub(crate) representation_specs: Vec<RepresentationSpec>,
    /// How a response is read, by kind of entity.
    pub(crate) shapes: Vec<ObjectShape>,
    /// The canonical selection, by kind of entity.
    pub(crate) selections: Vec<CanonicalSelection>,
}

/// The `_entities` field of a fetch.
#[derive(Debug)]
pub(crate) struct EntitiesField {
    /// Response key in `data`.
    pub(crate) key: Box<str>,
    /// `"name":` of the variable for the representations.
    pub(crate) prefix: Box<[u8]>,
}

/// A variable that takes its value from an ancestor of the entities (`@fromContext`).
#[derive(Debug)]
pub(crate) struct ContextVariable {
    /// `"name":`.
    pub(crate) prefix: Box<[u8]>,
    /// Whether its type has no null.
    pub(crate) is_non_null: bool,
    /// Possible sources of the value, nearest ancestor first.
    pub(crate) sources: Vec<ContextSource>,
}

/// How entities of one type are represented.
#[derive(Debug)]
pub(crate) struct RepresentationSpec {
    pub(crate) on: TypeId,
    /// Possible object types, if `on` is abstract.
    pub(crate) possible: Option<Box<[TypeId]>>,
    pub(crate) representation: Representation,
    /// Entities are fetched if this holds.
    pub(crate) condition: Condition,
    /// Index in `Part::shapes` and `Part::selections`.
    pub(crate) kind: usize,
}

/// A request has too many fields for a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the operation needs a request of more than {MAX_FIELDS} fields to a subgraph, because types that it does not have are expanded"
)]
pub(crate) struct TooLarge;

/// Maximum number of fields of one document. An abstract type that a subgraph does not have is
/// expanded to its object types at every level, so the text may be far longer than the client's.
const MAX_FIELDS: usize = 20_000;

/// An operation with its plan: the input for its documents.
#[derive(Clone, Copy)]
pub(crate) struct PlannedOperation<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) operation: &'a Operation,
    pub(crate) selection: &'a Selection,
    pub(crate) plan: &'a Plan,
}

/// The document of one request of a plan, all of whose fetches are of one subgraph.
pub(crate) fn document(
    planned: PlannedOperation<'_>,
    request: PlanRequestId,
) -> Result<Document, TooLarge> {
    let plan = planned.plan;
    let fetches = plan.requests.get(request).map_or(&[][..], Vec::as_slice);
    let mut document = single_document(planned, request, fetches)?;
    if let [only] = fetches {
        let fetch = &plan.fetches[*only];
        let is_repeatable =
            planned.selection.position(fetch.at).in_list && !fetch.context_fields.is_empty();
        for copies in REPEAT_COUNTS.into_iter().filter(|_| is_repeatable) {
            match single_document(planned, request, &vec![*only; copies]) {
                Ok(repeat) => document.repeats.push(repeat),
                Err(TooLarge) => break, // Several smaller requests serve the entities.
            }
        }
    }
    Ok(document)
}

/// Numbers of copies of a repeated part; few, because subgraphs cache each document.
const REPEAT_COUNTS: [usize; 5] = [2, 4, 8, 16, 32];

fn single_document(
    planned: PlannedOperation<'_>,
    request: PlanRequestId,
    fetches: &[FetchId],
) -> Result<Document, TooLarge> {
    let Some(first) = fetches.first().map(|id| &planned.plan.fetches[*id]) else {
        return Ok(Document::empty());
    };
    let mut builder = DocumentBuilder::new(planned, planned.graph.source(first.source));
    let (entities, roots): (Vec<FetchId>, Vec<FetchId>) = fetches
        .iter()
        .partition(|fetch| builder.is_entity_fetch(**fetch));
    builder.add_root_fields(&roots, entities.is_empty())?;
    for (number, fetch) in entities.iter().enumerate() {
        let alias = (entities.len() > 1).then_some(number);
        builder.add_entities(*fetch, alias)?;
    }
    Ok(builder.finish(request))
}

impl Document {
    fn empty() -> Self {
        Self {
            text: "".into(),
            name: None,
            head: Box::default(),
            variables: Vec::new(),
            conditions: Vec::new(),
            parts: Vec::new(),
            repeats: Vec::new(),
            is_query: true,
        }
    }

    /// The document, or the repeat of it, that has this number of parts.
    pub(crate) fn with_part_count(&self, parts: usize) -> &Self {
        let mut repeats = self.repeats.iter();
        let repeat = repeats.find(|repeat| repeat.parts.len() == parts);
        repeat.unwrap_or(self)
    }

    /// Maximum number of parts of the document and its repeats.
    pub(crate) fn max_parts(&self) -> usize {
        self.repeats.last().unwrap_or(self).parts.len()
    }
}
