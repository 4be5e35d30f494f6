//! Between a fetch and its calls: what the cache has is not asked for, and what a call brings is
//! kept.
//!
//! A fetch first looks for all of its objects. Those that are there fill their rows; those that
//! nobody has are called for; those that somebody else is fetching are waited for, beside the
//! calls. What fails is given out as it was before, where that is still allowed.

pub(super) mod lifetimes;
pub(super) mod service;

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt, join_all};
use schema::connector::Phase;
use schema::json::{Json, Value as JsonValue};
use schema::mapping::Vars;

use self::lifetimes::{Lifetimes, Passing};
use super::account::MOST_LOOKUPS;
use super::entities::{Entities, entity_json, key_value};
use super::flights::Flights;
use super::read::Reader;
use super::run::Run;
use super::{ByConnector, CallId, Caller, State, merge, variables};
use crate::cache::{Claim, Found, Hit, Renewal, Reuse, Tally, Value as Kept, Waiting, Wanted};
use crate::document::{Document, Given, Part};
use crate::extract::fill::Fill;
use crate::fetch::mapped::Mapped;
use crate::fetch::reply::Reply;
use crate::fetch::{self, request};
use crate::keep::{Asker, Keep, KeptFetch};
use crate::plan::Fetch;
use crate::tree::Value;

/// What was found, by what is to be done about it; each with the number of its object.
#[derive(Default)]
pub(super) struct Sorted {
    pub(super) hits: Vec<(usize, Hit)>,
    pub(super) missing: Vec<(usize, Claim)>,
    pub(super) elsewhere: Vec<(usize, Waiting)>,
    pub(super) stale: Vec<(usize, Renewal)>,
}

impl Sorted {
    pub(super) fn of(found: impl IntoIterator<Item = (usize, Found)>) -> Self {
        let mut sorted = Self::default();
        for (index, found) in found {
            match found {
                Found::Fresh(hit) | Found::Negative(hit) => sorted.hits.push((index, hit)),
                Found::Stale(hit, renewal) => {
                    sorted.hits.push((index, hit));
                    sorted.stale.extend(renewal.map(|renewal| (index, renewal)));
                }
                Found::Missing(claim) => sorted.missing.push((index, claim)),
                Found::Elsewhere(waiting) => sorted.elsewhere.push((index, waiting)),
            }
        }
        sorted
    }

    /// The objects that something is still to be done about: those to be called for first, then
    /// those that are waited for, then those to renew.
    pub(super) fn order(&self) -> Vec<usize> {
        let missing = self.missing.iter().map(|(index, _)| *index);
        let elsewhere = self.elsewhere.iter().map(|(index, _)| *index);
        let stale = self.stale.iter().map(|(index, _)| *index);
        missing.chain(elsewhere).chain(stale).collect()
    }
}

/// Waits for what others fetch, all at once.
pub(super) fn wait(waiting: Vec<(usize, Waiting)>) -> BoxFuture<'static, Vec<Found>> {
    let each = waiting.into_iter().map(|(_, waiting)| waiting.wait());
    join_all(each).boxed()
}

