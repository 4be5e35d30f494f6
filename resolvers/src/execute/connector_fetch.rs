//! Calls of connectors: from rows to requests, one an object or one a batch, from answers to rows.

use std::sync::Arc;

use schema::connector::{ConnectorOutput, Phase};
use schema::json::Value as Json;
use schema::mapping::{Report, ReportKind, Vars};

use super::entities::{Entities, key_value};
use super::execution::Execution;
use super::in_flight::{CallOptions, InFlightCalls};
use super::{CallId, ConnectorFetch, FetchState, Waiter, merge, variables};
use crate::error::{ConnectorReport, FetchError};
use crate::plan::{Fetch, FetchId};
use crate::response::rows::RowFiller;
use crate::settings::Reports;
use crate::source_client::connector::ConnectorClient;
use crate::source_client::request::{self, Request};
use crate::source_client::shared_response::{CallResult, SharedResponse};
use crate::source_client::variables::Variable;
use crate::source_client::{self, ResponseBody};
use crate::tree::{KeyState, Row, Value};

impl<'c, 'a> Execution<'c, 'a> {
    pub(super) fn start_fetch(
        &mut self,
        connector_fetch: ConnectorFetch<'a>,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        let (index, fetch) = (connector_fetch.index, connector_fetch.fetch);
        if !fetch.condition.is_true(self.context.variables) {
            self.states[index] = FetchState::Done;
            return;
        }
        let entities = self.entities(fetch);
        let calls = match self.lookup(connector_fetch, &entities) {
            Some(search) => {
                in_flight.add_lookup(Waiter::Lookup(index), search);
                1
            }
            None => self.start_entities(connector_fetch, (entities.len(), &entities), in_flight),
        };
        self.set_calls_left(index, calls, entities);
    }

    /// Makes the calls for the first `count` objects; gives how many.
    pub(super) fn start_entities(
        &mut self,
        connector_fetch: ConnectorFetch<'a>,
        (count, entities): (usize, &Entities),
        in_flight: &mut InFlightCalls<'c>,
    ) -> usize {
        if let Some(calls) =
            self.start_shared_batches(connector_fetch, (count, entities), in_flight)
        {
            return calls;
        }
        let all = CallId {
            fetch: connector_fetch.index,
            first: 0,
            end: count,
        };
        self.start_calls(
            connector_fetch,
            (split_into_calls(connector_fetch, all), entities),
            in_flight,
        )
    }

    /// Asks together with other operations, where that can be; gives how many batches there are.
    fn start_shared_batches(
        &mut self,
        connector_fetch: ConnectorFetch<'a>,
        (total, entities): (usize, &Entities),
        in_flight: &mut InFlightCalls<'c>,
    ) -> Option<usize> {
        let size = call_size(connector_fetch, total);
        let batches = total
            .div_ceil(size)
            .min(self.remaining_calls(connector_fetch.ready));
        let count = total.min(batches * size);
        if count == 0 {
            return None;
        }
        let calls = match connector_fetch.connector.output {
            ConnectorOutput::Batch { .. } => {
                self.load_batches(connector_fetch, (entities, count), in_flight)?
            }
            ConnectorOutput::Field(_) => self.load_field(connector_fetch, entities, in_flight)?,
            ConnectorOutput::Object => return None,
        };
        if let Some(limit) = connector_fetch.ready.max_calls {
            *self
                .call_counts
                .entry(&connector_fetch.ready.call_limit_group)
                .or_default() += batches;
            if count < total {
                let id = CallId {
                    fetch: connector_fetch.index,
                    first: count,
                    end: total,
                };
                self.fail_call(id, entities, FetchError::TooMany(limit.get()));
            }
        }
        Some(calls)
    }

    /// Makes calls for these objects, each for itself; gives how many.
    pub(super) fn start_calls(
        &mut self,
        connector_fetch: ConnectorFetch<'a>,
        (mut pending, entities): (Vec<CallId>, &Entities),
        in_flight: &mut InFlightCalls<'c>,
    ) -> usize {
        let mut calls = 0;
        while let Some(id) = pending.pop() {
            match self.request(connector_fetch, id, entities) {
                Ok(request) if self.is_too_long(id, &request) => pending.extend(id.halves()),
                Ok(request) => match self.count_call(connector_fetch.ready) {
                    Ok(()) => {
                        self.trace_call_start(
                            (connector_fetch.index, id.first),
                            id.end - id.first,
                            || redacted_address(&request),
                        );
                        let options = CallOptions {
                            coalescing: connector_fetch.program.coalescing,
                            timeout: connector_fetch.ready.timeout,
                        };
                        in_flight.add(Waiter::Connector(id), request, options);
                        calls += 1;
                    }
                    Err(error) => self.fail_call(id, entities, error),
                },
                Err(error) => self.fail_call(id, entities, error),
            }
        }
        calls
    }

