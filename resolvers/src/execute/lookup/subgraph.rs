//! The same for services that speak GraphQL: by request, each for the objects of all its parts.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use schema::json::{Kind, Node};

use super::super::execution::Execution;
use super::super::in_flight::InFlightCalls;
use super::super::subgraph_fetch::{PartEntities, SubgraphRequest};
use super::super::trace::MAX_LOOKUPS;
use super::super::{FetchState, Waiter};
use super::lifetimes::Lifetimes;
use super::wait_for_all;
use crate::cache::{
    CachedValue as Kept, Claim, Hit, LookupOutcome, LookupRequest, Reuse, canonical_json,
};
use crate::entity_cache::CacheRule;
use crate::plan::{FetchId, PlanRequestId};
use crate::response::shape::{ObjectShape, ResponseFields, TypeSource};
use crate::source_client::graphql::SubgraphResponse;
use crate::source_client::shared_response::SharedResponse;
use crate::subgraph_request::{Document, Part};

impl<'c, 'a> Execution<'c, 'a> {
    /// Looks for the objects of all parts of which something is kept; `None`: there are none.
    pub(in crate::execute) fn lookup_subgraph_request(
        &mut self,
        request: PlanRequestId,
        document: &'a Document,
    ) -> Option<BoxFuture<'c, Vec<LookupOutcome>>> {
        let mut requests = Vec::new();
        let mut selected = Vec::with_capacity(document.parts.len());
        for part in &document.parts {
            let part_requests = self.lookup_requests(document, part).unwrap_or_default();
            selected.push((0..part_requests.len()).collect());
            requests.extend(part_requests);
        }
        let lookup = self.lookup_all(requests)?;
        self.requests.push(SubgraphRequest { request, selected });
        Some(lookup)
    }

    /// The objects of a part; `None` when nothing of it is kept.
    fn lookup_requests(&mut self, document: &Document, part: &Part) -> Option<Vec<LookupRequest>> {
        let cache_plan = self.context.cache_plan(part.fetch)?;
        let now = self.context.cache?.now();
        if cache_plan.rules.iter().any(|rule| rule.is_in_backoff(now)) {
            return None;
        }
        let key_builders = self.key_builders(cache_plan, (document, part))?;
        let FetchState::Running { entities, .. } = &self.states[part.fetch] else {
            return None;
        };
        let mut requests = Vec::with_capacity(entities.len());
        let mut lookups = Vec::new();
        for object in 0..entities.len() {
            let key_builder = key_builders.get(entities.kind(object))?;
            let text = entities.key(object);
            let entity = if text.is_empty() {
                None
            } else {
                Some(canonical_json(str::from_utf8(text).ok()?)?)
            };
            let request = key_builder.lookup_request(entity.clone());
            if self.trace.is_some() && lookups.len() < MAX_LOOKUPS {
                lookups.push(key_builder.lookup_trace(
                    self.context.headers,
                    &request,
                    entity.as_deref(),
                ));
            }
            requests.push(request);
        }
        if let Some(trace) = &mut self.trace {
            trace.start_lookups(part.fetch, requests.len(), lookups);
        }
        Some(requests)
    }

    /// Makes the request for what was not found.
    pub(in crate::execute) fn finish_request_lookup(
        &mut self,
        index: usize,
        outcomes: Vec<LookupOutcome>,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        let Some((request, selected_before, document)) = self.take_request(index) else {
            return; // It was there when it was begun.
        };
        let mut outcomes = outcomes.into_iter();
        let mut misses = Vec::with_capacity(document.parts.len());
        let mut in_flight_entities = Vec::with_capacity(document.parts.len());
        let mut waits = Vec::new();
        for (part, looked_up) in document.parts.iter().zip(selected_before) {
            if looked_up.is_empty() {
                misses.push((0..self.entity_count(part.fetch)).collect());
                in_flight_entities.push(Vec::new());
                continue;
            }
            let lookups =
                self.sort_outcomes(part.fetch, looked_up.into_iter().zip(outcomes.by_ref()));
            self.apply_hits(part, &lookups.hits);
            let entities = lookups.in_flight.iter().map(|(object, _)| *object);
            in_flight_entities.push(entities.collect::<Vec<usize>>());
            waits.extend(lookups.in_flight);
            misses.push(self.set_claims(part.fetch, lookups.misses));
            let stale: Vec<usize> = lookups.stale.iter().map(|(object, _)| *object).collect();
            self.refresh_from_subgraph((request, part), &stale, lookups.stale);
        }
        self.send_request(
            SubgraphRequest {
                request,
                selected: misses,
            },
            document,
            in_flight,
        );
        if !waits.is_empty() {
            in_flight.add_lookup(
                Waiter::RequestInFlight(self.requests.len()),
                wait_for_all(waits),
            );
            self.requests.push(SubgraphRequest {
                request,
                selected: in_flight_entities,
            });
            for part in &document.parts {
                self.begin_request(part.fetch);
            }
        }
        for part in &document.parts {
            self.end_request(part.fetch);
        }
    }

    /// Takes what others fetched; what they did not is asked for.
    pub(in crate::execute) fn finish_request_wait(
        &mut self,
        index: usize,
        outcomes: Vec<LookupOutcome>,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        let Some((request, awaited, document)) = self.take_request(index) else {
            return; // It was there when it was begun.
        };
        let mut outcomes = outcomes.into_iter();
        let mut misses = Vec::with_capacity(document.parts.len());
        for (part, awaited) in document.parts.iter().zip(awaited) {
            let lookups =
                self.sort_outcomes(part.fetch, awaited.into_iter().zip(outcomes.by_ref()));
            self.apply_hits(part, &lookups.hits);
            misses.push(self.set_claims(part.fetch, lookups.misses));
        }
        self.send_request(
            SubgraphRequest {
                request,
                selected: misses,
            },
            document,
            in_flight,
        );
        for part in &document.parts {
            self.end_request(part.fetch);
        }
    }

    /// A round that ends: of which request, for which objects, and how these are asked for.
    fn take_request(
        &mut self,
        index: usize,
    ) -> Option<(PlanRequestId, Vec<Vec<usize>>, &'a Document)> {
        let subgraph_request = self.requests.get_mut(index)?;
        let selected = std::mem::take(&mut subgraph_request.selected);
        let document = self.context.prepared.documents[subgraph_request.request].as_ref()?;
        Some((subgraph_request.request, selected, document))
    }

    /// Fills the rows of what is there.
    fn apply_hits(&mut self, part: &'a Part, hits: &[(usize, Hit)]) {
        let FetchState::Running { entities, .. } = &mut self.states[part.fetch] else {
            return; // Given up before.
        };
        let entities = std::mem::take(entities);
        for (object, hit) in hits {
            self.apply_hit((part.fetch, Some(part)), (&entities, *object), hit);
        }
        self.restore_entities(part.fetch, entities);
    }

    /// Takes over the right to fetch objects; gives which.
    fn set_claims(&mut self, fetch: FetchId, missing: Vec<(usize, Claim)>) -> Vec<usize> {
        let count = self.entity_count(fetch);
        let claims = &mut self.claims[fetch];
        claims.resize_with(count.max(claims.len()), || None);
        let mut claimed = Vec::with_capacity(missing.len());
        for (object, claim) in missing {
            if let Some(slot) = claims.get_mut(object) {
                *slot = Some(claim);
            }
            claimed.push(object);
        }
        claimed
    }

    /// Objects of which something was told that says that they are not whole are not kept.
    pub(in crate::execute) fn discard_claims(&mut self, fetch: FetchId, objects: &[usize]) {
        for object in objects {
            let claim = self.claims[fetch].get_mut(*object);
            if let Some(claim) = claim.and_then(Option::take) {
                claim.fail();
            }
        }
    }

    /// Keeps what a request brought.
    pub(in crate::execute) fn store_response(
        &mut self,
        parts: &[PartEntities<'a>],
        response: &SubgraphResponse<'_>,
        reply: &SharedResponse,
    ) {
        for part_entities in parts {
            let part = part_entities.part;
            let Some(cache_plan) = self.context.cache_plan(part.fetch) else {
                self.narrow_reuse(Reuse::Never);
                continue;
            };
            let list = part.entities_field.as_ref().zip(response.data);
            let list = list.and_then(|(entities_field, data)| data.get(&entities_field.key));
            let mut elements = list.into_iter().flat_map(Node::elements);
            let rules = cache_plan.rules.iter();
            let rules: Vec<(&CacheRule, Lifetimes)> = rules
                .map(|rule| (rule, self.lifetimes(rule, reply)))
                .collect();
            for object in &part_entities.selected {
                let kind = part_entities.entities.kind(*object);
                let value = match (&part.entities_field, response.data) {
                    (Some(_), _) => elements.next().and_then(cached_entity),
                    (None, Some(data)) => cached_root(&part.shapes[kind], data),
                    (None, None) => None,
                };
                let claim = self.claims[part.fetch].get_mut(*object);
                let (Some(claim), Some((rule, lifetimes))) =
                    (claim.and_then(Option::take), rules.get(kind))
                else {
                    self.narrow_reuse(Reuse::Never);
                    continue;
                };
                let reuse = lifetimes.store(claim, value);
                self.record_reuse(rule, reuse);
                self.record_stored((part.fetch, *object), reuse);
            }
        }
    }
}

