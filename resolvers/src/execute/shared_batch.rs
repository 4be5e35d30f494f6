//! Batches that several operations share: the operation's keys go in, its own entities come out.
//!
//! A root field may be answered by a batch too, where the graph has one that returns the same
//! entity: its argument is then the key ([`SubstitutedFetch`]).

use std::sync::Arc;

use schema::connector::ConnectorOutput;
use schema::key::FieldSet;

use super::connector_fetch::redacted_address;
use super::entities::Entities;
use super::execution::Execution;
use super::in_flight::InFlightCalls;
use super::{CallKey, ConnectorFetch, Context, Waiter};
use crate::batch::groups::{
    BatchCall, BatchCalls, BatchSlot, BatchSpec, PendingBatch, RequestedKeys,
};
use crate::batch::{Loader, wait};
use crate::entity_key::{EntityIndex, argument_key, write_row_object};
use crate::error::FetchError;
use crate::plan::{FetchId, KeySlot};
use crate::program::{BatchSubstitute, Coalescing};
use crate::redacted::redacted_template;
use crate::settings::Reports;
use crate::source_client::request;

/// The keys of one fetch in a batch that it waits for.
#[derive(Debug)]
pub(super) struct SharedBatch {
    fetch: FetchId,
    /// The entities of the fetch, each with the position of its key in the batch.
    keys: Vec<(usize, usize)>,
}

/// A batch in place of the connector of a root field, and the key that it is called for.
pub(super) struct SubstitutedFetch<'a> {
    pub(super) fetch: ConnectorFetch<'a>,
    pub(super) key: Vec<u8>,
    /// The key as it is sent: a JSON object.
    object: String,
}

/// A call of a shared batch, as one fetch reads it.
struct OwnPart<'p> {
    call: &'p BatchCall,
    /// The entities of the fetch among the call's keys.
    own: Vec<EntityIndex>,
    /// Entities that are to be called for once more by their own connector.
    retries: Vec<EntityIndex>,
}

impl<'c, 'a> Execution<'c, 'a> {
    /// Adds the first `count` entities to batches that operations share; returns the number of
    /// batches. `None` when the operation must make its own calls.
    pub(super) fn load_batches(
        &mut self,
        fetch: ConnectorFetch<'a>,
        count: usize,
        entities: &Entities,
        in_flight: &mut InFlightCalls<'c>,
    ) -> Option<usize> {
        let ConnectorOutput::Batch { key, .. } = &fetch.connector.output else {
            return None;
        };
        if !is_same_key(&fetch.fetch.first_entry().key, key) {
            return None;
        }
        let loader = self.batch_loader(fetch)?;
        let operation_id = self.operation_id(loader);
        let slots = &fetch.fetch.first_entry().key;
        let tree = &self.tree;
        let write_object = |index: usize, out: &mut Vec<u8>| {
            let entity = entities.entity(EntityIndex::new(index));
            if let Some(row) = entity.rows().first() {
                write_row_object(tree, *row, slots, out);
            }
        };
        let keys = entities.iter().take(count);
        let keys = RequestedKeys {
            identities: keys.map(|entity| entity.key().0).collect(),
            write_object: &write_object,
        };
        let pending = loader.load(self.batch_spec(fetch)?, operation_id, &keys)?;
        Some(self.await_batches(fetch, pending, in_flight))
    }

    /// Adds the entity of a root field to a batch that returns it.
    pub(super) fn load_field(
        &mut self,
        own: ConnectorFetch<'a>,
        entities: &Entities,
        in_flight: &mut InFlightCalls<'c>,
    ) -> Option<usize> {
        let SubstitutedFetch { fetch, key, object } = self.substituted_fetch(own)?;
        let loader = self.batch_loader(fetch)?;
        let operation_id = self.operation_id(loader);
        if own.program.coalescing == Coalescing::Impossible {
            let spec = self.batch_spec(fetch)?;
            if let Some(slot) = loader.reserve_slot(spec, operation_id) {
                return Some(self.start_leader_call(own, entities, slot, in_flight));
            }
        }
        let keys = RequestedKeys {
            identities: vec![&key],
            write_object: &|_, out| out.extend_from_slice(object.as_bytes()),
        };
        let pending = loader.load(self.batch_spec(fetch)?, operation_id, &keys)?;
        Some(self.await_batches(fetch, pending, in_flight))
    }

