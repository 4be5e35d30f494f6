//! Between a connector's fetch and its calls: cached entities are not called for, and what a call
//! returns is stored.
//!
//! A fetch first looks all of its entities up. Hits fill their rows; misses are called for; those
//! in flight elsewhere are waited for, beside the calls. What fails falls back to a stale value
//! where that is still allowed.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt as _};
use schema::connector::Phase;
use schema::json::{Json, Value as JsonValue};
use schema::mapping::Vars;

use super::entities::{Entities, EntityRef};
use super::execution::Execution;
use super::in_flight::InFlightCalls;
use super::{CallKey, ConnectorFetch, Waiter, connector_fetch, shared_batch, variables};
use crate::cache::{CachedValue, Hit, InFlightWait, LookupOutcome, Reuse};
use crate::entity_cache::{LookupEntity, StaleEntity};
use crate::entity_key::{EntityIndex, mapping_value};
use crate::error::{FailureId, FetchError};
use crate::memory::MemoryExceeded;
use crate::plan::FetchId;
use crate::response::read::ResponseReader;
use crate::response::rows::RowFiller;
use crate::response::validity::FetchedValues;
use crate::source_client::mapped::MappedValues;
use crate::source_client::shared_response::SharedResponse;
use crate::source_client::variables::Variable;
use crate::source_client::{self, request};
use crate::subgraph_request::Part;
use crate::tree::Value;

