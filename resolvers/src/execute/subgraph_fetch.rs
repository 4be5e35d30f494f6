//! Requests to subgraphs: from rows to representations and variables.

use std::rc::Rc;

use schema::types::TypeId;

use super::context_args::write_context_variables;
use super::entities::{Entities, EntityRef};
use super::execution::Execution;
use super::in_flight::InFlightCalls;
use super::{FetchState, Waiter};
use crate::entity_key::EntityIndex;
use crate::plan::{Fetch, FetchId, PlanRequestId};
use crate::source_client::subgraph::SubgraphClient;
use crate::source_client::{SourceClient, request};
use crate::subgraph_request::representation::RepresentedRow;
use crate::subgraph_request::{Document, Part, RepresentationSpec};
use crate::tree::KeyState;

/// A request to a subgraph as it is sent: a plan request for some of its entities.
#[derive(Debug)]
pub(super) struct SubgraphRequest {
    pub(super) request: PlanRequestId,
    /// Its entities, by part of the document.
    pub(super) selected: Vec<Vec<EntityIndex>>,
}

impl SubgraphRequest {
    /// The same entities in requests of at most `max` each.
    fn split(self, max: usize) -> Vec<Self> {
        if self.selected.iter().map(Vec::len).sum::<usize>() <= max {
            return vec![self];
        }
        let parts = self.selected.len();
        let empty = || Self {
            request: self.request,
            selected: vec![Vec::new(); parts],
        };
        let mut requests = vec![empty()];
        let mut room = max;
        for (part, entities) in self.selected.iter().enumerate() {
            let mut rest = entities.as_slice();
            while !rest.is_empty() {
                if room == 0 {
                    requests.push(empty());
                    room = max;
                }
                let (head, tail) = rest.split_at(rest.len().min(room));
                if let Some(last) = requests.last_mut() {
                    last.selected[part].extend_from_slice(head);
                }
                room -= head.len();
                rest = tail;
            }
        }
        requests
    }
}

/// The entities of one part of a request, taken out of the state of their fetch.
pub(super) struct PartEntities<'a> {
    pub(super) part: &'a Part,
    pub(super) fetch: &'a Fetch,
    /// All entities of the fetch; several parts of a request may belong to one fetch.
    pub(super) entities: Rc<Entities>,
    /// Those of the request, in its order.
    pub(super) selected: Vec<EntityIndex>,
}

impl PartEntities<'_> {
    pub(super) fn fetch_id(&self) -> FetchId {
        self.part.fetch
    }

    /// The entities of the request.
    pub(super) fn iter(&self) -> impl Iterator<Item = EntityRef<'_>> {
        let selected = self.selected.iter();
        selected.map(|entity| self.entities.entity(*entity))
    }
}

impl<'c, 'a> Execution<'c, 'a> {
    /// Starts a plan request: looks its entities up, or sends it at once.
    pub(super) fn start_subgraph_request(
        &mut self,
        request: PlanRequestId,
        document: &'a Document,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        let fetches = &self.context.prepared.plan.fetches;
        for part in &document.parts {
            let fetch = &fetches[part.fetch];
            let entities = if fetch.condition.is_true(self.context.variables) {
                self.represented_entities(part, fetch)
            } else {
                Entities::default()
            };
            self.fetches[part.fetch] = FetchState::Running { calls: 1, entities };
            self.end_unneeded_fallbacks(part.fetch);
        }
        let index = self.requests.len();
        if let Some(lookup) = self.lookup_subgraph_request(request, document) {
            in_flight.add_lookup(Waiter::RequestLookup(index), lookup);
            return;
        }
        for selected in self.split_requests(document) {
            self.send_request(SubgraphRequest { request, selected }, document, in_flight);
        }
        for part in &document.parts {
            self.end_request(part.fetch);
        }
    }

    /// How many entities a running fetch is for.
    pub(super) fn entity_count(&self, fetch: FetchId) -> usize {
        match &self.fetches[fetch] {
            FetchState::Running { entities, .. } => entities.len(),
            FetchState::Waiting | FetchState::Done => 0,
        }
    }

