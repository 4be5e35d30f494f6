//! An execution under way: which fetches are done, what the tree holds, what failed.

use hashbrown::HashMap;

use super::entities::{Entities, EntityRef};
use super::failed_slots::{FailedSlots, FailedValue};
use super::in_flight::InFlightCalls;
use super::incomplete_rows::IncompleteRows;
use super::merge::Merge;
use super::subgraph_fetch::SubgraphRequest;
use super::{CallKey, Context, ExecutionResult, FetchState};
use crate::entity_cache::EntityCache;
use crate::entity_key::EntityIndex;
use crate::error::{ConnectorReport, FailureId, Failures, FetchError};
use crate::plan::{ByFetch, Fetch, FetchId, PlanRequestId};
use crate::prepared::PreparedOperation;
use crate::trace::recorder::TraceRecorder;
use crate::tree::{Row, SlotRef, Tree, Value};
use crate::warning::SourceWarnings;

pub(super) struct Execution<'c, 'a> {
    pub(super) context: &'c Context<'a>,
    pub(super) tree: Tree,
    pub(super) fetches: ByFetch<FetchState>,
    /// The stage of the fetches that were started last.
    stage: usize,
    /// All requests before this one were started.
    first_waiting: usize,
    /// All fetches before this one are done.
    first_open: usize,
    /// Calls by the group that a limit applies to, where there is a limit.
    pub(super) call_counts: HashMap<&'a str, usize, foldhash::fast::RandomState>,
    /// What mappings report, where reports are shown.
    pub(super) reports: Vec<ConnectorReport>,
    pub(super) warnings: SourceWarnings,
    pub(super) failures: Failures,
    pub(super) failed_slots: FailedSlots<'a>,
    pub(super) incomplete_rows: IncompleteRows,
    /// Distinguishes the operation from others that share its batches.
    pub(super) operation_id: Option<u64>,
    /// Requests to subgraphs, in the order of their sending.
    pub(super) requests: Vec<SubgraphRequest>,
    pub(super) cache: EntityCache<'a>,
    pub(super) trace: Option<TraceRecorder>,
    /// The last failure of hits that the operation had no room for, with its fetch.
    pub(super) memory_failure: Option<(FetchId, FailureId)>,
}

impl<'c, 'a> Execution<'c, 'a> {
    pub(super) fn new(context: &'c Context<'a>, tree: Tree) -> Self {
        let fetches = &context.prepared.plan.fetches;
        let cache = context.entity_cache();
        Self {
            context,
            tree,
            fetches: fetches.ids().map(|_| FetchState::default()).collect(),
            stage: 0,
            first_waiting: 0,
            first_open: 0,
            call_counts: HashMap::default(),
            reports: Vec::new(),
            warnings: SourceWarnings::default(),
            failures: Failures::default(),
            failed_slots: FailedSlots::default(),
            incomplete_rows: IncompleteRows::default(),
            operation_id: None,
            requests: Vec::new(),
            trace: context.trace_recorder(&cache),
            memory_failure: None,
            cache,
        }
    }

    pub(super) fn into_result(self) -> ExecutionResult {
        let (reuse, dependencies) = self.cache.into_reuse();
        ExecutionResult {
            tree: self.tree,
            failures: self.failures,
            reports: self.reports,
            warnings: self.warnings.into_list(),
            reuse,
            dependencies,
            trace: self.trace.map(TraceRecorder::finish).unwrap_or_default(),
        }
    }

    /// Starts every request whose fetches depend on nothing that is not done.
    pub(super) fn start_ready_requests(&mut self, in_flight: &mut InFlightCalls<'c>) {
        let requests = &self.context.prepared.plan.requests;
        // A request without entities is done at once, and others may depend on it.
        let mut is_repeated = true;
        while is_repeated {
            is_repeated = false;
            let open_stage = self.open_stage();
            for (request, fetches) in requests.pairs().skip(self.started_requests()) {
                let is_open = self.stage_of(fetches) <= open_stage;
                if is_open && fetches.iter().all(|fetch| self.is_ready(*fetch)) {
                    self.start_request(request, fetches, in_flight);
                    is_repeated |= fetches.iter().all(|fetch| self.is_done(*fetch));
                }
            }
        }
    }

