//! What a service that speaks GraphQL is asked: one document for each request of a plan.
//!
//! Pure, and made once for an operation: the text depends on the plan alone, never on values, so
//! that services can keep what they made of it. `walk` decides what is written and, in the same
//! pass, what is read of the answer; `set` is the text; `represent` says what is told of entities.

use schema::graph::Graph;
use schema::operation::Operation;
use schema::source::{EntryPoint, Source};
use schema::types::{Name, TypeId};

pub(crate) use self::canonical_selection::{CanonicalSelection, SelectionInput};
use self::representation::Representation;
use self::selection_set::{Fragment, SelectionSet};
use self::walk::{ContextArgumentText, SubgraphScope, Surroundings, Walk};
use crate::plan::{ContextSource, EntrySelection, Fetch, FetchId, Plan, PlanRequestId};
use crate::response::shape::ObjectShape;
use crate::selection::{Condition, Selection};

mod assemble;
mod canonical_selection;
pub(crate) mod representation;
mod selection_set;
mod slot_fields;
mod walk;

/// One request to a service, but for its values.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) text: Name,
    /// Of the operation, where the client named its own.
    pub(crate) name: Option<Name>,
    /// The JSON of the request up to its first variable.
    pub(crate) head: Box<[u8]>,
    /// Variables of the client: name, and `"name":`.
    pub(crate) variables: Vec<(Name, Box<[u8]>)>,
    /// Conditions that variables decide: `"name":`, and when it is true.
    pub(crate) conditions: Vec<(Box<[u8]>, Condition)>,
    /// In the order of the request's fetches.
    pub(crate) parts: Vec<Part>,
    /// The same with two parts, with four, and so on: for objects below different contexts.
    pub(crate) repeats: Vec<Self>,
}

/// What a request asks for one fetch.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) fetch: FetchId,
    /// For root fields nothing.
    pub(crate) entities_field: Option<EntitiesField>,
    /// Variables that are filled from objects further up, the same for all its objects.
    pub(crate) contexts: Vec<ContextVariable>,
    /// How objects of each type are asked for; for root fields one.
    pub(crate) representation_specs: Vec<RepresentationSpec>,
    /// What is read of each kind of answer.
    pub(crate) shapes: Vec<ObjectShape>,
    /// What is asked of each kind, as it is known by.
    pub(crate) selections: Vec<CanonicalSelection>,
}

/// Where the entities of a fetch are in a request and in its answer.
#[derive(Debug)]
pub(crate) struct EntitiesField {
    /// The member of `data`.
    pub(crate) key: Box<str>,
    /// `"name":` of the variable that holds the representations.
    pub(crate) prefix: Box<[u8]>,
}

/// A variable that is filled from objects further up.
#[derive(Debug)]
pub(crate) struct ContextVariable {
    /// `"name":`.
    pub(crate) prefix: Box<[u8]>,
    /// Where the value may be, the nearest place first.
    pub(crate) sources: Vec<ContextSource>,
}

/// How objects of one type are asked for.
#[derive(Debug)]
pub(crate) struct RepresentationSpec {
    pub(crate) on: TypeId,
    /// The types that objects may have, where `on` is abstract.
    pub(crate) possible: Option<Box<[TypeId]>>,
    pub(crate) representation: Representation,
    /// Of the part's kinds.
    pub(crate) kind: usize,
}

/// Why a request has no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operation takes a request of more than {MAX_FIELDS} fields")]
pub(crate) struct TooLarge;

/// Fields of one document. An abstract type that a service does not have is written out for each
/// object type, at every level, so the text may be far longer than the client's.
const MAX_FIELDS: usize = 20_000;

