//! Records the trace of an execution while it runs.

use std::time::Duration;

use schema::types::Name;
use tokio::time::Instant;

use super::{CacheStatus, Call, FetchTrace, Lookup};
use crate::cache::{Hit, LookupOutcome, Moment, Reuse};
use crate::entity_key::EntityIndex;
use crate::plan::{ByFetch, FetchId};

/// The traces of the fetches of a plan.
#[derive(Debug)]
pub(crate) struct TraceRecorder {
    fetches: ByFetch<FetchRecorder>,
    now: Moment,
}

/// The trace of one fetch.
#[derive(Debug)]
struct FetchRecorder {
    trace: FetchTrace,
    /// For each entity that the fetch is still about, the index of its lookup.
    lookup_indices: Vec<usize>,
    /// For each call, the number that identifies it while it is under way, and its start.
    calls: Vec<(usize, Instant)>,
}

impl TraceRecorder {
    /// Empty traces, for fetches with the numbers of their requests and the names of their sources.
    pub(crate) fn new(fetches: impl Iterator<Item = (usize, Name)>, now: Moment) -> Self {
        let fetches = fetches.map(|(fetch, source)| FetchRecorder {
            trace: FetchTrace {
                fetch,
                source,
                lookups: Vec::new(),
                omitted_lookups: 0,
                calls: Vec::new(),
            },
            lookup_indices: Vec::new(),
            calls: Vec::new(),
        });
        Self {
            fetches: fetches.collect(),
            now,
        }
    }

    /// Records that `count` entities are looked up, the first of them as `lookups`.
    pub(crate) fn start_lookups(&mut self, fetch: FetchId, count: usize, lookups: Vec<Lookup>) {
        let recorder = &mut self.fetches[fetch];
        recorder.trace.omitted_lookups = count - lookups.len().min(count);
        recorder.trace.lookups = lookups;
        recorder.lookup_indices = (0..count).collect();
    }

    /// Records the outcome of a lookup.
    pub(crate) fn record_outcome(
        &mut self,
        fetch: FetchId,
        entity: EntityIndex,
        outcome: &LookupOutcome,
    ) {
        let now = self.now;
        let Some(lookup) = self.lookup(fetch, entity) else {
            return;
        };
        let (status, hit) = match outcome {
            LookupOutcome::Fresh(hit) => (CacheStatus::Fresh(hit.level), hit),
            LookupOutcome::Negative(hit) => (CacheStatus::Negative(hit.level), hit),
            LookupOutcome::Stale(hit, _) => (CacheStatus::Stale(hit.level), hit),
            LookupOutcome::Miss(claim) => {
                lookup.miss_reason = Some(claim.miss_reason());
                return;
            }
            LookupOutcome::InFlight(_) => return,
        };
        lookup.status = status;
        lookup.miss_reason = None;
        lookup.id = hit.key.to_string();
        lookup.age = Some(hit.entry().age(now));
    }

    /// Records that a stale value is served because the source failed.
    pub(crate) fn record_stale_fallback(&mut self, fetch: FetchId, entity: EntityIndex, hit: &Hit) {
        let age = hit.entry().age(self.now);
        if let Some(lookup) = self.lookup(fetch, entity) {
            lookup.status = CacheStatus::StaleIfError(hit.level);
            lookup.age = Some(age);
        }
    }

    /// From now on the fetch has these of its entities, in this order.
    pub(crate) fn retain(&mut self, fetch: FetchId, order: &[EntityIndex]) {
        let indices = &mut self.fetches[fetch].lookup_indices;
        let retained = order.iter();
        let retained = retained.filter_map(|entity| indices.get(entity.index()).copied());
        *indices = retained.collect();
    }

    /// Records how long the new value of an entity is cached.
    pub(crate) fn record_stored(&mut self, fetch: FetchId, entity: EntityIndex, reuse: Reuse) {
        if let Some(lookup) = self.lookup(fetch, entity) {
            lookup.reuse = Some(reuse);
        }
    }

    /// Records the start of a call, which `call` identifies until it ends.
    pub(crate) fn start_call(
        &mut self,
        fetch: FetchId,
        call: usize,
        address: String,
        batch_size: usize,
    ) {
        let recorder = &mut self.fetches[fetch];
        recorder.calls.push((call, Instant::now()));
        recorder.trace.calls.push(Call {
            address,
            batch_size,
            duration: Duration::ZERO,
            is_shared: false,
        });
    }

    /// Records the end of the last call with that number.
    pub(crate) fn end_call(&mut self, fetch: FetchId, call: usize, is_shared: bool) {
        let recorder = &mut self.fetches[fetch];
        let mut calls = recorder.calls.iter().zip(&mut recorder.trace.calls).rev();
        if let Some(((_, start), call)) = calls.find(|((number, _), _)| *number == call) {
            call.duration = start.elapsed();
            call.is_shared |= is_shared;
        }
    }

    /// The traces of all fetches that looked something up or made a call.
    pub(crate) fn finish(self) -> Vec<FetchTrace> {
        let traces = self.fetches.into_iter().map(|recorder| recorder.trace);
        traces
            .filter(|trace| !trace.lookups.is_empty() || !trace.calls.is_empty())
            .collect()
    }

    fn lookup(&mut self, fetch: FetchId, entity: EntityIndex) -> Option<&mut Lookup> {
        let recorder = self.fetches.get_mut(fetch)?;
        let index = recorder.lookup_indices.get(entity.index())?;
        recorder.trace.lookups.get_mut(*index)
    }
}

/// Maximum traced lookups of one fetch; further ones are counted.
pub(crate) const MAX_LOOKUPS: usize = 100;
