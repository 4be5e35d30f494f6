//! Batches that several operations may share: an operation's keys into them, its own objects out.

use std::sync::Arc;

use schema::connector::{ConnectorOutput, Phase};
use schema::json::Value as Json;
use schema::mapping::eval_member;

use super::entities::Entities;
use super::execution::Execution;
use super::in_flight::InFlightCalls;
use super::{CallId, ConnectorFetch, Context, FetchState, Waiter, merge, variables};
use crate::batch::Loader;
use crate::batch::groups::{BatchCall, BatchCalls, BatchSlot, BatchSpec, PendingBatch};
use crate::batch::wait;
use crate::cache::{self, Reuse};
use crate::error::FetchError;
use crate::plan::{FetchId, KeySlot};
use crate::prepared::{Coalescing, Program};
use crate::response::rows::RowFiller;
use crate::settings::Reports;
use crate::source_client::shared_response::SharedResponse;
use crate::source_client::{self, ResponseBody, request};
use crate::tree::{Row, Value, write_canonical};

/// What one fetch waits for of a batch.
#[derive(Debug)]
pub(super) struct SharedBatch {
    fetch: FetchId,
    /// Which of its objects have which positions in the batch.
    keys: Vec<(usize, usize)>,
}

/// A batch that stands in for the connector of a fetch, and the key it was asked for.
struct SubstitutedFetch<'a> {
    connector_fetch: ConnectorFetch<'a>,
    key: Vec<u8>,
}

impl<'c, 'a> Execution<'c, 'a> {
    /// Has the first `count` objects asked for in batches that other operations may share; gives
    /// how many batches that are, `None` when the operation must ask alone.
    pub(super) fn load_batches(
        &mut self,
        connector_fetch: ConnectorFetch<'a>,
        (entities, count): (&Entities, usize),
        in_flight: &mut InFlightCalls<'c>,
    ) -> Option<usize> {
        let loader = self.batch_loader(connector_fetch)?;
        let ConnectorOutput::Batch { key, max_size: max } = &connector_fetch.connector.output
        else {
            return None;
        };
        if !is_same_key(&connector_fetch.fetch.first_entry().key, key) {
            return None;
        }
        let keys = (0..count).map(|index| entities.key(index));
        let loads = self.join_batches(connector_fetch, (loader, *max), keys)?;
        Some(self.await_batches(connector_fetch, loads, in_flight))
    }

    /// Has the object of a root field asked for in such a batch.
    pub(super) fn load_field(
        &mut self,
        own: ConnectorFetch<'a>,
        entities: &Entities,
        in_flight: &mut InFlightCalls<'c>,
    ) -> Option<usize> {
        let SubstitutedFetch {
            connector_fetch,
            key,
        } = self.substituted_fetch(own)?;
        let loader = self.batch_loader(connector_fetch)?;
        let ConnectorOutput::Batch { max_size: max, .. } = connector_fetch.connector.output else {
            return None;
        };
        if own.program.coalescing == Coalescing::Impossible
            && let Some(batch_slot) = self.lead_batch(connector_fetch, (loader, max))
        {
            return Some(self.start_leader_call(own, entities, (in_flight, batch_slot)));
        }
        let loads = self.join_batches(
            connector_fetch,
            (loader, max),
            std::iter::once(key.as_slice()),
        )?;
        Some(self.await_batches(connector_fetch, loads, in_flight))
    }

