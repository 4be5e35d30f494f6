//! The same for services that speak GraphQL: by request, each for the objects of all its parts.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use schema::json::{Kind, Node};

use super::super::account::MOST_LOOKUPS;
use super::super::flights::Flights;
use super::super::graphql::{Asked, Round};
use super::super::run::Run;
use super::super::{Caller, State};
use super::lifetimes::Lifetimes;
use super::wait;
use crate::cache::{Claim, Found, Hit, Reuse, Value as Kept, Wanted, canonical};
use crate::document::take::{Fields, Objects, Told};
use crate::document::{Document, Part};
use crate::fetch::graphql::Response;
use crate::fetch::reply::Reply;
use crate::keep::Keep;

impl<'c, 'a> Run<'c, 'a> {
    /// Looks for the objects of all parts of which something is kept; `None`: there are none.
    pub(in crate::execute) fn look_for_request(
        &mut self,
        request: usize,
        document: &'a Document,
    ) -> Option<BoxFuture<'c, Vec<Found>>> {
        let mut all = Vec::new();
        let mut which = Vec::with_capacity(document.parts.len());
        for part in &document.parts {
            let wanted = self.wanted(document, part).unwrap_or_default();
            which.push((0..wanted.len()).collect());
            all.extend(wanted);
        }
        let search = self.search(all)?;
        self.rounds.push(Round { request, which });
        Some(search)
    }

    /// The objects of a part; `None` when nothing of it is kept.
    fn wanted(&mut self, document: &Document, part: &Part) -> Option<Vec<Wanted>> {
        let kept = self.context.kept(part.fetch)?;
        let now = self.context.cache?.now();
        if kept.kinds.iter().any(|keep| keep.is_fruitless(now)) {
            return None;
        }
        let askers = self.askers(kept, (document, part))?;
        let State::Running { entities, .. } = &self.states[part.fetch] else {
            return None;
        };
        let mut wanted = Vec::with_capacity(entities.len());
        let mut told = Vec::new();
        for object in 0..entities.len() {
            let asker = askers.get(entities.kind(object))?;
            let text = entities.key(object);
            let entity = if text.is_empty() {
                None
            } else {
                Some(canonical(str::from_utf8(text).ok()?)?)
            };
            let one = asker.wanted(entity.clone());
            if self.account.is_some() && told.len() < MOST_LOOKUPS {
                told.push(asker.told(self.context.headers, &one, entity.as_deref()));
            }
            wanted.push(one);
        }
        if let Some(account) = &mut self.account {
            account.looks(part.fetch, wanted.len(), told);
        }
        Some(wanted)
    }

    /// Makes the request for what was not found.
    pub(in crate::execute) fn looked_request(
        &mut self,
        index: usize,
        found: Vec<Found>,
        flights: &mut Flights<'c>,
    ) {
        let Some((request, looked, document)) = self.round(index) else {
            return; // It was there when it was begun.
        };
        let mut found = found.into_iter();
        let mut which = Vec::with_capacity(document.parts.len());
        let mut others = Vec::with_capacity(document.parts.len());
        let mut waiting = Vec::new();
        for (part, looked) in document.parts.iter().zip(looked) {
            if looked.is_empty() {
                which.push((0..self.objects(part.fetch)).collect());
                others.push(Vec::new());
                continue;
            }
            let sorted = self.sort(part.fetch, looked.into_iter().zip(found.by_ref()));
            self.take_hits(part, &sorted.hits);
            let elsewhere = sorted.elsewhere.iter().map(|(object, _)| *object);
            others.push(elsewhere.collect::<Vec<usize>>());
            waiting.extend(sorted.elsewhere);
            which.push(self.claim_all(part.fetch, sorted.missing));
            let stale: Vec<usize> = sorted.stale.iter().map(|(object, _)| *object).collect();
            self.renew_from_service((request, part), &stale, sorted.stale);
        }
        self.send(Round { request, which }, document, flights);
        if !waiting.is_empty() {
            flights.add_search(Caller::WaitedRound(self.rounds.len()), wait(waiting));
            self.rounds.push(Round {
                request,
                which: others,
            });
            for part in &document.parts {
                self.begin_round(part.fetch);
            }
        }
        for part in &document.parts {
            self.end_round(part.fetch);
        }
    }

    /// Takes what others fetched; what they did not is asked for.
    pub(in crate::execute) fn waited_round(
        &mut self,
        index: usize,
        found: Vec<Found>,
        flights: &mut Flights<'c>,
    ) {
        let Some((request, others, document)) = self.round(index) else {
            return; // It was there when it was begun.
        };
        let mut found = found.into_iter();
        let mut which = Vec::with_capacity(document.parts.len());
        for (part, others) in document.parts.iter().zip(others) {
            let sorted = self.sort(part.fetch, others.into_iter().zip(found.by_ref()));
            self.take_hits(part, &sorted.hits);
            which.push(self.claim_all(part.fetch, sorted.missing));
        }
        self.send(Round { request, which }, document, flights);
        for part in &document.parts {
            self.end_round(part.fetch);
        }
    }

    /// A round that ends: of which request, for which objects, and how these are asked for.
    fn round(&mut self, index: usize) -> Option<(usize, Vec<Vec<usize>>, &'a Document)> {
        let round = self.rounds.get_mut(index)?;
        let which = std::mem::take(&mut round.which);
        let document = self.context.prepared.documents[round.request].as_ref()?;
        Some((round.request, which, document))
    }

    /// Fills the rows of what is there.
    fn take_hits(&mut self, part: &'a Part, hits: &[(usize, Hit)]) {
        let State::Running { entities, .. } = &mut self.states[part.fetch] else {
            return; // Given up before.
        };
        let entities = std::mem::take(entities);
        for (object, hit) in hits {
            self.take_hit((part.fetch, Some(part)), (&entities, *object), hit);
        }
        self.put_back(part.fetch, entities);
    }

    /// Takes over the right to fetch objects; gives which.
    fn claim_all(&mut self, fetch: usize, missing: Vec<(usize, Claim)>) -> Vec<usize> {
        let count = self.objects(fetch);
        let claims = &mut self.claims[fetch];
        claims.resize_with(count.max(claims.len()), || None);
        let mut which = Vec::with_capacity(missing.len());
        for (object, claim) in missing {
            if let Some(place) = claims.get_mut(object) {
                *place = Some(claim);
            }
            which.push(object);
        }
        which
    }

    /// Objects of which something was told that says that they are not whole are not kept.
    pub(in crate::execute) fn forfeit(&mut self, fetch: usize, objects: &[usize]) {
        for object in objects {
            let claim = self.claims[fetch].get_mut(*object);
            if let Some(claim) = claim.and_then(Option::take) {
                claim.fail();
            }
        }
    }

    /// Keeps what a request brought.
    pub(in crate::execute) fn keep_response(
        &mut self,
        asked: &[Asked<'a>],
        response: &Response<'_>,
        reply: &Reply,
    ) {
        for asked in asked {
            let part = asked.part;
            let Some(kept) = self.context.kept(part.fetch) else {
                self.note(Reuse::Never);
                continue;
            };
            let list = part.entities.as_ref().zip(response.data);
            let list = list.and_then(|(listed, data)| data.get(&listed.key));
            let mut elements = list.into_iter().flat_map(Node::elements);
            let kinds = kept.kinds.iter();
            let kinds: Vec<(&Keep, Lifetimes)> = kinds
                .map(|keep| (keep, self.lifetimes(keep, reply)))
                .collect();
            for object in &asked.which {
                let kind = asked.entities.kind(*object);
                let value = match (&part.entities, response.data) {
                    (Some(_), _) => elements.next().and_then(entity),
                    (None, Some(data)) => root(&part.kinds[kind], data),
                    (None, None) => None,
                };
                let claim = self.claims[part.fetch].get_mut(*object);
                let (Some(claim), Some((keep, lifetimes))) =
                    (claim.and_then(Option::take), kinds.get(kind))
                else {
                    self.note(Reuse::Never);
                    continue;
                };
                let reuse = lifetimes.keep(claim, value);
                self.came(keep, reuse);
                self.note_kept((part.fetch, *object), reuse);
            }
        }
    }
}

/// An entity as it is kept.
pub(in crate::execute) fn entity(node: Node<'_>) -> Option<Kept> {
    match node.kind() {
        Kind::Null => Some(Kept::Absent),
        Kind::Object(_) => Some(Kept::Present(Bytes::copy_from_slice(node.raw_bytes()))),
        _ => None,
    }
}

/// The root fields of an answer as they are kept: without the entities that were asked for beside.
pub(in crate::execute) fn root(objects: &Objects, data: Node<'_>) -> Option<Kept> {
    let (Told::Known(_, Fields(members)) | Told::Untold(Fields(members))) = &objects.told else {
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
