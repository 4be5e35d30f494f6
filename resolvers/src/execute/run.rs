//! An execution under way: which fetches are done, what the tree holds, what failed.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use hashbrown::HashMap;
use schema::connector::{Gives, Phase};
use schema::json::Value as Json;
use schema::mapping::ReportKind;

use super::entities::{Entities, KeyState, key_value};
use super::flights::Flights;
use super::{CallId, Context, Executed, State, merge, variables};
use crate::error::{ConnectorReport, FetchError, FetchFailure};
use crate::extract::fill::Fill;
use crate::fetch::request::{self, Request};
use crate::fetch::{self, Answer, Body};
use crate::plan::Fetch;
use crate::settings::Reports;
use crate::tree::{Row, Tree, Value};

pub(super) struct Run<'c, 'a> {
    context: &'c Context<'a>,
    tree: Tree,
    states: Vec<State>,
    /// The last that was begun.
    stage: usize,
    /// Calls by what they are counted as, where there is a bound.
    made: HashMap<&'a str, usize, foldhash::fast::RandomState>,
    /// What mappings met, where that is told.
    reports: Vec<ConnectorReport>,
    failures: Vec<Arc<FetchFailure>>,
}

impl<'c, 'a> Run<'c, 'a> {
    pub(super) fn new(context: &'c Context<'a>, tree: Tree) -> Self {
        let fetches = context.prepared.plan.fetches.len();
        Self {
            context,
            tree,
            states: std::iter::repeat_with(State::default)
                .take(fetches)
                .collect(),
            stage: 0,
            made: HashMap::default(),
            reports: Vec::new(),
            failures: Vec::new(),
        }
    }

    pub(super) fn into_executed(self) -> Executed {
        Executed {
            tree: self.tree,
            failures: self.failures,
            reports: self.reports,
        }
    }

    /// Starts every fetch that waits for nothing.
    pub(super) fn start_ready(&mut self, flights: &mut Flights<'c>) {
        // A fetch stands behind those it needs, so one pass finds all that became ready.
        for index in 0..self.states.len() {
            if self.is_ready(index) {
                self.start(index, flights);
            }
        }
    }

    fn is_ready(&self, index: usize) -> bool {
        let fetches = &self.context.prepared.plan.fetches;
        let fetch = &fetches[index];
        let done = |index: usize| matches!(self.states[index], State::Done);
        let earlier = || fetches[..index].iter().enumerate();
        matches!(self.states[index], State::Waiting)
            && fetch.after.iter().all(|needed| done(*needed))
            // Only mutations have stages; nothing is looked through for the first.
            && (fetch.stage == 0
                || earlier().all(|(other, it)| it.stage == fetch.stage || done(other)))
    }

