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
use super::execution::Execution;
use super::lookup::lifetimes::{Lifetimes, WaiterSharing};
use super::lookup::subgraph::{cached_entity, cached_root};
use super::subgraph_fetch::SubgraphRequest;
use super::{CallId, ConnectorFetch, FetchState, variables};
use crate::cache::{CachedValue as Kept, Claim, RefreshClaim};
use crate::plan::{FetchId, PlanRequestId};
use crate::prepared::PreparedOperation;
use crate::source_client::graphql::SubgraphResponse;
use crate::source_client::mapped::MappedValues;
use crate::source_client::request::Request;
use crate::source_client::shared_response::{CallResult, SharedResponse};
use crate::source_client::{self, SourceClient, Sources};
use crate::subgraph_request::Part;

/// What every renewal needs.
struct RefreshJob {
    sources: Arc<Sources>,
    prepared: Arc<PreparedOperation>,
    /// The client's, as far as the call depends on them.
    headers: HeaderMap,
    fetch: FetchId,
    refreshes: Vec<RefreshClaim>,
}

/// A call of a connector.
struct ConnectorRefresh {
    source: SourceId,
    request: Request,
    timeout: Duration,
    /// What mappings may know beside the answer, by name.
    vars: Vec<(String, schema::json::Json)>,
    /// Of the objects, in the order of their renewals.
    keys: Vec<Box<[u8]>>,
}

/// A request to a service that speaks GraphQL.
struct SubgraphRefresh {
    request: PlanRequestId,
    variables: Vec<u8>,
    /// Of the objects, in the order of their renewals.
    kinds: Vec<usize>,
}

impl<'a> Execution<'_, 'a> {
    /// Has objects renewed that a connector gave, which stand side by side.
    pub(super) fn refresh(
        &self,
        connector_fetch: ConnectorFetch<'a>,
        (id, entities): (CallId, &Entities),
        refreshes: Vec<(usize, RefreshClaim)>,
    ) {
        let offset = id.first;
        let refreshes = refreshes.into_iter().map(|(_, renewal)| Some(renewal));
        let mut refreshes: Vec<Option<RefreshClaim>> = refreshes.collect();
        let mut calls = super::connector_fetch::split_into_calls(connector_fetch, id);
        while let Some(id) = calls.pop() {
            // What cannot be asked for is not renewed; it goes when its time is over.
            let Ok(request) = self.request(connector_fetch, id, entities) else {
                continue;
            };
            if self.is_too_long(id, &request) {
                calls.extend(id.halves());
                continue;
            }
            let arguments = variables::arguments(self.context, connector_fetch, Phase::Response);
            let key = || match entities.rows(id.first).first() {
                Some(row) => key_value(&self.tree, *row, &connector_fetch.fetch.first_entry().key),
                None => Json::Null,
            };
            let vars = variables::vars(
                self.context,
                (connector_fetch, Phase::Response),
                &arguments,
                key,
            );
            let call = ConnectorRefresh {
                source: connector_fetch.source,
                request,
                timeout: connector_fetch.ready.timeout,
                vars: owned_vars(&vars),
                keys: (id.first..id.end)
                    .map(|object| entities.key(object).into())
                    .collect(),
            };
            let own = refreshes.get_mut(id.first - offset..id.end - offset);
            let own = own.into_iter().flatten().filter_map(Option::take);
            let job = self.refresh_job(connector_fetch.index, own.collect());
            self.run_in_background(job.refresh_connector(call).boxed());
        }
    }

    /// Has objects renewed that a service gave.
    pub(super) fn refresh_from_subgraph(
        &mut self,
        (request, part): (PlanRequestId, &'a Part),
        stale: &[usize],
        refreshes: Vec<(usize, RefreshClaim)>,
    ) {
        if stale.is_empty() {
            return;
        }
        let Some(document) = &self.context.prepared.documents[request] else {
            return;
        };
        let FetchState::Running { entities, .. } = &self.states[part.fetch] else {
            return;
        };
        let kinds = stale.iter().map(|object| entities.kind(*object)).collect();
        let parts = document.parts.iter();
        let selected = parts.map(|other| {
            let is_own = other.fetch == part.fetch;
            if is_own { stale.to_vec() } else { Vec::new() }
        });
        let subgraph_request = SubgraphRequest {
            request,
            selected: selected.collect(),
        };
        let Some((_, variables)) = self.build_request(&subgraph_request, document) else {
            return;
        };
        let refreshes = refreshes.into_iter().map(|(_, renewal)| renewal);
        let job = self.refresh_job(part.fetch, refreshes.collect());
        let refresh = SubgraphRefresh {
            request,
            variables,
            kinds,
        };
        self.run_in_background(job.refresh_subgraph(refresh).boxed());
    }

    fn refresh_job(&self, fetch: FetchId, refreshes: Vec<RefreshClaim>) -> RefreshJob {
        RefreshJob {
            sources: Arc::clone(self.context.sources),
            prepared: Arc::clone(self.context.prepared),
            headers: self.context.headers.clone(),
            fetch,
            refreshes,
        }
    }

    fn run_in_background(&self, work: futures_util::future::BoxFuture<'static, ()>) {
        if let Some(cache) = self.context.cache {
            cache.spawn_background(work);
        }
    }
}

