//! An execution under way: which fetches are done, what the tree holds, what failed.

use hashbrown::HashMap;

use super::entities::Entities;
use super::in_flight::InFlightCalls;
use super::subgraph_fetch::SubgraphRequest;
use super::trace::TraceRecorder;
use super::{CallId, Context, ExecutionResult, FetchState, merge};
use crate::cache::{Claim, Reuse};
use crate::error::{ConnectorReport, FailureId, Failures, FetchError};
use crate::plan::{ByFetch, Fetch, FetchId, PlanRequestId};
use crate::tree::{Row, Tree};

pub(super) struct Execution<'c, 'a> {
    pub(super) context: &'c Context<'a>,
    pub(super) tree: Tree,
    pub(super) states: ByFetch<FetchState>,
    /// The last that was begun.
    stage: usize,
    /// Calls by what they are counted as, where there is a bound.
    pub(super) call_counts: HashMap<&'a str, usize, foldhash::fast::RandomState>,
    /// What mappings met, where that is told.
    pub(super) reports: Vec<ConnectorReport>,
    pub(super) failures: Failures,
    /// What tells the operation from others that share its calls.
    pub(super) operation_id: Option<u64>,
    /// By fetch, for each of its objects: the right to fetch it, and the duty to say what came.
    pub(super) claims: ByFetch<Vec<Option<Claim>>>,
    /// Requests to services that speak GraphQL, in the order they were made.
    pub(super) requests: Vec<SubgraphRequest>,
    /// For how long the answer may be used again, as far as it is known.
    pub(super) reuse: Option<Reuse>,
    /// What was done, where somebody wants to be told.
    pub(super) trace: Option<TraceRecorder>,
}

impl<'c, 'a> Execution<'c, 'a> {
    pub(super) fn new(context: &'c Context<'a>, tree: Tree) -> Self {
        let fetches = context.prepared.plan.fetches.len();
        Self {
            context,
            tree,
            states: std::iter::repeat_with(FetchState::default)
                .take(fetches)
                .collect(),
            stage: 0,
            call_counts: HashMap::default(),
            reports: Vec::new(),
            failures: Failures::default(),
            operation_id: None,
            claims: std::iter::repeat_with(Vec::new).take(fetches).collect(),
            requests: Vec::new(),
            reuse: None,
            trace: context.trace_recorder(),
        }
    }

    pub(super) fn into_result(self) -> ExecutionResult {
        ExecutionResult {
            tree: self.tree,
            failures: self.failures,
            reports: self.reports,
            reuse: self.reuse,
            trace: self.trace.map(TraceRecorder::finish).unwrap_or_default(),
        }
    }

    /// Starts every request that waits for nothing.
    pub(super) fn start_ready_requests(&mut self, in_flight: &mut InFlightCalls<'c>) {
        let requests = &self.context.prepared.plan.requests;
        // One that has nothing to ask is done at once, and others may have waited for it.
        let mut has_progressed = true;
        while has_progressed {
            has_progressed = false;
            for (index, fetches) in requests.pairs() {
                if fetches.iter().all(|fetch| self.is_ready(*fetch)) {
                    self.start_request(index, fetches, in_flight);
                    has_progressed |= fetches.iter().all(|fetch| self.is_done(*fetch));
                }
            }
        }
    }

    fn start_request(
        &mut self,
        index: PlanRequestId,
        fetches: &[FetchId],
        in_flight: &mut InFlightCalls<'c>,
    ) {
        let plan = &self.context.prepared.plan;
        let stage = fetches
            .first()
            .map_or(0, |first| plan.fetches[*first].stage);
        if stage > self.stage {
            self.stage = stage;
            in_flight.clear_reads();
        }
        if let Some(document) = &self.context.prepared.documents[index] {
            self.send(index, document, in_flight);
            return;
        }
        for fetch in fetches {
            match self.context.connector_fetch(*fetch) {
                Some(by) => self.start_fetch(by, in_flight),
                None => self.states[*fetch] = FetchState::Done,
            }
        }
    }

    fn is_done(&self, index: FetchId) -> bool {
        matches!(self.states[index], FetchState::Done)
    }

    fn is_ready(&self, index: FetchId) -> bool {
        let fetches = &self.context.prepared.plan.fetches;
        let fetch = &fetches[index];
        let done = |index: FetchId| self.is_done(index);
        let earlier = || fetches.pairs().take(index.index());
        matches!(self.states[index], FetchState::Waiting)
            && fetch.depends_on.iter().all(|needed| done(*needed))
            // Only mutations have stages; nothing is looked through for the first.
            && (fetch.stage == 0
                || earlier().all(|(other, it)| it.stage == fetch.stage || done(other)))
    }

    pub(super) fn copy_to_rows(&mut self, fetch: &Fetch, from: Row, to: &[Row]) {
        let selection = &self.context.prepared.selection;
        for row in to {
            let at = (fetch.at, from, *row);
            merge::copy_slots(&mut self.tree, selection, &fetch.slots, at);
        }
    }

    pub(super) fn fail_call(&mut self, id: CallId, entities: &Entities, error: FetchError) {
        let objects: Vec<usize> = (id.first..id.end).collect();
        self.fail_entities(id.fetch, (&objects, entities), error);
    }

    /// Marks what objects were to get, but for those that were kept and may still be given out.
    pub(super) fn fail_entities(
        &mut self,
        fetch: FetchId,
        (objects, entities): (&[usize], &Entities),
        error: FetchError,
    ) {
        let part = self.context.prepared.part(fetch);
        let is_fallback_allowed = error.is_source_failure();
        let objects = objects.iter().copied();
        let failed: Vec<usize> = objects
            .filter(|object| {
                !self.apply_stale_fallback((fetch, part), (entities, *object), is_fallback_allowed)
            })
            .collect();
        if failed.is_empty() {
            return;
        }
        let failure = self.failures.add(self.context.failure(fetch, error));
        self.mark_failed(fetch, (&failed, entities), failure);
    }

    /// Marks what objects were to get.
    pub(super) fn mark_failed(
        &mut self,
        fetch: FetchId,
        (objects, entities): (&[usize], &Entities),
        failure: FailureId,
    ) {
        let fetch = &self.context.prepared.plan.fetches[fetch];
        for object in objects {
            for row in entities.rows(*object) {
                self.fail_row(fetch, *row, failure);
            }
        }
    }

    /// Marks what one object was to get, its type where nobody has told it.
    pub(super) fn fail_row(&mut self, fetch: &Fetch, row: Row, failure: FailureId) {
        let prepared = self.context.prepared;
        if prepared.is_abstract[fetch.at.0] && self.tree.type_of(row).is_none() {
            self.tree.set_type_failure(row, failure);
        }
        let at = (fetch.at, row, failure);
        merge::fail_slots(&mut self.tree, &prepared.selection, &fetch.slots, at);
    }

    /// Marks everything that is not there yet as failed: the operation's time is up.
    pub(super) fn time_out(&mut self) {
        let timeout = self.context.timeout;
        for index in self.states.ids() {
            let entities = match std::mem::replace(&mut self.states[index], FetchState::Done) {
                FetchState::Done => continue,
                FetchState::Running { entities, .. } => entities,
                FetchState::Waiting => self.unstarted_entities(index),
            };
            let id = CallId {
                fetch: index,
                first: 0,
                end: entities.len(),
            };
            if self.context.prepared.plan.fetches[index]
                .condition
                .is_true(self.context.variables)
            {
                self.fail_call(id, &entities, FetchError::Timeout(timeout));
            }
        }
    }
}