/// The document of one of a plan's requests, all of whose fetches are of one service that speaks
/// GraphQL.
pub(crate) fn document(
    graph: &Graph,
    (operation, selection): (&Operation, &Selection),
    plan: &Plan,
    request: PlanRequestId,
) -> Result<Document, TooLarge> {
    let fetches = plan.requests.get(request).map_or(&[][..], Vec::as_slice);
    let operation_and_selection = (operation, selection);
    let mut document = single_document(graph, operation_and_selection, plan, (request, fetches))?;
    if let [only] = fetches {
        let fetch = &plan.fetches[*only];
        let is_repeatable =
            selection.position(fetch.at).in_list && !fetch.context_fields.is_empty();
        for copies in REPEAT_COUNTS.into_iter().filter(|_| is_repeatable) {
            let fetches = vec![*only; copies];
            match single_document(graph, operation_and_selection, plan, (request, &fetches)) {
                Ok(repeat) => document.repeats.push(repeat),
                Err(TooLarge) => break, // Several requests do it too.
            }
        }
    }
    Ok(document)
}

/// How often a part is repeated: few documents, because services keep what they made of each.
const REPEAT_COUNTS: [usize; 5] = [2, 4, 8, 16, 32];

fn single_document(
    graph: &Graph,
    (operation, selection): (&Operation, &Selection),
    plan: &Plan,
    (request, fetches): (PlanRequestId, &[FetchId]),
) -> Result<Document, TooLarge> {
    let Some(first) = fetches.first().map(|index| &plan.fetches[*index]) else {
        return Ok(Document::empty());
    };
    let source = graph.source(first.source);
    let mut writer = DocumentBuilder {
        walk: Walk::new(graph, selection, source, MAX_FIELDS),
        plan,
        source,
        selection_set: SelectionSet::default(),
        definitions: Vec::new(),
        parts: Vec::with_capacity(fetches.len()),
    };
    let (entities, roots): (Vec<FetchId>, Vec<FetchId>) = fetches
        .iter()
        .partition(|fetch| writer.is_entity_fetch(**fetch));
    writer.add_root_fields(&roots, entities.is_empty())?;
    for (number, fetch) in entities.iter().enumerate() {
        let alias = (entities.len() > 1).then_some(number);
        writer.add_entities(*fetch, alias, operation)?;
    }
    Ok(writer.finish(operation, request))
}

struct DocumentBuilder<'a> {
    walk: Walk<'a>,
    plan: &'a Plan,
    source: &'a Source,
    selection_set: SelectionSet,
    /// Of variables that hold representations.
    definitions: Vec<String>,
    parts: Vec<Part>,
}

