//! Fetches of connectors: from rows to calls, one for each entity or one for each batch, and from
//! responses to rows.

use std::sync::Arc;

use schema::connector::{ConnectorOutput, Phase};
use schema::json::Value as Json;

use super::entities::Entities;
use super::execution::Execution;
use super::in_flight::{CallOptions, InFlightCalls};
use super::{CallKey, ConnectorFetch, FetchState, Waiter, variables};
use crate::entity_key::{EntityIndex, mapping_value};
use crate::error::FetchError;
use crate::plan::FetchId;
use crate::prepared::PreparedOperation;
use crate::redacted::RedactedUrl;
use crate::response::rows::RowFiller;
use crate::source_client::connector::ConnectorClient;
use crate::source_client::request::{self, MappingReport, Request};
use crate::source_client::shared_response::{CallResult, SharedResponse};
use crate::source_client::variables::Variable;
use crate::source_client::{self, ResponseBody};
use crate::tree::{KeyState, Row, Value};

impl<'c, 'a> Execution<'c, 'a> {
    /// Starts a fetch: looks its entities up, or calls for them at once.
    pub(super) fn start_fetch(
        &mut self,
        fetch: ConnectorFetch<'a>,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        if !fetch.fetch.condition.is_true(self.context.variables) {
            self.fetches[fetch.id] = FetchState::Done;
            return;
        }
        let entities = self.connector_entities(fetch.id);
        let calls = match self.lookup(fetch, &entities) {
            Some(lookup) => {
                in_flight.add_lookup(Waiter::Lookup(fetch.id), lookup);
                1
            }
            None => self.start_entities(fetch, entities.len(), &entities, in_flight),
        };
        self.set_calls_left(fetch.id, calls, entities);
    }

    /// Calls for the first `count` entities, in batches that operations share where possible;
    /// returns the number of calls.
    pub(super) fn start_entities(
        &mut self,
        fetch: ConnectorFetch<'a>,
        count: usize,
        entities: &Entities,
        in_flight: &mut InFlightCalls<'c>,
    ) -> usize {
        if let Some(calls) = self.start_shared_batches(fetch, count, entities, in_flight) {
            return calls;
        }
        let all = CallKey::up_to(fetch.id, count);
        self.start_calls(fetch, split_into_calls(fetch, all), entities, in_flight)
    }

    /// Adds entities to batches that operations share; `None` where the operation makes its own
    /// calls.
    fn start_shared_batches(
        &mut self,
        fetch: ConnectorFetch<'a>,
        wanted: usize,
        entities: &Entities,
        in_flight: &mut InFlightCalls<'c>,
    ) -> Option<usize> {
        let size = call_size(fetch, wanted);
        let counted = wanted
            .div_ceil(size)
            .min(self.remaining_calls(fetch.client));
        let count = wanted.min(counted * size);
        if count == 0 {
            return None;
        }
        let calls = match fetch.connector.output {
            ConnectorOutput::Batch { .. } => {
                self.load_batches(fetch, count, entities, in_flight)?
            }
            ConnectorOutput::Field(_) => self.load_field(fetch, entities, in_flight)?,
            ConnectorOutput::Object => return None,
        };
        if let Some(limit) = fetch.client.max_calls {
            let group = &fetch.client.call_limit_group;
            *self.call_counts.entry(group).or_default() += counted;
            if count < wanted {
                let rest = CallKey {
                    fetch: fetch.id,
                    first: count,
                    end: wanted,
                };
                self.fail_call(rest, entities, FetchError::TooMany(limit.get()));
            }
        }
        Some(calls)
    }

    /// Makes the operation's own calls, `waiting` being a stack of them; returns their number.
    pub(super) fn start_calls(
        &mut self,
        fetch: ConnectorFetch<'a>,
        mut waiting: Vec<CallKey>,
        entities: &Entities,
        in_flight: &mut InFlightCalls<'c>,
    ) -> usize {
        let mut calls = 0;
        while let Some(call) = waiting.pop() {
            let mut reports = Vec::new();
            let request = match self.request(fetch, call, entities, &mut reports) {
                Ok(request) if self.is_too_long(call, &request) => {
                    waiting.extend(call.halves());
                    continue;
                }
                request => request.and_then(|request| {
                    self.count_call(fetch.client)?;
                    Ok(request)
                }),
            };
            self.record_request_reports(fetch, reports);
            match request {
                Ok(request) => {
                    self.start_call(fetch, call, request, in_flight);
                    calls += 1;
                }
                Err(error) => self.fail_call(call, entities, error),
            }
        }
        calls
    }

    fn start_call(
        &mut self,
        fetch: ConnectorFetch<'a>,
        call: CallKey,
        request: Request,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        self.trace_call_start(call.fetch, call.first, call.len(), || {
            redacted_address(&request)
        });
        let options = CallOptions {
            coalescing: fetch.program.coalescing,
            timeout: fetch.client.timeout,
        };
        in_flight.add(Waiter::Connector(call), request, options);
    }

    /// Traces the start of a call for `batch_size` entities; `call` identifies it among the calls
    /// of its fetch.
    pub(super) fn trace_call_start(
        &mut self,
        fetch: FetchId,
        call: usize,
        batch_size: usize,
        address: impl FnOnce() -> String,
    ) {
        if let Some(trace) = &mut self.trace {
            trace.start_call(fetch, call, address(), batch_size);
        }
    }

    /// Traces the end of a call.
    pub(super) fn trace_call_end(&mut self, fetch: FetchId, call: usize, is_shared: bool) {
        if let Some(trace) = &mut self.trace {
            trace.end_call(fetch, call, is_shared);
        }
    }

    /// Whether the URL of a batch is too long, so that the batch is to be split.
    pub(super) fn is_too_long(&self, call: CallKey, request: &Request) -> bool {
        call.len() > 1 && request.url.as_str().len() > self.context.sources.url_limit
    }

    /// How many more calls the operation may make with this connector's limit.
    fn remaining_calls(&self, client: &ConnectorClient) -> usize {
        let Some(limit) = client.max_calls else {
            return usize::MAX;
        };
        let made = self.call_counts.get(&*client.call_limit_group).copied();
        limit.get().saturating_sub(made.unwrap_or_default())
    }

    /// Takes a call off the count: its entities are called for again.
    pub(super) fn uncount_call(&mut self, client: &'a ConnectorClient) {
        if let Some(made) = self.call_counts.get_mut(&*client.call_limit_group) {
            *made = made.saturating_sub(1);
        }
    }

    /// Counts a call against the limit of its group; an error when the limit is reached.
    fn count_call(&mut self, client: &'a ConnectorClient) -> Result<(), FetchError> {
        let Some(limit) = client.max_calls else {
            return Ok(());
        };
        let made = self
            .call_counts
            .entry(&client.call_limit_group)
            .or_default();
        *made += 1;
        if *made > limit.get() {
            return Err(FetchError::TooMany(limit.get()));
        }
        Ok(())
    }

    /// The entities of a fetch whose key is known.
    pub(super) fn connector_entities(&mut self, id: FetchId) -> Entities {
        let prepared: &'a PreparedOperation = self.context.prepared;
        let fetch = &prepared.plan.fetches[id];
        let is_abstract = self.context.prepared.is_abstract[fetch.at.0];
        let entry = fetch.first_entry();
        let mut entities = Entities::default();
        for row in self.tree.rows(&fetch.path) {
            if is_abstract && self.tree.type_of(row) != Some(entry.on) {
                self.fail_without_type(id, row);
                continue;
            }
            if let KeyState::Failed(failure) = entities.add(&self.tree, row, &entry.key) {
                self.fail_row(id, row, failure);
            }
        }
        entities
    }

    /// The request of a call; its reports are not recorded.
    pub(super) fn request(
        &self,
        fetch: ConnectorFetch<'a>,
        call: CallKey,
        entities: &Entities,
        reports: &mut Vec<MappingReport>,
    ) -> Result<Request, FetchError> {
        let arguments = variables::arguments(self.context, fetch, Phase::Request);
        let key_slots = &fetch.fetch.first_entry().key;
        let key = |index: EntityIndex| match entities.entity(index).rows().first() {
            Some(row) => mapping_value(&self.tree, *row, key_slots),
            None => Json::Null,
        };
        let first = || key(call.first_entity());
        let mut vars = variables::vars(self.context, fetch, Phase::Request, &arguments, first);
        if fetch.client.uses(Phase::Request, Variable::Batch) {
            let batch: Vec<_> = call.entities().map(key).collect();
            vars.set("batch", Json::list(batch));
        }
        let headers = self.context.headers;
        request::build(fetch.connector, fetch.client, headers, &vars, reports)
    }

    /// Reads the outcome of a call of the operation's own.
    pub(super) fn finish_call(&mut self, call: CallKey, outcome: &CallResult) {
        let Some((calls, mut entities)) = self.take_running(call.fetch) else {
            return; // The fetch timed out.
        };
        self.trace_call_end(call.fetch, call.first, false);
        let fetch = self.context.connector_fetch(call.fetch);
        if let Some(fetch) = fetch {
            let result = outcome.as_ref().map_err(Clone::clone);
            let result = result.and_then(|response| {
                self.read_connector(fetch, call, &mut entities, response)?;
                Ok(response)
            });
            match result {
                Ok(response) => {
                    let own: Vec<EntityIndex> = call.entities().collect();
                    self.store(fetch, &own, &entities, response);
                }
                Err(error) => self.fail_call(call, &entities, error),
            }
        }
        self.set_calls_left(call.fetch, calls - 1, entities);
    }

    /// Reads a response into the tree.
    pub(super) fn read_connector(
        &mut self,
        fetch: ConnectorFetch<'a>,
        call: CallKey,
        entities: &mut Entities,
        shared: &SharedResponse,
    ) -> Result<(), FetchError> {
        self.tree.check_body(&shared.response.body)?;
        let (response, body) = (&shared.response, shared.body()?);
        let arguments = variables::arguments(self.context, fetch, Phase::Response);
        let rows = entities.entity(call.first_entity()).rows();
        let key = || match rows.first() {
            // The tree is written to while the mapping is evaluated, so this is a copy.
            Some(row) => {
                let key = &fetch.fetch.first_entry().key;
                mapping_value(&self.tree, *row, key).to_owned_value()
            }
            None => Json::Null,
        };
        let mut vars = variables::vars(self.context, fetch, Phase::Response, &arguments, key);
        source_client::set_response_vars(fetch.client, response, &mut vars);
        let value = body.value();
        let success = source_client::check_success(fetch.connector, response, &value, &vars);
        self.record_response_reports(fetch, &value, &vars, &success);
        success?;
        self.warn_of_unread_body(fetch.client, shared);
        let mut filler = RowFiller {
            body: self.tree.next_body(),
            tree: &mut self.tree,
            widths: &self.context.prepared.widths,
            vars: &vars,
            authored_errors: Vec::new(),
        };
        let extract = &fetch.program.extract;
        let result = match &fetch.connector.output {
            ConnectorOutput::Batch { .. } => {
                let rows = filler.objects(extract, &value);
                rows.ok_or(FetchError::NotAList).map(Extracted::Rows)
            }
            ConnectorOutput::Object | ConnectorOutput::Field(_) => {
                let value = filler.extract(extract, &value);
                Ok(Extracted::Value(value))
            }
        };
        let authored = std::mem::take(&mut filler.authored_errors);
        self.record_authored_errors(fetch, authored);
        drop((value, vars));
        if let ResponseBody::Json(json) = body {
            self.tree.add_body(Arc::clone(json));
        }
        self.tree.check_memory()?;
        self.merge_extracted(fetch, call, entities, result?);
        Ok(())
    }

    /// Merges what a response contained into the rows of the call's entities.
    fn merge_extracted(
        &mut self,
        ConnectorFetch { fetch, client, .. }: ConnectorFetch<'a>,
        call: CallKey,
        entities: &mut Entities,
        extracted: Extracted,
    ) {
        match extracted {
            Extracted::Rows(rows) => {
                let mut expected = call.first_entity();
                let (objects, mut is_key_found) = (rows.len(), false);
                for row in rows {
                    let key = &fetch.first_entry().key;
                    let found = entities.find(&self.tree, row, key, expected);
                    expected = found.map_or(expected, EntityIndex::next);
                    // Entities that were not requested are dropped.
                    if let Some(index) = found.filter(|index| call.contains(*index)) {
                        self.copy_to_rows(fetch, row, entities.entity(index).rows());
                        is_key_found = true;
                    }
                }
                if !is_key_found {
                    self.warn_of_keys(client, call.len(), objects);
                }
            }
            Extracted::Value(value) => {
                let rows = entities.entity(call.first_entity()).rows();
                match (fetch.field_slot, value) {
                    (Some(slot), value) => self.set_field(fetch, slot, rows, value),
                    (None, Value::Object(row)) => self.copy_to_rows(fetch, row, rows),
                    (None, _) => {}
                }
            }
        }
    }
}

/// The calls for some entities of a fetch, the last one first: one for each entity, or one for
/// each batch.
pub(super) fn split_into_calls(fetch: ConnectorFetch<'_>, all: CallKey) -> Vec<CallKey> {
    let size = call_size(fetch, all.len());
    let starts = (all.first..all.end).step_by(size);
    let calls = starts.map(|first| CallKey {
        fetch: fetch.id,
        first,
        end: (first + size).min(all.end),
    });
    calls.rev().collect()
}

/// The method and the URL of a request without user, password and query, which may be secret.
pub(super) fn redacted_address(request: &Request) -> String {
    format!("{} {}", request.method, RedactedUrl(&request.url))
}

/// Maximum entities of one call.
fn call_size(fetch: ConnectorFetch<'_>, entities: usize) -> usize {
    match fetch.connector.output {
        ConnectorOutput::Batch { max_size, .. } => {
            let max_size = max_size.unwrap_or(fetch.client.max_entities);
            max_size.min(entities).max(1)
        }
        ConnectorOutput::Object | ConnectorOutput::Field(_) => 1,
    }
}

/// What a response contained, in the tree.
enum Extracted {
    /// A row for each object of a batch.
    Rows(Vec<Row>),
    Value(Value),
}
