//! Calls of connectors: from rows to requests, one an object or one a batch, from answers to rows.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use schema::connector::{Gives, Phase};
use schema::json::Value as Json;
use schema::mapping::ReportKind;

use super::entities::{Entities, key_value};
use super::flights::Flights;
use super::run::Run;
use super::{ByConnector, CallId, Caller, State, merge, variables};
use crate::error::{ConnectorReport, FetchError};
use crate::extract::fill::Fill;
use crate::fetch::ready::Ready;
use crate::fetch::request::{self, Request};
use crate::fetch::{self, Answer, Body};
use crate::plan::Fetch;
use crate::settings::Reports;
use crate::tree::{KeyState, Row, Value};

impl<'c, 'a> Run<'c, 'a> {
    pub(super) fn start(&mut self, by: ByConnector<'a>, flights: &mut Flights<'c>) {
        let (index, fetch) = (by.index, by.fetch);
        if !fetch.when.holds(self.context.variables) {
            self.states[index] = State::Done;
            return;
        }
        let entities = self.entities(fetch);
        let sharing = by.program.sharing;
        let mut calls = 0;
        let mut waiting = chunks(by, entities.len());
        while let Some(id) = waiting.pop() {
            match self.request(by, id, &entities) {
                Ok(request) if self.is_too_long(id, &request) => waiting.extend(id.halves()),
                Ok(request) => match self.count(by.ready) {
                    Ok(()) => {
                        let caller = Caller::Connector(id);
                        let call = |request| self.call(by.ready, request);
                        flights.add(caller, request, sharing, call);
                        calls += 1;
                    }
                    Err(error) => self.fail(id, &entities, error),
                },
                Err(error) => self.fail(id, &entities, error),
            }
        }
        self.states[index] = match calls {
            0 => State::Done,
            calls => State::Running { calls, entities },
        };
    }

    /// Whether a batch must be asked for in parts.
    fn is_too_long(&self, id: CallId, request: &Request) -> bool {
        id.end - id.first > 1 && request.url.as_str().len() > self.context.url_limit
    }

