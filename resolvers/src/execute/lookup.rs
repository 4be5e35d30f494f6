//! Between a fetch and its calls: what the cache has is not asked for, and what a call brings is
//! kept.
//!
//! A fetch first looks for all of its objects. Those that are there fill their rows; those that
//! nobody has are called for; those that somebody else is fetching are waited for, beside the
//! calls. What fails is given out as it was before, where that is still allowed.

pub(super) mod lifetimes;
pub(super) mod subgraph;

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt, join_all};
use schema::connector::Phase;
use schema::json::{Json, Value as JsonValue};
use schema::mapping::Vars;

use self::lifetimes::{Lifetimes, WaiterSharing};
use super::entities::{Entities, entity_json, key_value};
use super::execution::Execution;
use super::in_flight::InFlightCalls;
use super::trace::MAX_LOOKUPS;
use super::{CallId, ConnectorFetch, FetchState, Waiter, merge, variables};
use crate::cache::{
    CachedValue as Kept, Claim, Hit, InFlightWait, LookupOutcome, LookupRequest, RefreshClaim,
    Reuse, Tally,
};
use crate::entity_cache::{CacheRule, FetchCachePlan, KeyBuilder};
use crate::error::FailureId;
use crate::plan::{Fetch, FetchId};
use crate::response::read::ResponseReader;
use crate::response::rows::RowFiller;
use crate::source_client::mapped::MappedValues;
use crate::source_client::shared_response::SharedResponse;
use crate::source_client::variables::Variable;
use crate::source_client::{self, request};
use crate::subgraph_request::{Document, Part, SelectionInput};
use crate::tree::Value;

/// What was found, by what is to be done about it; each with the number of its object.
#[derive(Default)]
pub(super) struct SortedLookups {
    pub(super) hits: Vec<(usize, Hit)>,
    pub(super) misses: Vec<(usize, Claim)>,
    pub(super) in_flight: Vec<(usize, InFlightWait)>,
    pub(super) stale: Vec<(usize, RefreshClaim)>,
}

impl SortedLookups {
    pub(super) fn from_outcomes(
        outcomes: impl IntoIterator<Item = (usize, LookupOutcome)>,
    ) -> Self {
        let mut lookups = Self::default();
        for (index, outcome) in outcomes {
            match outcome {
                LookupOutcome::Fresh(hit) | LookupOutcome::Negative(hit) => {
                    lookups.hits.push((index, hit))
                }
                LookupOutcome::Stale(hit, renewal) => {
                    lookups.hits.push((index, hit));
                    lookups
                        .stale
                        .extend(renewal.map(|renewal| (index, renewal)));
                }
                LookupOutcome::Miss(claim) => lookups.misses.push((index, claim)),
                LookupOutcome::InFlight(waiting) => lookups.in_flight.push((index, waiting)),
            }
        }
        lookups
    }

    /// The objects that something is still to be done about: those to be called for first, then
    /// those that are waited for, then those to renew.
    pub(super) fn unresolved(&self) -> Vec<usize> {
        let misses = self.misses.iter().map(|(index, _)| *index);
        let in_flight = self.in_flight.iter().map(|(index, _)| *index);
        let stale = self.stale.iter().map(|(index, _)| *index);
        misses.chain(in_flight).chain(stale).collect()
    }
}

/// Waits for what others fetch, all at once.
pub(super) fn wait_for_all(
    waiting: Vec<(usize, InFlightWait)>,
) -> BoxFuture<'static, Vec<LookupOutcome>> {
    let waits = waiting.into_iter().map(|(_, waiting)| waiting.wait());
    join_all(waits).boxed()
}

