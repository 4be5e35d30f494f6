//! Requests to services that speak GraphQL: from rows to variables, from an answer to rows.

use std::rc::Rc;
use std::sync::Arc;

use schema::json::{Kind, Node};
use schema::types::TypeId;

use super::context_args::write_context_variables;
use super::entities::Entities;
use super::execution::Execution;
use super::in_flight::InFlightCalls;
use super::{FetchState, Waiter};
use crate::error::{FailureId, FetchError};
use crate::plan::{Fetch, FetchId, PlanRequestId};
use crate::response::read::ResponseReader;
use crate::source_client::graphql::SubgraphResponse;
use crate::source_client::shared_response::{CallResult, SharedResponse};
use crate::source_client::subgraph::SubgraphClient;
use crate::source_client::{SourceClient, request};
use crate::subgraph_request::{Document, Part, RepresentationSpec};
use crate::tree::KeyState;

/// What a request asks for one fetch, and the objects that it asks of.
pub(super) struct PartEntities<'a> {
    pub(super) part: &'a Part,
    pub(super) fetch: &'a Fetch,
    /// All that the fetch is for; several parts of a request may be of one fetch.
    pub(super) entities: Rc<Entities>,
    /// Those of this request, in its order.
    pub(super) selected: Vec<usize>,
}

/// A request of the plan as it was made: for which objects of each of its parts.
#[derive(Debug)]
pub(super) struct SubgraphRequest {
    pub(super) request: PlanRequestId,
    /// By part of the request's document.
    pub(super) selected: Vec<Vec<usize>>,
}

