//! The calls that refresh stale values in the background. All that a call needs is put together
//! while the operation is there; `entity_cache` decides whether the call is made.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use schema::connector::Phase;
use schema::json::{Json, Node, Value as JsonValue};
use schema::mapping::Vars;
use schema::source::SourceId;

use super::entities::Entities;
use super::execution::Execution;
use super::subgraph_fetch::SubgraphRequest;
use super::subgraph_lookup::{cached_entity, cached_root};
use super::{CallKey, ConnectorFetch, connector_fetch, variables};
use crate::cache::CachedValue;
use crate::entity_cache::{RefreshedValues, StaleEntity};
use crate::entity_key::{EntityIndex, EntityKey, mapping_value};
use crate::error::FetchError;
use crate::plan::{FetchId, PlanRequestId};
use crate::prepared::PreparedOperation;
use crate::source_client::graphql::SubgraphResponse;
use crate::source_client::mapped::MappedValues;
use crate::source_client::request::Request;
use crate::source_client::shared_response::{CallResult, SharedResponse};
use crate::source_client::{self, SourceClient, Sources};
use crate::subgraph_request::Part;

/// A call of a connector.
struct ConnectorRefresh {
    sources: Arc<Sources>,
    source: SourceId,
    request: Request,
    timeout: Duration,
    /// The variables of the response mapping that do not come from the response.
    vars: Vec<(String, Json)>,
    /// Of the stale entities, in their order.
    keys: Vec<Box<[u8]>>,
}

/// A request to a subgraph.
struct SubgraphRefresh {
    sources: Arc<Sources>,
    prepared: Arc<PreparedOperation>,
    client_headers: HeaderMap,
    fetch: FetchId,
    request: PlanRequestId,
    variables: Vec<u8>,
    /// How many entities are requested.
    entities: usize,
}

impl<'a> Execution<'_, 'a> {
    /// Refreshes the stale entities of a connector's fetch, which are those of `all`.
    pub(super) fn refresh_connector(
        &self,
        fetch: ConnectorFetch<'a>,
        all: CallKey,
        entities: &Entities,
        stale: Vec<StaleEntity>,
    ) {
        let mut stale: Vec<Option<StaleEntity>> = stale.into_iter().map(Some).collect();
        let mut waiting = connector_fetch::split_into_calls(fetch, all);
        while let Some(call) = waiting.pop() {
            // An entity that cannot be requested is not refreshed; it expires.
            let Ok(request) = self.request(fetch, call, entities, &mut Vec::new()) else {
                continue;
            };
            if self.is_too_long(call, &request) {
                waiting.extend(call.halves());
                continue;
            }
            let refresh = self.connector_refresh(fetch, call, entities, request);
            let own = stale.get_mut(call.first - all.first..call.end - all.first);
            let own = own.into_iter().flatten().filter_map(Option::take);
            self.cache.refresh(fetch.id, own.collect(), refresh.run());
        }
    }

    fn connector_refresh(
        &self,
        fetch: ConnectorFetch<'a>,
        call: CallKey,
        entities: &Entities,
        request: Request,
    ) -> ConnectorRefresh {
        let arguments = variables::arguments(self.context, fetch, Phase::Response);
        let rows = entities.entity(call.first_entity()).rows();
        let key = || match rows.first() {
            Some(row) => mapping_value(&self.tree, *row, &fetch.fetch.first_entry().key),
            None => JsonValue::Null,
        };
        let vars = variables::vars(self.context, fetch, Phase::Response, &arguments, key);
        let keys = call.entities().map(|entity| entities.entity(entity).key());
        ConnectorRefresh {
            sources: Arc::clone(self.context.sources),
            source: fetch.source,
            request,
            timeout: fetch.client.timeout,
            vars: owned_vars(&vars),
            keys: keys.map(|key| key.0.into()).collect(),
        }
    }

    /// Refreshes stale entities of a part of a request to a subgraph.
    pub(super) fn refresh_from_subgraph(
        &mut self,
        request: PlanRequestId,
        part: &'a Part,
        entities: &[EntityIndex],
        stale: Vec<StaleEntity>,
    ) {
        let Some(document) = &self.context.prepared.documents[request] else {
            return;
        };
        let Some(client) = self.subgraph_client(document) else {
            return;
        };
        let mut stale = stale.into_iter();
        for entities in entities.chunks(client.max_entities) {
            let stale = stale.by_ref().take(entities.len()).collect();
            let parts = document.parts.iter();
            let own = |it: &Part| it.fetch == part.fetch;
            let selected = parts.map(|it| if own(it) { entities } else { &[] }.to_vec());
            let selected = selected.collect();
            let subgraph_request = SubgraphRequest { request, selected };
            if let Some(variables) = self.build_variables(&subgraph_request, document) {
                let refresh = self.subgraph_refresh(request, part, variables, entities.len());
                self.cache.refresh(part.fetch, stale, refresh.run());
            }
        }
    }

    fn subgraph_refresh(
        &self,
        request: PlanRequestId,
        part: &Part,
        variables: Vec<u8>,
        entities: usize,
    ) -> SubgraphRefresh {
        SubgraphRefresh {
            sources: Arc::clone(self.context.sources),
            prepared: Arc::clone(self.context.prepared),
            client_headers: self.context.headers.clone(),
            fetch: part.fetch,
            request,
            variables,
            entities,
        }
    }
}

