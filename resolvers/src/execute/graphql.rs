//! Requests to services that speak GraphQL: from rows to variables, from an answer to rows.

use std::sync::Arc;

use schema::json::{Kind, Node};
use schema::types::TypeId;

use super::entities::Entities;
use super::flights::Flights;
use super::read::Reader;
use super::run::Run;
use super::{CallId, Caller, State};
use crate::document::{Document, EnteredAs, Part};
use crate::error::FetchError;
use crate::fetch::graphql::Response;
use crate::fetch::reply::{Outcome, Reply};
use crate::fetch::{Reach, request};
use crate::plan::Fetch;
use crate::tree::KeyState;

/// What a request asks for one fetch, and the objects that it asks of.
pub(super) struct Asked<'a> {
    pub(super) part: &'a Part,
    pub(super) fetch: &'a Fetch,
    pub(super) entities: Entities,
}

impl<'c, 'a> Run<'c, 'a> {
    /// Sends a request, unless there is nothing to ask.
    pub(super) fn ask(
        &mut self,
        request: usize,
        document: &'a Document,
        flights: &mut Flights<'c>,
    ) {
        let parts = document.parts.iter();
        let asked: Vec<Asked<'a>> = parts.map(|part| self.asked(part)).collect();
        let needed = asked.iter().find(|asked| asked.entities.len() > 0);
        let reach = needed.map(|asked| &self.context.sources.reach[asked.fetch.source.index()]);
        let Some(Reach::Service(service)) = reach else {
            for asked in &asked {
                self.states[asked.part.fetch] = State::Done;
            }
            return;
        };
        let variables = self.variables(document, &asked);
        let context = self.context;
        let caller = Caller::Service(request);
        if let Some(asking) = service.request(document, &variables, context.headers) {
            flights.add_question(caller, asking, service.timeout);
        } else {
            let call = service.ask(document, &variables, context.headers);
            flights.add_alone(caller, call);
        }
        for Asked { part, entities, .. } in asked {
            self.states[part.fetch] = State::Running { calls: 1, entities };
        }
    }