impl<'c, 'a> Execution<'c, 'a> {
    /// Looks for the objects of a fetch of a connector; `None`: nothing of it is kept.
    pub(super) fn lookup(
        &mut self,
        connector_fetch: ConnectorFetch<'a>,
        entities: &Entities,
    ) -> Option<BoxFuture<'c, Vec<LookupOutcome>>> {
        let cache_plan = self.context.cache_plan(connector_fetch.index)?;
        let rule = cache_plan.rules.first()?;
        if rule.is_in_backoff(self.context.cache?.now()) {
            return None;
        }
        let key_builder = self.key_builder(connector_fetch, rule)?;
        let key = &connector_fetch.fetch.first_entry().key;
        let entity = |object| {
            let is_one = !key.is_empty();
            is_one.then(|| entity_json(key, entities.key(object)))
        };
        let requests: Vec<LookupRequest> = (0..entities.len())
            .map(|object| key_builder.lookup_request(entity(object)))
            .collect();
        if let Some(trace) = &mut self.trace {
            let lookups = requests.iter().take(MAX_LOOKUPS).enumerate();
            let lookups = lookups.map(|(object, request)| {
                key_builder.lookup_trace(self.context.headers, request, entity(object).as_deref())
            });
            trace.start_lookups(connector_fetch.index, requests.len(), lookups.collect());
        }
        self.lookup_all(requests)
    }

    pub(super) fn lookup_all(
        &self,
        requests: Vec<LookupRequest>,
    ) -> Option<BoxFuture<'c, Vec<LookupOutcome>>> {
        let cache = self.context.cache?;
        (!requests.is_empty()).then(|| async move { cache.lookup(requests).await }.boxed())
    }

    fn key_builder(
        &self,
        connector_fetch: ConnectorFetch<'a>,
        rule: &'a CacheRule,
    ) -> Option<KeyBuilder<'a>> {
        let uses_args = |phase| connector_fetch.ready.uses(phase, Variable::Args);
        let depends_on_args = uses_args(Phase::Request) || uses_args(Phase::Response);
        let slot = connector_fetch.fetch.field_slot.filter(|_| depends_on_args);
        let arguments = slot.map(|slot| {
            let slot = &self
                .context
                .prepared
                .selection
                .position(connector_fetch.fetch.at)
                .slots[slot];
            request::arguments_json(&slot.arguments, self.context.variables)
        });
        rule.key_builder(self.context.headers, arguments.as_deref())
    }

    /// Looks for kinds of objects on behalf of this client, each with the values that its
    /// selection depends on.
    pub(super) fn key_builders(
        &self,
        cache_plan: &'a FetchCachePlan,
        (document, part): (&Document, &Part),
    ) -> Option<Vec<KeyBuilder<'a>>> {
        let rules = cache_plan.rules.iter().zip(&part.selections);
        rules
            .map(|(rule, selection)| {
                let mut object = schema::json::Object::with_capacity(selection.inputs.len());
                for (number, input) in selection.inputs.iter().enumerate() {
                    let value = match input {
                        SelectionInput::Variable(name) => self.context.variables.value(name),
                        SelectionInput::Condition(condition) => {
                            let (_, when) = document.conditions.get(*condition)?;
                            let holds = when.is_true(self.context.variables);
                            object.insert(number.to_string(), JsonValue::Bool(holds));
                            continue;
                        }
                    };
                    if let Some(value) = value {
                        let value = request::mapping_value(value).to_owned_value();
                        object.insert(number.to_string(), value);
                    }
                }
                let arguments = (!object.is_empty()).then(|| JsonValue::object(object).to_json());
                rule.key_builder(self.context.headers, arguments.as_deref())
            })
            .collect()
    }

    /// Has the calls made that what was found leaves to be made.
    pub(super) fn finish_lookup(
        &mut self,
        index: FetchId,
        outcomes: Vec<LookupOutcome>,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        let Some(connector_fetch) = self.context.connector_fetch(index) else {
            return; // Services are looked for by request.
        };
        let state = std::mem::replace(&mut self.states[index], FetchState::Done);
        let FetchState::Running { mut entities, .. } = state else {
            return; // Given up before; the claims go to others.
        };
        let lookups = self.sort_outcomes(index, outcomes.into_iter().enumerate());
        for (object, hit) in &lookups.hits {
            self.apply_hit((index, None), (&entities, *object), hit);
        }
        let order = lookups.unresolved();
        entities.retain(&order);
        if let Some(trace) = &mut self.trace {
            trace.retain(index, &order);
        }
        let (misses, waits) = (lookups.misses.len(), lookups.in_flight.len());
        self.claims[index] = lookups
            .misses
            .into_iter()
            .map(|(_, claim)| Some(claim))
            .collect();
        self.claims[index].resize_with(misses + waits, || None);
        let refreshed = CallId {
            fetch: index,
            first: misses + waits,
            end: entities.len(),
        };
        self.refresh(connector_fetch, (refreshed, &entities), lookups.stale);
        let mut calls = self.start_entities(connector_fetch, (misses, &entities), in_flight);
        if waits > 0 {
            calls += 1;
            in_flight.add_lookup(
                Waiter::InFlight(index, misses),
                wait_for_all(lookups.in_flight),
            );
        }
        self.set_calls_left(index, calls, entities);
    }

    /// Takes what others fetched; what they did not is called for.
    pub(super) fn finish_wait(
        &mut self,
        (index, first): (FetchId, usize),
        outcomes: Vec<LookupOutcome>,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        let Some(connector_fetch) = self.context.connector_fetch(index) else {
            return;
        };
        let state = std::mem::replace(&mut self.states[index], FetchState::Done);
        let FetchState::Running {
            mut calls,
            entities,
        } = state
        else {
            return; // Given up before.
        };
        let lookups = self.sort_outcomes(index, (first..).zip(outcomes));
        for (object, hit) in &lookups.hits {
            self.apply_hit((index, None), (&entities, *object), hit);
        }
        let mut retries = Vec::with_capacity(lookups.misses.len());
        for (object, claim) in lookups.misses {
            self.claims[index][object] = Some(claim);
            retries.push(object);
        }
        calls -= 1;
        for id in super::shared_batch::contiguous_calls(index, &retries) {
            let pending = super::connector_fetch::split_into_calls(connector_fetch, id);
            calls += self.start_calls(connector_fetch, (pending, &entities), in_flight);
        }
        self.set_calls_left(index, calls, entities);
    }

    /// Sorts what was found, and notes it.
    pub(super) fn sort_outcomes(
        &mut self,
        fetch: FetchId,
        outcomes: impl IntoIterator<Item = (usize, LookupOutcome)>,
    ) -> SortedLookups {
        let (Some(cache), Some(cache_plan)) = (self.context.cache, self.context.cache_plan(fetch))
        else {
            return SortedLookups::from_outcomes(outcomes); // What is not kept was not looked for.
        };
        // A fetch of several kinds is one of a service, whose objects stay where they are.
        let entities = match &self.states[fetch] {
            FetchState::Running { entities, .. } => Some(entities),
            FetchState::Waiting | FetchState::Done => None,
        };
        let (now, trace) = (cache.now(), &mut self.trace);
        let mut tallies: Vec<Tally> = cache_plan.rules.iter().map(|_| Tally::default()).collect();
        let sorted =
            SortedLookups::from_outcomes(outcomes.into_iter().inspect(|(object, outcome)| {
                let kind = entities.map_or(0, |entities| entities.kind(*object));
                if let Some(tally) = tallies.get_mut(kind) {
                    tally.record(outcome, now);
                }
                if let Some(trace) = trace {
                    trace.record_outcome(fetch, *object, outcome);
                }
            }));
        for (rule, tally) in cache_plan.rules.iter().zip(&tallies) {
            cache.record_lookups(&rule.stats, tally);
        }
        sorted
    }

    pub(super) fn set_calls_left(&mut self, index: FetchId, calls: usize, entities: Entities) {
        self.states[index] = match calls {
            0 => FetchState::Done,
            calls => FetchState::Running { calls, entities },
        };
    }

    /// Fills the rows of an object with a kept value; `part` where a service gave it.
    pub(super) fn apply_hit(
        &mut self,
        (index, part): (FetchId, Option<&'a Part>),
        (entities, object): (&Entities, usize),
        hit: &Hit,
    ) {
        if let Some(cache) = self.context.cache {
            self.narrow_reuse(hit.entry().reuse(cache.now()));
        }
        let Some(json) = hit.json() else {
            return; // It is known not to exist.
        };
        match part {
            Some(part) => self.apply_subgraph_hit(part, (entities, object), &json),
            None => self.apply_connector_hit(index, (entities, object), &json),
        }
        self.tree.add_body(json);
    }

    fn apply_connector_hit(
        &mut self,
        index: FetchId,
        (entities, object): (&Entities, usize),
        json: &Json,
    ) {
        let (fetch, prepared) = self.planned_fetch(index);
        let cache_plan = self.context.cache_plan(index);
        let Some(extract) = cache_plan.and_then(|kept| kept.extract.as_ref()) else {
            return;
        };
        let vars = Vars::new();
        let mut fill = RowFiller {
            body: self.tree.next_body(),
            tree: &mut self.tree,
            widths: &prepared.widths,
            vars: &vars,
            authored_errors: Vec::new(),
        };
        let value = fill.extract(extract, &JsonValue::Node(json.root()), Value::Absent);
        match (fetch.field_slot, value) {
            (Some(slot), value) => {
                for row in entities.rows(object) {
                    let at = (fetch.at, *row, slot);
                    merge::merge_slot(
                        &mut self.tree,
                        &prepared.selection,
                        &fetch.slots,
                        (at, value),
                    );
                }
            }
            (None, Value::Object(row)) => self.copy_to_rows(fetch, row, entities.rows(object)),
            (None, _) => {}
        }
    }

    fn apply_subgraph_hit(
        &mut self,
        part: &'a Part,
        (entities, object): (&Entities, usize),
        json: &Json,
    ) {
        let (fetch, prepared) = self.planned_fetch(part.fetch);
        let [first, others @ ..] = entities.rows(object) else {
            return; // An object was found in a row.
        };
        let mut fail = |_: &str| FailureId::UNRECORDED;
        let mut reader = ResponseReader {
            body: self.tree.next_body(),
            tree: &mut self.tree,
            widths: &prepared.widths,
            fail: &mut fail,
        };
        let kind = &part.shapes[entities.kind(object)];
        // What is of no type that the graph knows was not kept.
        if let Ok(ty) = reader.read_entity(*first, kind, json.root()) {
            for row in others {
                if let Some(ty) = ty {
                    self.tree.set_type(*row, ty);
                }
            }
            self.copy_to_rows(fetch, *first, others);
        }
    }

    fn planned_fetch(&self, index: FetchId) -> (&'a Fetch, &'a crate::prepared::PreparedOperation) {
        let prepared = self.context.prepared;
        (&prepared.plan.fetches[index], prepared)
    }

    /// Notes how long, and for whom, a part of the answer may be used again.
    pub(super) fn narrow_reuse(&mut self, reuse: Reuse) {
        self.reuse = Some(self.reuse.map_or(reuse, |known| known.and(reuse)));
    }

    /// Keeps what a call brought of the objects `own`.
    pub(super) fn store(
        &mut self,
        connector_fetch: ConnectorFetch<'a>,
        (own, entities): (&[usize], &Entities),
        reply: &SharedResponse,
    ) {
        let Some(rule) = self.context.cache_rule(connector_fetch.index) else {
            self.narrow_reuse(Reuse::Never);
            return;
        };
        let lifetimes = self.lifetimes(rule, reply);
        let claims = &self.claims[connector_fetch.index];
        let claim = |object: &usize| claims.get(*object).and_then(Option::as_ref);
        let has_waiters = own.iter().filter_map(claim).any(Claim::has_followers);
        let is_needed = lifetimes.is_cacheable() || has_waiters;
        let mapped = is_needed.then(|| self.mapped(connector_fetch, (own, entities), reply));
        let mapped = mapped.flatten();
        for object in own {
            let claim = self.claims[connector_fetch.index].get_mut(*object);
            let Some(claim) = claim.and_then(Option::take) else {
                self.narrow_reuse(Reuse::Never);
                continue;
            };
            let value = mapped.as_ref();
            let value = value.map(|mapped| {
                let body = mapped.get(entities.key(*object)).cloned();
                body.map_or(Kept::Absent, Kept::Present)
            });
            let reuse = lifetimes.store(claim, value);
            self.record_reuse(rule, reuse);
            self.record_stored((connector_fetch.index, *object), reuse);
        }
    }

    pub(super) fn record_reuse(&self, rule: &CacheRule, reuse: Reuse) {
        if let Some(cache) = self.context.cache {
            rule.record_reuse(reuse, cache.now());
        }
    }

    /// Notes what is kept of an object.
    pub(super) fn record_stored(&mut self, (fetch, object): (FetchId, usize), reuse: Reuse) {
        self.narrow_reuse(reuse);
        if let Some(trace) = &mut self.trace {
            trace.record_stored(fetch, object, reuse);
        }
    }

    pub(super) fn lifetimes(&self, rule: &CacheRule, reply: &SharedResponse) -> Lifetimes {
        let waiter_sharing = match self.context.loader {
            Some(_) => WaiterSharing::Allowed,
            None => WaiterSharing::Forbidden,
        };
        Lifetimes::new(rule, (self.context.headers, waiter_sharing), reply)
    }

    pub(super) fn mapped(
        &self,
        connector_fetch: ConnectorFetch<'a>,
        (own, entities): (&[usize], &Entities),
        reply: &SharedResponse,
    ) -> Option<Arc<MappedValues>> {
        let arguments = variables::arguments(self.context, connector_fetch, Phase::Response);
        let first = own.first().and_then(|first| entities.rows(*first).first());
        let key = || match first {
            Some(row) => key_value(&self.tree, *row, &connector_fetch.fetch.first_entry().key),
            None => JsonValue::Null,
        };
        let mut vars = variables::vars(
            self.context,
            (connector_fetch, Phase::Response),
            &arguments,
            key,
        );
        source_client::set_response_vars(connector_fetch.ready, &reply.response, &mut vars);
        let make = || MappedValues::from_response(connector_fetch.connector, reply, &vars);
        match connector_fetch.ready.key_mapping {
            Some(_) => reply.mapped_values(connector_fetch.source, make),
            None => make().map(Arc::new),
        }
    }

    /// Gives out an object as it was before, because fetching it failed; false where that cannot be.
    pub(super) fn apply_stale_fallback(
        &mut self,
        (index, part): (FetchId, Option<&'a Part>),
        (entities, object): (&Entities, usize),
        is_allowed: bool,
    ) -> bool {
        let claim = self.claims[index].get_mut(object);
        let Some(claim) = claim.and_then(Option::take) else {
            return false;
        };
        let fallback = claim.stale_fallback().filter(|_| is_allowed).cloned();
        claim.fail();
        match fallback {
            Some(hit) => {
                self.apply_hit((index, part), (entities, object), &hit);
                if let Some(trace) = &mut self.trace {
                    trace.record_stale_fallback(index, object, &hit);
                }
                true
            }
            None => false,
        }
    }
}