    /// A running fetch waits for one call less.
    pub(super) fn end_request(&mut self, fetch: FetchId) {
        if let FetchState::Running { calls, .. } = &mut self.fetches[fetch] {
            *calls -= 1;
            if *calls == 0 {
                self.fetches[fetch] = FetchState::Done;
                self.mark_shared_failures(fetch);
            }
        }
    }

    /// A running fetch waits for one call more.
    pub(super) fn begin_request(&mut self, fetch: FetchId) {
        if let FetchState::Running { calls, .. } = &mut self.fetches[fetch] {
            *calls += 1;
        }
    }

    /// Sends a request, if it has entities: in several parts if it has more than one request may
    /// have.
    pub(super) fn send_request(
        &mut self,
        request: SubgraphRequest,
        document: &'a Document,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        let document = document.with_part_count(request.selected.len());
        let Some(client) = self.subgraph_client(document) else {
            return;
        };
        for request in request.split(client.max_entities) {
            self.send_part(request, client, document, in_flight);
        }
    }

    fn send_part(
        &mut self,
        request: SubgraphRequest,
        client: &'a SubgraphClient,
        document: &'a Document,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        let Some(variables) = self.build_variables(&request, document) else {
            return;
        };
        let headers = self.context.headers;
        let number = self.requests.len();
        let waiter = Waiter::Subgraph(number);
        if let Some(http) = client.request(document, &variables, headers) {
            in_flight.add_subgraph_request(waiter, http, client.timeout);
        } else {
            in_flight.add_unshared(waiter, client.call_local(document, &variables, headers));
        }
        for part in &document.parts {
            self.begin_request(part.fetch);
        }
        self.trace_request(&request, number, document, client);
        self.requests.push(request);
    }

    /// Traces the request once for each fetch that has entities in it.
    fn trace_request(
        &mut self,
        request: &SubgraphRequest,
        number: usize,
        document: &Document,
        client: &SubgraphClient,
    ) {
        let mut selected = request.selected.iter();
        let parts = document.parts.as_slice();
        for parts in parts.chunk_by(|part, next| part.fetch == next.fetch) {
            let selected = selected.by_ref().take(parts.len());
            let batch_size: usize = selected.map(Vec::len).sum();
            if let ([part, ..], 1..) = (parts, batch_size) {
                self.trace_call_start(part.fetch, number, batch_size, || client.display_location());
            }
        }
    }

    /// The client of the subgraph that a document is for.
    pub(super) fn subgraph_client(&self, document: &Document) -> Option<&'a SubgraphClient> {
        let context = self.context;
        let fetch = document.parts.first().map(|part| part.fetch)?;
        let source = context.prepared.plan.fetches[fetch].source;
        match &context.sources.clients[source.index()] {
            SourceClient::Subgraph(client) => Some(client),
            SourceClient::Connector(_) => None,
        }
    }

    /// The members of `variables`; `None` when no entity is requested.
    pub(super) fn build_variables(
        &mut self,
        request: &SubgraphRequest,
        document: &'a Document,
    ) -> Option<Vec<u8>> {
        if request.selected.iter().all(Vec::is_empty) {
            return None;
        }
        let parts = self.take_entities(request, document);
        let variables = self.variables(document, &parts);
        self.restore_all_entities(parts);
        Some(variables)
    }

    /// Takes the entities of a request out of the states of its fetches; fetches that timed out
    /// are left out.
    pub(super) fn take_entities(
        &mut self,
        request: &SubgraphRequest,
        document: &'a Document,
    ) -> Vec<PartEntities<'a>> {
        let mut taken: Vec<PartEntities<'a>> = Vec::with_capacity(document.parts.len());
        for (part, selected) in document.parts.iter().zip(&request.selected) {
            let FetchState::Running { entities, .. } = &mut self.fetches[part.fetch] else {
                continue;
            };
            let same_fetch = taken.iter().find(|other| other.part.fetch == part.fetch);
            let entities = match same_fetch {
                Some(other) => Rc::clone(&other.entities),
                None => Rc::new(std::mem::take(entities)),
            };
            taken.push(PartEntities {
                part,
                fetch: &self.context.prepared.plan.fetches[part.fetch],
                entities,
                selected: selected.clone(),
            });
        }
        taken
    }

    /// Puts the entities of all parts back into the states of their fetches.
    pub(super) fn restore_all_entities(&mut self, parts: Vec<PartEntities<'a>>) {
        for PartEntities { part, entities, .. } in parts {
            // The last of the parts that share them.
            if let Some(entities) = Rc::into_inner(entities) {
                self.restore_entities(part.fetch, entities);
            }
        }
    }

    /// Puts the entities of a fetch back into its state.
    pub(super) fn restore_entities(&mut self, fetch: FetchId, taken: Entities) {
        if let FetchState::Running { entities, .. } = &mut self.fetches[fetch] {
            *entities = taken;
        }
    }

    /// The entities of a part whose representation is known.
    pub(super) fn represented_entities(&mut self, part: &'a Part, fetch: &'a Fetch) -> Entities {
        let mut entities = Entities::default();
        let own_rows = self.fetch_rows(fetch);
        let (rows, width) = self.rows_with_ancestors(part, fetch);
        for line in rows.chunks_exact(width) {
            let row = line.last().copied();
            let Some(row) = row.filter(|row| own_rows.contains(*row)) else {
                continue; // A line ends with the entity's own row.
            };
            let variables = self.context.variables;
            let Some(spec) = representation_spec(part, self.type_at(row, fetch.at)) else {
                self.fail_without_type(part.fetch, row);
                continue;
            };
            if !spec.condition.is_true(variables) {
                continue;
            }
            let represented = RepresentedRow {
                tree: &self.tree,
                variables,
                row,
            };
            let state = match self.context_values(part, line) {
                Ok(context) => entities.add_representation(represented, spec, &context),
                Err(state) => state,
            };
            let failure = match state {
                KeyState::Known | KeyState::Missing => continue,
                KeyState::Failed(failure) => failure,
                KeyState::Invalid(invalid) => self.fail_invalid_value(invalid),
            };
            self.fail_inputs(part.fetch, row, failure);
        }
        entities
    }

    /// The members of `variables`, without the braces.
    fn variables(&self, document: &Document, parts: &[PartEntities<'_>]) -> Vec<u8> {
        let variables = self.context.variables;
        let mut out = Vec::with_capacity(256);
        for (name, prefix) in &document.variables {
            if let Some(value) = variables.value(name) {
                write_member_prefix(&mut out, prefix);
                request::mapping_value(value).write_json(&mut out);
            }
        }
        let mut context: &[u8] = &[];
        for part in parts {
            if let Some(field) = &part.part.entities_field {
                write_member_prefix(&mut out, &field.prefix);
                out.push(b'[');
                for (number, entity) in part.iter().enumerate() {
                    if number > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(entity.key().0);
                }
                out.push(b']');
            }
            // Without entities the values of the part before: a subgraph may refuse a null.
            if let Some(first) = part.iter().next() {
                context = first.context();
            }
            write_context_variables(part.part, context, &mut out);
        }
        for (prefix, condition) in &document.conditions {
            write_member_prefix(&mut out, prefix);
            let is_true = condition.is_true(variables);
            out.extend_from_slice(if is_true { b"true" } else { b"false" });
        }
        out
    }
}

/// How entities of a type are represented; `None` when the part is not for them. An entity of
/// unknown type is represented as an abstract type that the part is for.
fn representation_spec(part: &Part, ty: Option<TypeId>) -> Option<&RepresentationSpec> {
    if part.entities_field.is_none() {
        return part.representation_specs.first();
    }
    let mut exact = part.representation_specs.iter();
    let exact = exact.find(|spec| Some(spec.on) == ty);
    exact.or_else(|| {
        let mut specs = part.representation_specs.iter();
        specs.find(|spec| match (&spec.possible, ty) {
            (Some(possible), Some(ty)) => possible.contains(&ty),
            (Some(_), None) => true,
            (None, _) => false,
        })
    })
}

/// Appends a comma where one is needed, and a member's name.
pub(super) fn write_member_prefix(out: &mut Vec<u8>, prefix: &[u8]) {
    if !out.is_empty() {
        out.push(b',');
    }
    out.extend_from_slice(prefix);
}
