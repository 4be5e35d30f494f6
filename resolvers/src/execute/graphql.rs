//! Requests to services that speak GraphQL: from rows to variables, from an answer to rows.

use std::rc::Rc;
use std::sync::Arc;

use schema::json::{Kind, Node};
use schema::types::TypeId;

use super::contexts::write_variables;
use super::entities::Entities;
use super::flights::Flights;
use super::read::Reader;
use super::run::Run;
use super::{Caller, State};
use crate::document::{Document, EnteredAs, Part};
use crate::error::FetchError;
use crate::fetch::graphql::Response;
use crate::fetch::reply::{Outcome, Reply};
use crate::fetch::service::Service;
use crate::fetch::{Reach, request};
use crate::plan::Fetch;
use crate::tree::KeyState;

/// What a request asks for one fetch, and the objects that it asks of.
pub(super) struct Asked<'a> {
    pub(super) part: &'a Part,
    pub(super) fetch: &'a Fetch,
    /// All that the fetch is for; several parts of a request may be of one fetch.
    pub(super) entities: Rc<Entities>,
    /// Those of this request, in its order.
    pub(super) which: Vec<usize>,
}

/// A request of the plan as it was made: for which objects of each of its parts.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) request: usize,
    /// By part of the request's document.
    pub(super) which: Vec<Vec<usize>>,
}

impl<'c, 'a> Run<'c, 'a> {
    /// Sends a request, unless there is nothing to ask.
    pub(super) fn ask(
        &mut self,
        request: usize,
        document: &'a Document,
        flights: &mut Flights<'c>,
    ) {
        for part in &document.parts {
            let fetch = &self.context.prepared.plan.fetches[part.fetch];
            let entities = if fetch.when.holds(self.context.variables) {
                self.represented(part, fetch)
            } else {
                Entities::default()
            };
            self.states[part.fetch] = State::Running { calls: 1, entities };
        }
        let round = self.rounds.len();
        if let Some(search) = self.look_for_request(request, document) {
            flights.add_search(Caller::LookedRequest(round), search);
            return;
        }
        for which in self.rounds_of(document) {
            self.send(Round { request, which }, document, flights);
        }
        for part in &document.parts {
            self.end_round(part.fetch);
        }
    }

    /// How many objects a fetch under way is for.
    pub(super) fn objects(&self, fetch: usize) -> usize {
        match &self.states[fetch] {
            State::Running { entities, .. } => entities.len(),
            State::Waiting | State::Done => 0,
        }
    }

    /// What an object of a fetch under way is given from further up.
    pub(super) fn context_of(&self, fetch: usize, object: usize) -> &[u8] {
        match &self.states[fetch] {
            State::Running { entities, .. } => entities.context(object),
            State::Waiting | State::Done => &[],
        }
    }

    /// One of those whom a fetch waits for has come.
    pub(super) fn end_round(&mut self, fetch: usize) {
        if let State::Running { calls, .. } = &mut self.states[fetch] {
            *calls -= 1;
            if *calls == 0 {
                self.states[fetch] = State::Done;
            }
        }
    }

    /// One more whom a fetch waits for.
    pub(super) fn begin_round(&mut self, fetch: usize) {
        if let State::Running { calls, .. } = &mut self.states[fetch] {
            *calls += 1;
        }
    }

    /// Makes a request for some objects, if there are any.
    pub(super) fn send(&mut self, round: Round, document: &'a Document, flights: &mut Flights<'c>) {
        let document = document.of(round.which.len());
        let Some((service, variables)) = self.question(&round, document) else {
            return;
        };
        let headers = self.context.headers;
        let caller = Caller::Service(self.rounds.len());
        if let Some(asking) = service.request(document, &variables, headers) {
            flights.add_question(caller, asking, service.timeout);
        } else {
            flights.add_alone(caller, service.ask(document, &variables, headers));
        }
        let number = self.rounds.len();
        for part in &document.parts {
            self.begin_round(part.fetch);
        }
        let mut which = round.which.iter();
        for of_fetch in document
            .parts
            .chunk_by(|one, other| one.fetch == other.fetch)
        {
            let which = which.by_ref().take(of_fetch.len());
            let batch = which.map(Vec::len).sum();
            if let ([part, ..], 1..) = (of_fetch, batch) {
                self.begins((part.fetch, number), batch, || service.whereabouts());
            }
        }
        self.rounds.push(round);
    }

