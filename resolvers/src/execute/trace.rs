//! What was done, noted down while it is done, for who asks for it.

use schema::types::Name;
use tokio::time::Instant;

use crate::cache::{LookupOutcome, Moment, Reuse};
use crate::plan::{ByFetch, FetchId};
use crate::trace::{CacheStatus as Told, Call, FetchTrace, Lookup};

/// What was done for each fetch of a plan.
pub(super) struct TraceRecorder {
    fetches: ByFetch<FetchRecorder>,
    now: Moment,
}

/// What was done for one fetch.
struct FetchRecorder {
    trace: FetchTrace,
    /// Which lookups the objects are that the fetch is still about.
    lookup_indices: Vec<usize>,
    /// When each call began, and what it is known by.
    calls: Vec<(usize, Instant)>,
}

impl TraceRecorder {
    /// Nothing yet, for fetches with the numbers of their requests and the names of their sources.
    pub(super) fn new(fetches: impl Iterator<Item = (usize, Name)>, now: Moment) -> Self {
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

    /// A fetch looks for so many values, of which these are told.
    pub(super) fn start_lookups(&mut self, fetch: FetchId, count: usize, lookups: Vec<Lookup>) {
        let recorder = &mut self.fetches[fetch];
        recorder.trace.omitted_lookups = count - lookups.len().min(count);
        recorder.trace.lookups = lookups;
        recorder.lookup_indices = (0..count).collect();
    }

    /// What was found for an object.
    pub(super) fn record_outcome(
        &mut self,
        fetch: FetchId,
        object: usize,
        outcome: &LookupOutcome,
    ) {
        let now = self.now;
        if let Some(lookup) = self.lookup(fetch, object) {
            match outcome {
                LookupOutcome::Fresh(hit)
                | LookupOutcome::Negative(hit)
                | LookupOutcome::Stale(hit, _) => {
                    lookup.status = match outcome {
                        LookupOutcome::Negative(_) => Told::Negative(hit.level),
                        LookupOutcome::Stale(..) => Told::Stale(hit.level),
                        _ => Told::Fresh(hit.level),
                    };
                    lookup.miss_reason = None;
                    lookup.id = hit.key.to_string();
                    lookup.age = Some(hit.entry().age(now));
                }
                LookupOutcome::Miss(claim) => lookup.miss_reason = Some(claim.miss_reason()),
                LookupOutcome::InFlight(_) => {}
            }
        }
    }

    /// An object is given out although it is old: its source fails.
    pub(super) fn record_stale_fallback(
        &mut self,
        fetch: FetchId,
        object: usize,
        hit: &crate::cache::Hit,
    ) {
        let age = hit.entry().age(self.now);
        if let Some(lookup) = self.lookup(fetch, object) {
            lookup.status = Told::StaleIfError(hit.level);
            lookup.age = Some(age);
        }
    }

    /// From now on the fetch is about these of its objects, in this order.
    pub(super) fn retain(&mut self, fetch: FetchId, order: &[usize]) {
        let lookup_indices = &mut self.fetches[fetch].lookup_indices;
        let retained = order
            .iter()
            .filter_map(|object| lookup_indices.get(*object).copied());
        *lookup_indices = retained.collect();
    }

    /// What is kept of an object from now on.
    pub(super) fn record_stored(&mut self, fetch: FetchId, object: usize, reuse: Reuse) {
        if let Some(lookup) = self.lookup(fetch, object) {
            lookup.reuse = Some(reuse);
        }
    }

    /// A call begins, known by `name` until it ends.
    pub(super) fn start_call(
        &mut self,
        fetch: FetchId,
        call: usize,
        (address, batch_size): (String, usize),
    ) {
        let recorder = &mut self.fetches[fetch];
        recorder.calls.push((call, Instant::now()));
        recorder.trace.calls.push(Call {
            address,
            batch_size,
            duration: std::time::Duration::ZERO,
            is_shared: false,
        });
    }

    /// The call that began last by that name has ended.
    pub(super) fn end_call(&mut self, fetch: FetchId, call: usize, is_shared: bool) {
        let recorder = &mut self.fetches[fetch];
        let calls = recorder.calls.iter().zip(&mut recorder.trace.calls);
        if let Some(((_, start), call)) = calls.rev().find(|((known, _), _)| *known == call) {
            call.duration = start.elapsed();
            call.is_shared |= is_shared;
        }
    }

    /// All of it, but for fetches that were not made.
    pub(super) fn finish(self) -> Vec<FetchTrace> {
        let traces = self.fetches.into_iter().map(|recorder| recorder.trace);
        traces
            .filter(|trace| !trace.lookups.is_empty() || !trace.calls.is_empty())
            .collect()
    }

    fn lookup(&mut self, fetch: FetchId, object: usize) -> Option<&mut Lookup> {
        let recorder = self.fetches.get_mut(fetch)?;
        let index = recorder.lookup_indices.get(object)?;
        recorder.trace.lookups.get_mut(*index)
    }
}

/// Lookups of one fetch that are told; further ones are counted.
pub(super) const MAX_LOOKUPS: usize = 100;