    /// The loader, if calls of this connector may serve several operations.
    fn batch_loader(&self, fetch: ConnectorFetch<'a>) -> Option<&'a Arc<Loader>> {
        fetch.client.key_mapping.as_ref()?;
        // Reports belong to the operation that made the call.
        let loader = self.context.shared_loader()?;
        (self.context.reports == Reports::Hide).then_some(loader)
    }

    fn batch_spec(&self, fetch: ConnectorFetch<'a>) -> Option<BatchSpec> {
        let ConnectorOutput::Batch { max_size, .. } = fetch.connector.output else {
            return None;
        };
        let headers = self.context.headers;
        Some(BatchSpec::new(
            fetch.source,
            fetch.client,
            headers,
            Some(max_size.unwrap_or(fetch.client.max_entities)),
        ))
    }

    fn operation_id(&mut self, loader: &Loader) -> u64 {
        *self.operation_id.get_or_insert_with(|| loader.next_id())
    }

    /// Makes the call of a field by its own connector while keys of other operations gather in
    /// the batch whose slot it holds.
    fn start_leader_call(
        &mut self,
        fetch: ConnectorFetch<'a>,
        entities: &Entities,
        slot: BatchSlot,
        in_flight: &mut InFlightCalls<'c>,
    ) -> usize {
        let call = CallKey::up_to(fetch.id, entities.len());
        // Batches are shared where reports are hidden.
        match self.request(fetch, call, entities, &mut Vec::new()) {
            Ok(request) => {
                self.trace_call_start(call.fetch, call.first, call.len(), || {
                    redacted_address(&request)
                });
                let waiter = Waiter::Connector(call);
                in_flight.add_leader(waiter, request, fetch.client.timeout, slot);
                1
            }
            Err(error) => {
                self.fail_call(call, entities, error);
                0
            }
        }
    }

    /// Makes a fetch wait for batches; returns their number.
    fn await_batches(
        &mut self,
        fetch: ConnectorFetch<'a>,
        pending: Vec<PendingBatch>,
        in_flight: &mut InFlightCalls<'c>,
    ) -> usize {
        let count = pending.len();
        for PendingBatch { waiter, keys, .. } in pending {
            let batch = SharedBatch {
                fetch: fetch.id,
                keys,
            };
            self.trace_call_start(fetch.id, batch.call_number(), batch.keys.len(), || {
                let connector = fetch.connector;
                let url = redacted_template(connector.connect_url.url.text());
                format!("{} {url}", connector.method.as_str())
            });
            in_flight.add_batch(Waiter::Shared(batch), wait(waiter, fetch.client.timeout));
        }
        count
    }

    /// The batch in place of a root field's own connector; `None` where the graph has none, or
    /// where the argument is no key.
    pub(super) fn substituted_fetch(
        &self,
        own: ConnectorFetch<'a>,
    ) -> Option<SubstitutedFetch<'a>> {
        let substitute = own.program.batch_substitute.as_deref()?;
        let slot = own.fetch.field_slot?;
        let position = self.context.prepared.selection.position(own.fetch.at);
        let fetch = self.context.with_connector(own, substitute)?;
        let arguments = &position.slots[slot].arguments;
        let object = request::arguments_json(arguments, self.context.variables);
        let key = argument_key(&object, &fetch.client.batch_key)?;
        Some(SubstitutedFetch { fetch, key, object })
    }

    /// Reads what a batch returned for the entities of a fetch. Entities that it did not return,
    /// but that their own connector may return, are called for again.
    pub(super) fn finish_shared_batch(
        &mut self,
        batch: &SharedBatch,
        outcome: &Result<BatchCalls, FetchError>,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        let Some(fetch) = self.context.connector_fetch(batch.fetch) else {
            return; // Only connectors share batches.
        };
        let Some((calls, mut entities)) = self.take_running(batch.fetch) else {
            return; // The fetch timed out.
        };
        let all_keys = outcome.iter().flat_map(|calls| calls.iter());
        let all_keys: usize = all_keys.map(|call| call.keys.len()).sum();
        let is_shared = all_keys > batch.keys.len();
        self.trace_call_end(batch.fetch, batch.call_number(), is_shared);
        let mut retries = Vec::new();
        match outcome {
            Ok(calls) => {
                for call in calls.iter() {
                    let own = batch.entities_in(call);
                    if !own.is_empty() {
                        retries.extend(self.finish_batch_call(fetch, call, own, &mut entities));
                    }
                }
            }
            Err(error) => {
                let own = batch.entities();
                self.fail_entities(batch.fetch, &own, &entities, error.clone());
            }
        }
        let mut calls = calls - 1;
        for call in contiguous_calls(batch.fetch, &retries) {
            self.uncount_call(fetch.client);
            calls += self.start_calls(fetch, vec![call], &entities, in_flight);
        }
        self.set_calls_left(batch.fetch, calls, entities);
    }