impl<'a> DocumentBuilder<'a> {
    fn entry_point(&self, entered: &EntrySelection) -> &'a EntryPoint {
        &self.source.entry_points[entered.entry]
    }

    fn is_entity_fetch(&self, fetch: FetchId) -> bool {
        let first = self.plan.fetches[fetch].first_entry();
        !self.entry_point(first).key.is_empty()
    }

    fn add_root_fields(&mut self, fetches: &[FetchId], is_alone: bool) -> Result<(), TooLarge> {
        if fetches.is_empty() {
            return Ok(());
        }
        let fetches_of = |id: &FetchId| &self.plan.fetches[*id];
        let scopes: Vec<_> = fetches
            .iter()
            .map(fetches_of)
            .map(|fetch| self.scope(fetch, fetch.first_entry()))
            .collect();
        // A request for one fetch is made when that is needed, and not else.
        let always = Condition::always();
        let known_condition = match fetches {
            [only] if is_alone => &self.plan.fetches[*only].condition,
            _ => &always,
        };
        let surroundings = Surroundings {
            known_condition,
            sibling_fragments: &[],
            overlaps: false,
        };
        let (set, objects) = self.walk.selection_set(&scopes, surroundings)?;
        let canonical = CanonicalSelection::new(&set);
        self.selection_set = set;
        for (fetch, objects) in fetches.iter().zip(objects) {
            let entered = self.plan.fetches[*fetch].first_entry();
            self.parts.push(Part {
                fetch: *fetch,
                entities_field: None,
                contexts: Vec::new(),
                representation_specs: vec![RepresentationSpec {
                    on: entered.on,
                    possible: None,
                    representation: Representation::empty(),
                    kind: 0,
                }],
                shapes: vec![objects],
                selections: vec![canonical.clone()],
            });
        }
        Ok(())
    }

    fn scope(&self, fetch: &'a Fetch, entered: &EntrySelection) -> SubgraphScope<'a> {
        SubgraphScope {
            fetch_slots: &fetch.slots,
            at: fetch.at,
            node: self.entry_point(entered).node,
            only_types: Some(vec![entered.on]),
        }
    }

    fn add_entities(
        &mut self,
        id: FetchId,
        alias: Option<usize>,
        operation: &Operation,
    ) -> Result<(), TooLarge> {
        let fetch = &self.plan.fetches[id];
        let contexts = self.add_contexts((fetch, alias), operation);
        // Objects that the service calls by one name are one kind to it.
        let mut kinds: Vec<(&EntryPoint, SubgraphScope<'a>)> = Vec::new();
        let mut representation_specs = Vec::with_capacity(fetch.selected_entries.len());
        for entered in &fetch.selected_entries {
            let entry = self.entry_point(entered);
            let same = |(known, _): &(&EntryPoint, _)| {
                known.type_name == entry.type_name && known.node == entry.node
            };
            let known = kinds.iter().position(same);
            let kind = known.unwrap_or(kinds.len());
            match kinds.get_mut(kind) {
                Some((_, place)) => place.only_types.get_or_insert_default().push(entered.on),
                None => kinds.push((entry, self.scope(fetch, entered))),
            }
            representation_specs.push(self.walk.representation_spec(
                entered,
                entry,
                (fetch.at, kind),
            ));
        }
        let mut set = SelectionSet::default();
        let mut shapes = Vec::with_capacity(kinds.len());
        let mut selections = Vec::with_capacity(kinds.len());
        for (entry, place) in kinds {
            let is_object = self.walk.is_object(entry);
            let surroundings = Surroundings {
                known_condition: &fetch.condition,
                sibling_fragments: &set.fragments,
                overlaps: !is_object,
            };
            let (inner, objects) = self.walk.selection_set(&[place], surroundings)?;
            shapes.extend(objects);
            selections.push(CanonicalSelection::new(&inner));
            set.fragments.push(Fragment {
                on: Name::clone(&entry.type_name),
                is_object,
                selection_set: inner,
            });
        }
        let variable = unused_variable_name(&format!("r{}", alias.unwrap_or(0)), operation);
        let key = alias.map_or_else(|| "_entities".to_owned(), |number| format!("_{number}"));
        self.definitions.push(format!("${variable}: [_Any!]!"));
        self.selection_set.add_entities(&key, &variable, set);
        self.parts.push(Part {
            fetch: id,
            entities_field: Some(EntitiesField {
                key: key.into(),
                prefix: member_prefix(&variable),
            }),
            contexts,
            representation_specs,
            shapes,
            selections,
        });
        Ok(())
    }

    /// Names the variables for what is taken of objects further up, which the walk then writes.
    fn add_contexts(
        &mut self,
        (fetch, alias): (&Fetch, Option<usize>),
        operation: &Operation,
    ) -> Vec<ContextVariable> {
        let mut context_variables = Vec::new();
        self.walk.clear_contexts();
        for field in &fetch.context_fields {
            for from in &*field.arguments {
                let copy = alias.map_or_else(String::new, |alias| format!("_{alias}"));
                let variable =
                    unused_variable_name(&format!("c{}{copy}", context_variables.len()), operation);
                self.definitions.push(format!("${variable}: {}", from.ty));
                context_variables.push(ContextVariable {
                    prefix: member_prefix(&variable),
                    sources: from.sources.clone(),
                });
                self.walk.context_arguments.push(ContextArgumentText {
                    at: field.at,
                    slot: field.slot,
                    on: field.on,
                    text: format!("{}: ${variable}", from.argument),
                });
            }
        }
        context_variables
    }

    fn finish(self, operation: &Operation, request: PlanRequestId) -> Document {
        let keyword = self.keyword();
        let mut definitions: Vec<String> = Vec::new();
        let mut variables = Vec::new();
        for variable in self.walk.variables {
            definitions.extend(operation.variable_definition(&variable));
            let prefix = member_prefix(&variable);
            variables.push((variable, prefix));
        }
        definitions.extend(self.definitions);
        let mut conditions = Vec::new();
        let mut names = Vec::new();
        for (index, when) in self.walk.conditions.into_iter().enumerate() {
            let name = unused_variable_name(&format!("_w{index}"), operation);
            definitions.push(format!("${name}: Boolean!"));
            conditions.push((member_prefix(&name), when));
            names.push(name);
        }
        let name = operation.name.as_deref();
        let name = name.map(|name| operation_name(name, &self.source.subgraph, request));
        let mut text = operation_header(keyword, name.as_deref(), &definitions);
        self.selection_set.write(&names, &mut text);
        Document {
            head: request_head(&text, name.as_deref()),
            text: text.into(),
            name: name.map(Into::into),
            variables,
            conditions,
            parts: self.parts,
            repeats: Vec::new(),
        }
    }

    fn keyword(&self) -> &'static str {
        let is_mutation = self.parts.iter().any(|part| {
            let on = part.representation_specs.first().map(|entered| entered.on);
            part.entities_field.is_none() && on.is_some() && on == self.walk.mutation()
        });
        if is_mutation { "mutation" } else { "query" }
    }
}

