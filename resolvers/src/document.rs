//! What a service that speaks GraphQL is asked: one document for each request of a plan.
//!
//! Pure, and made once for an operation: the text depends on the plan alone, never on values, so
//! that services can keep what they made of it. `walk` decides what is written and, in the same
//! pass, what is read of the answer; `set` is the text; `represent` says what is told of entities.

use schema::graph::Graph;
use schema::operation::Operation;
use schema::source::{Entry, Source};
use schema::types::{Name, TypeId};

pub(crate) use self::asked::{Asked, Given};
use self::represent::Representation;
use self::set::{Fragment, Set};
use self::take::Objects;
use self::walk::{Around, Context, Place, Walk};
use crate::plan::{Above, Entered, Fetch, Plan};
use crate::selection::{Selection, When};

mod asked;
mod assemble;
pub(crate) mod represent;
mod set;
pub(crate) mod take;
mod walk;
mod wanted;

/// One request to a service, but for its values.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) text: Name,
    /// Of the operation, where the client named its own.
    pub(crate) name: Option<Name>,
    /// The JSON of the request up to its first variable.
    pub(crate) head: Box<[u8]>,
    /// Variables of the client: name, and `"name":`.
    pub(crate) variables: Vec<(Name, Box<[u8]>)>,
    /// Conditions that variables decide: `"name":`, and when it is true.
    pub(crate) conditions: Vec<(Box<[u8]>, When)>,
    /// In the order of the request's fetches.
    pub(crate) parts: Vec<Part>,
    /// The same with two parts, with four, and so on: for objects below different contexts.
    pub(crate) repeats: Vec<Self>,
}

/// What a request asks for one fetch.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) fetch: usize,
    /// For root fields nothing.
    pub(crate) entities: Option<Listed>,
    /// Variables that are filled from objects further up, the same for all its objects.
    pub(crate) contexts: Vec<ContextVariable>,
    /// How objects of each type are asked for; for root fields one.
    pub(crate) entered: Vec<EnteredAs>,
    /// What is read of each kind of answer.
    pub(crate) kinds: Vec<Objects>,
    /// What is asked of each kind, as it is known by.
    pub(crate) asked: Vec<Asked>,
}

/// Where the entities of a fetch are in a request and in its answer.
#[derive(Debug)]
pub(crate) struct Listed {
    /// The member of `data`.
    pub(crate) key: Box<str>,
    /// `"name":` of the variable that holds the representations.
    pub(crate) prefix: Box<[u8]>,
}

/// A variable that is filled from objects further up.
#[derive(Debug)]
pub(crate) struct ContextVariable {
    /// `"name":`.
    pub(crate) prefix: Box<[u8]>,
    /// Where the value may be, the nearest place first.
    pub(crate) places: Vec<Above>,
}

/// How objects of one type are asked for.
#[derive(Debug)]
pub(crate) struct EnteredAs {
    pub(crate) on: TypeId,
    /// The types that objects may have, where `on` is abstract.
    pub(crate) possible: Option<Box<[TypeId]>>,
    pub(crate) representation: Representation,
    /// Of the part's kinds.
    pub(crate) kind: usize,
}

/// Why a request has no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operation takes a request of more than {MOST_FIELDS} fields")]
pub(crate) struct TooLarge;

/// Fields of one document. An abstract type that a service does not have is written out for each
/// object type, at every level, so the text may be far longer than the client's.
const MOST_FIELDS: usize = 20_000;

/// The document of one of a plan's requests, all of whose fetches are of one service that speaks
/// GraphQL.
pub(crate) fn document(
    graph: &Graph,
    (operation, selection): (&Operation, &Selection),
    plan: &Plan,
    request: usize,
) -> Result<Document, TooLarge> {
    let fetches = plan.requests.get(request).map_or(&[][..], Vec::as_slice);
    let asked = (operation, selection);
    let mut document = once(graph, asked, plan, (request, fetches))?;
    if let [only] = fetches {
        let fetch = &plan.fetches[*only];
        let many = selection.position(fetch.at).many && !fetch.contexts.is_empty();
        for copies in COPIES.into_iter().filter(|_| many) {
            let fetches = vec![*only; copies];
            match once(graph, asked, plan, (request, &fetches)) {
                Ok(repeat) => document.repeats.push(repeat),
                Err(TooLarge) => break, // Several requests do it too.
            }
        }
    }
    Ok(document)
}

/// How often a part is repeated: few documents, because services keep what they made of each.
const COPIES: [usize; 5] = [2, 4, 8, 16, 32];

