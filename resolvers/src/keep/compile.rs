//! From a plan to what may be kept of it.

mod tagging;

use std::fmt::Write as _;
use std::sync::Arc;

use http::HeaderName;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use schema::caching::{Caching as Said, Scope as SaidScope};
use schema::connector::{Connector, Gives, HeaderValue, Method, Phase};
use schema::graph::Graph;
use schema::source::{Access, Entry, NodeId, Objects, Serves, Source};
use schema::types::{Name, TypeId};

use super::fruitless::Fruitless;
use super::inside::{Inside, Look};
use super::wider::Selections;
use super::{Arguments, Headers, Keep, KeptFetch};
use crate::cache::{Policy, Scope, TypeStats};
use crate::document::{Document, EnteredAs, Part};
use crate::extract::Compile as Reading;
use crate::fetch::ready::Ready;
use crate::fetch::service::Service;
use crate::fetch::{Reach, Sources};
use crate::plan::{Fetch, Plan};
use crate::prepared::Program;
use crate::selection::Selection;
use crate::settings::{Caching, Keeping};

/// What compiling needs at every step.
pub(crate) struct Compile<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) caching: &'a Caching,
    pub(crate) selections: &'a Selections,
    pub(crate) selection: &'a Selection,
    pub(crate) plan: &'a Plan,
    pub(crate) programs: &'a [Option<Program>],
    pub(crate) documents: &'a [Option<Document>],
}

