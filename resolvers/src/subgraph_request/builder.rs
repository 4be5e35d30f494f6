//! Builds the text of one request: root fields and `_entities` fields, with their variables.

use schema::operation::Operation;
use schema::source::{EntryPoint, Source};
use schema::types::Name;

use super::canonical_selection::CanonicalSelection;
use super::representation::Representation;
use super::selection_set::{Fragment, SelectionSet};
use super::walk::{ContextArgumentText, SubgraphScope, Surroundings, Walk};
use super::{
    ContextVariable, Document, EntitiesField, MAX_FIELDS, Part, PlannedOperation,
    RepresentationSpec, TooLarge,
};
use crate::plan::{EntrySelection, Fetch, FetchId, Plan, PlanRequestId};
use crate::selection::Condition;

/// Builds the document of one request, fetch by fetch.
pub(super) struct DocumentBuilder<'a> {
    operation: &'a Operation,
    plan: &'a Plan,
    walk: Walk<'a>,
    source: &'a Source,
    selection_set: SelectionSet,
    /// Definitions of variables that the client's operation does not have.
    definitions: Vec<String>,
    parts: Vec<Part>,
}

/// Entities with one type name and node in the subgraph.
struct EntityKind<'a> {
    entry: &'a EntryPoint,
    scope: SubgraphScope<'a>,
    /// They are sent if this holds.
    condition: Condition,
}

impl EntityKind<'_> {
    fn add(&mut self, selected: &EntrySelection) {
        self.scope
            .only_types
            .get_or_insert_default()
            .push(selected.on);
        self.condition.or(&selected.condition);
    }
}

impl<'a> DocumentBuilder<'a> {
    pub(super) fn new(planned: PlannedOperation<'a>, source: &'a Source) -> Self {
        Self {
            operation: planned.operation,
            plan: planned.plan,
            walk: Walk::new(planned.graph, planned.selection, source, MAX_FIELDS),
            source,
            selection_set: SelectionSet::default(),
            definitions: Vec::new(),
            parts: Vec::new(),
        }
    }