    /// The loader, if calls of that connector may serve several operations.
    fn batch_loader(&self, connector_fetch: ConnectorFetch<'a>) -> Option<&'a Arc<Loader>> {
        connector_fetch.ready.key_mapping.as_ref()?;
        // What a mapping met is told to those whose call it was.
        let loader = self.context.shared_loader()?;
        (self.context.reports == Reports::Hide).then_some(loader)
    }

    /// Notes that a call of the operation's own comes first, if there is none to share.
    fn lead_batch(
        &mut self,
        connector_fetch: ConnectorFetch<'a>,
        (loader, max): (&Arc<Loader>, Option<usize>),
    ) -> Option<BatchSlot> {
        let asking = BatchSpec::new(
            connector_fetch.source,
            connector_fetch.ready,
            self.context.headers,
            max,
        );
        let operation_id = *self.operation_id.get_or_insert_with(|| loader.next_id());
        loader.reserve_slot(asking, operation_id)
    }

    /// Makes the call of a field by its own connector, while those of others gather.
    fn start_leader_call(
        &mut self,
        connector_fetch: ConnectorFetch<'a>,
        entities: &Entities,
        (in_flight, batch_slot): (&mut InFlightCalls<'c>, BatchSlot),
    ) -> usize {
        let id = CallId {
            fetch: connector_fetch.index,
            first: 0,
            end: entities.len(),
        };
        match self.request(connector_fetch, id, entities) {
            Ok(request) => {
                let count = entities.len();
                self.trace_call_start((connector_fetch.index, id.first), count, || {
                    super::connector_fetch::redacted_address(&request)
                });
                let waiter = Waiter::Connector(id);
                in_flight.add_leader(waiter, (request, connector_fetch.ready.timeout), batch_slot);
                1
            }
            Err(error) => {
                self.fail_call(id, entities, error);
                0
            }
        }
    }

    fn join_batches<'k>(
        &mut self,
        connector_fetch: ConnectorFetch<'a>,
        (loader, max): (&Arc<Loader>, Option<usize>),
        keys: impl ExactSizeIterator<Item = &'k [u8]>,
    ) -> Option<Vec<PendingBatch>> {
        let asking = BatchSpec::new(
            connector_fetch.source,
            connector_fetch.ready,
            self.context.headers,
            max,
        );
        let operation_id = *self.operation_id.get_or_insert_with(|| loader.next_id());
        loader.load(asking, operation_id, keys)
    }

    /// Has a fetch wait for batches; gives how many.
    fn await_batches(
        &mut self,
        connector_fetch: ConnectorFetch<'a>,
        loads: Vec<PendingBatch>,
        in_flight: &mut InFlightCalls<'c>,
    ) -> usize {
        let count = loads.len();
        for PendingBatch { waiter, keys, .. } in loads {
            self.trace_call_start(call_name(connector_fetch.index, &keys), keys.len(), || {
                let connector = connector_fetch.connector;
                format!(
                    "{} {}",
                    connector.method.as_str(),
                    connector.connect_url.url.text()
                )
            });
            let shared = SharedBatch {
                fetch: connector_fetch.index,
                keys,
            };
            in_flight.add_batch(
                Waiter::Shared(shared),
                wait(waiter, connector_fetch.ready.timeout),
            );
        }
        count
    }

    fn substituted_fetch(
        &self,
        connector_fetch: ConnectorFetch<'a>,
    ) -> Option<SubstitutedFetch<'a>> {
        let substitute = connector_fetch.program.batch_substitute.as_deref()?;
        let slot = connector_fetch.fetch.field_slot?;
        let slot = &self
            .context
            .prepared
            .selection
            .position(connector_fetch.fetch.at)
            .slots[slot];
        let (_, argument) = slot.arguments.first()?;
        let value = self.context.variables.argument(argument)?;
        let mut text = Vec::new();
        match request::mapping_value(&value) {
            value @ (Json::String(_) | Json::Number(_)) => value.write_json(&mut text),
            _ => return None,
        }
        let mut key = Vec::with_capacity(text.len() + 1);
        write_canonical(&text, &mut key);
        key.push(0);
        let connector_fetch =
            self.context
                .with_connector(connector_fetch, substitute.source, &substitute.program)?;
        Some(SubstitutedFetch {
            connector_fetch,
            key,
        })
    }

    /// Takes what a batch brought of the objects of a fetch; what it did not bring, and its own
    /// connector may, is asked for again.
    pub(super) fn finish_shared_batch(
        &mut self,
        shared: &SharedBatch,
        outcome: &Result<BatchCalls, FetchError>,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        let Some(connector_fetch) = self.context.connector_fetch(shared.fetch) else {
            return; // Only connectors share batches.
        };
        let FetchState::Running {
            mut calls,
            mut entities,
        } = std::mem::take(&mut self.states[shared.fetch])
        else {
            self.states[shared.fetch] = FetchState::Done;
            return; // Given up before.
        };
        let mut retries = Vec::new();
        let batch_keys = outcome.iter().flat_map(|parts| parts.iter());
        let batch_size: usize = batch_keys.map(|part| part.keys.len()).sum();
        let call = call_name(shared.fetch, &shared.keys);
        self.trace_call_end(call, batch_size > shared.keys.len());
        match outcome {
            Ok(parts) => {
                for part in parts.iter() {
                    let keys = shared.keys.iter();
                    let own = keys.filter(|(_, position)| part.keys.contains(position));
                    let own: Vec<usize> = own.map(|(entity, _)| *entity).collect();
                    self.finish_batch_part(
                        connector_fetch,
                        (&own, &mut entities),
                        part,
                        &mut retries,
                    );
                }
            }
            Err(error) => {
                let own: Vec<usize> = shared.keys.iter().map(|(entity, _)| *entity).collect();
                self.fail_own(shared.fetch, (&own, &entities), error.clone());
            }
        }
        calls -= 1;
        for id in contiguous_calls(shared.fetch, &retries) {
            self.uncount_call(connector_fetch.ready);
            calls += self.start_calls(connector_fetch, (vec![id], &entities), in_flight);
        }
        self.set_calls_left(shared.fetch, calls, entities);
    }