impl<'c, 'a> Execution<'c, 'a> {
    /// Sends a request, unless there is nothing to ask.
    pub(super) fn send(
        &mut self,
        request: PlanRequestId,
        document: &'a Document,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        for part in &document.parts {
            let fetch = &self.context.prepared.plan.fetches[part.fetch];
            let entities = if fetch.condition.is_true(self.context.variables) {
                self.represented_entities(part, fetch)
            } else {
                Entities::default()
            };
            self.states[part.fetch] = FetchState::Running { calls: 1, entities };
        }
        let number = self.requests.len();
        if let Some(lookup) = self.lookup_subgraph_request(request, document) {
            in_flight.add_lookup(Waiter::RequestLookup(number), lookup);
            return;
        }
        for selected in self.split_requests(document) {
            self.send_request(SubgraphRequest { request, selected }, document, in_flight);
        }
        for part in &document.parts {
            self.end_request(part.fetch);
        }
    }

    /// How many objects a fetch under way is for.
    pub(super) fn entity_count(&self, fetch: FetchId) -> usize {
        match &self.states[fetch] {
            FetchState::Running { entities, .. } => entities.len(),
            FetchState::Waiting | FetchState::Done => 0,
        }
    }

    /// What an object of a fetch under way is given from further up.
    pub(super) fn entity_context(&self, fetch: FetchId, object: usize) -> &[u8] {
        match &self.states[fetch] {
            FetchState::Running { entities, .. } => entities.context(object),
            FetchState::Waiting | FetchState::Done => &[],
        }
    }

    /// One of those whom a fetch waits for has come.
    pub(super) fn end_request(&mut self, fetch: FetchId) {
        if let FetchState::Running { calls, .. } = &mut self.states[fetch] {
            *calls -= 1;
            if *calls == 0 {
                self.states[fetch] = FetchState::Done;
            }
        }
    }

    /// One more whom a fetch waits for.
    pub(super) fn begin_request(&mut self, fetch: FetchId) {
        if let FetchState::Running { calls, .. } = &mut self.states[fetch] {
            *calls += 1;
        }
    }

    /// Makes a request for some objects, if there are any.
    pub(super) fn send_request(
        &mut self,
        subgraph_request: SubgraphRequest,
        document: &'a Document,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        let document = document.with_part_count(subgraph_request.selected.len());
        let Some((service, variables)) = self.build_request(&subgraph_request, document) else {
            return;
        };
        let headers = self.context.headers;
        let waiter = Waiter::Subgraph(self.requests.len());
        if let Some(http_request) = service.request(document, &variables, headers) {
            in_flight.add_subgraph_request(waiter, http_request, service.timeout);
        } else {
            in_flight.add_unshared(waiter, service.call_local(document, &variables, headers));
        }
        let number = self.requests.len();
        for part in &document.parts {
            self.begin_request(part.fetch);
        }
        let mut selected = subgraph_request.selected.iter();
        for fetch_parts in document
            .parts
            .chunk_by(|one, other| one.fetch == other.fetch)
        {
            let selected = selected.by_ref().take(fetch_parts.len());
            let batch = selected.map(Vec::len).sum();
            if let ([part, ..], 1..) = (fetch_parts, batch) {
                self.trace_call_start((part.fetch, number), batch, || service.display_location());
            }
        }
        self.requests.push(subgraph_request);
    }

    /// Who is asked, and the members of `variables`; `None` when there is nothing to ask.
    pub(super) fn build_request(
        &mut self,
        subgraph_request: &SubgraphRequest,
        document: &'a Document,
    ) -> Option<(&'a SubgraphClient, Vec<u8>)> {
        if subgraph_request.selected.iter().all(Vec::is_empty) {
            return None;
        }
        let context = self.context;
        let fetch = document.parts.first().map(|part| part.fetch)?;
        let source = context.prepared.plan.fetches[fetch].source;
        let SourceClient::Subgraph(service) = &context.sources.clients[source.index()] else {
            return None;
        };
        let parts = self.take_entities(subgraph_request, document);
        let variables = self.variables(document, &parts);
        self.restore_all_entities(parts);
        Some((service, variables))
    }

    /// The objects of a round, out of the states of its fetches; what was given up is left out.
    pub(super) fn take_entities(
        &mut self,
        subgraph_request: &SubgraphRequest,
        document: &'a Document,
    ) -> Vec<PartEntities<'a>> {
        let mut all: Vec<PartEntities<'a>> = Vec::with_capacity(document.parts.len());
        for (part, selected) in document.parts.iter().zip(&subgraph_request.selected) {
            let FetchState::Running { entities, .. } = &mut self.states[part.fetch] else {
                continue;
            };
            let known = all.iter().find(|it| it.part.fetch == part.fetch);
            let entities = match known {
                Some(known) => Rc::clone(&known.entities),
                None => Rc::new(std::mem::take(entities)),
            };
            all.push(PartEntities {
                part,
                fetch: &self.context.prepared.plan.fetches[part.fetch],
                entities,
                selected: selected.clone(),
            });
        }
        all
    }

    pub(super) fn restore_all_entities(&mut self, parts: Vec<PartEntities<'a>>) {
        for PartEntities { part, entities, .. } in parts {
            // The last of those who share them.
            if let Some(entities) = Rc::into_inner(entities) {
                self.restore_entities(part.fetch, entities);
            }
        }
    }

    /// The objects of a fetch, into the state that they were taken out of.
    pub(super) fn restore_entities(&mut self, fetch: FetchId, taken: Entities) {
        if let FetchState::Running { entities, .. } = &mut self.states[fetch] {
            *entities = taken;
        }
    }

    /// The objects that `part` is for, as far as all that their service must be told is known.
    pub(super) fn represented_entities(&mut self, part: &'a Part, fetch: &'a Fetch) -> Entities {
        let mut entities = Entities::default();
        let (rows, width) = self.rows_with_ancestors(part, fetch);
        for lineage in rows.chunks_exact(width) {
            let Some(row) = lineage.last().copied() else {
                continue; // A line ends with the object that it leads to.
            };
            let Some(spec) = representation_spec(part, self.type_at(row, fetch.at)) else {
                continue;
            };
            let state = match self.context_values(part, lineage) {
                Ok(context) => {
                    let representation = (&spec.representation, context.as_slice());
                    entities.add_representation(&self.tree, (row, spec.kind), representation)
                }
                Err(failure) => KeyState::Failed(failure),
            };
            if let KeyState::Failed(failure) = state {
                self.fail_row(fetch, row, failure);
            }
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
        for part_entities in parts {
            if let Some(entities_field) = &part_entities.part.entities_field {
                write_member_prefix(&mut out, &entities_field.prefix);
                out.push(b'[');
                for (index, object) in part_entities.selected.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(part_entities.entities.key(*object));
                }
                out.push(b']');
            }
            let objects = (&*part_entities.entities, part_entities.selected.as_slice());
            write_context_variables(part_entities.part, objects, &mut context, &mut out);
        }
        for (prefix, when) in &document.conditions {
            write_member_prefix(&mut out, prefix);
            let holds = when.is_true(variables);
            out.extend_from_slice(if holds { b"true" } else { b"false" });
        }
        out
    }

    pub(super) fn finish_request(&mut self, index: usize, answer: &CallResult) {
        let Some(subgraph_request) = self.requests.get_mut(index) else {
            return; // It was there when it was sent.
        };
        let selected = std::mem::take(&mut subgraph_request.selected);
        let subgraph_request = SubgraphRequest {
            selected,
            ..*subgraph_request
        };
        let Some(document) = &self.context.prepared.documents[subgraph_request.request] else {
            return; // Only requests with a document are asked so.
        };
        let document = document.with_part_count(subgraph_request.selected.len());
        for part in &document.parts {
            self.trace_call_end((part.fetch, index), false);
        }
        let parts = self.take_entities(&subgraph_request, document);
        let result = match answer {
            Ok(reply) => self.read_response(&parts, reply),
            Err(error) => Err(error.clone()),
        };
        if let Err(error) = result {
            self.fail_request(&parts, error);
        }
        self.restore_all_entities(parts);
        for part in &document.parts {
            self.end_request(part.fetch);
        }
    }

    /// Reads an answer into the tree.
    fn read_response(
        &mut self,
        parts: &[PartEntities<'a>],
        reply: &SharedResponse,
    ) -> Result<(), FetchError> {
        let json = reply.graphql()?;
        let response = SubgraphResponse::from_json(json, &reply.response)?;
        let mut state = ReadState {
            body: self.tree.next_body(),
            unreadable: Vec::new(),
            unknown_type: None,
        };
        if let Some(data) = response.data {
            for part_entities in parts {
                self.read_part(part_entities, data, &mut state);
            }
        }
        self.place_errors(parts, response.data, response.errors);
        for (fetch, objects, error) in state.unreadable {
            let part_entities = parts
                .iter()
                .find(|part_entities| part_entities.part.fetch == fetch);
            if let Some(part_entities) = part_entities {
                self.fail_entities(fetch, (&objects, &part_entities.entities), error);
            }
        }
        self.tree.add_body(Arc::clone(json));
        self.store_response(parts, &response, reply);
        Ok(())
    }

    /// Reads what is there for one fetch.
    fn read_part(
        &mut self,
        part_entities: &PartEntities<'a>,
        data: Node<'_>,
        state: &mut ReadState,
    ) {
        let PartEntities { part, selected, .. } = part_entities;
        let mut broken = |objects: &[usize], what| {
            if !objects.is_empty() {
                let error = FetchError::NotGraphql(what);
                state.unreadable.push((part.fetch, objects.to_vec(), error));
            }
        };
        let Some(entities_field) = &part.entities_field else {
            if let Some(object) = selected.first() {
                self.read_entity(part_entities, *object, data, state);
            }
            return;
        };
        let list = data.get(&entities_field.key).map(Node::kind);
        let Some(Kind::List(elements)) = list else {
            broken(selected, NO_ENTITIES);
            return;
        };
        let (present, missing) = selected.split_at(elements.len().min(selected.len()));
        broken(missing, TOO_FEW_ENTITIES);
        let pairs = present.iter().zip(elements);
        let (objects, invalid): (Vec<_>, Vec<_>) =
            pairs.partition(|(_, element)| matches!(element.kind(), Kind::Null | Kind::Object(_)));
        let invalid: Vec<usize> = invalid.into_iter().map(|(object, _)| *object).collect();
        broken(&invalid, NO_ENTITY);
        for (object, element) in objects {
            if element.is_object() {
                self.read_entity(part_entities, *object, element, state);
            }
        }
    }

    /// Reads one object into its first row, and copies it to the others.
    fn read_entity(
        &mut self,
        PartEntities {
            part,
            fetch,
            entities,
            ..
        }: &PartEntities<'a>,
        index: usize,
        node: Node<'_>,
        state: &mut ReadState,
    ) {
        let [first, others @ ..] = entities.rows(index) else {
            return; // An object was found in a row.
        };
        let (context, failures) = (self.context, &mut self.failures);
        let mut fail = |name: &str| {
            *state.unknown_type.get_or_insert_with(|| {
                let error = FetchError::UnknownType(name.to_owned());
                failures.add(context.failure(part.fetch, error))
            })
        };
        let mut reader = ResponseReader {
            tree: &mut self.tree,
            widths: &context.prepared.widths,
            body: state.body,
            fail: &mut fail,
        };
        match reader.read_entity(*first, &part.shapes[entities.kind(index)], node) {
            Ok(ty) => {
                for row in others {
                    if let Some(ty) = ty {
                        self.tree.set_type(*row, ty);
                    }
                }
                self.copy_to_rows(fetch, *first, others);
            }
            Err(failure) => {
                self.discard_claims(part.fetch, &[index]);
                for row in entities.rows(index) {
                    self.fail_row(fetch, *row, failure);
                }
            }
        }
    }

    /// A request that failed as a whole: one failure for all that is not there from before.
    fn fail_request(&mut self, parts: &[PartEntities<'a>], error: FetchError) {
        let is_fallback_allowed = error.is_source_failure();
        let mut failed = Vec::with_capacity(parts.len());
        for part_entities in parts {
            let fetch = (part_entities.part.fetch, Some(part_entities.part));
            let failed_entities = part_entities.selected.iter().copied();
            let failed_entities: Vec<usize> = failed_entities
                .filter(|object| {
                    !self.apply_stale_fallback(
                        fetch,
                        (&part_entities.entities, *object),
                        is_fallback_allowed,
                    )
                })
                .collect();
            failed.push((part_entities, failed_entities));
        }
        failed.retain(|(_, lost)| !lost.is_empty());
        let Some((first, _)) = failed.first() else {
            return;
        };
        let failure = self.context.failure(first.part.fetch, error);
        let failure = self.failures.add(failure);
        for (part_entities, lost) in failed {
            self.mark_failed(
                part_entities.part.fetch,
                (&lost, &part_entities.entities),
                failure,
            );
        }
    }

    pub(super) fn fail_all_parts(&mut self, parts: &[PartEntities<'a>], failure: FailureId) {
        for part_entities in parts {
            self.discard_claims(part_entities.part.fetch, &part_entities.selected);
            self.mark_failed(
                part_entities.part.fetch,
                (&part_entities.selected, &part_entities.entities),
                failure,
            );
        }
    }

    /// The objects of a fetch that was never made.
    pub(super) fn unstarted_entities(&mut self, index: FetchId) -> Entities {
        let prepared = self.context.prepared;
        let fetch = &prepared.plan.fetches[index];
        match prepared.part(index) {
            Some(part) => self.represented_entities(part, fetch),
            None => self.entities(fetch),
        }
    }
}

/// An answer that is being read.
struct ReadState {
    /// The number that its body will have in the tree.
    body: u32,
    /// Objects of a fetch for which nothing in it can be read.
    unreadable: Vec<(FetchId, Vec<usize>, FetchError)>,
    /// The failure of objects whose type the graph does not know, once there is one.
    unknown_type: Option<FailureId>,
}

/// How objects of a type are asked for; `None` when they are not. An object whose type nobody has
/// told may be asked for as what it is known to be.
fn representation_spec(part: &Part, ty: Option<TypeId>) -> Option<&RepresentationSpec> {
    if part.entities_field.is_none() {
        return part.representation_specs.first();
    }
    let mut exact = part.representation_specs.iter();
    exact.find(|entered| Some(entered.on) == ty).or_else(|| {
        let mut entered = part.representation_specs.iter();
        entered.find(|entered| match (&entered.possible, ty) {
            (Some(possible), Some(ty)) => possible.contains(&ty),
            (Some(_), None) => true,
            (None, _) => false,
        })
    })
}

/// A comma where one is needed, and the member's name.
pub(super) fn write_member_prefix(out: &mut Vec<u8>, prefix: &[u8]) {
    if !out.is_empty() {
        out.push(b',');
    }
    out.extend_from_slice(prefix);
}

const NO_ENTITIES: &str = "`_entities` is not a list";
const NO_ENTITY: &str = "an entity is not an object";
const TOO_FEW_ENTITIES: &str = "fewer entities than were asked for";