    fn start_request(
        &mut self,
        request: PlanRequestId,
        fetches: &[FetchId],
        in_flight: &mut InFlightCalls<'c>,
    ) {
        let prepared = self.context.prepared;
        let stage = self.stage_of(fetches);
        if stage > self.stage {
            self.stage = stage;
            in_flight.clear_reads();
        }
        if let Some(document) = &prepared.documents[request] {
            self.start_subgraph_request(request, document, in_flight);
            return;
        }
        for fetch in fetches {
            match self.context.connector_fetch(*fetch) {
                Some(fetch) => self.start_fetch(fetch, in_flight),
                None => self.fetches[*fetch] = FetchState::Done,
            }
        }
    }

    pub(super) fn is_done(&self, fetch: FetchId) -> bool {
        matches!(self.fetches[fetch], FetchState::Done)
    }

    fn is_started(&self, fetch: FetchId) -> bool {
        !matches!(self.fetches[fetch], FetchState::Waiting)
    }

    /// Whether a fetch of the open stage depends on nothing that is not done.
    fn is_ready(&self, id: FetchId) -> bool {
        let fetch = &self.context.prepared.plan.fetches[id];
        matches!(self.fetches[id], FetchState::Waiting)
            && fetch.depends_on.iter().all(|other| self.is_done(*other))
            // A fallback is for the entities that its fetch was started without.
            && fetch.fallback_of.is_none_or(|it| self.is_started(it))
    }

    fn stage_of(&self, fetches: &[FetchId]) -> usize {
        let first = fetches.first();
        first.map_or(0, |first| self.context.prepared.plan.fetches[*first].stage)
    }

    /// The stage whose fetches may run: the first one that is not done. Only mutations have stages.
    fn open_stage(&mut self) -> usize {
        let plan = &self.context.prepared.plan;
        while let Some(fetch) = plan.fetches.get(FetchId::from(self.first_open)) {
            if !self.is_done(FetchId::from(self.first_open)) {
                return fetch.stage;
            }
            self.first_open += 1;
        }
        plan.stages
    }

    /// The number of requests at the start of the plan that were all started.
    fn started_requests(&mut self) -> usize {
        let requests = &self.context.prepared.plan.requests;
        while let Some(fetches) = requests.get(PlanRequestId::from(self.first_waiting))
            && fetches.iter().all(|fetch| self.is_started(*fetch))
        {
            self.first_waiting += 1;
        }
        self.first_waiting
    }

    /// Takes the calls left and the entities out of a running fetch, which is done unless
    /// `set_calls_left` puts them back; `None` when the fetch timed out.
    pub(super) fn take_running(&mut self, fetch: FetchId) -> Option<(usize, Entities)> {
        match std::mem::replace(&mut self.fetches[fetch], FetchState::Done) {
            FetchState::Running { calls, entities } => Some((calls, entities)),
            FetchState::Waiting | FetchState::Done => None,
        }
    }

    /// Sets how many calls and lookups a fetch waits for; it is done when there is none.
    pub(super) fn set_calls_left(&mut self, fetch: FetchId, calls: usize, entities: Entities) {
        self.fetches[fetch] = match calls {
            0 => FetchState::Done,
            calls => FetchState::Running { calls, entities },
        };
        if calls == 0 {
            self.mark_shared_failures(fetch);
        }
    }