    fn finish_batch_part(
        &mut self,
        connector_fetch: ConnectorFetch<'a>,
        (own, entities): (&[usize], &mut Entities),
        part: &BatchCall,
        retries: &mut Vec<usize>,
    ) {
        if own.is_empty() {
            return;
        }
        let substituted = self.substituted_fetch(connector_fetch);
        let before = retries.len();
        let result = match (
            &part.outcome,
            &substituted,
            unshared_call(connector_fetch.index, own, part),
        ) {
            (Err(error), _, _) => Err(error.clone()),
            (Ok(reply), Some(substituted), _) => {
                self.read_field(connector_fetch, substituted, reply, retries)
            }
            (Ok(reply), None, Some(id)) => self.read_reply(connector_fetch, id, entities, reply),
            (Ok(reply), None, None) => self.read_own(connector_fetch, own, entities, reply),
        };
        let Err(error) = result else {
            if let (Ok(reply), true) = (&part.outcome, retries.len() == before) {
                match &substituted {
                    Some(substituted) => {
                        self.store_field(connector_fetch, substituted, (own, reply))
                    }
                    None => self.store(connector_fetch, (own, entities), reply),
                }
            }
            return;
        };
        let is_shared = part.keys.len() > own.len() || substituted.is_some();
        if is_shared && is_possibly_caused_by_others(&error) {
            retries.extend_from_slice(own);
        } else {
            self.fail_own(connector_fetch.index, (own, entities), error);
        }
    }

    /// Takes the objects of a fetch out of an answer that has those of others too.
    fn read_own(
        &mut self,
        connector_fetch: ConnectorFetch<'a>,
        own: &[usize],
        entities: &Entities,
        reply: &SharedResponse,
    ) -> Result<(), FetchError> {
        let keys = own.iter().map(|entity| entities.key(*entity));
        let rows = self.rows_by_key(connector_fetch, keys, reply)?;
        for (entity, row) in own.iter().zip(rows) {
            if let Some(row) = row {
                self.copy_to_rows(connector_fetch.fetch, row, entities.rows(*entity));
            }
        }
        Ok(())
    }

    /// Keeps the object of a root field out of the answer of a batch, where that has all that the
    /// field's own connector gives.
    fn store_field(
        &mut self,
        connector_fetch: ConnectorFetch<'a>,
        substituted: &SubstitutedFetch<'a>,
        (own, reply): (&[usize], &SharedResponse),
    ) {
        let is_covered = self
            .context
            .cache_plan(connector_fetch.index)
            .is_some_and(|cache_plan| cache_plan.is_covered_by_batch);
        let claims = self.claims[connector_fetch.index].iter_mut();
        let claim = claims.take(own.len()).find_map(Option::take);
        let (Some(rule), Some(claim)) = (self.context.cache_rule(connector_fetch.index), claim)
        else {
            self.narrow_reuse(Reuse::Never);
            return;
        };
        let lifetimes = self.lifetimes(rule, reply);
        if !is_covered {
            claim.fail();
            self.narrow_reuse(lifetimes.present());
            return;
        }
        let value = self.mapped(
            substituted.connector_fetch,
            (&[], &Entities::default()),
            reply,
        );
        let value = value.and_then(|mapped| {
            let unquoted = || mapped.get(&unquoted(&substituted.key)?);
            mapped.get(&substituted.key).or_else(unquoted).cloned()
        });
        let reuse = lifetimes.store(claim, value.map(cache::CachedValue::Present));
        self.record_reuse(rule, reuse);
        self.record_stored((connector_fetch.index, 0), reuse);
    }

    /// Takes the object of a root field out of the answer of a batch.
    fn read_field(
        &mut self,
        connector_fetch: ConnectorFetch<'a>,
        substituted: &SubstitutedFetch<'a>,
        reply: &SharedResponse,
        retries: &mut Vec<usize>,
    ) -> Result<(), FetchError> {
        let keys = std::iter::once(substituted.key.as_slice());
        let rows = self.rows_by_key(substituted.connector_fetch, keys, reply)?;
        let (Some(Some(row)), Some(slot)) = (rows.first(), connector_fetch.fetch.field_slot) else {
            retries.push(0);
            return Ok(());
        };
        let selection = &self.context.prepared.selection;
        let at = (connector_fetch.fetch.at, self.tree.root(), slot);
        let value = Value::Object(*row);
        merge::merge_slot(
            &mut self.tree,
            selection,
            &connector_fetch.fetch.slots,
            (at, value),
        );
        Ok(())
    }

