//! Looks the entities of a fetch up, and sorts what was found by what is to be done about it.

use futures_util::future::{BoxFuture, FutureExt};

use super::EntityCache;
use super::keys::KeyBuilder;
use crate::cache::{Claim, Hit, InFlightWait, LookupOutcome, LookupRequest, RefreshClaim, Tally};
use crate::entity_key::EntityIndex;
use crate::plan::FetchId;
use crate::trace::recorder::{MAX_LOOKUPS, TraceRecorder};

/// An entity to look up.
pub(crate) struct LookupEntity {
    /// Which of the fetch's rules it falls under.
    pub(crate) rule: usize,
    /// Its key or representation as canonical JSON; `None` for root fields.
    pub(crate) key: Option<String>,
}

/// Outcomes of lookups by what is to be done about them, each with its entity.
#[derive(Default)]
pub(crate) struct SortedLookups {
    /// Values to serve.
    pub(crate) hits: Vec<(EntityIndex, Hit)>,
    /// Entities to fetch, with the claim to do so.
    pub(crate) misses: Vec<(EntityIndex, Claim)>,
    /// Entities that another operation or process is fetching.
    pub(crate) in_flight: Vec<(EntityIndex, InFlightWait)>,
    /// Served stale values to refresh in the background.
    pub(crate) stale: Vec<(EntityIndex, RefreshClaim)>,
}

impl<'a> EntityCache<'a> {
    /// The lookup requests for the entities of a fetch. `arguments` has, by rule, the JSON object
    /// of the variables that the value depends on. `None` where the fetch is not cached, where its
    /// lookups are bypassed for a while, and where a key is not JSON.
    pub(crate) fn lookup_requests(
        &self,
        fetch: FetchId,
        arguments: &[Option<String>],
        entities: impl ExactSizeIterator<Item = Option<LookupEntity>>,
        mut trace: Option<&mut TraceRecorder>,
    ) -> Option<Vec<LookupRequest>> {
        let builders = self.key_builders(fetch, arguments)?;
        let mut requests = Vec::with_capacity(entities.len());
        let mut traces = Vec::new();
        for entity in entities {
            let LookupEntity { rule, key } = entity?;
            let builder = builders.get(rule)?;
            if trace.is_none() {
                requests.push(builder.lookup_request(key));
                continue;
            }
            let request = builder.lookup_request(key.clone());
            if traces.len() < MAX_LOOKUPS {
                traces.push(builder.lookup_trace(self.client_headers, &request, key.as_deref()));
            }
            requests.push(request);
        }
        if let Some(trace) = &mut trace {
            trace.start_lookups(fetch, requests.len(), traces);
        }
        Some(requests)
    }

    fn key_builders(
        &self,
        fetch: FetchId,
        arguments: &[Option<String>],
    ) -> Option<Vec<KeyBuilder<'a>>> {
        let plan = self.fetch_plan(fetch)?;
        let now = self.cache?.now();
        if plan.rules.iter().any(|rule| rule.is_in_backoff(now)) {
            return None;
        }
        let rules = plan.rules.iter().zip(arguments);
        rules
            .map(|(rule, arguments)| {
                rule.key_builder(self.client_headers, self.variables, arguments.as_deref())
            })
            .collect()
    }

    /// Looks values up; `None` when there is nothing to look up.
    pub(crate) fn lookup(
        &self,
        requests: Vec<LookupRequest>,
    ) -> Option<BoxFuture<'a, Vec<LookupOutcome>>> {
        let cache = self.cache?;
        (!requests.is_empty()).then(|| async move { cache.lookup(requests).await }.boxed())
    }

    /// Sorts outcomes, and counts them for metrics and for the trace. `rule_of` is the rule of an
    /// entity.
    pub(crate) fn sort(
        &self,
        fetch: FetchId,
        outcomes: impl Iterator<Item = (EntityIndex, LookupOutcome)>,
        rule_of: impl Fn(EntityIndex) -> usize,
        mut trace: Option<&mut TraceRecorder>,
    ) -> SortedLookups {
        let (Some(cache), Some(plan)) = (self.cache, self.fetch_plan(fetch)) else {
            return SortedLookups::from_outcomes(outcomes); // Without a plan nothing is looked up.
        };
        let now = cache.now();
        let mut tallies: Vec<Tally> = plan.rules.iter().map(|_| Tally::default()).collect();
        let sorted = SortedLookups::from_outcomes(outcomes.inspect(|(entity, outcome)| {
            if let Some(tally) = tallies.get_mut(rule_of(*entity)) {
                tally.record(outcome, now);
            }
            if let Some(trace) = &mut trace {
                trace.record_outcome(fetch, *entity, outcome);
            }
        }));
        for (rule, tally) in plan.rules.iter().zip(&tallies) {
            cache.record_lookups(&rule.stats, tally);
        }
        sorted
    }
}

impl SortedLookups {
    fn from_outcomes(outcomes: impl Iterator<Item = (EntityIndex, LookupOutcome)>) -> Self {
        let mut sorted = Self::default();
        for (entity, outcome) in outcomes {
            match outcome {
                LookupOutcome::Fresh(hit) | LookupOutcome::Negative(hit) => {
                    sorted.hits.push((entity, hit));
                }
                LookupOutcome::Stale(hit, refresh) => {
                    sorted.hits.push((entity, hit));
                    sorted
                        .stale
                        .extend(refresh.map(|refresh| (entity, refresh)));
                }
                LookupOutcome::Miss(claim) => sorted.misses.push((entity, claim)),
                LookupOutcome::InFlight(waiting) => sorted.in_flight.push((entity, waiting)),
            }
        }
        sorted
    }

    /// The entities about which something is still to be done: first those to fetch, then those in
    /// flight elsewhere, then those to refresh.
    pub(crate) fn unresolved(&self) -> Vec<EntityIndex> {
        let misses = self.misses.iter().map(|(entity, _)| *entity);
        let in_flight = self.in_flight.iter().map(|(entity, _)| *entity);
        let stale = self.stale.iter().map(|(entity, _)| *entity);
        misses.chain(in_flight).chain(stale).collect()
    }
}