    /// Who is asked, and the members of `variables`; `None` when there is nothing to ask.
    pub(super) fn question(
        &mut self,
        round: &Round,
        document: &'a Document,
    ) -> Option<(&'a Service, Vec<u8>)> {
        if round.which.iter().all(Vec::is_empty) {
            return None;
        }
        let context = self.context;
        let fetch = document.parts.first().map(|part| part.fetch)?;
        let source = context.prepared.plan.fetches[fetch].source;
        let Reach::Service(service) = &context.sources.reach[source.index()] else {
            return None;
        };
        let asked = self.take_asked(round, document);
        let variables = self.variables(document, &asked);
        self.put_all_back(asked);
        Some((service, variables))
    }

    /// The objects of a round, out of the states of its fetches; what was given up is left out.
    pub(super) fn take_asked(&mut self, round: &Round, document: &'a Document) -> Vec<Asked<'a>> {
        let mut all: Vec<Asked<'a>> = Vec::with_capacity(document.parts.len());
        for (part, which) in document.parts.iter().zip(&round.which) {
            let State::Running { entities, .. } = &mut self.states[part.fetch] else {
                continue;
            };
            let taken = all.iter().find(|it| it.part.fetch == part.fetch);
            let entities = match taken {
                Some(taken) => Rc::clone(&taken.entities),
                None => Rc::new(std::mem::take(entities)),
            };
            all.push(Asked {
                part,
                fetch: &self.context.prepared.plan.fetches[part.fetch],
                entities,
                which: which.clone(),
            });
        }
        all
    }

    pub(super) fn put_all_back(&mut self, asked: Vec<Asked<'a>>) {
        for Asked { part, entities, .. } in asked {
            // The last of those who share them.
            if let Some(entities) = Rc::into_inner(entities) {
                self.put_back(part.fetch, entities);
            }
        }
    }

    /// The objects of a fetch, into the state that they were taken out of.
    pub(super) fn put_back(&mut self, fetch: usize, objects: Entities) {
        if let State::Running { entities, .. } = &mut self.states[fetch] {
            *entities = objects;
        }
    }

    /// The objects that `part` is for, as far as all that their service must be told is known.
    pub(super) fn represented(&mut self, part: &'a Part, fetch: &'a Fetch) -> Entities {
        let mut entities = Entities::default();
        let (lines, width) = self.lines(part, fetch);
        for line in lines.chunks_exact(width) {
            let Some(row) = line.last().copied() else {
                continue; // A line ends with the object that it leads to.
            };
            let Some(entered) = entered_as(part, self.type_at(row, fetch.at)) else {
                continue;
            };
            let state = match self.taken_above(part, line) {
                Ok(context) => {
                    let known = (&entered.representation, context.as_slice());
                    entities.add_represented(&self.tree, (row, entered.kind), known)
                }
                Err(failure) => KeyState::Failed(failure),
            };
            if let KeyState::Failed(failure) = state {
                self.fail_row(fetch, row, failure);
            }
        }
        entities
    }

    /// The members of `variables`, without the braces.
    fn variables(&self, document: &Document, asked: &[Asked<'_>]) -> Vec<u8> {
        let variables = self.context.variables;
        let mut out = Vec::with_capacity(256);
        for (name, prefix) in &document.variables {
            if let Some(value) = variables.value(name) {
                member(&mut out, prefix);
                request::constant(value).write_json(&mut out);
            }
        }
        let mut context: &[u8] = &[];
        for asked in asked {
            if let Some(listed) = &asked.part.entities {
                member(&mut out, &listed.prefix);
                out.push(b'[');
                for (index, object) in asked.which.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(asked.entities.key(*object));
                }
                out.push(b']');
            }
            let objects = (&*asked.entities, asked.which.as_slice());
            write_variables(asked.part, objects, &mut context, &mut out);
        }
        for (prefix, when) in &document.conditions {
            member(&mut out, prefix);
            let holds = when.holds(variables);
            out.extend_from_slice(if holds { b"true" } else { b"false" });
        }
        out
    }

    pub(super) fn finish_round(&mut self, index: usize, answer: &Outcome) {
        let Some(round) = self.rounds.get_mut(index) else {
            return; // It was there when it was sent.
        };
        let which = std::mem::take(&mut round.which);
        let round = Round { which, ..*round };
        let Some(document) = &self.context.prepared.documents[round.request] else {
            return; // Only requests with a document are asked so.
        };
        let document = document.of(round.which.len());
        for part in &document.parts {
            self.ends((part.fetch, index), false);
        }
        let asked = self.take_asked(&round, document);
        let taken = match answer {
            Ok(reply) => self.take_response(&asked, reply),
            Err(error) => Err(error.clone()),
        };
        if let Err(error) = taken {
            self.fail_asked(&asked, error);
        }
        self.put_all_back(asked);
        for part in &document.parts {
            self.end_round(part.fetch);
        }
    }

    /// Reads an answer into the tree.
    fn take_response(&mut self, asked: &[Asked<'a>], reply: &Reply) -> Result<(), FetchError> {
        let json = reply.graphql()?;
        let response = Response::of(json, &reply.answer)?;
        let mut taking = Taking {
            body: self.tree.next_body(),
            broken: Vec::new(),
            unknown: None,
        };
        if let Some(data) = response.data {
            for asked in asked {
                self.read(asked, data, &mut taking);
            }
        }
        self.place_errors(asked, response.data, response.errors);
        for (fetch, objects, error) in taking.broken {
            let asked = asked.iter().find(|asked| asked.part.fetch == fetch);
            if let Some(asked) = asked {
                self.fail_objects(fetch, (&objects, &asked.entities), error);
            }
        }
        self.tree.keep(Arc::clone(json));
        self.keep_response(asked, &response, reply);
        Ok(())
    }

    /// Reads what is there for one fetch.
    fn read(&mut self, asked: &Asked<'a>, data: Node<'_>, taking: &mut Taking) {
        let Asked { part, which, .. } = asked;
        let mut broken = |objects: &[usize], what| {
            if !objects.is_empty() {
                let error = FetchError::NotGraphql(what);
                taking.broken.push((part.fetch, objects.to_vec(), error));
            }
        };
        let Some(listed) = &part.entities else {
            if let Some(object) = which.first() {
                self.read_entity(asked, *object, data, taking);
            }
            return;
        };
        let list = data.get(&listed.key).map(Node::kind);
        let Some(Kind::List(elements)) = list else {
            broken(which, NO_ENTITIES);
            return;
        };
        let (there, missing) = which.split_at(elements.len().min(which.len()));
        broken(missing, TOO_FEW);
        let told = there.iter().zip(elements);
        let (told, other): (Vec<_>, Vec<_>) =
            told.partition(|(_, element)| matches!(element.kind(), Kind::Null | Kind::Object(_)));
        let other: Vec<usize> = other.into_iter().map(|(object, _)| *object).collect();
        broken(&other, NO_ENTITY);
        for (object, element) in told {
            if element.is_object() {
                self.read_entity(asked, *object, element, taking);
            }
        }
    }

    /// Reads one object into its first row, and copies it to the others.
    fn read_entity(
        &mut self,
        Asked {
            part,
            fetch,
            entities,
            ..
        }: &Asked<'a>,
        index: usize,
        node: Node<'_>,
        taking: &mut Taking,
    ) {
        let [first, others @ ..] = entities.rows(index) else {
            return; // An object was found in a row.
        };
        let (context, failures) = (self.context, &mut self.failures);
        let mut fail = |name: &str| {
            *taking.unknown.get_or_insert_with(|| {
                let error = FetchError::UnknownType(name.to_owned());
                failures.add(context.failure(part.fetch, error))
            })
        };
        let mut reader = Reader {
            tree: &mut self.tree,
            widths: &context.prepared.widths,
            body: taking.body,
            fail: &mut fail,
        };
        match reader.entity(*first, &part.kinds[entities.kind(index)], node) {
            Ok(ty) => {
                for row in others {
                    if let Some(ty) = ty {
                        self.tree.set_type(*row, ty);
                    }
                }
                self.copy(fetch, *first, others);
            }
            Err(failure) => {
                self.forfeit(part.fetch, &[index]);
                for row in entities.rows(index) {
                    self.fail_row(fetch, *row, failure);
                }
            }
        }
    }

    /// A request that failed as a whole: one failure for all that is not there from before.
    fn fail_asked(&mut self, asked: &[Asked<'a>], error: FetchError) {
        let may = error.is_of_service();
        let mut failed = Vec::with_capacity(asked.len());
        for asked in asked {
            let fetch = (asked.part.fetch, Some(asked.part));
            let lost = asked.which.iter().copied();
            let lost: Vec<usize> = lost
                .filter(|object| !self.rescue(fetch, (&asked.entities, *object), may))
                .collect();
            failed.push((asked, lost));
        }
        failed.retain(|(_, lost)| !lost.is_empty());
        let Some((first, _)) = failed.first() else {
            return;
        };
        let failure = self.context.failure(first.part.fetch, error);
        let failure = self.failures.add(failure);
        for (asked, lost) in failed {
            self.fail_all(asked.part.fetch, (&lost, &asked.entities), failure);
        }
    }

    pub(super) fn fail_everything(&mut self, asked: &[Asked<'a>], failure: u32) {
        for asked in asked {
            self.forfeit(asked.part.fetch, &asked.which);
            self.fail_all(asked.part.fetch, (&asked.which, &asked.entities), failure);
        }
    }

    /// The objects of a fetch that was never made.
    pub(super) fn waiting(&mut self, index: usize) -> Entities {
        let prepared = self.context.prepared;
        let fetch = &prepared.plan.fetches[index];
        match prepared.part(index) {
            Some(part) => self.represented(part, fetch),
            None => self.entities(fetch),
        }
    }
}

/// An answer that is being read.
struct Taking {
    /// The number that its body will have in the tree.
    body: u32,
    /// Objects of a fetch for which nothing in it can be read.
    broken: Vec<(usize, Vec<usize>, FetchError)>,
    /// The failure of objects whose type the graph does not know, once there is one.
    unknown: Option<u32>,
}

/// How objects of a type are asked for; `None` when they are not. An object whose type nobody has
/// told may be asked for as what it is known to be.
fn entered_as(part: &Part, ty: Option<TypeId>) -> Option<&EnteredAs> {
    if part.entities.is_none() {
        return part.entered.first();
    }
    let mut exactly = part.entered.iter();
    exactly.find(|entered| Some(entered.on) == ty).or_else(|| {
        let mut entered = part.entered.iter();
        entered.find(|entered| match (&entered.possible, ty) {
            (Some(possible), Some(ty)) => possible.contains(&ty),
            (Some(_), None) => true,
            (None, _) => false,
        })
    })
}

/// A comma where one is needed, and the member's name.
pub(super) fn member(out: &mut Vec<u8>, prefix: &[u8]) {
    if !out.is_empty() {
        out.push(b',');
    }
    out.extend_from_slice(prefix);
}

const NO_ENTITIES: &str = "`_entities` is not a list";
const NO_ENTITY: &str = "an entity is not an object";
const TOO_FEW: &str = "fewer entities than were asked for";