    /// Notes that a call begins, known by its fetch and a number, for so many objects.
    pub(super) fn trace_call_start(
        &mut self,
        (fetch, call): (FetchId, usize),
        batch: usize,
        address: impl FnOnce() -> String,
    ) {
        if let Some(trace) = &mut self.trace {
            trace.start_call(fetch, call, (address(), batch));
        }
    }

    /// Notes that it has ended.
    pub(super) fn trace_call_end(&mut self, (fetch, call): (FetchId, usize), is_shared: bool) {
        if let Some(trace) = &mut self.trace {
            trace.end_call(fetch, call, is_shared);
        }
    }

    /// Whether a batch must be asked for in parts.
    pub(super) fn is_too_long(&self, id: CallId, request: &Request) -> bool {
        id.end - id.first > 1 && request.url.as_str().len() > self.context.sources.url_limit
    }

    /// How many more calls the operation may make.
    fn remaining_calls(&self, ready: &ConnectorClient) -> usize {
        let Some(limit) = ready.max_calls else {
            return usize::MAX;
        };
        let made = self.call_counts.get(&*ready.call_limit_group).copied();
        limit.get().saturating_sub(made.unwrap_or_default())
    }

    /// What is asked again for the same objects counts once.
    pub(super) fn uncount_call(&mut self, ready: &'a ConnectorClient) {
        if let Some(made) = self.call_counts.get_mut(&*ready.call_limit_group) {
            *made = made.saturating_sub(1);
        }
    }

    /// Counts a call against what the operation may make.
    fn count_call(&mut self, ready: &'a ConnectorClient) -> Result<(), FetchError> {
        let Some(limit) = ready.max_calls else {
            return Ok(());
        };
        let made = self.call_counts.entry(&ready.call_limit_group).or_default();
        *made += 1;
        if *made > limit.get() {
            return Err(FetchError::TooMany(limit.get()));
        }
        Ok(())
    }

    pub(super) fn entities(&mut self, fetch: &'a Fetch) -> Entities {
        let prepared = self.context.prepared;
        let mut entities = Entities::default();
        let is_abstract = prepared.is_abstract[fetch.at.0];
        for row in self.tree.rows(&fetch.path) {
            if is_abstract && self.tree.type_of(row) != Some(fetch.first_entry().on) {
                continue;
            }
            if let KeyState::Failed(failure) =
                entities.add(&self.tree, row, &fetch.first_entry().key)
            {
                let at = (fetch.at, row, failure);
                merge::fail_slots(&mut self.tree, &prepared.selection, &fetch.slots, at);
            }
        }
        entities
    }

    pub(super) fn request(
        &self,
        connector_fetch: ConnectorFetch<'a>,
        id: CallId,
        entities: &Entities,
    ) -> Result<Request, FetchError> {
        let arguments = variables::arguments(self.context, connector_fetch, Phase::Request);
        let ConnectorFetch {
            fetch,
            connector,
            ready,
            ..
        } = connector_fetch;
        let key = |index: usize| match entities.rows(index).first() {
            Some(row) => key_value(&self.tree, *row, &fetch.first_entry().key),
            None => Json::Null,
        };
        let mut vars = variables::vars(
            self.context,
            (connector_fetch, Phase::Request),
            &arguments,
            || key(id.first),
        );
        if ready.uses(Phase::Request, Variable::Batch) {
            let batch: Vec<_> = (id.first..id.end).map(key).collect();
            vars.set("batch", Json::list(batch));
        }
        request::build(connector, ready, self.context.headers, &vars)
    }

    pub(super) fn finish_call(&mut self, id: CallId, answer: &CallResult) {
        let FetchState::Running {
            calls,
            mut entities,
        } = std::mem::take(&mut self.states[id.fetch])
        else {
            return; // Given up before.
        };
        self.trace_call_end((id.fetch, id.first), false);
        let result = match (answer, self.context.connector_fetch(id.fetch)) {
            (Ok(reply), Some(connector_fetch)) => {
                self.read_reply(connector_fetch, id, &mut entities, reply)
            }
            (Ok(_), None) => Ok(()),
            (Err(error), _) => Err(error.clone()),
        };
        match (result, answer, self.context.connector_fetch(id.fetch)) {
            (Ok(()), Ok(reply), Some(connector_fetch)) => {
                let own: Vec<usize> = (id.first..id.end).collect();
                self.store(connector_fetch, (&own, &entities), reply);
            }
            (Err(error), _, _) => self.fail_call(id, &entities, error),
            (Ok(()), _, _) => {}
        }
        self.set_calls_left(id.fetch, calls - 1, entities);
    }