impl Compile<'_> {
    /// What may be kept of a query.
    pub(crate) fn fetches(&self) -> Vec<Option<KeptFetch>> {
        let fetches = self.plan.fetches.iter().enumerate();
        fetches
            .map(|(index, fetch)| self.fetch(index, fetch))
            .collect()
    }

    fn graph(&self) -> &Graph {
        &self.sources.graph
    }

    fn said(&self, service: &str) -> Option<&Said> {
        self.graph().caching(service)
    }

    fn fetch(&self, index: usize, fetch: &Fetch) -> Option<KeptFetch> {
        let source = self.graph().source(fetch.source);
        let keeping = self.caching.of(&source.service);
        // What depends on objects further up is not known by what it is asked for with.
        if !keeping.is_on || !fetch.contexts.is_empty() {
            return None;
        }
        match (&source.access, &self.sources.reach[fetch.source.index()]) {
            (Access::Connector(connector), Reach::Connector(ready)) => {
                let by = ByConnector {
                    index,
                    source,
                    connector,
                    ready,
                    fetch,
                };
                self.of_connector(by, keeping)
            }
            (Access::Graphql(_), Reach::Service(service)) => {
                self.of_service((index, fetch), (source, service), keeping)
            }
            _ => None,
        }
    }

    fn of_connector(&self, by: ByConnector<'_>, keeping: &Keeping) -> Option<KeptFetch> {
        if !by.is_of_its_answer_only() {
            return None;
        }
        let fetch = by.fetch;
        let entry = &by.source.entries[fetch.first().entry];
        let mut look = self.look(&by.source.service);
        let arguments = self.arguments(&by, &mut look, entry);
        let is_public = look.is_public && !look.inside.is_private;
        let inside = look.inside;
        let tagging = self.tagging_of_connector(&by, (entry, arguments), &inside);
        let same = self.same_batch(&by);
        // One entity is one value, whichever of the two is asked for it.
        let (known_as, on) = match &same {
            Some((batch, on)) => (batch, *on),
            None => (&by, entry.on),
        };
        let types = self.graph().types();
        let keep = Keep {
            policy: policy(keeping, &inside, is_public),
            source: Name::clone(&known_as.source.name),
            type_name: Name::clone(&types.get(on).name),
            selection: known_as.definition().into(),
            headers: self.headers(by.ready.varies.as_deref()?),
            tagging: Arc::new(tagging),
            arguments,
            place: None,
            fruitless: Fruitless::default(),
            stats: self.stats(&by.source.service, on),
        };
        let reading = Reading {
            types,
            selection: self.selection,
            takes: &fetch.takes,
        };
        let read = match fetch.slot {
            Some(slot) => reading.kept_slot(fetch.at, slot),
            None => reading.kept_object(fetch.at),
        };
        Some(KeptFetch {
            kinds: vec![keep],
            read: Some(read),
            by_batch: same.is_some(),
        })
    }

    /// The batch that may stand in for a root field, with the type of its objects, where both
    /// give the same and depend on the same headers.
    fn same_batch<'b>(&'b self, by: &ByConnector<'b>) -> Option<(ByConnector<'b>, TypeId)> {
        let slot = by.fetch.slot?;
        let field = &self.selection.position(by.fetch.at).slots[slot].field;
        let stand_in = self.programs[by.index].as_ref()?.stand_in.as_ref()?;
        let source = self.graph().source(stand_in.source);
        let (connector, ready) = self.sources.connector(stand_in.source)?;
        let own = by
            .source
            .node(by.source.entries[by.fetch.first().entry].node);
        let own = own.fields.get(field)?.child?;
        let on = by.source.node(own).on;
        let is_batch = |entry: &&Entry| entry.on == on && matches!(entry.serves, Serves::Batch(_));
        let entry = source.entries.iter().find(is_batch)?;
        let is_same = gives_all((by.source, own), (source, entry.node))
            && gives_all((source, entry.node), (by.source, own))
            && ready.varies == by.ready.varies;
        let batch = ByConnector {
            source,
            connector,
            ready,
            ..*by
        };
        (is_same && batch.is_of_its_answer_only()).then_some((batch, on))
    }

    /// Looks through what a connector gives, and says what the arguments of its field are.
    fn arguments(&self, by: &ByConnector<'_>, look: &mut Look<'_>, entry: &Entry) -> Arguments {
        let (source, node) = (by.source, by.source.node(entry.node));
        let Some(slot) = by.fetch.slot else {
            let said = look.caching.and_then(|said| said.of_type(entry.on));
            look.first(said.and_then(|said| said.hint));
            look.view(source, entry.node);
            return Arguments::Plain;
        };
        let slot = &self.selection.position(by.fetch.at).slots[slot];
        look.first(look.hint(entry.on, &slot.field));
        let field = node.fields.get(&slot.field);
        let Some(child) = field.and_then(|field| field.child) else {
            return Arguments::Plain;
        };
        let arguments = Self::root_entity(by, child);
        if arguments == Arguments::Plain {
            look.met(source.node(child).on);
        }
        look.view(source, child);
        arguments
    }

    /// Whether the arguments of a root field are the key of the entity that it gives.
    fn root_entity(by: &ByConnector<'_>, child: NodeId) -> Arguments {
        let given = by.source.node(child).on;
        let is_entity = by.fetch.first().key.is_empty()
            && by
                .source
                .entries
                .iter()
                .any(|entry| entry.on == given && entry.serves == Serves::Object);
        if is_entity {
            Arguments::Entity
        } else {
            Arguments::Plain
        }
    }

    fn of_service(
        &self,
        (index, fetch): (usize, &Fetch),
        (source, service): (&Source, &Service),
        keeping: &Keeping,
    ) -> Option<KeptFetch> {
        let mut documents = self.documents.iter().flatten();
        let (document, part) = documents.find_map(|document| {
            let part = document.parts.iter().find(|part| part.fetch == index)?;
            Some((document, part))
        })?;
        let roots = document.parts.iter().filter(|it| it.entities.is_none());
        // The roots of a request are one value; where two fetches share them, none.
        if part.entities.is_none() && roots.count() > 1 {
            return None;
        }
        let kinds = (0..part.kinds.len()).map(|kind| {
            let keep = (fetch, part, kind);
            self.of_kind(keep, (source, service), keeping)
        });
        Some(KeptFetch {
            kinds: kinds.collect::<Option<_>>()?,
            read: None,
            by_batch: false,
        })
    }

    fn of_kind(
        &self,
        (fetch, part, kind): (&Fetch, &Part, usize),
        (source, service): (&Source, &Service),
        keeping: &Keeping,
    ) -> Option<Keep> {
        let entered: Vec<(&EnteredAs, &Entry)> = part
            .entered
            .iter()
            .zip(&fetch.entered)
            .filter(|(entered, _)| entered.kind == kind)
            .map(|(as_told, entered)| (as_told, &source.entries[entered.entry]))
            .collect();
        let (_, entry) = entered.first()?;
        let asked = part.asked.get(kind)?;
        let mut look = self.look(&source.service);
        if part.entities.is_some() {
            let said = look.caching.and_then(|said| said.of_type(entry.on));
            look.first(said.and_then(|said| said.hint));
        } else {
            let slots = fetch.takes.get(&fetch.at).into_iter().flatten();
            for (slot, _) in slots {
                let field = &self.selection.position(fetch.at).slots[*slot].field;
                look.first(look.hint(entry.on, field));
            }
        }
        look.takes(self.selection, &fetch.takes, fetch.at);
        let is_public = look.is_public && !look.inside.is_private;
        let inside = look.inside;
        let mut tagging = self.tagging(&source.service, entry.on, &inside);
        self.tag_kind((fetch, part), (source, &entered), &mut tagging);
        let place = asked.given.is_empty().then(|| {
            let names = (&source.service, &entry.type_name);
            self.selections.add(names, &asked.text, &asked.leaves)
        });
        Some(Keep {
            policy: policy(keeping, &inside, is_public),
            source: Name::clone(&source.service),
            type_name: Name::clone(&entry.type_name),
            selection: asked.text.clone(),
            headers: self.headers(service.forwards()),
            tagging: Arc::new(tagging),
            arguments: Arguments::Plain,
            place: place.flatten(),
            fruitless: Fruitless::default(),
            stats: self.stats(&source.service, entry.on),
        })
    }

    fn stats(&self, service: &str, on: TypeId) -> Arc<TypeStats> {
        let name = &self.graph().types().get(on).name;
        self.caching.cache.stats_of(service, name)
    }

    fn look<'l>(&'l self, service: &str) -> Look<'l> {
        Look {
            graph: self.graph(),
            caching: self.said(service),
            inside: Inside::default(),
            is_public: false,
        }
    }

    /// Of the headers that are sent on, those that say who asks are not in the key of what
    /// everybody may have.
    fn headers(&self, sent: &[HeaderName]) -> Headers {
        let says_who = |name: &&HeaderName| {
            let own = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];
            own.contains(name) || self.caching.caller.contains(name)
        };
        let (credentials, keyed) = sent.iter().partition::<Vec<_>, _>(says_who);
        Headers {
            keyed: keyed.into_iter().cloned().collect(),
            credentials: credentials.into_iter().cloned().collect(),
            caller: self.caching.caller.clone(),
        }
    }
}