    pub(super) fn merge(&mut self, fetch: &'a Fetch) -> Merge<'_> {
        Merge {
            tree: &mut self.tree,
            selection: &self.context.prepared.selection,
            slots: &fetch.slots,
        }
    }

    /// Copies the slots of a fetch from one row to others.
    pub(super) fn copy_to_rows(&mut self, fetch: &'a Fetch, from: Row, to: &[Row]) {
        for row in to {
            self.merge(fetch).copy_slots(fetch.at, from, *row);
        }
    }

    /// Writes the value of a root field's fetch into the rows of its entity.
    pub(super) fn set_field(&mut self, fetch: &'a Fetch, slot: usize, rows: &[Row], value: Value) {
        let position = fetch.at;
        for row in rows {
            let row = *row;
            self.merge(fetch).set_slot(
                SlotRef {
                    position,
                    row,
                    slot,
                },
                value,
            );
        }
    }

    /// Marks the entities of a call as failed.
    pub(super) fn fail_call(&mut self, call: CallKey, entities: &Entities, error: FetchError) {
        let failed: Vec<EntityIndex> = call.entities().collect();
        self.fail_entities(call.fetch, &failed, entities, error);
    }

    /// Marks entities as failed, except those for which a stale value may be served.
    pub(super) fn fail_entities(
        &mut self,
        fetch: FetchId,
        failed: &[EntityIndex],
        entities: &Entities,
        error: FetchError,
    ) {
        let is_source_failure = error.is_source_failure();
        let failed = failed.iter().copied();
        let failed: Vec<EntityIndex> = failed
            .filter(|entity| {
                !self.apply_stale_fallback(fetch, entities.entity(*entity), is_source_failure)
            })
            .collect();
        if failed.is_empty() {
            return;
        }
        let failure = self.failures.add(self.context.failure(fetch, error));
        self.mark_failed(fetch, &failed, entities, failure);
    }

    /// Serves stale values in place of an entity whose fetch failed; false where there is none.
    pub(super) fn apply_stale_fallback(
        &mut self,
        fetch: FetchId,
        entity: EntityRef<'_>,
        is_source_failure: bool,
    ) -> bool {
        let hit = self
            .cache
            .fallback(fetch, entity.index(), is_source_failure);
        let Some(hit) = hit else { return false };
        let part = self.context.prepared.part(fetch);
        self.apply_hit(fetch, part, entity, &hit);
        if let Some(trace) = &mut self.trace {
            trace.record_stale_fallback(fetch, entity.index(), &hit);
        }
        true
    }

    /// Marks every row of these entities as failed.
    pub(super) fn mark_failed(
        &mut self,
        fetch: FetchId,
        failed: &[EntityIndex],
        entities: &Entities,
        failure: FailureId,
    ) {
        for entity in failed {
            self.fail_rows(fetch, entities.entity(*entity), failure);
        }
    }

    pub(super) fn fail_rows(&mut self, fetch: FetchId, entity: EntityRef<'_>, failure: FailureId) {
        for row in entity.rows() {
            self.fail_row(fetch, *row, failure);
        }
    }

    /// Marks the slots that a fetch fills in a row as failed, and its type where it is unknown.
    pub(super) fn fail_row(&mut self, id: FetchId, row: Row, failure: FailureId) {
        let prepared: &'a PreparedOperation = self.context.prepared;
        let fetch = &prepared.plan.fetches[id];
        let failed = FailedValue {
            row,
            failure,
            place: None,
        };
        self.failed_slots.add(id, failed);
        let is_abstract = self.context.prepared.is_abstract[fetch.at.0];
        if is_abstract && self.tree.type_of(row).is_none() {
            self.tree.set_type_failure(row, failure);
        }
        self.merge(fetch).fail_slots(fetch.at, row, failure);
    }

    /// Marks the slots that a fetch of one type fills in a row as failed if the call that was to
    /// provide the row's type has failed.
    pub(super) fn fail_without_type(&mut self, id: FetchId, row: Row) {
        if self.tree.type_of(row).is_none()
            && let Some(failure) = self.tree.type_failure(row)
        {
            self.fail_row(id, row, failure);
        }
    }

    /// Marks everything that is not done as failed: the operation's time is up.
    pub(super) fn time_out(&mut self) {
        let context = self.context;
        for fetch in context.prepared.plan.fetches.ids() {
            let entities = match std::mem::replace(&mut self.fetches[fetch], FetchState::Done) {
                FetchState::Done => continue,
                FetchState::Running { entities, .. } => entities,
                FetchState::Waiting => self.unstarted_entities(fetch),
            };
            let condition = &context.prepared.plan.fetches[fetch].condition;
            if condition.is_true(context.variables) {
                let call = CallKey::up_to(fetch, entities.len());
                self.fail_call(call, &entities, FetchError::Timeout(context.timeout));
            }
        }
    }

    /// The entities that a fetch would be started for now; those with a failed input have failed.
    pub(super) fn unstarted_entities(&mut self, fetch: FetchId) -> Entities {
        let prepared = self.context.prepared;
        match prepared.part(fetch) {
            Some(part) => self.represented_entities(part, &prepared.plan.fetches[fetch]),
            None => self.connector_entities(fetch),
        }
    }
}
