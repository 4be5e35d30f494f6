//! An execution under way: which fetches are done, what the tree holds, what failed.

use hashbrown::HashMap;

use super::account::Accounts;
use super::entities::Entities;
use super::flights::Flights;
use super::graphql::Round;
use super::{CallId, Context, Executed, State, merge};
use crate::cache::{Claim, Reuse};
use crate::error::{ConnectorReport, Failures, FetchError};
use crate::plan::Fetch;
use crate::tree::{Row, Tree};

pub(super) struct Run<'c, 'a> {
    pub(super) context: &'c Context<'a>,
    pub(super) tree: Tree,
    pub(super) states: Vec<State>,
    /// The last that was begun.
    stage: usize,
    /// Calls by what they are counted as, where there is a bound.
    pub(super) made: HashMap<&'a str, usize, foldhash::fast::RandomState>,
    /// What mappings met, where that is told.
    pub(super) reports: Vec<ConnectorReport>,
    pub(super) failures: Failures,
    /// What tells the operation from others that share its calls.
    pub(super) asker: Option<u64>,
    /// By fetch, for each of its objects: the right to fetch it, and the duty to say what came.
    pub(super) claims: Vec<Vec<Option<Claim>>>,
    /// Requests to services that speak GraphQL, in the order they were made.
    pub(super) rounds: Vec<Round>,
    /// For how long the answer may be used again, as far as it is known.
    pub(super) reuse: Option<Reuse>,
    /// What was done, where somebody wants to be told.
    pub(super) account: Option<Accounts>,
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
            failures: Failures::default(),
            asker: None,
            claims: std::iter::repeat_with(Vec::new).take(fetches).collect(),
            rounds: Vec::new(),
            reuse: None,
            account: context.accounts(),
        }
    }

    pub(super) fn into_executed(self) -> Executed {
        Executed {
            tree: self.tree,
            failures: self.failures,
            reports: self.reports,
            reuse: self.reuse,
            account: self.account.map(Accounts::finish).unwrap_or_default(),
        }
    }

    /// Starts every request that waits for nothing.
    pub(super) fn start_ready(&mut self, flights: &mut Flights<'c>) {
        let requests = &self.context.prepared.plan.requests;
        // One that has nothing to ask is done at once, and others may have waited for it.
        let mut again = true;
        while again {
            again = false;
            for (index, fetches) in requests.iter().enumerate() {
                if fetches.iter().all(|fetch| self.is_ready(*fetch)) {
                    self.start_request(index, fetches, flights);
                    again |= fetches.iter().all(|fetch| self.is_done(*fetch));
                }
            }
        }
    }

    fn start_request(&mut self, index: usize, fetches: &[usize], flights: &mut Flights<'c>) {
        let plan = &self.context.prepared.plan;
        let stage = fetches
            .first()
            .map_or(0, |first| plan.fetches[*first].stage);
        if stage > self.stage {
            self.stage = stage;
            flights.forget();
        }
        if let Some(document) = &self.context.prepared.documents[index] {
            self.ask(index, document, flights);
            return;
        }
        for fetch in fetches {
            match self.context.connector(*fetch) {
                Some(by) => self.start(by, flights),
                None => self.states[*fetch] = State::Done,
            }
        }
    }

    fn is_done(&self, index: usize) -> bool {
        matches!(self.states[index], State::Done)
    }

    fn is_ready(&self, index: usize) -> bool {
        let fetches = &self.context.prepared.plan.fetches;
        let fetch = &fetches[index];
        let done = |index: usize| self.is_done(index);
        let earlier = || fetches[..index].iter().enumerate();
        matches!(self.states[index], State::Waiting)
            && fetch.after.iter().all(|needed| done(*needed))
            // Only mutations have stages; nothing is looked through for the first.
            && (fetch.stage == 0
                || earlier().all(|(other, it)| it.stage == fetch.stage || done(other)))
    }

    pub(super) fn copy(&mut self, fetch: &Fetch, from: Row, to: &[Row]) {
        let selection = &self.context.prepared.selection;
        for row in to {
            let at = (fetch.at, from, *row);
            merge::copy(&mut self.tree, selection, &fetch.takes, at);
        }
    }

    pub(super) fn fail(&mut self, id: CallId, entities: &Entities, error: FetchError) {
        let objects: Vec<usize> = (id.first..id.end).collect();
        self.fail_objects(id.fetch, (&objects, entities), error);
    }

    /// Marks what objects were to get, but for those that were kept and may still be given out.
    pub(super) fn fail_objects(
        &mut self,
        fetch: usize,
        (objects, entities): (&[usize], &Entities),
        error: FetchError,
    ) {
        let part = self.context.prepared.part(fetch);
        let may = error.is_of_service();
        let objects = objects.iter().copied();
        let failed: Vec<usize> = objects
            .filter(|object| !self.rescue((fetch, part), (entities, *object), may))
            .collect();
        if failed.is_empty() {
            return;
        }
        let failure = self.failures.add(self.context.failure(fetch, error));
        self.fail_all(fetch, (&failed, entities), failure);
    }

    /// Marks what objects were to get.
    pub(super) fn fail_all(
        &mut self,
        fetch: usize,
        (objects, entities): (&[usize], &Entities),
        failure: u32,
    ) {
        let fetch = &self.context.prepared.plan.fetches[fetch];
        for object in objects {
            for row in entities.rows(*object) {
                self.fail_row(fetch, *row, failure);
            }
        }
    }

    /// Marks what one object was to get, its type where nobody has told it.
    pub(super) fn fail_row(&mut self, fetch: &Fetch, row: Row, failure: u32) {
        let prepared = self.context.prepared;
        if prepared.is_abstract[fetch.at.0] && self.tree.type_of(row).is_none() {
            self.tree.set_untold(row, failure);
        }
        let at = (fetch.at, row, failure);
        merge::fail(&mut self.tree, &prepared.selection, &fetch.takes, at);
    }

    /// Marks everything that is not there yet as failed: the operation's time is up.
    pub(super) fn give_up(&mut self) {
        let timeout = self.context.timeout;
        for index in 0..self.states.len() {
            let entities = match std::mem::replace(&mut self.states[index], State::Done) {
                State::Done => continue,
                State::Running { entities, .. } => entities,
                State::Waiting => self.waiting(index),
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