    /// Counts a call against what the operation may make.
    fn count(&mut self, ready: &'a Ready) -> Result<(), FetchError> {
        let Some(limit) = ready.calls else {
            return Ok(());
        };
        let made = self.made.entry(&ready.counted_as).or_default();
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
            if is_abstract && self.tree.type_of(row) != Some(fetch.first().on) {
                continue;
            }
            if let KeyState::Failed(failure) = entities.add(&self.tree, row, &fetch.first().key) {
                let at = (fetch.at, row, failure);
                merge::fail(&mut self.tree, &prepared.selection, &fetch.takes, at);
            }
        }
        entities
    }

    fn call(&self, ready: &Ready, request: Request) -> BoxFuture<'c, Result<Answer, FetchError>> {
        let client = self.context.client;
        client.call(request, ready.timeout).boxed()
    }

    fn request(
        &self,
        by: ByConnector<'a>,
        id: CallId,
        entities: &Entities,
    ) -> Result<Request, FetchError> {
        let arguments = variables::arguments(self.context, by, Phase::Request);
        let ByConnector {
            fetch,
            connector,
            ready,
            ..
        } = by;
        let key = |index: usize| match entities.rows(index).first() {
            Some(row) => key_value(&self.tree, *row, &fetch.first().key),
            None => Json::Null,
        };
        let mut vars = variables::vars(self.context, (by, Phase::Request), &arguments, || {
            key(id.first)
        });
        if ready.uses(Phase::Request, "batch") {
            let batch: Vec<_> = (id.first..id.end).map(key).collect();
            vars.set("batch", Json::list(batch));
        }
        request::build(connector, ready, self.context.headers, &vars)
    }

    pub(super) fn finish_call(&mut self, id: CallId, answer: &Result<Answer, FetchError>) {
        let State::Running {
            calls,
            mut entities,
        } = std::mem::take(&mut self.states[id.fetch])
        else {
            return; // Given up before.
        };
        let taken = match (answer, self.context.connector(id.fetch)) {
            (Ok(answer), Some(by)) => self.take(by, id, &mut entities, answer),
            (Ok(_), None) => Ok(()),
            (Err(error), _) => Err(error.clone()),
        };
        if let Err(error) = taken {
            self.fail(id, &entities, error);
        }
        self.states[id.fetch] = match calls - 1 {
            0 => State::Done,
            calls => State::Running { calls, entities },
        };
    }

    /// Reads an answer into the tree.
    fn take(
        &mut self,
        by: ByConnector<'a>,
        id: CallId,
        entities: &mut Entities,
        answer: &Answer,
    ) -> Result<(), FetchError> {
        let body = Body::read(answer)?;
        let ByConnector {
            fetch,
            connector,
            ready,
            program,
            ..
        } = by;
        let arguments = variables::arguments(self.context, by, Phase::Answer);
        let key = || match entities.rows(id.first).first() {
            // The tree is written to while the mapping runs, so this is a copy.
            Some(row) => key_value(&self.tree, *row, &fetch.first().key).to_owned_value(),
            None => Json::Null,
        };
        let mut vars = variables::vars(self.context, (by, Phase::Answer), &arguments, key);
        fetch::answer_vars(ready, answer, &mut vars);
        let value = body.value();
        fetch::judge(connector, answer, &value, &vars)?;
        let prepared = self.context.prepared;
        let number = self.tree.next_body();
        let mut fill = Fill {
            tree: &mut self.tree,
            widths: &prepared.widths,
            body: number,
            vars: &vars,
            authored: Vec::new(),
        };
        let result = match &connector.gives {
            Gives::Batch { .. } => {
                let rows = fill.objects(&program.extract, &value);
                rows.ok_or(FetchError::NotAList).map(Taken::Rows)
            }
            Gives::Object | Gives::Field(_) => Ok(Taken::Value(fill.extract(
                &program.extract,
                &value,
                Value::Absent,
            ))),
        };
        let mut reports = std::mem::take(&mut fill.authored);
        if self.context.reports == Reports::Show {
            let met = connector.selection.eval(value.clone(), &vars).reports;
            let met = met.into_iter();
            reports.extend(met.filter(|report| report.kind != ReportKind::AuthoredError));
        }
        self.reports
            .extend(reports.into_iter().map(|report| ConnectorReport {
                coordinate: Arc::clone(&ready.coordinate),
                report,
            }));
        drop((value, vars));
        if let Body::Json(json) = body {
            self.tree.keep(json);
        }
        self.place(id, entities, result?);
        Ok(())
    }

    /// Gives each entity of a call what was found for it.
    fn place(&mut self, id: CallId, entities: &mut Entities, taken: Taken) {
        let fetch = &self.context.prepared.plan.fetches[id.fetch];
        match taken {
            Taken::Rows(rows) => {
                let mut expected = id.first;
                for row in rows {
                    let found = entities.find(&self.tree, row, &fetch.first().key, expected);
                    expected = found.map_or(expected, |index| index + 1);
                    // What nobody asked for is dropped.
                    if let Some(index) = found.filter(|index| (id.first..id.end).contains(index)) {
                        self.copy(fetch, row, entities.rows(index));
                    }
                }
            }
            Taken::Value(value) => match (fetch.slot, value) {
                (Some(slot), value) => {
                    let selection = &self.context.prepared.selection;
                    for row in entities.rows(id.first) {
                        let at = (fetch.at, *row, slot);
                        merge::set(&mut self.tree, selection, &fetch.takes, (at, value));
                    }
                }
                (None, Value::Object(row)) => self.copy(fetch, row, entities.rows(id.first)),
                (None, _) => {}
            },
        }
    }
}

/// The calls of a fetch, the last one first: one an entity, or one a batch.
fn chunks(by: ByConnector<'_>, entities: usize) -> Vec<CallId> {
    let size = match by.connector.gives {
        Gives::Batch { max, .. } => max.unwrap_or(entities).max(1),
        Gives::Object | Gives::Field(_) => 1,
    };
    let starts = (0..entities).step_by(size);
    starts
        .map(|first| CallId {
            fetch: by.index,
            first,
            end: (first + size).min(entities),
        })
        .rev()
        .collect()
}

/// What a call's answer became in the tree.
enum Taken {
    /// A row for each object of a batch.
    Rows(Vec<Row>),
    Value(Value),
}