impl RefreshJob {
    /// The claims of those that nobody else renews; `None` when others renew all of them.
    async fn claim_refreshes(&mut self) -> Option<Vec<Option<Claim>>> {
        let refreshes = std::mem::take(&mut self.refreshes);
        let claims = join_all(refreshes.into_iter().map(RefreshClaim::acquire)).await;
        claims.iter().any(Option::is_some).then_some(claims)
    }

    async fn refresh_connector(mut self, refresh: ConnectorRefresh) {
        let Some(claims) = self.claim_refreshes().await else {
            return;
        };
        let client = &self.sources.http_client;
        let outcome = client.call(refresh.request, refresh.timeout).await;
        let mapped = self.mapped((refresh.source, &refresh.vars), &outcome);
        let (Ok(reply), Some(mapped)) = (outcome, mapped) else {
            return back_off(claims).await;
        };
        for (claim, key) in claims.into_iter().zip(&refresh.keys) {
            let value = Some(mapped.get(key).cloned().map_or(Kept::Absent, Kept::Present));
            self.store((claim, 0), value, &reply);
        }
    }

    fn mapped(
        &self,
        (source, request_vars): (SourceId, &[(String, schema::json::Json)]),
        outcome: &CallResult,
    ) -> Option<MappedValues> {
        let reply = outcome.as_ref().ok()?;
        let (connector, ready) = self.sources.connector(source)?;
        let mut vars = Vars::new();
        for (name, json) in request_vars {
            vars.set(name.as_str(), Json::Node(json.root()));
        }
        source_client::set_response_vars(ready, &reply.response, &mut vars);
        let value = reply.body().ok()?.value();
        source_client::check_success(connector, &reply.response, &value, &vars).ok()?;
        MappedValues::from_response(connector, reply, &vars)
    }

    async fn refresh_subgraph(mut self, refresh: SubgraphRefresh) {
        let Some(claims) = self.claim_refreshes().await else {
            return;
        };
        let outcome = self.send(&refresh).await;
        let values = outcome.as_ref().ok();
        let values = values.and_then(|reply| self.values(&refresh, reply));
        let (Ok(reply), Some(values)) = (&outcome, values) else {
            return back_off(claims).await;
        };
        for ((claim, kind), value) in claims.into_iter().zip(refresh.kinds).zip(values) {
            self.store((claim, kind), value, reply);
        }
    }

    async fn send(&self, refresh: &SubgraphRefresh) -> CallResult {
        let source = self.prepared.plan.fetches[self.fetch].source;
        let reach = &self.sources.clients[source.index()];
        let document = self.prepared.documents[refresh.request].as_ref();
        let (SourceClient::Subgraph(service), Some(document)) = (reach, document) else {
            return Err(crate::error::FetchError::NotGraphql("it is no service"));
        };
        match service.request(document, &refresh.variables, &self.headers) {
            Some(request) => {
                self.sources
                    .http_client
                    .call(request, service.timeout)
                    .await
            }
            None => {
                service
                    .call_local(document, &refresh.variables, &self.headers)
                    .await
            }
        }
    }

    /// What was asked for; `None` where an error was told.
    fn values(
        &self,
        refresh: &SubgraphRefresh,
        reply: &SharedResponse,
    ) -> Option<Vec<Option<Kept>>> {
        let response = SubgraphResponse::from_json(reply.graphql().ok()?, &reply.response).ok()?;
        let data = response.data.filter(|_| response.errors.is_none())?;
        let part = self.prepared.part(self.fetch)?;
        let Some(entities_field) = &part.entities_field else {
            let kind = part.shapes.first()?;
            return Some(vec![cached_root(kind, data)]);
        };
        let list = data
            .get(&entities_field.key)
            .filter(|list: &Node<'_>| list.is_list())?;
        let values: Vec<_> = list.elements().map(cached_entity).collect();
        (values.len() == refresh.kinds.len()).then_some(values)
    }

    fn store(
        &self,
        (claim, kind): (Option<Claim>, usize),
        value: Option<Kept>,
        reply: &SharedResponse,
    ) {
        let cache_plan = self.prepared.cache_plan.fetches.get(self.fetch);
        let cache_plan = cache_plan.and_then(Option::as_ref);
        let rule = cache_plan.and_then(|kept| kept.rules.get(kind));
        if let (Some(claim), Some(rule)) = (claim, rule) {
            let client = (&self.headers, WaiterSharing::Allowed);
            Lifetimes::new(rule, client, reply).store(claim, value);
        }
    }
}

/// Variables as documents, which can be taken to another thread.
fn owned_vars(vars: &Vars<'_>) -> Vec<(String, schema::json::Json)> {
    let names = vars.names();
    let values = names.filter_map(|name| {
        let text = vars.get(name)?.to_json();
        let json = schema::json::Json::parse(text.into()).ok()?;
        Some((name.to_owned(), json))
    });
    values.collect()
}

/// Nobody else tries while the claims are held.
async fn back_off(claims: Vec<Option<Claim>>) {
    tokio::time::sleep(REFRESH_RETRY_DELAY).await;
    claims.into_iter().flatten().for_each(Claim::fail);
}

/// Between two tries to renew what could not be renewed.
const REFRESH_RETRY_DELAY: Duration = Duration::from_secs(1);