    fn asked(&mut self, part: &'a Part) -> Asked<'a> {
        let fetch = &self.context.prepared.plan.fetches[part.fetch];
        let entities = if fetch.when.holds(self.context.variables) {
            self.represented(part, fetch)
        } else {
            Entities::default()
        };
        Asked {
            part,
            fetch,
            entities,
        }
    }

    /// The objects that `part` is for, as far as all that their service must be told is known.
    pub(super) fn represented(&mut self, part: &'a Part, fetch: &'a Fetch) -> Entities {
        let mut entities = Entities::default();
        let selection = &self.context.prepared.selection;
        let at = fetch.at;
        let is_abstract = self.context.prepared.is_abstract[at.0];
        for row in self.tree.rows(&fetch.path) {
            let ty = match self.tree.type_of(row) {
                None if !is_abstract => Some(selection.position(at).ty),
                told => told,
            };
            let Some(entered) = entered_as(part, ty) else {
                continue;
            };
            let known = (row, entered.kind);
            let state = entities.add_represented(&self.tree, known, &entered.representation);
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
        for Asked { part, entities, .. } in asked {
            if let Some(listed) = &part.entities {
                member(&mut out, &listed.prefix);
                out.push(b'[');
                for index in 0..entities.len() {
                    if index > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(entities.key(index));
                }
                out.push(b']');
            }
        }
        for (prefix, when) in &document.conditions {
            member(&mut out, prefix);
            let holds = when.holds(variables);
            out.extend_from_slice(if holds { b"true" } else { b"false" });
        }
        out
    }

    pub(super) fn finish_request(&mut self, index: usize, answer: &Outcome) {
        let Some(document) = &self.context.prepared.documents[index] else {
            return; // Only requests with a document are asked so.
        };
        let mut asked = Vec::with_capacity(document.parts.len());
        for part in &document.parts {
            let fetch = &self.context.prepared.plan.fetches[part.fetch];
            // What was given up before is done.
            if let State::Running { entities, .. } =
                std::mem::replace(&mut self.states[part.fetch], State::Done)
            {
                asked.push(Asked {
                    part,
                    fetch,
                    entities,
                });
            }
        }
        let taken = match answer {
            Ok(reply) => self.take_response(&asked, reply),
            Err(error) => Err(error.clone()),
        };
        if let Err(error) = taken {
            self.fail_asked(&asked, error);
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
        for (id, error) in taking.broken {
            self.fail_range(asked, id, error);
        }
        self.tree.keep(Arc::clone(json));
        Ok(())
    }

    /// Reads what is there for one fetch.
    fn read(&mut self, asked: &Asked<'a>, data: Node<'_>, taking: &mut Taking) {
        let Asked { part, entities, .. } = asked;
        let count = entities.len();
        let range = |first, end| CallId {
            fetch: part.fetch,
            first,
            end,
        };
        let Some(listed) = &part.entities else {
            if count > 0 {
                self.read_entity(asked, 0, data, taking);
            }
            return;
        };
        let list = data.get(&listed.key).map(Node::kind);
        let Some(Kind::List(elements)) = list else {
            if count > 0 {
                taking
                    .broken
                    .push((range(0, count), FetchError::NotGraphql(NO_ENTITIES)));
            }
            return;
        };
        let there = elements.len().min(count);
        for (index, element) in (0..there).zip(elements) {
            match element.kind() {
                Kind::Null => {}
                Kind::Object(_) => self.read_entity(asked, index, element, taking),
                _ => {
                    let error = FetchError::NotGraphql(NO_ENTITY);
                    taking.broken.push((range(index, index + 1), error));
                }
            }
        }
        if there < count {
            let error = FetchError::NotGraphql(TOO_FEW);
            taking.broken.push((range(there, count), error));
        }
    }

    /// Reads one object into its first row, and copies it to the others.
    fn read_entity(
        &mut self,
        Asked {
            part,
            fetch,
            entities,
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
                for row in entities.rows(index) {
                    self.fail_row(fetch, *row, failure);
                }
            }
        }
    }

    fn fail_range(&mut self, asked: &[Asked<'a>], id: CallId, error: FetchError) {
        let failure = self.failures.add(self.context.failure(id.fetch, error));
        for asked in asked.iter().filter(|asked| asked.part.fetch == id.fetch) {
            self.fail_all(id, &asked.entities, failure);
        }
    }

    /// A request that failed as a whole.
    fn fail_asked(&mut self, asked: &[Asked<'a>], error: FetchError) {
        let Some(first) = asked.first() else {
            return;
        };
        let failure = self
            .failures
            .add(self.context.failure(first.part.fetch, error));
        self.fail_everything(asked, failure);
    }

    pub(super) fn fail_everything(&mut self, asked: &[Asked<'a>], failure: u32) {
        for Asked { part, entities, .. } in asked {
            let id = CallId {
                fetch: part.fetch,
                first: 0,
                end: entities.len(),
            };
            self.fail_all(id, entities, failure);
        }
    }

    /// The objects of a fetch that was never made.
    pub(super) fn waiting(&mut self, index: usize) -> Entities {
        let prepared = self.context.prepared;
        let fetch = &prepared.plan.fetches[index];
        let documents = prepared.documents.iter().flatten();
        let mut parts = documents.flat_map(|document| &document.parts);
        match parts.find(|part| part.fetch == index) {
            Some(part) => self.represented(part, fetch),
            None => self.entities(fetch),
        }
    }
}

/// An answer that is being read.
struct Taking {
    /// The number that its body will have in the tree.
    body: u32,
    /// Objects for which nothing in it can be read.
    broken: Vec<(CallId, FetchError)>,
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
fn member(out: &mut Vec<u8>, prefix: &[u8]) {
    if !out.is_empty() {
        out.push(b',');
    }
    out.extend_from_slice(prefix);
}

const NO_ENTITIES: &str = "`_entities` is not a list";
const NO_ENTITY: &str = "an entity is not an object";
const TOO_FEW: &str = "fewer entities than were asked for";
