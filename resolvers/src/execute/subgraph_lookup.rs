//! Between a request to a subgraph and its sending: cached entities are left out of it, and what
//! it returns is stored. The lookup is one for all parts of the request.

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use schema::json::{Kind, Node, Object, Value as JsonValue};

use super::execution::Execution;
use super::in_flight::InFlightCalls;
use super::subgraph_fetch::{PartEntities, SubgraphRequest};
use super::{FetchState, Waiter};
use crate::cache::{
    CachedValue, Hit, InFlightWait, LookupOutcome, LookupRequest, Reuse, canonical_json,
};
use crate::entity_cache::{Lifetimes, LookupEntity, StaleEntity};
use crate::entity_key::EntityIndex;
use crate::plan::PlanRequestId;
use crate::response::shape::{ObjectShape, ResponseFields, TypeSource};
use crate::source_client::graphql::SubgraphResponse;
use crate::source_client::request;
use crate::source_client::shared_response::SharedResponse;
use crate::subgraph_request::{CanonicalSelection, Document, Part, SelectionInput};

impl<'c, 'a> Execution<'c, 'a> {
    /// Looks the entities of all parts up whose values may be cached; `None` where there are none.
    pub(super) fn lookup_subgraph_request(
        &mut self,
        request: PlanRequestId,
        document: &'a Document,
    ) -> Option<BoxFuture<'a, Vec<LookupOutcome>>> {
        let mut requests = Vec::new();
        let mut selected = Vec::with_capacity(document.parts.len());
        for part in &document.parts {
            let lookups = self.part_lookups(document, part).unwrap_or_default();
            selected.push((0..lookups.len()).map(EntityIndex::new).collect());
            requests.extend(lookups);
        }
        let lookup = self.cache.lookup(requests)?;
        self.requests.push(SubgraphRequest { request, selected });
        Some(lookup)
    }

    /// The lookup requests for the entities of a part; `None` where they are not cached.
    fn part_lookups(&mut self, document: &Document, part: &Part) -> Option<Vec<LookupRequest>> {
        self.cache.fetch_plan(part.fetch)?;
        let arguments: Option<Vec<_>> = part
            .selections
            .iter()
            .map(|selection| self.selection_inputs(document, selection))
            .collect();
        let FetchState::Running { entities, .. } = &self.fetches[part.fetch] else {
            return None;
        };
        let keys = entities.iter().map(|entity| {
            let representation = entity.key().0;
            let key = if representation.is_empty() {
                None
            } else {
                Some(canonical_json(str::from_utf8(representation).ok()?)?)
            };
            let rule = entity.kind();
            Some(LookupEntity { rule, key })
        });
        let trace = self.trace.as_mut();
        self.cache
            .lookup_requests(part.fetch, &arguments?, keys, trace)
    }

    /// The values that a selection depends on as a JSON object, by their number; `None` inside
    /// where it depends on none.
    #[expect(
        clippy::option_option,
        reason = "a selection without inputs is cached too"
    )]
    fn selection_inputs(
        &self,
        document: &Document,
        selection: &CanonicalSelection,
    ) -> Option<Option<String>> {
        let mut object = Object::with_capacity(selection.inputs.len());
        for (number, input) in selection.inputs.iter().enumerate() {
            let value = match input {
                SelectionInput::Variable(name) => {
                    let value = self.context.variables.value(name);
                    value.map(|value| request::mapping_value(value).to_owned_value())
                }
                SelectionInput::Condition(condition) => {
                    let (_, condition) = document.conditions.get(*condition)?;
                    Some(JsonValue::Bool(condition.is_true(self.context.variables)))
                }
            };
            if let Some(value) = value {
                object.insert(number.to_string(), value);
            }
        }
        Some((!object.is_empty()).then(|| JsonValue::object(object).to_json()))
    }

    /// Serves what a lookup found, and sends the request for the rest.
    pub(super) fn finish_request_lookup(
        &mut self,
        index: usize,
        outcomes: Vec<LookupOutcome>,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        let Some((request, looked_up, document)) = self.take_request(index) else {
            return; // A request that was begun is there.
        };
        let mut outcomes = outcomes.into_iter();
        let mut selected = Vec::with_capacity(document.parts.len());
        let mut elsewhere = Vec::with_capacity(document.parts.len());
        let mut waiting = Vec::new();
        for (part, looked_up) in document.parts.iter().zip(looked_up) {
            if looked_up.is_empty() {
                let all = 0..self.entity_count(part.fetch);
                selected.push(all.map(EntityIndex::new).collect());
                elsewhere.push(Vec::new());
                continue;
            }
            let sorted = self.sort_part(part, looked_up, &mut outcomes);
            self.apply_hits(part, &sorted.hits);
            let (awaited, waits): (Vec<_>, Vec<_>) = sorted.in_flight.into_iter().unzip();
            elsewhere.push(awaited);
            waiting.extend(waits);
            selected.push(self.cache.hold(part.fetch, sorted.misses));
            self.refresh_part(request, part, sorted.stale);
        }
        self.send_request(SubgraphRequest { request, selected }, document, in_flight);
        let elsewhere = SubgraphRequest {
            request,
            selected: elsewhere,
        };
        self.await_elsewhere(elsewhere, document, waiting, in_flight);
        for part in &document.parts {
            self.end_request(part.fetch);
        }
    }

    /// Waits for entities that are fetched elsewhere.
    fn await_elsewhere(
        &mut self,
        elsewhere: SubgraphRequest,
        document: &'a Document,
        waits: Vec<InFlightWait>,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        if waits.is_empty() {
            return;
        }
        let waiter = Waiter::RequestInFlight(self.requests.len());
        in_flight.add_lookup(waiter, InFlightWait::wait_for_all(waits).boxed());
        self.requests.push(elsewhere);
        for part in &document.parts {
            self.begin_request(part.fetch);
        }
    }

    /// Serves what others fetched; what they did not is requested, and what they are still fetching
    /// is waited for again.
    pub(super) fn finish_request_wait(
        &mut self,
        index: usize,
        outcomes: Vec<LookupOutcome>,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        let Some((request, awaited, document)) = self.take_request(index) else {
            return; // A request that was begun is there.
        };
        let mut outcomes = outcomes.into_iter();
        let mut selected = Vec::with_capacity(document.parts.len());
        let mut elsewhere = Vec::with_capacity(document.parts.len());
        let mut waiting = Vec::new();
        for (part, awaited) in document.parts.iter().zip(awaited) {
            let sorted = self.sort_part(part, awaited, &mut outcomes);
            self.apply_hits(part, &sorted.hits);
            let (awaited, waits): (Vec<_>, Vec<_>) = sorted.in_flight.into_iter().unzip();
            elsewhere.push(awaited);
            waiting.extend(waits);
            selected.push(self.cache.hold(part.fetch, sorted.misses));
        }
        self.send_request(SubgraphRequest { request, selected }, document, in_flight);
        let elsewhere = SubgraphRequest {
            request,
            selected: elsewhere,
        };
        self.await_elsewhere(elsewhere, document, waiting, in_flight);
        for part in &document.parts {
            self.end_request(part.fetch);
        }
    }

    fn sort_part(
        &mut self,
        part: &Part,
        entities: Vec<EntityIndex>,
        outcomes: &mut impl Iterator<Item = LookupOutcome>,
    ) -> crate::entity_cache::SortedLookups {
        let kinds = match &self.fetches[part.fetch] {
            FetchState::Running { entities, .. } => Some(entities),
            FetchState::Waiting | FetchState::Done => None,
        };
        let rule_of = |entity| kinds.map_or(0, |entities| entities.entity(entity).kind());
        let outcomes = entities.into_iter().zip(outcomes);
        self.cache
            .sort(part.fetch, outcomes, rule_of, self.trace.as_mut())
    }

    /// A request that a lookup or a wait belongs to: its plan request, its entities by part, and
    /// its document.
    fn take_request(
        &mut self,
        index: usize,
    ) -> Option<(PlanRequestId, Vec<Vec<EntityIndex>>, &'a Document)> {
        let request = self.requests.get_mut(index)?;
        let selected = std::mem::take(&mut request.selected);
        let document = self.context.prepared.documents[request.request].as_ref()?;
        Some((request.request, selected, document))
    }

    fn apply_hits(&mut self, part: &'a Part, hits: &[(EntityIndex, Hit)]) {
        let FetchState::Running { entities, .. } = &mut self.fetches[part.fetch] else {
            return; // The fetch timed out.
        };
        let entities = std::mem::take(entities);
        for (entity, hit) in hits {
            self.apply_hit(part.fetch, Some(part), entities.entity(*entity), hit);
        }
        self.restore_entities(part.fetch, entities);
    }

    /// Stores what a response has of the entities of a request.
    pub(super) fn store_response(
        &mut self,
        parts: &[PartEntities<'a>],
        response: &SubgraphResponse<'_>,
        shared: &SharedResponse,
    ) {
        for part in parts {
            let Some(plan) = self.cache.fetch_plan(part.part.fetch) else {
                self.cache.record_uncached(Reuse::Never);
                continue;
            };
            let rules = plan.rules.iter();
            let lifetimes: Vec<Lifetimes<'a>> = rules
                .map(|rule| self.cache.lifetimes(rule, shared))
                .collect();
            self.store_part(part, response.data, &lifetimes);
        }
    }

    fn store_part(
        &mut self,
        PartEntities {
            part,
            entities,
            selected,
            ..
        }: &PartEntities<'a>,
        data: Option<Node<'_>>,
        lifetimes: &[Lifetimes<'a>],
    ) {
        let list = part.entities_field.as_ref().zip(data);
        let list = list.and_then(|(field, data)| data.get(&field.key));
        let mut elements = list.into_iter().flat_map(Node::elements);
        for entity in selected {
            let kind = entities.entity(*entity).kind();
            let value = match (&part.entities_field, data) {
                (Some(_), _) => elements.next().and_then(cached_entity),
                (None, Some(data)) => cached_root(&part.shapes[kind], data),
                (None, None) => None,
            };
            let Some(lifetimes) = lifetimes.get(kind) else {
                self.cache.record_uncached(Reuse::Never);
                continue;
            };
            let is_valid = self.is_fetched_value_valid(part.fetch, entities.entity(*entity));
            let value = value.filter(|_| is_valid);
            let reuse = self.cache.store(part.fetch, *entity, lifetimes, value);
            self.trace_stored(part.fetch, *entity, reuse);
        }
    }

    /// Refreshes stale entities of a part in the background.
    fn refresh_part(
        &mut self,
        request: PlanRequestId,
        part: &'a Part,
        stale: Vec<(EntityIndex, crate::cache::RefreshClaim)>,
    ) {
        let FetchState::Running { entities, .. } = &self.fetches[part.fetch] else {
            return;
        };
        let indices: Vec<EntityIndex> = stale.iter().map(|(entity, _)| *entity).collect();
        let stale = stale.into_iter().map(|(entity, refresh)| StaleEntity {
            rule: entities.entity(entity).kind(),
            refresh,
        });
        let stale: Vec<StaleEntity> = stale.collect();
        if !stale.is_empty() {
            self.refresh_from_subgraph(request, part, &indices, stale);
        }
    }
}

/// An entity as it is cached; `None` when the response has neither an object nor null.
pub(super) fn cached_entity(node: Node<'_>) -> Option<CachedValue> {
    match node.kind() {
        Kind::Null => Some(CachedValue::Absent),
        Kind::Object(_) => {
            let text = Bytes::copy_from_slice(node.raw_bytes());
            Some(CachedValue::Present(text))
        }
        _ => None,
    }
}

/// The root fields of a response as they are cached: without `_entities` fields of the same
/// request. `None` where the type of the root depends on the response.
pub(super) fn cached_root(shape: &ObjectShape, data: Node<'_>) -> Option<CachedValue> {
    let (TypeSource::Fixed(_, ResponseFields(fields))
    | TypeSource::Unknown(ResponseFields(fields))) = &shape.type_source
    else {
        return None;
    };
    let mut text = Vec::with_capacity(data.raw_bytes().len());
    for field in fields {
        // A field that a condition excluded is missing; the conditions are part of the key.
        let Some(value) = data.get(&field.key) else {
            continue;
        };
        text.push(if text.is_empty() { b'{' } else { b',' });
        // Response keys of GraphQL need no escapes.
        text.push(b'"');
        text.extend_from_slice(field.key.as_bytes());
        text.extend_from_slice(b"\":");
        text.extend_from_slice(value.raw_bytes());
    }
    if text.is_empty() {
        text.push(b'{');
    }
    text.push(b'}');
    Some(CachedValue::Present(text.into()))
}
