//! Executes a plan: calls the sources, merges what they return, records what failed.
//!
//! A fetch starts as soon as the fetches that it depends on are done; nothing waits for a whole
//! level. The calls of an operation are futures in one set, polled by the task of the request.
//! [`Execution`] holds what waits and what is done, [`InFlightCalls`] what is under way; results
//! are merged into the tree between polls, so the tree has one owner and no lock.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use schema::connector::Connector;
use schema::operation::{OperationKind, Variables};
use schema::source::SourceId;
use tokio::time::Instant;

use self::entities::Entities;
use self::execution::Execution;
use self::in_flight::{FlightResult, InFlightCalls};
use self::shared_batch::SharedBatch;
use crate::batch::Loader;
use crate::cache::{Cache, Dependencies, LookupOutcome, Reuse};
use crate::entity_cache::{EntityCache, WaiterSharing};
use crate::entity_key::EntityIndex;
use crate::error::{ConnectorReport, Failures, FetchError, FetchFailure};
use crate::memory::MemoryMeter;
use crate::plan::{Fetch, FetchId};
use crate::prepared::PreparedOperation;
use crate::program::Program;
use crate::settings::Reports;
use crate::source_client::connector::ConnectorClient;
use crate::source_client::{self, SourceClient, Sources};
use crate::trace::recorder::TraceRecorder;
use crate::trace::{FetchTrace, Trace};
use crate::tree::Tree;
use crate::warning::SourceWarning;

mod batch_response;
mod connector_fetch;
mod connector_lookup;
mod context_args;
mod entities;
mod error_origin;
mod execution;
mod failed_slots;
mod in_flight;
mod incomplete_rows;
mod merge;
mod place_errors;
mod refresh;
mod reports;
mod shared_batch;
mod subgraph_fetch;
mod subgraph_lookup;
mod subgraph_response;
mod variables;
mod warnings;

/// Everything that an execution uses beside its plan's state.
pub(crate) struct Context<'a> {
    pub(crate) sources: &'a Arc<Sources>,
    /// Shares calls between operations; `None` where operations share none.
    pub(crate) loader: Option<&'a Arc<Loader>>,
    /// `None` without a cache, and for mutations.
    pub(crate) cache: Option<&'a Cache>,
    /// Whether the response will be cached as a whole.
    pub(crate) is_response_cached: bool,
    pub(crate) prepared: &'a Arc<PreparedOperation>,
    pub(crate) variables: &'a Variables,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) timeout: Duration,
    /// The end of the timeout, which includes preparing the operation.
    pub(crate) deadline: Instant,
    pub(crate) reports: Reports,
    pub(crate) trace: Trace,
    /// Maximum errors of one response.
    pub(crate) error_limit: usize,
    /// What the responses of sources are charged to.
    pub(crate) memory: MemoryMeter,
}

impl<'a> Context<'a> {
    /// A fetch with its connector; `None` for fetches of subgraphs.
    fn connector_fetch(&self, id: FetchId) -> Option<ConnectorFetch<'a>> {
        let prepared: &'a PreparedOperation = self.prepared;
        let fetch = &prepared.plan.fetches[id];
        let (connector, client) = self.sources.connector(fetch.source)?;
        Some(ConnectorFetch {
            id,
            fetch,
            source: fetch.source,
            connector,
            client,
            program: prepared.programs[id].as_ref()?,
        })
    }

    fn entity_cache(&self) -> EntityCache<'a> {
        let waiter_sharing = match self.loader {
            Some(_) => WaiterSharing::Allowed,
            None => WaiterSharing::Forbidden,
        };
        let plan = &self.prepared.cache_plan;
        let cache = EntityCache::new(
            self.cache,
            plan,
            self.headers,
            self.variables,
            waiter_sharing,
        );
        if self.is_response_cached {
            return cache.with_dependencies();
        }
        cache
    }

    /// Records a trace, where the request wants one.
    fn trace_recorder(&self, cache: &EntityCache<'_>) -> Option<TraceRecorder> {
        let plan = &self.prepared.plan;
        let sources = plan.fetches.pairs().map(|(id, fetch)| {
            let printed = fetch.fallback_of.unwrap_or(id);
            let mut requests = plan.requests.pairs();
            let request = requests.find(|(_, ids)| ids.contains(&printed));
            let number = request.map_or(0, |(request, _)| request.number());
            let name = &self.sources.graph.source(fetch.source).name;
            (number, Arc::clone(name))
        });
        (self.trace == Trace::Yes).then(|| TraceRecorder::new(sources, cache.now()))
    }

    /// Shares calls with other operations; a mutation shares none.
    fn shared_loader(&self) -> Option<&'a Arc<Loader>> {
        let kind = self.prepared.operation.kind;
        self.loader.filter(|_| kind == OperationKind::Query)
    }

    /// The failure of a fetch as clients and logs see it.
    fn failure(&self, fetch: FetchId, error: FetchError) -> Arc<FetchFailure> {
        let source = self.prepared.plan.fetches[fetch].source;
        match &self.sources.clients[source.index()] {
            SourceClient::Connector(client) => source_client::failure(client, error),
            SourceClient::Subgraph(client) => client.failure(error),
        }
    }
}