impl<'c, 'a> Run<'c, 'a> {
    /// Looks for the objects of a fetch of a connector; `None`: nothing of it is kept.
    pub(super) fn look(
        &mut self,
        by: ByConnector<'a>,
        entities: &Entities,
    ) -> Option<BoxFuture<'c, Vec<Found>>> {
        let kept = self.context.kept(by.index)?;
        let keep = kept.kinds.first()?;
        if keep.is_fruitless(self.context.cache?.now()) {
            return None;
        }
        let asker = self.asker_of(by, keep)?;
        let key = &by.fetch.first().key;
        let entity = |object| {
            let is_one = !key.is_empty();
            is_one.then(|| entity_json(key, entities.key(object)))
        };
        let wanted: Vec<Wanted> = (0..entities.len())
            .map(|object| asker.wanted(entity(object)))
            .collect();
        if let Some(account) = &mut self.account {
            let told = wanted.iter().take(MOST_LOOKUPS).enumerate();
            let told = told.map(|(object, wanted)| {
                asker.told(self.context.headers, wanted, entity(object).as_deref())
            });
            account.looks(by.index, wanted.len(), told.collect());
        }
        self.search(wanted)
    }

    pub(super) fn search(&self, wanted: Vec<Wanted>) -> Option<BoxFuture<'c, Vec<Found>>> {
        let cache = self.context.cache?;
        (!wanted.is_empty()).then(|| async move { cache.get_many(wanted).await }.boxed())
    }

    fn asker_of(&self, by: ByConnector<'a>, keep: &'a Keep) -> Option<Asker<'a>> {
        let uses = |phase| by.ready.uses(phase, "args");
        let is_told = uses(Phase::Request) || uses(Phase::Answer);
        let slot = by.fetch.slot.filter(|_| is_told);
        let arguments = slot.map(|slot| {
            let slot = &self.context.prepared.selection.position(by.fetch.at).slots[slot];
            request::arguments(&slot.arguments, self.context.variables)
        });
        keep.asker(self.context.headers, arguments.as_deref())
    }

    /// Looks for kinds of objects on behalf of this client, each with the values that its
    /// selection depends on.
    pub(super) fn askers(
        &self,
        kept: &'a KeptFetch,
        (document, part): (&Document, &Part),
    ) -> Option<Vec<Asker<'a>>> {
        let kinds = kept.kinds.iter().zip(&part.asked);
        kinds
            .map(|(keep, asked)| {
                let mut object = schema::json::Object::with_capacity(asked.given.len());
                for (number, given) in asked.given.iter().enumerate() {
                    let value = match given {
                        Given::Variable(name) => self.context.variables.value(name),
                        Given::Condition(condition) => {
                            let (_, when) = document.conditions.get(*condition)?;
                            let holds = when.holds(self.context.variables);
                            object.insert(number.to_string(), JsonValue::Bool(holds));
                            continue;
                        }
                    };
                    if let Some(value) = value {
                        let value = request::constant(value).to_owned_value();
                        object.insert(number.to_string(), value);
                    }
                }
                let arguments = (!object.is_empty()).then(|| JsonValue::object(object).to_json());
                keep.asker(self.context.headers, arguments.as_deref())
            })
            .collect()
    }

    /// Has the calls made that what was found leaves to be made.
    pub(super) fn looked(&mut self, index: usize, found: Vec<Found>, flights: &mut Flights<'c>) {
        let Some(by) = self.context.connector(index) else {
            return; // Services are looked for by request.
        };
        let state = std::mem::replace(&mut self.states[index], State::Done);
        let State::Running { mut entities, .. } = state else {
            return; // Given up before; the claims go to others.
        };
        let sorted = self.sort(index, found.into_iter().enumerate());
        for (object, hit) in &sorted.hits {
            self.take_hit((index, None), (&entities, *object), hit);
        }
        let order = sorted.order();
        entities.retain(&order);
        if let Some(account) = &mut self.account {
            account.retain(index, &order);
        }
        let (missing, elsewhere) = (sorted.missing.len(), sorted.elsewhere.len());
        self.claims[index] = sorted
            .missing
            .into_iter()
            .map(|(_, claim)| Some(claim))
            .collect();
        self.claims[index].resize_with(missing + elsewhere, || None);
        let renewed = CallId {
            fetch: index,
            first: missing + elsewhere,
            end: entities.len(),
        };
        self.renew(by, (renewed, &entities), sorted.stale);
        let mut calls = self.start_all(by, (missing, &entities), flights);
        if elsewhere > 0 {
            calls += 1;
            flights.add_search(Caller::Waited(index, missing), wait(sorted.elsewhere));
        }
        self.settle(index, calls, entities);
    }

    /// Takes what others fetched; what they did not is called for.
    pub(super) fn waited(
        &mut self,
        (index, first): (usize, usize),
        found: Vec<Found>,
        flights: &mut Flights<'c>,
    ) {
        let Some(by) = self.context.connector(index) else {
            return;
        };
        let state = std::mem::replace(&mut self.states[index], State::Done);
        let State::Running {
            mut calls,
            entities,
        } = state
        else {
            return; // Given up before.
        };
        let sorted = self.sort(index, (first..).zip(found));
        for (object, hit) in &sorted.hits {
            self.take_hit((index, None), (&entities, *object), hit);
        }
        let mut again = Vec::with_capacity(sorted.missing.len());
        for (object, claim) in sorted.missing {
            self.claims[index][object] = Some(claim);
            again.push(object);
        }
        calls -= 1;
        for id in super::shared::runs(index, &again) {
            let waiting = super::connectors::chunks(by, id);
            calls += self.start_calls(by, (waiting, &entities), flights);
        }
        self.settle(index, calls, entities);
    }

    /// Sorts what was found, and notes it.
    pub(super) fn sort(
        &mut self,
        fetch: usize,
        found: impl IntoIterator<Item = (usize, Found)>,
    ) -> Sorted {
        let (Some(cache), Some(kept)) = (self.context.cache, self.context.kept(fetch)) else {
            return Sorted::of(found); // What is not kept was not looked for.
        };
        // A fetch of several kinds is one of a service, whose objects stay where they are.
        let entities = match &self.states[fetch] {
            State::Running { entities, .. } => Some(entities),
            State::Waiting | State::Done => None,
        };
        let (now, account) = (cache.now(), &mut self.account);
        let mut tallies: Vec<Tally> = kept.kinds.iter().map(|_| Tally::default()).collect();
        let sorted = Sorted::of(found.into_iter().inspect(|(object, found)| {
            let kind = entities.map_or(0, |entities| entities.kind(*object));
            if let Some(tally) = tallies.get_mut(kind) {
                tally.note(found, now);
            }
            if let Some(account) = account {
                account.found(fetch, *object, found);
            }
        }));
        for (keep, tally) in kept.kinds.iter().zip(&tallies) {
            cache.found(&keep.stats, tally);
        }
        sorted
    }

    pub(super) fn settle(&mut self, index: usize, calls: usize, entities: Entities) {
        self.states[index] = match calls {
            0 => State::Done,
            calls => State::Running { calls, entities },
        };
    }

    /// Fills the rows of an object with a kept value; `part` where a service gave it.
    pub(super) fn take_hit(
        &mut self,
        (index, part): (usize, Option<&'a Part>),
        (entities, object): (&Entities, usize),
        hit: &Hit,
    ) {
        if let Some(cache) = self.context.cache {
            self.note(hit.entry().reuse(cache.now()));
        }
        let Some(json) = hit.json() else {
            return; // It is known not to exist.
        };
        match part {
            Some(part) => self.take_from_service(part, (entities, object), &json),
            None => self.take_from_connector(index, (entities, object), &json),
        }
        self.tree.keep(json);
    }

    fn take_from_connector(
        &mut self,
        index: usize,
        (entities, object): (&Entities, usize),
        json: &Json,
    ) {
        let (fetch, prepared) = self.planned(index);
        let kept = self.context.kept(index);
        let Some(read) = kept.and_then(|kept| kept.read.as_ref()) else {
            return;
        };
        let vars = Vars::new();
        let mut fill = Fill {
            body: self.tree.next_body(),
            tree: &mut self.tree,
            widths: &prepared.widths,
            vars: &vars,
            authored: Vec::new(),
        };
        let value = fill.extract(read, &JsonValue::Node(json.root()), Value::Absent);
        match (fetch.slot, value) {
            (Some(slot), value) => {
                for row in entities.rows(object) {
                    let at = (fetch.at, *row, slot);
                    merge::set(
                        &mut self.tree,
                        &prepared.selection,
                        &fetch.takes,
                        (at, value),
                    );
                }
            }
            (None, Value::Object(row)) => self.copy(fetch, row, entities.rows(object)),
            (None, _) => {}
        }
    }

    fn take_from_service(
        &mut self,
        part: &'a Part,
        (entities, object): (&Entities, usize),
        json: &Json,
    ) {
        let (fetch, prepared) = self.planned(part.fetch);
        let [first, others @ ..] = entities.rows(object) else {
            return; // An object was found in a row.
        };
        let mut fail = |_: &str| u32::MAX;
        let mut reader = Reader {
            body: self.tree.next_body(),
            tree: &mut self.tree,
            widths: &prepared.widths,
            fail: &mut fail,
        };
        let kind = &part.kinds[entities.kind(object)];
        // What is of no type that the graph knows was not kept.
        if let Ok(ty) = reader.entity(*first, kind, json.root()) {
            for row in others {
                if let Some(ty) = ty {
                    self.tree.set_type(*row, ty);
                }
            }
            self.copy(fetch, *first, others);
        }
    }

    fn planned(&self, index: usize) -> (&'a Fetch, &'a crate::prepared::Prepared) {
        let prepared = self.context.prepared;
        (&prepared.plan.fetches[index], prepared)
    }

    /// Notes how long, and for whom, a part of the answer may be used again.
    pub(super) fn note(&mut self, reuse: Reuse) {
        self.reuse = Some(self.reuse.map_or(reuse, |known| known.and(reuse)));
    }

    /// Keeps what a call brought of the objects `own`.
    pub(super) fn keep(
        &mut self,
        by: ByConnector<'a>,
        (own, entities): (&[usize], &Entities),
        reply: &Reply,
    ) {
        let Some(keep) = self.context.keep(by.index) else {
            self.note(Reuse::Never);
            return;
        };
        let lifetimes = self.lifetimes(keep, reply);
        let claims = &self.claims[by.index];
        let claim = |object: &usize| claims.get(*object).and_then(Option::as_ref);
        let is_awaited = own.iter().filter_map(claim).any(Claim::is_awaited);
        let is_for_any = lifetimes.is_any() || is_awaited;
        let mapped = is_for_any.then(|| self.mapped(by, (own, entities), reply));
        let mapped = mapped.flatten();
        for object in own {
            let claim = self.claims[by.index].get_mut(*object);
            let Some(claim) = claim.and_then(Option::take) else {
                self.note(Reuse::Never);
                continue;
            };
            let value = mapped.as_ref();
            let value = value.map(|mapped| {
                let body = mapped.get(entities.key(*object)).cloned();
                body.map_or(Kept::Absent, Kept::Present)
            });
            let reuse = lifetimes.keep(claim, value);
            self.came(keep, reuse);
            self.note_kept((by.index, *object), reuse);
        }
    }

    pub(super) fn came(&self, keep: &Keep, reuse: Reuse) {
        if let Some(cache) = self.context.cache {
            keep.came(reuse, cache.now());
        }
    }

    /// Notes what is kept of an object.
    pub(super) fn note_kept(&mut self, (fetch, object): (usize, usize), reuse: Reuse) {
        self.note(reuse);
        if let Some(account) = &mut self.account {
            account.kept(fetch, object, reuse);
        }
    }

    pub(super) fn lifetimes(&self, keep: &Keep, reply: &Reply) -> Lifetimes {
        let passing = match self.context.loader {
            Some(_) => Passing::ToOthers,
            None => Passing::ToNobody,
        };
        Lifetimes::of(keep, (self.context.headers, passing), reply)
    }

    pub(super) fn mapped(
        &self,
        by: ByConnector<'a>,
        (own, entities): (&[usize], &Entities),
        reply: &Reply,
    ) -> Option<Arc<Mapped>> {
        let arguments = variables::arguments(self.context, by, Phase::Answer);
        let first = own.first().and_then(|first| entities.rows(*first).first());
        let key = || match first {
            Some(row) => key_value(&self.tree, *row, &by.fetch.first().key),
            None => JsonValue::Null,
        };
        let mut vars = variables::vars(self.context, (by, Phase::Answer), &arguments, key);
        fetch::answer_vars(by.ready, &reply.answer, &mut vars);
        let make = || Mapped::of(by.connector, reply, &vars);
        match by.ready.keys {
            Some(_) => reply.mapped(by.source, make),
            None => make().map(Arc::new),
        }
    }

    /// Gives out an object as it was before, because fetching it failed; false where that cannot be.
    pub(super) fn rescue(
        &mut self,
        (index, part): (usize, Option<&'a Part>),
        (entities, object): (&Entities, usize),
        may: bool,
    ) -> bool {
        let claim = self.claims[index].get_mut(object);
        let Some(claim) = claim.and_then(Option::take) else {
            return false;
        };
        let rescue = claim.rescue().filter(|_| may).cloned();
        claim.fail();
        match rescue {
            Some(hit) => {
                self.take_hit((index, part), (entities, object), &hit);
                if let Some(account) = &mut self.account {
                    account.rescued(index, object, &hit);
                }
                true
            }
            None => false,
        }
    }
}