    fn entry_point(&self, entry: &EntrySelection) -> &'a EntryPoint {
        &self.source.entry_points[entry.entry]
    }

    pub(super) fn is_entity_fetch(&self, fetch: FetchId) -> bool {
        let first = self.plan.fetches[fetch].first_entry();
        !self.entry_point(first).key.is_empty()
    }

    /// Adds the root fields of some fetches; `is_alone` if the request has no other fetches.
    pub(super) fn add_root_fields(
        &mut self,
        fetches: &[FetchId],
        is_alone: bool,
    ) -> Result<(), TooLarge> {
        if fetches.is_empty() {
            return Ok(());
        }
        let scopes: Vec<_> = fetches
            .iter()
            .map(|id| &self.plan.fetches[*id])
            .map(|fetch| self.scope(fetch, fetch.first_entry()))
            .collect();
        // A request with one fetch is sent only if the condition of the fetch holds.
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
        let (set, shapes) = self.walk.selection_set(&scopes, surroundings)?;
        let canonical = CanonicalSelection::new(&set);
        self.selection_set = set;
        for (fetch, shape) in fetches.iter().zip(shapes) {
            let entry = self.plan.fetches[*fetch].first_entry();
            self.parts.push(Part {
                fetch: *fetch,
                entities_field: None,
                contexts: Vec::new(),
                representation_specs: vec![RepresentationSpec {
                    on: entry.on,
                    possible: None,
                    representation: Representation::empty(),
                    condition: Condition::always(),
                    kind: 0,
                }],
                shapes: vec![shape],
                selections: vec![canonical.clone()],
            });
        }
        Ok(())
    }

    fn scope(&self, fetch: &'a Fetch, entry: &EntrySelection) -> SubgraphScope<'a> {
        SubgraphScope {
            fetch_slots: &fetch.slots,
            at: fetch.at,
            node: self.entry_point(entry).node,
            only_types: Some(vec![entry.on]),
        }
    }

    /// Adds the `_entities` field of a fetch, with a numbered alias if there are several.
    pub(super) fn add_entities(
        &mut self,
        id: FetchId,
        alias: Option<usize>,
    ) -> Result<(), TooLarge> {
        let fetch = &self.plan.fetches[id];
        let contexts = self.add_contexts(fetch, alias);
        let (kinds, representation_specs) = self.entity_kinds(fetch);
        let mut set = SelectionSet::default();
        let mut shapes = Vec::with_capacity(kinds.len());
        let mut selections = Vec::with_capacity(kinds.len());
        for kind in kinds {
            let EntityKind {
                entry,
                scope,
                condition,
            } = kind;
            let is_object = self.walk.is_object(entry);
            let surroundings = Surroundings {
                known_condition: &condition,
                sibling_fragments: &set.fragments,
                overlaps: !is_object,
            };
            let (inner, inner_shapes) = self.walk.selection_set(&[scope], surroundings)?;
            shapes.extend(inner_shapes);
            selections.push(CanonicalSelection::new(&inner));
            set.fragments.push(Fragment {
                on: Name::clone(&entry.type_name),
                is_object,
                selection_set: inner,
            });
        }
        let variable = self.unused_variable_name(&format!("r{}", alias.unwrap_or(0)));
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

    /// The kinds of entities of a fetch, and how entities of each type are represented.
    fn entity_kinds(&self, fetch: &'a Fetch) -> (Vec<EntityKind<'a>>, Vec<RepresentationSpec>) {
        // Entities with one type name and node in the subgraph are of one kind.
        let mut kinds: Vec<EntityKind<'a>> = Vec::new();
        let mut representation_specs = Vec::with_capacity(fetch.selected_entries.len());
        for selected in &fetch.selected_entries {
            let entry = self.entry_point(selected);
            let is_same = |known: &EntityKind<'_>| {
                known.entry.type_name == entry.type_name && known.entry.node == entry.node
            };
            let known = kinds.iter().position(is_same);
            let kind = known.unwrap_or(kinds.len());
            match kinds.get_mut(kind) {
                Some(known) => known.add(selected),
                None => kinds.push(EntityKind {
                    entry,
                    scope: self.scope(fetch, selected),
                    condition: selected.condition.clone(),
                }),
            }
            representation_specs.push(
                self.walk
                    .representation_spec(selected, entry, fetch.at, kind),
            );
        }
        (kinds, representation_specs)
    }

    /// Adds a variable for each context argument; the walk then writes the arguments.
    fn add_contexts(&mut self, fetch: &Fetch, alias: Option<usize>) -> Vec<ContextVariable> {
        let mut context_variables = Vec::new();
        self.walk.clear_contexts();
        for field in &fetch.context_fields {
            for argument in &*field.arguments {
                let copy = alias.map_or_else(String::new, |alias| format!("_{alias}"));
                let preferred = format!("c{}{copy}", context_variables.len());
                let variable = self.unused_variable_name(&preferred);
                self.definitions
                    .push(format!("${variable}: {}", argument.ty));
                context_variables.push(ContextVariable {
                    prefix: member_prefix(&variable),
                    is_non_null: argument.ty.ends_with('!'),
                    sources: argument.sources.clone(),
                });
                self.walk.context_arguments.push(ContextArgumentText {
                    at: field.at,
                    slot: field.slot,
                    on: field.on,
                    text: format!("{}: ${variable}", argument.argument),
                });
            }
        }
        context_variables
    }

    pub(super) fn finish(self, request: PlanRequestId) -> Document {
        let is_mutation = self.is_mutation();
        let keyword = if is_mutation { "mutation" } else { "query" };
        let operation = self.operation;
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
        for (index, condition) in self.walk.conditions.into_iter().enumerate() {
            let name = unused_variable_name(operation, &format!("_w{index}"));
            definitions.push(format!("${name}: Boolean!"));
            conditions.push((member_prefix(&name), condition));
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
            is_query: !is_mutation,
        }
    }

    fn unused_variable_name(&self, preferred: &str) -> String {
        unused_variable_name(self.operation, preferred)
    }

    fn is_mutation(&self) -> bool {
        self.parts.iter().any(|part| {
            let on = part.representation_specs.first().map(|spec| spec.on);
            part.entities_field.is_none() && on.is_some() && on == self.walk.mutation()
        })
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

/// `Shop__products__1`: the client's operation, the subgraph, the number of the request in the plan.
fn operation_name(operation: &str, subgraph: &str, request: PlanRequestId) -> String {
    let subgraph: String = subgraph
        .chars()
        .map(|char| {
            if char.is_ascii_alphanumeric() {
                char
            } else {
                '_'
            }
        })
        .collect();
    format!("{operation}__{subgraph}__{}", request.number())
}

/// `preferred`, with underscores in front until no variable of the client has the name.
fn unused_variable_name(operation: &Operation, preferred: &str) -> String {
    let mut name = preferred.to_owned();
    while operation.variable_definition(&name).is_some() {
        name.insert(0, '_');
    }
    name
}