fn once(
    graph: &Graph,
    (operation, selection): (&Operation, &Selection),
    plan: &Plan,
    (request, fetches): (usize, &[usize]),
) -> Result<Document, TooLarge> {
    let Some(first) = fetches.first().map(|index| &plan.fetches[*index]) else {
        return Ok(Document::empty());
    };
    let source = graph.source(first.source);
    let mut writer = Writer {
        walk: Walk::new(graph, selection, source, MOST_FIELDS),
        plan,
        source,
        set: Set::default(),
        definitions: Vec::new(),
        parts: Vec::with_capacity(fetches.len()),
    };
    let (entities, roots): (Vec<usize>, Vec<usize>) = fetches
        .iter()
        .partition(|index| writer.is_of_entities(**index));
    writer.roots(&roots, entities.is_empty())?;
    for (number, fetch) in entities.iter().enumerate() {
        let alias = (entities.len() > 1).then_some(number);
        writer.entities(*fetch, alias, operation)?;
    }
    Ok(writer.finish(operation, request))
}

struct Writer<'a> {
    walk: Walk<'a>,
    plan: &'a Plan,
    source: &'a Source,
    set: Set,
    /// Of variables that hold representations.
    definitions: Vec<String>,
    parts: Vec<Part>,
}

impl<'a> Writer<'a> {
    fn entry(&self, entered: &Entered) -> &'a Entry {
        &self.source.entries[entered.entry]
    }

    fn is_of_entities(&self, fetch: usize) -> bool {
        let first = self.plan.fetches[fetch].first();
        !self.entry(first).key.is_empty()
    }

    fn roots(&mut self, fetches: &[usize], is_alone: bool) -> Result<(), TooLarge> {
        if fetches.is_empty() {
            return Ok(());
        }
        let fetches_of = |index: &usize| &self.plan.fetches[*index];
        let places: Vec<_> = fetches
            .iter()
            .map(fetches_of)
            .map(|fetch| self.place(fetch, fetch.first()))
            .collect();
        // A request for one fetch is made when that is needed, and not else.
        let always = When::always();
        let known = match fetches {
            [only] if is_alone => &self.plan.fetches[*only].when,
            _ => &always,
        };
        let around = Around {
            known,
            beside: &[],
            overlaps: false,
        };
        let (set, objects) = self.walk.set(&places, around)?;
        let asked = Asked::of(&set);
        self.set = set;
        for (fetch, objects) in fetches.iter().zip(objects) {
            let entered = self.plan.fetches[*fetch].first();
            self.parts.push(Part {
                fetch: *fetch,
                entities: None,
                contexts: Vec::new(),
                entered: vec![EnteredAs {
                    on: entered.on,
                    possible: None,
                    representation: Representation::nothing(),
                    kind: 0,
                }],
                kinds: vec![objects],
                asked: vec![asked.clone()],
            });
        }
        Ok(())
    }

    fn place(&self, fetch: &'a Fetch, entered: &Entered) -> Place<'a> {
        Place {
            takes: &fetch.takes,
            at: fetch.at,
            node: self.entry(entered).node,
            only: Some(vec![entered.on]),
        }
    }

    fn entities(
        &mut self,
        index: usize,
        alias: Option<usize>,
        operation: &Operation,
    ) -> Result<(), TooLarge> {
        let fetch = &self.plan.fetches[index];
        let contexts = self.contexts((fetch, alias), operation);
        // Objects that the service calls by one name are one kind to it.
        let mut kinds: Vec<(&Entry, Place<'a>)> = Vec::new();
        let mut entered_as = Vec::with_capacity(fetch.entered.len());
        for entered in &fetch.entered {
            let entry = self.entry(entered);
            let same = |(known, _): &(&Entry, _)| {
                known.type_name == entry.type_name && known.node == entry.node
            };
            let known = kinds.iter().position(same);
            let kind = known.unwrap_or(kinds.len());
            match kinds.get_mut(kind) {
                Some((_, place)) => place.only.get_or_insert_default().push(entered.on),
                None => kinds.push((entry, self.place(fetch, entered))),
            }
            entered_as.push(self.walk.entered(entered, entry, (fetch.at, kind)));
        }
        let mut set = Set::default();
        let mut read = Vec::with_capacity(kinds.len());
        let mut asked = Vec::with_capacity(kinds.len());
        for (entry, place) in kinds {
            let is_object = self.walk.is_object(entry);
            let around = Around {
                known: &fetch.when,
                beside: &set.fragments,
                overlaps: !is_object,
            };
            let (inner, objects) = self.walk.set(&[place], around)?;
            read.extend(objects);
            asked.push(Asked::of(&inner));
            set.fragments.push(Fragment {
                on: Name::clone(&entry.type_name),
                is_object,
                set: inner,
            });
        }
        let variable = fresh(&format!("r{}", alias.unwrap_or(0)), operation);
        let key = alias.map_or_else(|| "_entities".to_owned(), |number| format!("_{number}"));
        self.definitions.push(format!("${variable}: [_Any!]!"));
        self.set.add_entities(&key, &variable, set);
        self.parts.push(Part {
            fetch: index,
            entities: Some(Listed {
                key: key.into(),
                prefix: prefix(&variable),
            }),
            contexts,
            entered: entered_as,
            kinds: read,
            asked,
        });
        Ok(())
    }

    /// Names the variables for what is taken of objects further up, which the walk then writes.
    fn contexts(
        &mut self,
        (fetch, alias): (&Fetch, Option<usize>),
        operation: &Operation,
    ) -> Vec<ContextVariable> {
        let mut made = Vec::new();
        self.walk.forget();
        for field in &fetch.contexts {
            for from in &*field.arguments {
                let copy = alias.map_or_else(String::new, |alias| format!("_{alias}"));
                let variable = fresh(&format!("c{}{copy}", made.len()), operation);
                self.definitions.push(format!("${variable}: {}", from.ty));
                made.push(ContextVariable {
                    prefix: prefix(&variable),
                    places: from.places.clone(),
                });
                self.walk.contexts.push(Context {
                    at: field.at,
                    slot: field.slot,
                    on: field.on,
                    written: format!("{}: ${variable}", from.argument),
                });
            }
        }
        made
    }

    fn finish(self, operation: &Operation, request: usize) -> Document {
        let keyword = self.keyword();
        let mut definitions: Vec<String> = Vec::new();
        let mut variables = Vec::new();
        for variable in self.walk.variables {
            definitions.extend(operation.definition(&variable));
            let prefix = prefix(&variable);
            variables.push((variable, prefix));
        }
        definitions.extend(self.definitions);
        let mut conditions = Vec::new();
        let mut names = Vec::new();
        for (index, when) in self.walk.whens.into_iter().enumerate() {
            let name = fresh(&format!("_w{index}"), operation);
            definitions.push(format!("${name}: Boolean!"));
            conditions.push((prefix(&name), when));
            names.push(name);
        }
        let name = operation.name.as_deref();
        let name = name.map(|name| operation_name(name, &self.source.service, request));
        let mut text = opening(keyword, name.as_deref(), &definitions);
        self.set.write(&names, &mut text);
        Document {
            head: head(&text, name.as_deref()),
            text: text.into(),
            name: name.map(Into::into),
            variables,
            conditions,
            parts: self.parts,
            repeats: Vec::new(),
        }
    }

    fn keyword(&self) -> &'static str {
        let is_mutation = self.parts.iter().any(|part| {
            let on = part.entered.first().map(|entered| entered.on);
            part.entities.is_none() && on.is_some() && on == self.walk.mutation()
        });
        if is_mutation { "mutation" } else { "query" }
    }
}