/// A connector and the fetch that it makes.
#[derive(Clone, Copy)]
struct ByConnector<'a> {
    index: usize,
    source: &'a Source,
    connector: &'a Connector,
    ready: &'a Ready,
    fetch: &'a Fetch,
}

impl ByConnector<'_> {
    /// Whether what it gives depends on the answer and on what is in the key only, and the call
    /// does nothing but read.
    fn is_of_its_answer_only(&self) -> bool {
        let uses = |variable| self.ready.uses(Phase::Answer, variable);
        let speaks = self.connector.selection.text().contains("withError");
        let reads = matches!(self.connector.method, Method::Get | Method::Post);
        reads && !speaks && !uses("request") && !uses("batch")
    }

    /// Everything that decides what is asked and what is made of the answer.
    fn definition(&self) -> String {
        let connector = self.connector;
        let mut text = format!("{} ", connector.method.as_str());
        for location in connector.base.iter().chain([&connector.own]) {
            text.push_str(location.url.text());
            for mapping in location.path.iter().chain(&location.query) {
                text.push(' ');
                text.push_str(mapping.text());
            }
        }
        for header in &connector.headers {
            if let HeaderValue::Template(template) = &header.value {
                let _ = write!(text, "\n{}: {}", header.name, template.text());
            }
        }
        let mappings = [&connector.body, &connector.is_success];
        for mapping in mappings.into_iter().flatten() {
            text.push('\n');
            text.push_str(mapping.text());
        }
        for (variable, value) in [
            ("config", &self.ready.config),
            ("env", &self.ready.environment),
        ] {
            let uses = |phase| self.ready.uses(phase, variable);
            if uses(Phase::Request) || uses(Phase::Answer) {
                text.push('\n');
                text.push_str(value.root().raw());
            }
        }
        text.push('\n');
        text.push_str(connector.selection.text());
        if let Gives::Field(name) = &connector.gives {
            text.push_str(name);
        }
        crate::cache::digest(&text)
    }
}

/// Whether one source gives, of the objects at its node, all that the other gives of them.
fn gives_all((one, node): (&Source, NodeId), (other, there): (&Source, NodeId)) -> bool {
    let (node, there) = (one.node(node), other.node(there));
    let is_one = |objects: &Objects| matches!(objects, Objects::One);
    is_one(&node.objects)
        && is_one(&there.objects)
        && node.on == there.on
        && there.fields.iter().all(|(name, wanted)| {
            let given = node.fields.get(name);
            match (given.map(|given| given.child), wanted.child) {
                (Some(None), None) => true,
                (Some(Some(node)), Some(there)) => gives_all((one, node), (other, there)),
                _ => false,
            }
        })
}

fn policy(keeping: &Keeping, inside: &Inside, is_public: bool) -> Policy {
    Policy {
        default: keeping.default,
        max: keeping.max,
        stale: keeping.stale,
        on_error: keeping.on_error,
        negative: keeping.negative,
        declared_age: inside
            .age
            .map(|seconds| std::time::Duration::from_secs(seconds.into())),
        declared_scope: match (inside.is_private, is_public) {
            (true, _) => Some(Scope::Private),
            (false, true) => Some(Scope::Public),
            (false, false) => None,
        },
    }
}

impl Look<'_> {
    /// What is said on a value itself, whose scope is that of all of it.
    fn first(&mut self, hint: Option<schema::caching::Hint>) {
        self.is_public |= hint.is_some_and(|hint| hint.scope == Some(SaidScope::Public));
        self.note(hint);
    }
}

impl Caching {
    /// What is decided about a subgraph.
    pub(crate) fn of(&self, subgraph: &str) -> &Keeping {
        self.subgraphs.get(subgraph).unwrap_or(&self.default)
    }
}