    /// A row for each key that the answer has an object of.
    fn rows_by_key<'k>(
        &mut self,
        connector_fetch: ConnectorFetch<'a>,
        keys: impl Iterator<Item = &'k [u8]>,
        reply: &SharedResponse,
    ) -> Result<Vec<Option<Row>>, FetchError> {
        let body = reply.body()?;
        let (Some(mapping), ConnectorOutput::Batch { key, .. }) = (
            &connector_fetch.ready.key_mapping,
            &connector_fetch.connector.output,
        ) else {
            return Err(FetchError::NotAList); // Only batches are shared.
        };
        let mut vars = variables::vars(
            self.context,
            (connector_fetch, Phase::Response),
            &[],
            || Json::Null,
        );
        source_client::set_response_vars(connector_fetch.ready, &reply.response, &mut vars);
        let value = body.value();
        source_client::check_success(connector_fetch.connector, &reply.response, &value, &vars)?;
        let list = || eval_member(mapping, &value, &value, &vars).value;
        let index = reply.key_index(key, list).ok_or(FetchError::NotAList)?;
        let places: Vec<_> = keys
            .map(|key| {
                let found = index.find(key);
                // The argument of a root field is text where the service may have numbers.
                let is_argument = connector_fetch.fetch.field_slot.is_some();
                found.or_else(|| index.find(&unquoted(key).filter(|_| is_argument)?))
            })
            .collect();
        let number = self.tree.next_body();
        let mut fill = RowFiller {
            tree: &mut self.tree,
            widths: &self.context.prepared.widths,
            body: number,
            vars: &vars,
            authored_errors: Vec::new(),
        };
        let rows = fill.objects_at(&connector_fetch.program.extract, &value, &places);
        drop((value, vars));
        if let ResponseBody::Json(json) = body {
            self.tree.add_body(Arc::clone(json));
        }
        rows.ok_or(FetchError::NotAList)
    }

    fn fail_own(
        &mut self,
        fetch: FetchId,
        (own, entities): (&[usize], &Entities),
        error: FetchError,
    ) {
        self.fail_entities(fetch, (own, entities), error);
    }
}

impl<'a> Context<'a> {
    /// Another connector in the place of the one that a fetch was planned with.
    fn with_connector(
        &self,
        connector_fetch: ConnectorFetch<'a>,
        source: schema::source::SourceId,
        program: &'a Program,
    ) -> Option<ConnectorFetch<'a>> {
        let (connector, ready) = self.sources.connector(source)?;
        Some(ConnectorFetch {
            source,
            connector,
            ready,
            program,
            ..connector_fetch
        })
    }
}

/// What the call of a batch is known by.
fn call_name(fetch: FetchId, keys: &[(usize, usize)]) -> (FetchId, usize) {
    (fetch, keys.first().map_or(0, |(object, _)| *object))
}

/// The objects of a call that served nobody else, if they stand side by side.
fn unshared_call(fetch: FetchId, own: &[usize], part: &BatchCall) -> Option<CallId> {
    let mut ranges = contiguous_calls(fetch, own);
    let first = ranges.next()?;
    (ranges.next().is_none() && part.keys.len() == own.len()).then_some(first)
}

/// Objects by their numbers, those that stand side by side as one.
pub(super) fn contiguous_calls(
    fetch: FetchId,
    numbers: &[usize],
) -> impl Iterator<Item = CallId> + '_ {
    let ranges = numbers.chunk_by(|one, next| one + 1 == *next);
    ranges.filter_map(move |range| {
        Some(CallId {
            fetch,
            first: *range.first()?,
            end: range.last()? + 1,
        })
    })
}

/// Whether a call may have failed for what others asked, so that asking alone makes sense. What
/// says that the service is not well is not one of these.
fn is_possibly_caused_by_others(error: &FetchError) -> bool {
    match error {
        FetchError::Refused { status, .. } => !matches!(status.as_u16(), 408 | 425 | 429 | 501..),
        FetchError::TooLarge(_)
        | FetchError::NotAList
        | FetchError::NotJson { .. }
        | FetchError::Build(_) => true,
        FetchError::TooMany(_)
        | FetchError::Connect(_)
        | FetchError::Broken(_)
        | FetchError::Timeout(_)
        | FetchError::Status(_)
        | FetchError::NotGraphql(_)
        | FetchError::UnknownType(_)
        | FetchError::GraphqlError(_)
        | FetchError::Panicked => false,
    }
}

/// `5` for `"5"`: one id, as JSON writes it in two ways.
fn unquoted(key: &[u8]) -> Option<Vec<u8>> {
    let inner = key.strip_prefix(b"\"")?.strip_suffix(b"\"\0")?;
    let is_number = !inner.is_empty() && inner.iter().all(u8::is_ascii_digit);
    is_number.then(|| [inner, b"\0"].concat())
}

/// Whether keys are written in the order in which the connector names them.
fn is_same_key(slots: &[KeySlot], schema::key::FieldSet(fields): &schema::key::FieldSet) -> bool {
    slots.len() == fields.len()
        && slots
            .iter()
            .zip(fields)
            .all(|(slot, (name, inner))| slot.name == *name && is_same_key(&slot.inner, inner))
}