    /// Reads one call of a batch; returns the entities to call for again.
    fn finish_batch_call(
        &mut self,
        fetch: ConnectorFetch<'a>,
        call: &BatchCall,
        own: Vec<EntityIndex>,
        entities: &mut Entities,
    ) -> Vec<EntityIndex> {
        let substituted = self.substituted_fetch(fetch);
        let mut part = OwnPart {
            call,
            own,
            retries: Vec::new(),
        };
        let Err(error) = self.read_batch_call(fetch, substituted.as_ref(), &mut part, entities)
        else {
            if let (Ok(response), true) = (&call.outcome, part.retries.is_empty()) {
                match &substituted {
                    Some(substituted) => {
                        self.store_field(fetch, substituted, part.own.len(), response);
                    }
                    None => self.store(fetch, &part.own, entities, response),
                }
            }
            return part.retries;
        };
        let is_shared = call.keys.len() > part.own.len() || substituted.is_some();
        if is_shared && is_possibly_caused_by_others(&error) {
            return part.own;
        }
        self.fail_entities(fetch.id, &part.own, entities, error);
        Vec::new()
    }

    fn read_batch_call(
        &mut self,
        fetch: ConnectorFetch<'a>,
        substituted: Option<&SubstitutedFetch<'a>>,
        part: &mut OwnPart<'_>,
        entities: &mut Entities,
    ) -> Result<(), FetchError> {
        match (substituted, part.unshared_call(fetch.id)) {
            (Some(substituted), _) => {
                if !self.read_field(fetch, substituted, part.call)? {
                    part.retries.push(EntityIndex::new(0));
                }
                Ok(())
            }
            (None, Some(call)) => {
                let response = part.call.outcome.as_ref().map_err(Clone::clone)?;
                self.read_connector(fetch, call, entities, response)
            }
            (None, None) => self.read_own(fetch, &part.own, entities, part.call),
        }
    }
}

impl<'a> Context<'a> {
    /// The fetch with the connector of a substitute in place of its own.
    fn with_connector(
        &self,
        fetch: ConnectorFetch<'a>,
        substitute: &'a BatchSubstitute,
    ) -> Option<ConnectorFetch<'a>> {
        let (connector, client) = self.sources.connector(substitute.source)?;
        Some(ConnectorFetch {
            source: substitute.source,
            connector,
            client,
            program: &substitute.program,
            ..fetch
        })
    }
}

impl SharedBatch {
    /// Identifies the batch among the calls of its fetch.
    fn call_number(&self) -> usize {
        self.keys.first().map_or(0, |(entity, _)| *entity)
    }

    fn entities(&self) -> Vec<EntityIndex> {
        let entities = self.keys.iter().map(|(entity, _)| *entity);
        entities.map(EntityIndex::new).collect()
    }

    /// The entities of the fetch whose keys are in a call of the batch.
    fn entities_in(&self, call: &BatchCall) -> Vec<EntityIndex> {
        let keys = self.keys.iter();
        let own = keys.filter(|(_, position)| call.keys.contains(position));
        own.map(|(entity, _)| EntityIndex::new(*entity)).collect()
    }
}

impl OwnPart<'_> {
    /// The call, if it has no other keys, and its entities stand side by side.
    fn unshared_call(&self, fetch: FetchId) -> Option<CallKey> {
        let mut calls = contiguous_calls(fetch, &self.own);
        let first = calls.next()?;
        let is_unshared = calls.next().is_none() && self.call.keys.len() == self.own.len();
        is_unshared.then_some(first)
    }
}

/// Entities as ranges, those that stand side by side as one.
pub(super) fn contiguous_calls(
    fetch: FetchId,
    entities: &[EntityIndex],
) -> impl Iterator<Item = CallKey> {
    let ranges = entities.chunk_by(|entity, next| entity.next() == *next);
    ranges.filter_map(move |range| {
        Some(CallKey {
            fetch,
            first: range.first()?.index(),
            end: range.last()?.index() + 1,
        })
    })
}

/// Whether a call may have failed because of the keys of other operations, so that a call of the
/// operation's own may succeed. Errors that show an overloaded or broken source are excluded.
fn is_possibly_caused_by_others(error: &FetchError) -> bool {
    match error {
        FetchError::Refused { status, .. } => !matches!(status.as_u16(), 408 | 425 | 429 | 501..),
        FetchError::TooLarge(_)
        | FetchError::NotAList
        | FetchError::NotJson { .. }
        | FetchError::Build(_) => true,
        FetchError::TooMany(_)
        | FetchError::MemoryExceeded(_)
        | FetchError::Overloaded(_)
        | FetchError::Connect(_)
        | FetchError::Broken(_)
        | FetchError::Timeout(_)
        | FetchError::Status(_)
        | FetchError::NotGraphql(_)
        | FetchError::Undecodable { .. }
        | FetchError::UnknownType(_)
        | FetchError::GraphqlError(_)
        | FetchError::Panicked => false,
    }
}

/// Whether the fetch writes keys in the order in which the connector names them.
fn is_same_key(slots: &[KeySlot], FieldSet(fields): &FieldSet) -> bool {
    slots.len() == fields.len()
        && slots
            .iter()
            .zip(fields)
            .all(|(slot, (name, inner))| slot.name == *name && is_same_key(&slot.inner, inner))
}
