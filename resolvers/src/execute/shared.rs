//! Batches that several operations may share: an operation's keys into them, its own objects out.

use std::sync::Arc;

use schema::connector::{Gives, Phase};
use schema::json::Value as Json;
use schema::mapping::eval_member;

use super::entities::Entities;
use super::flights::Flights;
use super::run::Run;
use super::{ByConnector, CallId, Caller, Context, State, merge, variables};
use crate::batch::Loader;
use crate::batch::groups::{Asking, Landing, Loading, Part, Parts};
use crate::batch::wait;
use crate::cache::{self, Reuse};
use crate::error::FetchError;
use crate::extract::fill::Fill;
use crate::fetch::reply::Reply;
use crate::fetch::{self, Body, request};
use crate::plan::KeySlot;
use crate::prepared::{Program, Sharing};
use crate::settings::Reports;
use crate::tree::{Row, Value, write_canonical};

/// What one fetch waits for of a batch.
#[derive(Debug)]
pub(super) struct Shared {
    fetch: usize,
    /// Which of its objects have which positions in the batch.
    keys: Vec<(usize, usize)>,
}

/// A batch that stands in for the connector of a fetch, and the key it was asked for.
struct StandIn<'a> {
    by: ByConnector<'a>,
    key: Vec<u8>,
}

impl<'c, 'a> Run<'c, 'a> {
    /// Has the first `count` objects asked for in batches that other operations may share; gives
    /// how many batches that are, `None` when the operation must ask alone.
    pub(super) fn load(
        &mut self,
        by: ByConnector<'a>,
        (entities, count): (&Entities, usize),
        flights: &mut Flights<'c>,
    ) -> Option<usize> {
        let loader = self.shares(by)?;
        let Gives::Batch { key, max } = &by.connector.gives else {
            return None;
        };
        if !is_same_key(&by.fetch.first().key, key) {
            return None;
        }
        let keys = (0..count).map(|index| entities.key(index));
        let loading = self.loading(by, (loader, *max), keys)?;
        Some(self.await_batches(by, loading, flights))
    }

    /// Has the object of a root field asked for in such a batch.
    pub(super) fn load_field(
        &mut self,
        own: ByConnector<'a>,
        entities: &Entities,
        flights: &mut Flights<'c>,
    ) -> Option<usize> {
        let StandIn { by, key } = self.stand_in(own)?;
        let loader = self.shares(by)?;
        let Gives::Batch { max, .. } = by.connector.gives else {
            return None;
        };
        if own.program.sharing == Sharing::Impossible
            && let Some(landing) = self.lead(by, (loader, max))
        {
            return Some(self.start_leading(own, entities, (flights, landing)));
        }
        let loading = self.loading(by, (loader, max), std::iter::once(key.as_slice()))?;
        Some(self.await_batches(by, loading, flights))
    }