    /// Reads an answer into the tree.
    pub(super) fn read_reply(
        &mut self,
        connector_fetch: ConnectorFetch<'a>,
        id: CallId,
        entities: &mut Entities,
        reply: &SharedResponse,
    ) -> Result<(), FetchError> {
        let (answer, body) = (&reply.response, reply.body()?);
        let ConnectorFetch {
            fetch,
            connector,
            ready,
            program,
            ..
        } = connector_fetch;
        let arguments = variables::arguments(self.context, connector_fetch, Phase::Response);
        let key = || match entities.rows(id.first).first() {
            // The tree is written to while the mapping runs, so this is a copy.
            Some(row) => key_value(&self.tree, *row, &fetch.first_entry().key).to_owned_value(),
            None => Json::Null,
        };
        let mut vars = variables::vars(
            self.context,
            (connector_fetch, Phase::Response),
            &arguments,
            key,
        );
        source_client::set_response_vars(ready, answer, &mut vars);
        let value = body.value();
        source_client::check_success(connector, answer, &value, &vars)?;
        let prepared = self.context.prepared;
        let number = self.tree.next_body();
        let mut fill = RowFiller {
            tree: &mut self.tree,
            widths: &prepared.widths,
            body: number,
            vars: &vars,
            authored_errors: Vec::new(),
        };
        let result = match &connector.output {
            ConnectorOutput::Batch { .. } => {
                let rows = fill.objects(&program.extract, &value);
                rows.ok_or(FetchError::NotAList).map(Extracted::Rows)
            }
            ConnectorOutput::Object | ConnectorOutput::Field(_) => Ok(Extracted::Value(
                fill.extract(&program.extract, &value, Value::Absent),
            )),
        };
        let authored = std::mem::take(&mut fill.authored_errors);
        self.record_reports(connector_fetch, (&value, &vars), authored);
        drop((value, vars));
        if let ResponseBody::Json(json) = body {
            self.tree.add_body(Arc::clone(json));
        }
        self.merge_extracted(id, entities, result?);
        Ok(())
    }

    /// Notes what the mapping of an answer reports: what its author wrote, and, where that is shown,
    /// what it met.
    fn record_reports(
        &mut self,
        connector_fetch: ConnectorFetch<'_>,
        (answer, vars): (&Json<'_>, &Vars<'_>),
        authored: Vec<Report>,
    ) {
        let mut reports = authored;
        if self.context.reports == Reports::Show {
            let mapping_reports = connector_fetch
                .connector
                .selection
                .eval(answer.clone(), vars)
                .reports;
            let mapping_reports = mapping_reports.into_iter();
            reports
                .extend(mapping_reports.filter(|report| report.kind != ReportKind::AuthoredError));
        }
        self.reports
            .extend(reports.into_iter().map(|report| ConnectorReport {
                coordinate: Arc::clone(&connector_fetch.ready.coordinate),
                report,
            }));
    }

    /// Gives each entity of a call what was found for it.
    fn merge_extracted(&mut self, id: CallId, entities: &mut Entities, extracted: Extracted) {
        let fetch = &self.context.prepared.plan.fetches[id.fetch];
        match extracted {
            Extracted::Rows(rows) => {
                let mut expected = id.first;
                for row in rows {
                    let found = entities.find(&self.tree, row, &fetch.first_entry().key, expected);
                    expected = found.map_or(expected, |index| index + 1);
                    // What nobody asked for is dropped.
                    if let Some(index) = found.filter(|index| (id.first..id.end).contains(index)) {
                        self.copy_to_rows(fetch, row, entities.rows(index));
                    }
                }
            }
            Extracted::Value(value) => match (fetch.field_slot, value) {
                (Some(slot), value) => {
                    let selection = &self.context.prepared.selection;
                    for row in entities.rows(id.first) {
                        let at = (fetch.at, *row, slot);
                        merge::merge_slot(&mut self.tree, selection, &fetch.slots, (at, value));
                    }
                }
                (None, Value::Object(row)) => {
                    self.copy_to_rows(fetch, row, entities.rows(id.first))
                }
                (None, _) => {}
            },
        }
    }
}

/// The calls for some objects of a fetch, the last one first: one an entity, or one a batch.
pub(super) fn split_into_calls(connector_fetch: ConnectorFetch<'_>, all: CallId) -> Vec<CallId> {
    let size = call_size(connector_fetch, all.end - all.first);
    let starts = (all.first..all.end).step_by(size);
    starts
        .map(|first| CallId {
            fetch: connector_fetch.index,
            first,
            end: (first + size).min(all.end),
        })
        .rev()
        .collect()
}

/// Where a request goes, without what may be secret: user, password and query.
pub(super) fn redacted_address(request: &Request) -> String {
    let url = &request.url;
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}"));
    let port = port.unwrap_or_default();
    format!(
        "{} {}://{host}{port}{}",
        request.method,
        url.scheme(),
        url.path()
    )
}

/// How many objects one call is for.
fn call_size(connector_fetch: ConnectorFetch<'_>, entities: usize) -> usize {
    match connector_fetch.connector.output {
        ConnectorOutput::Batch { max_size: max, .. } => max.unwrap_or(entities).max(1),
        ConnectorOutput::Object | ConnectorOutput::Field(_) => 1,
    }
}

/// What a call's answer became in the tree.
enum Extracted {
    /// A row for each object of a batch.
    Rows(Vec<Row>),
    Value(Value),
}