/// `query Name($first: Int) `.
fn operation_header(keyword: &str, name: Option<&str>, definitions: &[String]) -> String {
    let mut text = String::with_capacity(256);
    text.push_str(keyword);
    if let Some(name) = name {
        text.push(' ');
        text.push_str(name);
    }
    if !definitions.is_empty() {
        text.push('(');
        text.push_str(&definitions.join(", "));
        text.push(')');
    }
    text.push(' ');
    text
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
        }
    }

    /// The one with so many parts.
    pub(crate) fn with_part_count(&self, parts: usize) -> &Self {
        let mut repeats = self.repeats.iter();
        let found = repeats.find(|repeat| repeat.parts.len() == parts);
        found.unwrap_or(self)
    }

    /// How many parts there are at the most.
    pub(crate) fn max_parts(&self) -> usize {
        self.repeats.last().unwrap_or(self).parts.len()
    }
}

/// `{"query":"…","operationName":"…","variables":{`.
fn request_head(text: &str, name: Option<&str>) -> Box<[u8]> {
    let name = name.map(|name| format!(",\"operationName\":\"{name}\""));
    let (query, name) = (serde_json::Value::from(text), name.unwrap_or_default());
    format!("{{\"query\":{query}{name},\"variables\":{{")
        .into_bytes()
        .into()
}

/// `"name":`, for a name that needs no escapes.
fn member_prefix(name: &str) -> Box<[u8]> {
    format!("\"{name}\":").into_bytes().into()
}

/// `Shop__products__1`: the client's operation, the service, which of the plan's requests.
fn operation_name(operation: &str, service: &str, request: PlanRequestId) -> String {
    let service: String = service
        .chars()
        .map(|char| {
            if char.is_ascii_alphanumeric() {
                char
            } else {
                '_'
            }
        })
        .collect();
    format!("{operation}__{service}__{}", request.number())
}

/// A name that no variable of the client has.
fn unused_variable_name(preferred: &str, operation: &Operation) -> String {
    let mut name = preferred.to_owned();
    while operation.variable_definition(&name).is_some() {
        name.insert(0, '_');
    }
    name
}