    fn start(&mut self, index: usize, flights: &mut Flights<'c>) {
        let fetch = &self.context.prepared.plan.fetches[index];
        if !fetch.when.holds(self.context.variables) {
            self.states[index] = State::Done;
            return;
        }
        if fetch.stage > self.stage {
            self.stage = fetch.stage;
            flights.forget();
        }
        let entities = self.entities(index, fetch);
        let sharing = self.context.prepared.programs[index].sharing;
        let mut calls = 0;
        let mut waiting = self.chunks(index, entities.len());
        while let Some(id) = waiting.pop() {
            match self.request(id, &entities) {
                Ok(request) if self.is_too_long(id, &request) => waiting.extend(id.halves()),
                Ok(request) => match self.count(index) {
                    Ok(()) => {
                        flights.add(id, request, sharing, |request| self.call(id, request));
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
    fn count(&mut self, fetch: usize) -> Result<(), FetchError> {
        let ready = self.context.ready(fetch);
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

    fn entities(&mut self, index: usize, fetch: &'a Fetch) -> Entities {
        let prepared = self.context.prepared;
        let mut entities = Entities::default();
        let is_abstract = prepared.is_abstract[fetch.at.0];
        for row in self.tree.rows(&prepared.programs[index].path) {
            if is_abstract && self.tree.type_of(row) != Some(fetch.on) {
                continue;
            }
            if let KeyState::Failed(failure) = entities.add(&self.tree, row, &fetch.key) {
                let at = (fetch.at, row, failure);
                merge::fail(&mut self.tree, &prepared.selection, &fetch.takes, at);
            }
        }
        entities
    }

    /// The calls of a fetch, the last one first: one an entity, or one a batch.
    fn chunks(&self, fetch: usize, entities: usize) -> Vec<CallId> {
        let size = match self.context.connector(fetch).gives {
            Gives::Batch { max, .. } => max.unwrap_or(entities).max(1),
            Gives::Object | Gives::Field(_) => 1,
        };
        let starts = (0..entities).step_by(size);
        starts
            .map(|first| CallId {
                fetch,
                first,
                end: (first + size).min(entities),
            })
            .rev()
            .collect()
    }

    fn call(&self, id: CallId, request: Request) -> BoxFuture<'c, Result<Answer, FetchError>> {
        let client = self.context.client;
        let timeout = self.context.ready(id.fetch).timeout;
        client.call(request, timeout).boxed()
    }

    fn request(&self, id: CallId, entities: &Entities) -> Result<Request, FetchError> {
        let arguments = variables::arguments(self.context, id.fetch, Phase::Request);
        let (connector, ready) = (
            self.context.connector(id.fetch),
            self.context.ready(id.fetch),
        );
        let fetch = &self.context.prepared.plan.fetches[id.fetch];
        let key = |index: usize| match entities.rows(index).first() {
            Some(row) => key_value(&self.tree, *row, &fetch.key),
            None => Json::Null,
        };
        let mut vars =
            variables::vars(self.context, (id.fetch, Phase::Request), &arguments, || {
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
        let taken = match answer {
            Ok(answer) => self.take(id, &mut entities, answer),
            Err(error) => Err(error.clone()),
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
        id: CallId,
        entities: &mut Entities,
        answer: &Answer,
    ) -> Result<(), FetchError> {
        let body = Body::read(answer)?;
        let fetch = &self.context.prepared.plan.fetches[id.fetch];
        let arguments = variables::arguments(self.context, id.fetch, Phase::Answer);
        let key = || match entities.rows(id.first).first() {
            // The tree is written to while the mapping runs, so this is a copy.
            Some(row) => key_value(&self.tree, *row, &fetch.key).to_owned_value(),
            None => Json::Null,
        };
        let mut vars = variables::vars(self.context, (id.fetch, Phase::Answer), &arguments, key);
        fetch::answer_vars(self.context.ready(id.fetch), answer, &mut vars);
        let value = body.value();
        fetch::judge(self.context.connector(id.fetch), answer, &value, &vars)?;
        let prepared = self.context.prepared;
        let program = &prepared.programs[id.fetch];
        let connector = self.context.connector(id.fetch);
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
        let coordinate = &self.context.ready(id.fetch).coordinate;
        self.reports
            .extend(reports.into_iter().map(|report| ConnectorReport {
                coordinate: Arc::clone(coordinate),
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
                    let found = entities.find(&self.tree, row, &fetch.key, expected);
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

    fn copy(&mut self, fetch: &Fetch, from: Row, to: &[Row]) {
        let selection = &self.context.prepared.selection;
        for row in to {
            let at = (fetch.at, from, *row);
            merge::copy(&mut self.tree, selection, &fetch.takes, at);
        }
    }

    fn fail(&mut self, id: CallId, entities: &Entities, error: FetchError) {
        let ready = self.context.ready(id.fetch);
        let failure = u32::try_from(self.failures.len()).unwrap_or(u32::MAX);
        self.failures.push(fetch::failure(ready, error));
        let fetch = &self.context.prepared.plan.fetches[id.fetch];
        let selection = &self.context.prepared.selection;
        for index in id.first..id.end {
            for row in entities.rows(index) {
                let at = (fetch.at, *row, failure);
                merge::fail(&mut self.tree, selection, &fetch.takes, at);
            }
        }
    }

    /// Marks everything that is not there yet as failed: the operation's time is up.
    pub(super) fn give_up(&mut self) {
        let timeout = self.context.timeout;
        for index in 0..self.states.len() {
            let entities = match std::mem::replace(&mut self.states[index], State::Done) {
                State::Done => continue,
                State::Running { entities, .. } => entities,
                State::Waiting => self.entities(index, &self.context.prepared.plan.fetches[index]),
            };
            let id = CallId {
                fetch: index,
                first: 0,
                end: entities.len(),
            };
            if self.context.prepared.plan.fetches[index]
                .when
                .holds(self.context.variables)
            {
                self.fail(id, &entities, FetchError::Timeout(timeout));
            }
        }
    }
}

/// What a call's answer became in the tree.
enum Taken {
    /// A row for each object of a batch.
    Rows(Vec<Row>),
    Value(Value),
}