/// An entity as it is kept.
pub(in crate::execute) fn cached_entity(node: Node<'_>) -> Option<Kept> {
    match node.kind() {
        Kind::Null => Some(Kept::Absent),
        Kind::Object(_) => Some(Kept::Present(Bytes::copy_from_slice(node.raw_bytes()))),
        _ => None,
    }
}

/// The root fields of an answer as they are kept: without the entities that were asked for beside.
pub(in crate::execute) fn cached_root(objects: &ObjectShape, data: Node<'_>) -> Option<Kept> {
    let (TypeSource::Fixed(_, ResponseFields(members))
    | TypeSource::Unknown(ResponseFields(members))) = &objects.type_source
    else {
        return None;
    };
    let mut text = Vec::with_capacity(data.raw_bytes().len());
    for member in members {
        // What is not there was not asked for: the key says under which conditions.
        let Some(value) = data.get(&member.key) else {
            continue;
        };
        text.push(if text.is_empty() { b'{' } else { b',' });
        // Response keys of GraphQL need no escapes.
        text.push(b'"');
        text.extend_from_slice(member.key.as_bytes());
        text.extend_from_slice(b"\":");
        text.extend_from_slice(value.raw_bytes());
    }
    if text.is_empty() {
        text.push(b'{');
    }
    text.push(b'}');
    Some(Kept::Present(text.into()))
}