/// A fetch of a connector, with all that is known of it before the execution.
#[derive(Clone, Copy, Debug)]
struct ConnectorFetch<'a> {
    id: FetchId,
    fetch: &'a Fetch,
    source: SourceId,
    connector: &'a Connector,
    client: &'a ConnectorClient,
    program: &'a Program,
}

/// The outcome of an execution.
pub(crate) struct ExecutionResult {
    pub(crate) tree: Tree,
    pub(crate) failures: Failures,
    pub(crate) reports: Vec<ConnectorReport>,
    pub(crate) warnings: Vec<SourceWarning>,
    /// How long, and for whom, the whole response may be reused.
    pub(crate) reuse: Option<Reuse>,
    /// What the response depends on; `None` if a part of it is not cached.
    pub(crate) dependencies: Option<Dependencies>,
    pub(crate) trace: Vec<FetchTrace>,
}

/// What waits for the result of a call or of a lookup.
#[derive(Debug)]
enum Waiter {
    /// A call of a connector.
    Connector(CallKey),
    /// Keys in a batch that operations share.
    Shared(SharedBatch),
    /// A request to a subgraph, by its number in this execution.
    Subgraph(usize),
    /// The lookup of all entities of a connector's fetch.
    Lookup(FetchId),
    /// Entities of a connector's fetch that are fetched elsewhere.
    InFlight(FetchId, Vec<EntityIndex>),
    /// The lookup of all entities of a request to a subgraph.
    RequestLookup(usize),
    /// Entities of a request to a subgraph that are fetched elsewhere.
    RequestInFlight(usize),
}

/// Which entities of which fetch a call is for: those from `first` up to `end`.
#[derive(Clone, Copy, Debug)]
struct CallKey {
    fetch: FetchId,
    first: usize,
    end: usize,
}

impl CallKey {
    /// The first `count` entities of a fetch.
    fn up_to(fetch: FetchId, count: usize) -> Self {
        let (first, end) = (0, count);
        Self { fetch, first, end }
    }

    fn len(self) -> usize {
        self.end - self.first
    }

    fn first_entity(self) -> EntityIndex {
        EntityIndex::new(self.first)
    }

    fn contains(self, entity: EntityIndex) -> bool {
        (self.first..self.end).contains(&entity.index())
    }

    fn entities(self) -> impl ExactSizeIterator<Item = EntityIndex> {
        (self.first..self.end).map(EntityIndex::new)
    }

    /// The second and the first half, which a stack takes up in their order.
    fn halves(self) -> [Self; 2] {
        let middle = self.first + self.len() / 2;
        let (first, end) = (middle, middle);
        [Self { first, ..self }, Self { end, ..self }]
    }
}

/// The progress of a fetch.
#[derive(Debug, Default)]
enum FetchState {
    /// A fetch that it depends on is not done.
    #[default]
    Waiting,
    /// Calls and lookups are under way.
    Running {
        calls: usize,
        entities: Entities,
    },
    Done,
}

/// Executes the plan of `context` to its end or to its deadline; fetches that are not done by then
/// have failed.
pub(crate) async fn execute(context: &Context<'_>, tree: Tree) -> ExecutionResult {
    let mut execution = Execution::new(context, tree);
    let mut in_flight = InFlightCalls::new(context);
    let deadline = tokio::time::sleep_until(context.deadline);
    tokio::pin!(deadline);
    execution.start_ready_requests(&mut in_flight);
    loop {
        let next = tokio::select! {
            biased;
            next = in_flight.next() => next,
            () = &mut deadline => {
                execution.time_out();
                break;
            }
        };
        let Some((waiters, result)) = next else {
            break;
        };
        execution.deliver(waiters, result, &mut in_flight);
        execution.start_ready_requests(&mut in_flight);
    }
    execution.into_result()
}

impl<'c> Execution<'c, '_> {
    /// Hands a result to everything that waits for it.
    fn deliver(
        &mut self,
        waiters: Vec<Waiter>,
        result: FlightResult,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        match result {
            FlightResult::Call(outcome) => {
                for waiter in waiters {
                    match waiter {
                        Waiter::Connector(call) => self.finish_call(call, &outcome),
                        Waiter::Subgraph(request) => self.finish_request(request, &outcome),
                        _ => {} // Only these wait for calls.
                    }
                }
            }
            FlightResult::Batch(outcome) => {
                for waiter in waiters {
                    if let Waiter::Shared(batch) = waiter {
                        self.finish_shared_batch(&batch, &outcome, in_flight);
                    }
                }
            }
            FlightResult::Lookups(outcomes) => {
                // A lookup is its waiter's own.
                if let Some(waiter) = waiters.into_iter().next() {
                    self.deliver_lookups(waiter, outcomes, in_flight);
                }
            }
        }
    }

    fn deliver_lookups(
        &mut self,
        waiter: Waiter,
        outcomes: Vec<LookupOutcome>,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        match waiter {
            Waiter::Lookup(fetch) => self.finish_lookup(fetch, outcomes, in_flight),
            Waiter::InFlight(fetch, awaited) => {
                self.finish_wait(fetch, awaited, outcomes, in_flight);
            }
            Waiter::RequestLookup(request) => {
                self.finish_request_lookup(request, outcomes, in_flight);
            }
            Waiter::RequestInFlight(request) => {
                self.finish_request_wait(request, outcomes, in_flight);
            }
            Waiter::Connector(_) | Waiter::Shared(_) | Waiter::Subgraph(_) => {}
        }
    }
}