impl ConnectorRefresh {
    async fn run(self) -> Option<RefreshedValues> {
        let call = self.sources.http_client.call(self.request, self.timeout);
        let response = with_queue_limit(self.timeout, call).await.ok()?;
        let mapped = map_values(&self.sources, self.source, &self.vars, &response)?;
        let keys = self.keys.iter().map(|key| EntityKey(key));
        let values = keys.map(|key| {
            let value = mapped.get(key).cloned();
            Some(value.map_or(CachedValue::Absent, CachedValue::Present))
        });
        let values = values.collect();
        Some(RefreshedValues { response, values })
    }
}

/// What a connector reads of a response; `None` when the response is no success.
fn map_values(
    sources: &Sources,
    source: SourceId,
    owned_vars: &[(String, Json)],
    response: &SharedResponse,
) -> Option<MappedValues> {
    let (connector, client) = sources.connector(source)?;
    let mut vars = Vars::new();
    for (name, json) in owned_vars {
        vars.set(name.as_str(), JsonValue::Node(json.root()));
    }
    source_client::set_response_vars(client, &response.response, &mut vars);
    let value = response.body().ok()?.value();
    source_client::check_success(connector, &response.response, &value, &vars).ok()?;
    MappedValues::from_response(connector, &client.batch_key, response, &vars)
}

impl SubgraphRefresh {
    async fn run(self) -> Option<RefreshedValues> {
        let response = self.send().await.ok()?;
        let values = self.values(&response)?;
        Some(RefreshedValues { response, values })
    }

    async fn send(&self) -> CallResult {
        let source = self.prepared.plan.fetches[self.fetch].source;
        let client = &self.sources.clients[source.index()];
        let document = self.prepared.documents[self.request].as_ref();
        let (SourceClient::Subgraph(client), Some(document)) = (client, document) else {
            return Err(FetchError::NotGraphql("it is no subgraph"));
        };
        let headers = &self.client_headers;
        match client.request(document, &self.variables, headers) {
            Some(request) => {
                let call = self.sources.http_client.call(request, client.timeout);
                with_queue_limit(client.timeout, call).await
            }
            None => client.call_local(document, &self.variables, headers).await,
        }
    }

    /// The values of the entities; `None` when the response has an error.
    fn values(&self, shared: &SharedResponse) -> Option<Vec<Option<CachedValue>>> {
        let response =
            SubgraphResponse::from_json(shared.graphql().ok()?, &shared.response).ok()?;
        let data = response.data.filter(|_| response.errors.is_none())?;
        let part = self.prepared.part(self.fetch)?;
        let Some(field) = &part.entities_field else {
            let shape = part.shapes.first()?;
            return Some(vec![cached_root(shape, data)]);
        };
        let list = data.get(&field.key);
        let list = list.filter(|list: &Node<'_>| list.is_list())?;
        let values: Vec<_> = list.elements().map(cached_entity).collect();
        (values.len() == self.entities).then_some(values)
    }
}

/// The result of a refresh that waits in the queue of its source for the timeout of a call at most:
/// no operation waits for it.
async fn with_queue_limit(timeout: Duration, call: impl Future<Output = CallResult>) -> CallResult {
    let outcome = tokio::time::timeout(timeout * 2, call).await;
    outcome.unwrap_or(Err(FetchError::Timeout(timeout)))
}

/// Variables as documents of their own, which another thread may read.
fn owned_vars(vars: &Vars<'_>) -> Vec<(String, Json)> {
    let owned = vars.names().filter_map(|name| {
        let text = vars.get(name)?.to_json();
        Some((name.to_owned(), Json::parse(text.into()).ok()?))
    });
    owned.collect()
}