    /// The loader, if calls of that connector may serve several operations.
    fn shares(&self, by: ByConnector<'a>) -> Option<&'a Arc<Loader>> {
        by.ready.keys.as_ref()?;
        // What a mapping met is told to those whose call it was.
        let loader = self.context.across()?;
        (self.context.reports == Reports::Hide).then_some(loader)
    }

    /// Notes that a call of the operation's own comes first, if there is none to share.
    fn lead(
        &mut self,
        by: ByConnector<'a>,
        (loader, max): (&Arc<Loader>, Option<usize>),
    ) -> Option<Landing> {
        let asking = Asking::new(by.source, by.ready, self.context.headers, max);
        let asker = *self.asker.get_or_insert_with(|| loader.number());
        loader.lead(asking, asker)
    }

    /// Makes the call of a field by its own connector, while those of others gather.
    fn start_leading(
        &mut self,
        by: ByConnector<'a>,
        entities: &Entities,
        (flights, landing): (&mut Flights<'c>, Landing),
    ) -> usize {
        let id = CallId {
            fetch: by.index,
            first: 0,
            end: entities.len(),
        };
        match self.request(by, id, entities) {
            Ok(request) => {
                let count = entities.len();
                self.begins((by.index, id.first), count, || {
                    super::connectors::address(&request)
                });
                let caller = Caller::Connector(id);
                flights.add_leading(caller, (request, by.ready.timeout), landing);
                1
            }
            Err(error) => {
                self.fail(id, entities, error);
                0
            }
        }
    }

    fn loading<'k>(
        &mut self,
        by: ByConnector<'a>,
        (loader, max): (&Arc<Loader>, Option<usize>),
        keys: impl ExactSizeIterator<Item = &'k [u8]>,
    ) -> Option<Vec<Loading>> {
        let asking = Asking::new(by.source, by.ready, self.context.headers, max);
        let asker = *self.asker.get_or_insert_with(|| loader.number());
        loader.load(asking, asker, keys)
    }

    /// Has a fetch wait for batches; gives how many.
    fn await_batches(
        &mut self,
        by: ByConnector<'a>,
        loading: Vec<Loading>,
        flights: &mut Flights<'c>,
    ) -> usize {
        let count = loading.len();
        for Loading { waiter, keys, .. } in loading {
            self.begins(name(by.index, &keys), keys.len(), || {
                let connector = by.connector;
                format!("{} {}", connector.method.as_str(), connector.own.url.text())
            });
            let shared = Shared {
                fetch: by.index,
                keys,
            };
            flights.add_batch(Caller::Shared(shared), wait(waiter, by.ready.timeout));
        }
        count
    }

    fn stand_in(&self, by: ByConnector<'a>) -> Option<StandIn<'a>> {
        let stand_in = by.program.stand_in.as_deref()?;
        let slot = by.fetch.slot?;
        let slot = &self.context.prepared.selection.position(by.fetch.at).slots[slot];
        let (_, argument) = slot.arguments.first()?;
        let value = self.context.variables.argument(argument)?;
        let mut text = Vec::new();
        match request::constant(&value) {
            value @ (Json::String(_) | Json::Number(_)) => value.write_json(&mut text),
            _ => return None,
        }
        let mut key = Vec::with_capacity(text.len() + 1);
        write_canonical(&text, &mut key);
        key.push(0);
        let by = self
            .context
            .instead(by, stand_in.source, &stand_in.program)?;
        Some(StandIn { by, key })
    }

    /// Takes what a batch brought of the objects of a fetch; what it did not bring, and its own
    /// connector may, is asked for again.
    pub(super) fn finish_shared(
        &mut self,
        shared: &Shared,
        landed: &Result<Parts, FetchError>,
        flights: &mut Flights<'c>,
    ) {
        let Some(by) = self.context.connector(shared.fetch) else {
            return; // Only connectors share batches.
        };
        let State::Running {
            mut calls,
            mut entities,
        } = std::mem::take(&mut self.states[shared.fetch])
        else {
            self.states[shared.fetch] = State::Done;
            return; // Given up before.
        };
        let mut again = Vec::new();
        let together = landed.iter().flat_map(|parts| parts.iter());
        let together: usize = together.map(|part| part.keys.len()).sum();
        let name = name(shared.fetch, &shared.keys);
        self.ends(name, together > shared.keys.len());
        match landed {
            Ok(parts) => {
                for part in parts.iter() {
                    let keys = shared.keys.iter();
                    let own = keys.filter(|(_, position)| part.keys.contains(position));
                    let own: Vec<usize> = own.map(|(entity, _)| *entity).collect();
                    self.finish_part(by, (&own, &mut entities), part, &mut again);
                }
            }
            Err(error) => {
                let own: Vec<usize> = shared.keys.iter().map(|(entity, _)| *entity).collect();
                self.fail_each(shared.fetch, (&own, &entities), error.clone());
            }
        }
        calls -= 1;
        for id in runs(shared.fetch, &again) {
            self.uncount(by.ready);
            calls += self.start_calls(by, (vec![id], &entities), flights);
        }
        self.settle(shared.fetch, calls, entities);
    }

    fn finish_part(
        &mut self,
        by: ByConnector<'a>,
        (own, entities): (&[usize], &mut Entities),
        part: &Part,
        again: &mut Vec<usize>,
    ) {
        if own.is_empty() {
            return;
        }
        let stand_in = self.stand_in(by);
        let before = again.len();
        let taken = match (&part.outcome, &stand_in, whole(by.index, own, part)) {
            (Err(error), _, _) => Err(error.clone()),
            (Ok(reply), Some(stand_in), _) => self.take_field(by, stand_in, reply, again),
            (Ok(reply), None, Some(id)) => self.take(by, id, entities, reply),
            (Ok(reply), None, None) => self.take_own(by, own, entities, reply),
        };
        let Err(error) = taken else {
            if let (Ok(reply), true) = (&part.outcome, again.len() == before) {
                match &stand_in {
                    Some(stand_in) => self.keep_field(by, stand_in, (own, reply)),
                    None => self.keep(by, (own, entities), reply),
                }
            }
            return;
        };
        let is_shared = part.keys.len() > own.len() || stand_in.is_some();
        if is_shared && may_be_of_others(&error) {
            again.extend_from_slice(own);
        } else {
            self.fail_each(by.index, (own, entities), error);
        }
    }

    /// Takes the objects of a fetch out of an answer that has those of others too.
    fn take_own(
        &mut self,
        by: ByConnector<'a>,
        own: &[usize],
        entities: &Entities,
        reply: &Reply,
    ) -> Result<(), FetchError> {
        let keys = own.iter().map(|entity| entities.key(*entity));
        let rows = self.rows(by, keys, reply)?;
        for (entity, row) in own.iter().zip(rows) {
            if let Some(row) = row {
                self.copy(by.fetch, row, entities.rows(*entity));
            }
        }
        Ok(())
    }

    /// Keeps the object of a root field out of the answer of a batch, where that has all that the
    /// field's own connector gives.
    fn keep_field(
        &mut self,
        by: ByConnector<'a>,
        stand_in: &StandIn<'a>,
        (own, reply): (&[usize], &Reply),
    ) {
        let is_whole = self
            .context
            .kept(by.index)
            .is_some_and(|kept| kept.by_batch);
        let claims = self.claims[by.index].iter_mut();
        let claim = claims.take(own.len()).find_map(Option::take);
        let (Some(keep), Some(claim)) = (self.context.keep(by.index), claim) else {
            self.note(Reuse::Never);
            return;
        };
        let lifetimes = self.lifetimes(keep, reply);
        if !is_whole {
            claim.fail();
            self.note(lifetimes.present());
            return;
        }
        let value = self.mapped(stand_in.by, (&[], &Entities::default()), reply);
        let value = value.and_then(|mapped| {
            let unquoted = || mapped.get(&unquoted(&stand_in.key)?);
            mapped.get(&stand_in.key).or_else(unquoted).cloned()
        });
        let reuse = lifetimes.keep(claim, value.map(cache::Value::Present));
        self.came(keep, reuse);
        self.note_kept((by.index, 0), reuse);
    }

    /// Takes the object of a root field out of the answer of a batch.
    fn take_field(
        &mut self,
        by: ByConnector<'a>,
        stand_in: &StandIn<'a>,
        reply: &Reply,
        again: &mut Vec<usize>,
    ) -> Result<(), FetchError> {
        let keys = std::iter::once(stand_in.key.as_slice());
        let rows = self.rows(stand_in.by, keys, reply)?;
        let (Some(Some(row)), Some(slot)) = (rows.first(), by.fetch.slot) else {
            again.push(0);
            return Ok(());
        };
        let selection = &self.context.prepared.selection;
        let at = (by.fetch.at, self.tree.root(), slot);
        let value = Value::Object(*row);
        merge::set(&mut self.tree, selection, &by.fetch.takes, (at, value));
        Ok(())
    }

    /// A row for each key that the answer has an object of.
    fn rows<'k>(
        &mut self,
        by: ByConnector<'a>,
        keys: impl Iterator<Item = &'k [u8]>,
        reply: &Reply,
    ) -> Result<Vec<Option<Row>>, FetchError> {
        let body = reply.body()?;
        let (Some(mapping), Gives::Batch { key, .. }) = (&by.ready.keys, &by.connector.gives)
        else {
            return Err(FetchError::NotAList); // Only batches are shared.
        };
        let mut vars = variables::vars(self.context, (by, Phase::Answer), &[], || Json::Null);
        fetch::answer_vars(by.ready, &reply.answer, &mut vars);
        let value = body.value();
        fetch::judge(by.connector, &reply.answer, &value, &vars)?;
        let list = || eval_member(mapping, &value, &value, &vars).value;
        let index = reply.index(key, list).ok_or(FetchError::NotAList)?;
        let places: Vec<_> = keys
            .map(|key| {
                let found = index.find(key);
                // The argument of a root field is text where the service may have numbers.
                let is_argument = by.fetch.slot.is_some();
                found.or_else(|| index.find(&unquoted(key).filter(|_| is_argument)?))
            })
            .collect();
        let number = self.tree.next_body();
        let mut fill = Fill {
            tree: &mut self.tree,
            widths: &self.context.prepared.widths,
            body: number,
            vars: &vars,
            authored: Vec::new(),
        };
        let rows = fill.pick(&by.program.extract, &value, &places);
        drop((value, vars));
        if let Body::Json(json) = body {
            self.tree.keep(Arc::clone(json));
        }
        rows.ok_or(FetchError::NotAList)
    }

    fn fail_each(
        &mut self,
        fetch: usize,
        (own, entities): (&[usize], &Entities),
        error: FetchError,
    ) {
        self.fail_objects(fetch, (own, entities), error);
    }
}

impl<'a> Context<'a> {
    /// Another connector in the place of the one that a fetch was planned with.
    fn instead(
        &self,
        by: ByConnector<'a>,
        source: schema::source::SourceId,
        program: &'a Program,
    ) -> Option<ByConnector<'a>> {
        let (connector, ready) = self.sources.connector(source)?;
        Some(ByConnector {
            source,
            connector,
            ready,
            program,
            ..by
        })
    }
}

/// What the call of a batch is known by.
fn name(fetch: usize, keys: &[(usize, usize)]) -> (usize, usize) {
    (fetch, keys.first().map_or(0, |(object, _)| *object))
}

/// The objects of a call that served nobody else, if they stand side by side.
fn whole(fetch: usize, own: &[usize], part: &Part) -> Option<CallId> {
    let mut runs = runs(fetch, own);
    let first = runs.next()?;
    (runs.next().is_none() && part.keys.len() == own.len()).then_some(first)
}

/// Objects by their numbers, those that stand side by side as one.
pub(super) fn runs(fetch: usize, numbers: &[usize]) -> impl Iterator<Item = CallId> + '_ {
    let runs = numbers.chunk_by(|one, next| one + 1 == *next);
    runs.filter_map(move |run| {
        Some(CallId {
            fetch,
            first: *run.first()?,
            end: run.last()? + 1,
        })
    })
}

/// Whether a call may have failed for what others asked, so that asking alone makes sense. What
/// says that the service is not well is not one of these.
fn may_be_of_others(error: &FetchError) -> bool {
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
        | FetchError::Told(_)
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
