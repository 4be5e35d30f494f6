//! Calls of connectors: from rows to requests, one an object or one a batch, from answers to rows.

use std::sync::Arc;

use schema::connector::{Gives, Phase};
use schema::json::Value as Json;
use schema::mapping::{Report, ReportKind, Vars};

use super::entities::{Entities, key_value};
use super::flights::{Flights, How};
use super::run::Run;
use super::{ByConnector, CallId, Caller, State, merge, variables};
use crate::error::{ConnectorReport, FetchError};
use crate::extract::fill::Fill;
use crate::fetch::ready::Ready;
use crate::fetch::reply::{Outcome, Reply};
use crate::fetch::request::{self, Request};
use crate::fetch::{self, Body};
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
        let calls = match self.look(by, &entities) {
            Some(search) => {
                flights.add_search(Caller::Looked(index), search);
                1
            }
            None => self.start_all(by, (entities.len(), &entities), flights),
        };
        self.settle(index, calls, entities);
    }

    /// Makes the calls for the first `count` objects; gives how many.
    pub(super) fn start_all(
        &mut self,
        by: ByConnector<'a>,
        (count, entities): (usize, &Entities),
        flights: &mut Flights<'c>,
    ) -> usize {
        if let Some(calls) = self.start_shared(by, (count, entities), flights) {
            return calls;
        }
        let all = CallId {
            fetch: by.index,
            first: 0,
            end: count,
        };
        self.start_calls(by, (chunks(by, all), entities), flights)
    }

    /// Asks together with other operations, where that can be; gives how many batches there are.
    fn start_shared(
        &mut self,
        by: ByConnector<'a>,
        (wanted, entities): (usize, &Entities),
        flights: &mut Flights<'c>,
    ) -> Option<usize> {
        let size = size(by, wanted);
        let counted = wanted.div_ceil(size).min(self.room(by.ready));
        let count = wanted.min(counted * size);
        if count == 0 {
            return None;
        }
        let calls = match by.connector.gives {
            Gives::Batch { .. } => self.load(by, (entities, count), flights)?,
            Gives::Field(_) => self.load_field(by, entities, flights)?,
            Gives::Object => return None,
        };
        if let Some(limit) = by.ready.calls {
            *self.made.entry(&by.ready.counted_as).or_default() += counted;
            if count < wanted {
                let id = CallId {
                    fetch: by.index,
                    first: count,
                    end: wanted,
                };
                self.fail(id, entities, FetchError::TooMany(limit.get()));
            }
        }
        Some(calls)
    }

    /// Makes calls for these objects, each for itself; gives how many.
    pub(super) fn start_calls(
        &mut self,
        by: ByConnector<'a>,
        (mut waiting, entities): (Vec<CallId>, &Entities),
        flights: &mut Flights<'c>,
    ) -> usize {
        let mut calls = 0;
        while let Some(id) = waiting.pop() {
            match self.request(by, id, entities) {
                Ok(request) if self.is_too_long(id, &request) => waiting.extend(id.halves()),
                Ok(request) => match self.count(by.ready) {
                    Ok(()) => {
                        self.begins((by.index, id.first), id.end - id.first, || {
                            address(&request)
                        });
                        let how = How {
                            sharing: by.program.sharing,
                            timeout: by.ready.timeout,
                        };
                        flights.add(Caller::Connector(id), request, how);
                        calls += 1;
                    }
                    Err(error) => self.fail(id, entities, error),
                },
                Err(error) => self.fail(id, entities, error),
            }
        }
        calls
    }

    /// Notes that a call begins, known by its fetch and a number, for so many objects.
    pub(super) fn begins(
        &mut self,
        (fetch, name): (usize, usize),
        batch: usize,
        address: impl FnOnce() -> String,
    ) {
        if let Some(account) = &mut self.account {
            account.begins(fetch, name, (address(), batch));
        }
    }

    /// Notes that it has ended.
    pub(super) fn ends(&mut self, (fetch, name): (usize, usize), is_shared: bool) {
        if let Some(account) = &mut self.account {
            account.ends(fetch, name, is_shared);
        }
    }

    /// Whether a batch must be asked for in parts.
    pub(super) fn is_too_long(&self, id: CallId, request: &Request) -> bool {
        id.end - id.first > 1 && request.url.as_str().len() > self.context.sources.url_limit
    }

    /// How many more calls the operation may make.
    fn room(&self, ready: &Ready) -> usize {
        let Some(limit) = ready.calls else {
            return usize::MAX;
        };
        let made = self.made.get(&*ready.counted_as).copied();
        limit.get().saturating_sub(made.unwrap_or_default())
    }

    /// What is asked again for the same objects counts once.
    pub(super) fn uncount(&mut self, ready: &'a Ready) {
        if let Some(made) = self.made.get_mut(&*ready.counted_as) {
            *made = made.saturating_sub(1);
        }
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

    pub(super) fn request(
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

    pub(super) fn finish_call(&mut self, id: CallId, answer: &Outcome) {
        let State::Running {
            calls,
            mut entities,
        } = std::mem::take(&mut self.states[id.fetch])
        else {
            return; // Given up before.
        };
        self.ends((id.fetch, id.first), false);
        let taken = match (answer, self.context.connector(id.fetch)) {
            (Ok(reply), Some(by)) => self.take(by, id, &mut entities, reply),
            (Ok(_), None) => Ok(()),
            (Err(error), _) => Err(error.clone()),
        };
        match (taken, answer, self.context.connector(id.fetch)) {
            (Ok(()), Ok(reply), Some(by)) => {
                let own: Vec<usize> = (id.first..id.end).collect();
                self.keep(by, (&own, &entities), reply);
            }
            (Err(error), _, _) => self.fail(id, &entities, error),
            (Ok(()), _, _) => {}
        }
        self.settle(id.fetch, calls - 1, entities);
    }

    /// Reads an answer into the tree.
    pub(super) fn take(
        &mut self,
        by: ByConnector<'a>,
        id: CallId,
        entities: &mut Entities,
        reply: &Reply,
    ) -> Result<(), FetchError> {
        let (answer, body) = (&reply.answer, reply.body()?);
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
        let authored = std::mem::take(&mut fill.authored);
        self.report(by, (&value, &vars), authored);
        drop((value, vars));
        if let Body::Json(json) = body {
            self.tree.keep(Arc::clone(json));
        }
        self.place(id, entities, result?);
        Ok(())
    }

    /// Notes what the mapping of an answer reports: what its author wrote, and, where that is shown,
    /// what it met.
    fn report(
        &mut self,
        by: ByConnector<'_>,
        (answer, vars): (&Json<'_>, &Vars<'_>),
        authored: Vec<Report>,
    ) {
        let mut reports = authored;
        if self.context.reports == Reports::Show {
            let met = by.connector.selection.eval(answer.clone(), vars).reports;
            let met = met.into_iter();
            reports.extend(met.filter(|report| report.kind != ReportKind::AuthoredError));
        }
        self.reports
            .extend(reports.into_iter().map(|report| ConnectorReport {
                coordinate: Arc::clone(&by.ready.coordinate),
                report,
            }));
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

/// The calls for some objects of a fetch, the last one first: one an entity, or one a batch.
pub(super) fn chunks(by: ByConnector<'_>, all: CallId) -> Vec<CallId> {
    let size = size(by, all.end - all.first);
    let starts = (all.first..all.end).step_by(size);
    starts
        .map(|first| CallId {
            fetch: by.index,
            first,
            end: (first + size).min(all.end),
        })
        .rev()
        .collect()
}

/// Where a request goes, without what may be secret: user, password and query.
pub(super) fn address(request: &Request) -> String {
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
fn size(by: ByConnector<'_>, entities: usize) -> usize {
    match by.connector.gives {
        Gives::Batch { max, .. } => max.unwrap_or(entities).max(1),
        Gives::Object | Gives::Field(_) => 1,
    }
}

/// What a call's answer became in the tree.
enum Taken {
    /// A row for each object of a batch.
    Rows(Vec<Row>),
    Value(Value),
}
