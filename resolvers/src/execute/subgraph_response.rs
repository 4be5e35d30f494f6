//! Responses of subgraphs: from `data` and `errors` to rows, stored values and failures.

use std::sync::Arc;

use schema::json::{Kind, Node};

use super::entities::EntityRef;
use super::execution::Execution;
use super::subgraph_fetch::{PartEntities, SubgraphRequest};
use crate::entity_key::EntityIndex;
use crate::error::{FailureId, FetchError};
use crate::plan::{Fetch, FetchId};
use crate::response::read::ResponseReader;
use crate::source_client::graphql::SubgraphResponse;
use crate::source_client::shared_response::{CallResult, SharedResponse};
use crate::tree::{BodyId, Row};

use schema::types::TypeId;

/// A response that is being read.
struct ReadState {
    /// The number that its body will have in the tree.
    body: BodyId,
    /// Entities that the response has no readable value for.
    unreadable: Vec<UnreadableEntities>,
    /// The failure of entities with a type that the graph does not have, once there is one.
    unknown_type: Option<FailureId>,
}

/// Entities of one fetch, and why they cannot be read.
struct UnreadableEntities {
    fetch: FetchId,
    entities: Vec<EntityIndex>,
    reason: &'static str,
}

impl<'a> Execution<'_, 'a> {
    /// Reads the outcome of a request.
    pub(super) fn finish_request(&mut self, index: usize, outcome: &CallResult) {
        let Some(request) = self.requests.get_mut(index) else {
            return; // A request that was sent is there.
        };
        let request = SubgraphRequest {
            request: request.request,
            selected: std::mem::take(&mut request.selected),
        };
        let Some(document) = &self.context.prepared.documents[request.request] else {
            return; // Only requests to subgraphs end here.
        };
        let document = document.with_part_count(request.selected.len());
        for part in &document.parts {
            self.trace_call_end(part.fetch, index, false);
        }
        let parts = self.take_entities(&request, document);
        let result = match outcome {
            Ok(response) => self.read_response(&parts, response),
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

    fn read_response(
        &mut self,
        parts: &[PartEntities<'a>],
        shared: &SharedResponse,
    ) -> Result<(), FetchError> {
        self.tree.check_body(&shared.response.body)?;
        let json = shared.graphql()?;
        let response = SubgraphResponse::from_json(json, &shared.response)?;
        let mut state = ReadState {
            body: self.tree.next_body(),
            unreadable: Vec::new(),
            unknown_type: None,
        };
        if let Some(data) = response.data {
            for part in parts {
                self.read_part(part, data, &mut state);
            }
        }
        self.place_errors(parts, response.data, response.errors);
        for unreadable in state.unreadable {
            let UnreadableEntities { fetch, .. } = unreadable;
            if let Some(part) = parts.iter().find(|part| part.fetch_id() == fetch) {
                let error = FetchError::NotGraphql(unreadable.reason);
                self.fail_entities(fetch, &unreadable.entities, &part.entities, error);
            }
        }
        self.tree.add_body(Arc::clone(json));
        self.tree.check_memory()?;
        self.store_response(parts, &response, shared);
        Ok(())
    }

    fn read_part(&mut self, part: &PartEntities<'a>, data: Node<'_>, state: &mut ReadState) {
        let selected = part.selected.as_slice();
        let Some(field) = &part.part.entities_field else {
            if let Some(entity) = part.iter().next() {
                self.read_entity(part, entity, data, state);
            }
            return;
        };
        let Some(Kind::List(elements)) = data.get(&field.key).map(Node::kind) else {
            state.add_unreadable(part, selected.to_vec(), NO_ENTITIES);
            return;
        };
        let (present, missing) = selected.split_at(elements.len().min(selected.len()));
        state.add_unreadable(part, missing.to_vec(), TOO_FEW_ENTITIES);
        let mut invalid = Vec::new();
        for (entity, element) in present.iter().zip(elements) {
            match element.kind() {
                Kind::Null => {}
                Kind::Object(_) => {
                    self.read_entity(part, part.entities.entity(*entity), element, state);
                }
                _ => invalid.push(*entity),
            }
        }
        state.add_unreadable(part, invalid, NO_ENTITY);
    }

    /// Reads one entity into its first row, and copies it to the others.
    fn read_entity(
        &mut self,
        part: &PartEntities<'a>,
        entity: EntityRef<'_>,
        node: Node<'_>,
        state: &mut ReadState,
    ) {
        let Some(first) = entity.rows().first() else {
            return; // An entity has a row.
        };
        let fetch = part.fetch_id();
        let (context, failures) = (self.context, &mut self.failures);
        let mut has_unknown_type = false;
        let mut fail = |name: &str| {
            has_unknown_type = true;
            *state.unknown_type.get_or_insert_with(|| {
                let error = FetchError::UnknownType(name.to_owned());
                failures.add(context.failure(fetch, error))
            })
        };
        let mut reader = ResponseReader {
            tree: &mut self.tree,
            widths: &context.prepared.widths,
            body: state.body,
            fail: &mut fail,
        };
        let read = reader.read_entity(*first, &part.part.shapes[entity.kind()], node);
        if has_unknown_type {
            self.cache.discard(fetch, &[entity.index()]);
        }
        match read {
            Ok(ty) => self.copy_entity(part.fetch, entity.rows(), ty),
            Err(failure) => self.fail_rows(fetch, entity, failure),
        }
    }

    /// Copies an entity from its first row to the others; `ty` is its type where the response
    /// states it.
    pub(super) fn copy_entity(&mut self, fetch: &'a Fetch, rows: &[Row], ty: Option<TypeId>) {
        let [first, others @ ..] = rows else { return };
        if let Some(ty) = ty {
            for row in others {
                self.tree.set_type(*row, ty);
            }
        }
        self.copy_to_rows(fetch, *first, others);
    }

    /// Marks all entities of a request as failed with one failure, except those for which a stale
    /// value may be served.
    fn fail_request(&mut self, parts: &[PartEntities<'a>], error: FetchError) {
        let is_source_failure = error.is_source_failure();
        let mut failed = Vec::with_capacity(parts.len());
        for part in parts {
            let fetch = part.fetch_id();
            let entities = part
                .iter()
                .filter(|entity| !self.apply_stale_fallback(fetch, *entity, is_source_failure));
            let entities: Vec<EntityIndex> = entities.map(EntityRef::index).collect();
            failed.push((part, entities));
        }
        failed.retain(|(_, entities)| !entities.is_empty());
        let Some((first, _)) = failed.first() else {
            return;
        };
        let failure = self.context.failure(first.fetch_id(), error);
        let failure = self.failures.add(failure);
        for (part, entities) in failed {
            self.mark_failed(part.fetch_id(), &entities, &part.entities, failure);
        }
    }

    /// Marks all entities of a request as failed; stale values are not served.
    pub(super) fn fail_all_parts(&mut self, parts: &[PartEntities<'a>], failure: FailureId) {
        for part in parts {
            let fetch = part.fetch_id();
            self.cache.discard(fetch, &part.selected);
            self.mark_failed(fetch, &part.selected, &part.entities, failure);
        }
    }
}

impl ReadState {
    fn add_unreadable(
        &mut self,
        part: &PartEntities<'_>,
        entities: Vec<EntityIndex>,
        reason: &'static str,
    ) {
        if !entities.is_empty() {
            self.unreadable.push(UnreadableEntities {
                fetch: part.fetch_id(),
                entities,
                reason,
            });
        }
    }
}

const NO_ENTITIES: &str = "`_entities` is not a list";
const NO_ENTITY: &str = "an entity is not an object";
const TOO_FEW_ENTITIES: &str = "fewer entities than were asked for";
