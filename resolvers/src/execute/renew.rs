//! Renewing what is still given out: a call that no client waits for, made in the background.
//!
//! What it needs is put together while the operation is there; the call is made only if nobody
//! else in the fleet renews the same. After one that failed the old value is left alone for a
//! moment: its source has something else to do.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{FutureExt, join_all};
use http::HeaderMap;
use schema::connector::Phase;
use schema::json::{Node, Value as Json};
use schema::mapping::Vars;
use schema::source::SourceId;

use super::entities::{Entities, key_value};
use super::graphql::Round;
use super::kept::lifetimes::{Lifetimes, Passing};
use super::kept::service::{entity, root};
use super::run::Run;
use super::{ByConnector, CallId, State, variables};
use crate::cache::{Claim, Renewal, Value as Kept};
use crate::document::Part;
use crate::fetch::graphql::Response;
use crate::fetch::mapped::Mapped;
use crate::fetch::reply::{Outcome, Reply};
use crate::fetch::request::Request;
use crate::fetch::{self, Reach, Sources};
use crate::prepared::Prepared;

/// What every renewal needs.
struct Job {
    sources: Arc<Sources>,
    prepared: Arc<Prepared>,
    /// The client's, as far as the call depends on them.
    headers: HeaderMap,
    fetch: usize,
    renewals: Vec<Renewal>,
}

/// A call of a connector.
struct ByCall {
    source: SourceId,
    request: Request,
    timeout: Duration,
    /// What mappings may know beside the answer, by name.
    vars: Vec<(String, schema::json::Json)>,
    /// Of the objects, in the order of their renewals.
    keys: Vec<Box<[u8]>>,
}

/// A request to a service that speaks GraphQL.
struct ByRequest {
    request: usize,
    variables: Vec<u8>,
    /// Of the objects, in the order of their renewals.
    kinds: Vec<usize>,
}

impl<'a> Run<'_, 'a> {
    /// Has objects renewed that a connector gave, which stand side by side.
    pub(super) fn renew(
        &self,
        by: ByConnector<'a>,
        (id, entities): (CallId, &Entities),
        renewals: Vec<(usize, Renewal)>,
    ) {
        let all = id.first;
        let renewals = renewals.into_iter().map(|(_, renewal)| Some(renewal));
        let mut renewals: Vec<Option<Renewal>> = renewals.collect();
        let mut calls = super::connectors::chunks(by, id);
        while let Some(id) = calls.pop() {
            // What cannot be asked for is not renewed; it goes when its time is over.
            let Ok(request) = self.request(by, id, entities) else {
                continue;
            };
            if self.is_too_long(id, &request) {
                calls.extend(id.halves());
                continue;
            }
            let arguments = variables::arguments(self.context, by, Phase::Answer);
            let key = || match entities.rows(id.first).first() {
                Some(row) => key_value(&self.tree, *row, &by.fetch.first().key),
                None => Json::Null,
            };
            let vars = variables::vars(self.context, (by, Phase::Answer), &arguments, key);
            let call = ByCall {
                source: by.source,
                request,
                timeout: by.ready.timeout,
                vars: given(&vars),
                keys: (id.first..id.end)
                    .map(|object| entities.key(object).into())
                    .collect(),
            };
            let own = renewals.get_mut(id.first - all..id.end - all);
            let own = own.into_iter().flatten().filter_map(Option::take);
            let job = self.job(by.index, own.collect());
            self.in_background(job.by_call(call).boxed());
        }
    }

    /// Has objects renewed that a service gave.
    pub(super) fn renew_from_service(
        &mut self,
        (request, part): (usize, &'a Part),
        stale: &[usize],
        renewals: Vec<(usize, Renewal)>,
    ) {
        if stale.is_empty() {
            return;
        }
        let Some(document) = &self.context.prepared.documents[request] else {
            return;
        };
        let State::Running { entities, .. } = &self.states[part.fetch] else {
            return;
        };
        let kinds = stale.iter().map(|object| entities.kind(*object)).collect();
        let parts = document.parts.iter();
        let which = parts.map(|other| {
            let is_own = other.fetch == part.fetch;
            if is_own { stale.to_vec() } else { Vec::new() }
        });
        let round = Round {
            request,
            which: which.collect(),
        };
        let Some((_, variables)) = self.question(&round, document) else {
            return;
        };
        let renewals = renewals.into_iter().map(|(_, renewal)| renewal);
        let job = self.job(part.fetch, renewals.collect());
        let asked = ByRequest {
            request,
            variables,
            kinds,
        };
        self.in_background(job.by_request(asked).boxed());
    }

    fn job(&self, fetch: usize, renewals: Vec<Renewal>) -> Job {
        Job {
            sources: Arc::clone(self.context.sources),
            prepared: Arc::clone(self.context.prepared),
            headers: self.context.headers.clone(),
            fetch,
            renewals,
        }
    }

    fn in_background(&self, work: futures_util::future::BoxFuture<'static, ()>) {
        if let Some(cache) = self.context.cache {
            cache.in_background(work);
        }
    }
}