impl<'c, 'a> Execution<'c, 'a> {
    /// Looks the entities of a fetch up; `None` where nothing of it is cached.
    pub(super) fn lookup(
        &mut self,
        fetch: ConnectorFetch<'a>,
        entities: &Entities,
    ) -> Option<BoxFuture<'a, Vec<LookupOutcome>>> {
        let fields = &self.cache.rule(fetch.id)?.key_fields;
        let has_key = !fetch.fetch.first_entry().key.is_empty();
        let keys = entities.iter().map(|entity| {
            let key = has_key.then(|| entity.key().canonical_json(fields));
            Some(LookupEntity { rule: 0, key })
        });
        let arguments = [self.key_arguments(fetch)];
        let trace = self.trace.as_mut();
        let requests = self
            .cache
            .lookup_requests(fetch.id, &arguments, keys, trace)?;
        self.cache.lookup(requests)
    }

    /// The arguments of a root field as a JSON object, where the connector uses them.
    fn key_arguments(&self, fetch: ConnectorFetch<'a>) -> Option<String> {
        let uses = |phase| fetch.client.uses(phase, Variable::Args);
        let slot = fetch.fetch.field_slot?;
        if !uses(Phase::Request) && !uses(Phase::Response) {
            return None;
        }
        let position = self.context.prepared.selection.position(fetch.fetch.at);
        let arguments = &position.slots[slot].arguments;
        Some(request::arguments_json(arguments, self.context.variables))
    }

    /// Serves what a lookup found, and makes the calls for the rest.
    pub(super) fn finish_lookup(
        &mut self,
        id: FetchId,
        outcomes: Vec<LookupOutcome>,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        let Some(fetch) = self.context.connector_fetch(id) else {
            return; // Entities of subgraphs are looked up by request.
        };
        let Some((_, mut entities)) = self.take_running(id) else {
            return; // The fetch timed out; dropped claims pass to waiters.
        };
        let indices = entities.indices();
        let sorted = self
            .cache
            .sort(id, indices.zip(outcomes), |_| 0, self.trace.as_mut());
        for (entity, hit) in &sorted.hits {
            self.apply_hit(id, None, entities.entity(*entity), hit);
        }
        let order = sorted.unresolved();
        entities.retain(&order);
        if let Some(trace) = &mut self.trace {
            trace.retain(id, &order);
        }
        // From here on: first the misses, then the entities in flight, then the stale ones.
        let missing = sorted.misses.len();
        let unserved = missing + sorted.in_flight.len();
        let claims = sorted.misses.into_iter().map(|(_, claim)| claim);
        self.cache.hold(id, entities.indices().zip(claims));
        let stale = CallKey {
            fetch: id,
            first: unserved,
            end: entities.len(),
        };
        let refreshes = sorted.stale.into_iter();
        let refreshes = refreshes.map(|(_, refresh)| StaleEntity { rule: 0, refresh });
        self.refresh_connector(fetch, stale, &entities, refreshes.collect());
        let mut calls = self.start_entities(fetch, missing, &entities, in_flight);
        let waits = (missing..unserved).map(EntityIndex::new);
        let waits = waits.zip(sorted.in_flight.into_iter().map(|(_, wait)| wait));
        calls += await_elsewhere(id, waits.collect(), in_flight);
        self.set_calls_left(id, calls, entities);
    }

    /// Serves what others fetched; what they did not is called for, and what they are still
    /// fetching is waited for again.
    pub(super) fn finish_wait(
        &mut self,
        id: FetchId,
        awaited: Vec<EntityIndex>,
        outcomes: Vec<LookupOutcome>,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        let Some(fetch) = self.context.connector_fetch(id) else {
            return; // Entities of subgraphs are waited for by request.
        };
        let Some((calls, entities)) = self.take_running(id) else {
            return; // The fetch timed out.
        };
        let outcomes = awaited.into_iter().zip(outcomes);
        let sorted = self.cache.sort(id, outcomes, |_| 0, self.trace.as_mut());
        for (entity, hit) in &sorted.hits {
            self.apply_hit(id, None, entities.entity(*entity), hit);
        }
        let missing = self.cache.hold(id, sorted.misses);
        let mut calls = calls - 1 + await_elsewhere(id, sorted.in_flight, in_flight);
        for call in shared_batch::contiguous_calls(id, &missing) {
            let waiting = connector_fetch::split_into_calls(fetch, call);
            calls += self.start_calls(fetch, waiting, &entities, in_flight);
        }
        self.set_calls_left(id, calls, entities);
    }

    /// Fills the rows of an entity with a cached value; `part` is that of a subgraph's fetch.
    pub(super) fn apply_hit(
        &mut self,
        fetch: FetchId,
        part: Option<&'a Part>,
        entity: EntityRef<'_>,
        hit: &Hit,
    ) {
        self.cache.record_hit(hit);
        let Some(json) = hit.json() else {
            return; // A negative entry: the entity does not exist.
        };
        match part {
            Some(part) => self.apply_subgraph_hit(part, entity, &json),
            None => self.apply_connector_hit(fetch, entity, &json),
        }
        self.tree.add_body(json);
        if let Err(error) = self.tree.check_memory() {
            let failure = self.memory_failure(fetch, error);
            self.fail_rows(fetch, entity, failure);
        }
    }

    /// The failure of a fetch whose hits the operation has no room for, recorded once.
    fn memory_failure(&mut self, fetch: FetchId, error: MemoryExceeded) -> FailureId {
        if let Some((known, failure)) = self.memory_failure
            && known == fetch
        {
            return failure;
        }
        let failure = self.context.failure(fetch, error.into());
        let failure = self.failures.add(failure);
        self.memory_failure = Some((fetch, failure));
        failure
    }

    fn apply_connector_hit(&mut self, id: FetchId, entity: EntityRef<'_>, json: &Json) {
        let prepared = self.context.prepared;
        let fetch = &prepared.plan.fetches[id];
        let plan = self.cache.fetch_plan(id);
        let Some(extract) = plan.and_then(|plan| plan.extract.as_ref()) else {
            return;
        };
        let vars = Vars::new();
        let mut filler = RowFiller {
            body: self.tree.next_body(),
            tree: &mut self.tree,
            widths: &prepared.widths,
            vars: &vars,
            authored_errors: Vec::new(),
        };
        let value = filler.extract(extract, &JsonValue::Node(json.root()));
        match (fetch.field_slot, value) {
            (Some(slot), value) => self.set_field(fetch, slot, entity.rows(), value),
            (None, Value::Object(row)) => self.copy_to_rows(fetch, row, entity.rows()),
            (None, _) => {}
        }
    }

    fn apply_subgraph_hit(&mut self, part: &'a Part, entity: EntityRef<'_>, json: &Json) {
        let prepared = self.context.prepared;
        let fetch = &prepared.plan.fetches[part.fetch];
        let Some(first) = entity.rows().first() else {
            return; // An entity has a row.
        };
        // A value with an unknown type is not stored, but the graph may have changed since.
        let (context, failures) = (self.context, &mut self.failures);
        let mut unknown_type = None;
        let mut fail = |name: &str| {
            *unknown_type.get_or_insert_with(|| {
                let error = FetchError::UnknownType(name.to_owned());
                failures.add(context.failure(part.fetch, error))
            })
        };
        let mut reader = ResponseReader {
            body: self.tree.next_body(),
            tree: &mut self.tree,
            widths: &prepared.widths,
            fail: &mut fail,
        };
        let shape = &part.shapes[entity.kind()];
        match reader.read_entity(*first, shape, json.root()) {
            Ok(ty) => self.copy_entity(fetch, entity.rows(), ty),
            Err(failure) => self.fail_rows(part.fetch, entity, failure),
        }
    }

    /// Stores what a response has of these entities.
    pub(super) fn store(
        &mut self,
        fetch: ConnectorFetch<'a>,
        own: &[EntityIndex],
        entities: &Entities,
        response: &SharedResponse,
    ) {
        let Some(rule) = self.cache.rule(fetch.id) else {
            self.cache.record_uncached(Reuse::Never);
            return;
        };
        let lifetimes = self.cache.lifetimes(rule, response);
        let is_needed = self.cache.needs_values(fetch.id, own, &lifetimes);
        let first = own.first().map(|first| entities.entity(*first));
        let mapped = is_needed.then(|| self.mapped_values(fetch, first, response));
        let mapped = mapped.flatten();
        for entity in own {
            let is_valid = self.is_fetched_value_valid(fetch.id, entities.entity(*entity));
            let value = mapped.as_ref().filter(|_| is_valid).map(|mapped| {
                let body = mapped.get(entities.entity(*entity).key()).cloned();
                body.map_or(CachedValue::Absent, CachedValue::Present)
            });
            let reuse = self.cache.store(fetch.id, *entity, &lifetimes, value);
            self.trace_stored(fetch.id, *entity, reuse);
        }
    }

    /// Whether what a fetch has given of an entity has no value that its type does not allow.
    pub(super) fn is_fetched_value_valid(&self, fetch: FetchId, entity: EntityRef<'_>) -> bool {
        let first = entity.rows().first();
        let values = self.fetched_values(fetch);
        first.is_none_or(|row| values.is_valid(&self.context.prepared.plan.fetches[fetch], *row))
    }

    pub(super) fn fetched_values(&self, fetch: FetchId) -> FetchedValues<'_> {
        let prepared = self.context.prepared;
        FetchedValues {
            types: self.context.sources.graph.types(),
            selection: &prepared.selection,
            slots: &prepared.plan.fetches[fetch].slots,
            tree: &self.tree,
        }
    }

    /// Records in the trace how long a value is cached.
    pub(super) fn trace_stored(
        &mut self,
        fetch: FetchId,
        entity: EntityIndex,
        reuse: Option<Reuse>,
    ) {
        if let (Some(trace), Some(reuse)) = (&mut self.trace, reuse) {
            trace.record_stored(fetch, entity, reuse);
        }
    }

    /// The values of a response as they are cached; `first` is the first entity of the call.
    pub(super) fn mapped_values(
        &self,
        fetch: ConnectorFetch<'a>,
        first: Option<EntityRef<'_>>,
        response: &SharedResponse,
    ) -> Option<Arc<MappedValues>> {
        let arguments = variables::arguments(self.context, fetch, Phase::Response);
        let first = first.and_then(|first| first.rows().first());
        let key = || match first {
            Some(row) => mapping_value(&self.tree, *row, &fetch.fetch.first_entry().key),
            None => JsonValue::Null,
        };
        let mut vars = variables::vars(self.context, fetch, Phase::Response, &arguments, key);
        source_client::set_response_vars(fetch.client, &response.response, &mut vars);
        let batch_key = &fetch.client.batch_key;
        let map = || MappedValues::from_response(fetch.connector, batch_key, response, &vars);
        match fetch.client.key_mapping {
            Some(_) => response.mapped_values(fetch.source, map),
            None => map().map(Arc::new),
        }
    }
}

/// Waits for entities of a fetch that are fetched elsewhere; returns the number of results to come.
fn await_elsewhere(
    fetch: FetchId,
    waits: Vec<(EntityIndex, InFlightWait)>,
    in_flight: &mut InFlightCalls<'_>,
) -> usize {
    if waits.is_empty() {
        return 0;
    }
    let (awaited, waits): (Vec<EntityIndex>, Vec<InFlightWait>) = waits.into_iter().unzip();
    let waiter = Waiter::InFlight(fetch, awaited);
    in_flight.add_lookup(waiter, InFlightWait::wait_for_all(waits).boxed());
    1
}