/// `query Name($first: Int) `.
fn opening(keyword: &str, name: Option<&str>, definitions: &[String]) -> String {
    let mut text = String::with_capacity(256);
    text.push_str(keyword);
    if let Some(name) = name {
        text.push(' ');
        text.push_str(name);
    }
    if !definitions.is_empty() {
        text.push('(');
        text.push_str(&definitions.join(", "));
        text.push(')');
    }
    text.push(' ');
    text
}

impl Document {
    fn empty() -> Self {
        Self {
            text: "".into(),
            name: None,
            head: Box::default(),
            variables: Vec::new(),
            conditions: Vec::new(),
            parts: Vec::new(),
            repeats: Vec::new(),
        }
    }

    /// The one with so many parts.
    pub(crate) fn of(&self, parts: usize) -> &Self {
        let mut repeats = self.repeats.iter();
        let found = repeats.find(|repeat| repeat.parts.len() == parts);
        found.unwrap_or(self)
    }

    /// How many parts there are at the most.
    pub(crate) fn most_parts(&self) -> usize {
        self.repeats.last().unwrap_or(self).parts.len()
    }
}

/// `{"query":"…","operationName":"…","variables":{`.
fn head(text: &str, name: Option<&str>) -> Box<[u8]> {
    let name = name.map(|name| format!(",\"operationName\":\"{name}\""));
    let (query, name) = (serde_json::Value::from(text), name.unwrap_or_default());
    format!("{{\"query\":{query}{name},\"variables\":{{")
        .into_bytes()
        .into()
}

/// `"name":`, for a name that needs no escapes.
fn prefix(name: &str) -> Box<[u8]> {
    format!("\"{name}\":").into_bytes().into()
}

/// `Shop__products__1`: the client's operation, the service, which of the plan's requests.
fn operation_name(operation: &str, service: &str, request: usize) -> String {
    let service: String = service
        .chars()
        .map(|char| {
            if char.is_ascii_alphanumeric() {
                char
            } else {
                '_'
            }
        })
        .collect();
    format!("{operation}__{service}__{}", request + 1)
}

/// A name that no variable of the client has.
fn fresh(wanted: &str, operation: &Operation) -> String {
    let mut name = wanted.to_owned();
    while operation.definition(&name).is_some() {
        name.insert(0, '_');
    }
    name
}