impl Job {
    /// The claims of those that nobody else renews; `None` when others renew all of them.
    async fn begin(&mut self) -> Option<Vec<Option<Claim>>> {
        let renewals = std::mem::take(&mut self.renewals);
        let claims = join_all(renewals.into_iter().map(Renewal::begin)).await;
        claims.iter().any(Option::is_some).then_some(claims)
    }

    async fn by_call(mut self, call: ByCall) {
        let Some(claims) = self.begin().await else {
            return;
        };
        let client = &self.sources.client;
        let outcome = client.call(call.request, call.timeout).await;
        let mapped = self.mapped((call.source, &call.vars), &outcome);
        let (Ok(reply), Some(mapped)) = (outcome, mapped) else {
            return leave_alone(claims).await;
        };
        for (claim, key) in claims.into_iter().zip(&call.keys) {
            let value = Some(mapped.get(key).cloned().map_or(Kept::Absent, Kept::Present));
            self.keep((claim, 0), value, &reply);
        }
    }

    fn mapped(
        &self,
        (source, given): (SourceId, &[(String, schema::json::Json)]),
        outcome: &Outcome,
    ) -> Option<Mapped> {
        let reply = outcome.as_ref().ok()?;
        let (connector, ready) = self.sources.connector(source)?;
        let mut vars = Vars::new();
        for (name, json) in given {
            vars.set(name.as_str(), Json::Node(json.root()));
        }
        fetch::answer_vars(ready, &reply.answer, &mut vars);
        let value = reply.body().ok()?.value();
        fetch::judge(connector, &reply.answer, &value, &vars).ok()?;
        Mapped::of(connector, reply, &vars)
    }

    async fn by_request(mut self, asked: ByRequest) {
        let Some(claims) = self.begin().await else {
            return;
        };
        let outcome = self.ask(&asked).await;
        let values = outcome.as_ref().ok();
        let values = values.and_then(|reply| self.values(&asked, reply));
        let (Ok(reply), Some(values)) = (&outcome, values) else {
            return leave_alone(claims).await;
        };
        for ((claim, kind), value) in claims.into_iter().zip(asked.kinds).zip(values) {
            self.keep((claim, kind), value, reply);
        }
    }

    async fn ask(&self, asked: &ByRequest) -> Outcome {
        let source = self.prepared.plan.fetches[self.fetch].source;
        let reach = &self.sources.reach[source.index()];
        let document = self.prepared.documents[asked.request].as_ref();
        let (Reach::Service(service), Some(document)) = (reach, document) else {
            return Err(crate::error::FetchError::NotGraphql("it is no service"));
        };
        match service.request(document, &asked.variables, &self.headers) {
            Some(request) => self.sources.client.call(request, service.timeout).await,
            None => service.ask(document, &asked.variables, &self.headers).await,
        }
    }

    /// What was asked for; `None` where an error was told.
    fn values(&self, asked: &ByRequest, reply: &Reply) -> Option<Vec<Option<Kept>>> {
        let response = Response::of(reply.graphql().ok()?, &reply.answer).ok()?;
        let data = response.data.filter(|_| response.errors.is_none())?;
        let part = self.prepared.part(self.fetch)?;
        let Some(listed) = &part.entities else {
            let kind = part.kinds.first()?;
            return Some(vec![root(kind, data)]);
        };
        let list = data
            .get(&listed.key)
            .filter(|list: &Node<'_>| list.is_list())?;
        let values: Vec<_> = list.elements().map(entity).collect();
        (values.len() == asked.kinds.len()).then_some(values)
    }

    fn keep(&self, (claim, kind): (Option<Claim>, usize), value: Option<Kept>, reply: &Reply) {
        let kept = self.prepared.kept.fetches.get(self.fetch);
        let kept = kept.and_then(Option::as_ref);
        let keep = kept.and_then(|kept| kept.kinds.get(kind));
        if let (Some(claim), Some(keep)) = (claim, keep) {
            let client = (&self.headers, Passing::ToOthers);
            Lifetimes::of(keep, client, reply).keep(claim, value);
        }
    }
}

/// Variables as documents, which can be taken to another thread.
fn given(vars: &Vars<'_>) -> Vec<(String, schema::json::Json)> {
    let names = vars.names();
    let values = names.filter_map(|name| {
        let text = vars.get(name)?.to_json();
        let json = schema::json::Json::parse(text.into()).ok()?;
        Some((name.to_owned(), json))
    });
    values.collect()
}

/// Nobody else tries while the claims are held.
async fn leave_alone(claims: Vec<Option<Claim>>) {
    tokio::time::sleep(PAUSE).await;
    claims.into_iter().flatten().for_each(Claim::fail);
}

/// Between two tries to renew what could not be renewed.
const PAUSE: Duration = Duration::from_secs(1);
