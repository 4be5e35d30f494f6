//! Runs a plan: the only caller of `fetch`, and the only part of this crate that waits.
//!
//! A fetch starts as soon as those that it needs are done; nothing waits for a whole level. The
//! calls of an operation are futures in one set, polled by the task of the request; what comes
//! back is merged into the tree between polls, so the tree has one owner and no lock.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use schema::connector::Connector;
use schema::operation::{OperationKind, Variables};
use schema::source::SourceId;

use self::entities::Entities;
use self::execution::Execution;
use self::in_flight::{FlightResult, InFlightCalls};
use self::shared_batch::SharedBatch;
use self::trace::TraceRecorder;
use crate::batch::Loader;
use crate::cache::{Cache, LookupOutcome, Moment, Reuse};
use crate::engine::Trace;
use crate::entity_cache::{CacheRule, FetchCachePlan};
use crate::error::{ConnectorReport, Failures, FetchError, FetchFailure};
use crate::plan::{Fetch, FetchId};
use crate::prepared::{PreparedOperation, Program};
use crate::settings::Reports;
use crate::source_client::connector::ConnectorClient;
use crate::source_client::{self, SourceClient, Sources};
use crate::trace::FetchTrace;
use crate::tree::Tree;

mod connector_fetch;
mod context_args;
mod entities;
mod execution;
mod in_flight;
mod lookup;
mod merge;
mod place_errors;
mod refresh;
mod shared_batch;
mod subgraph_fetch;
mod trace;
mod variables;

/// What an execution uses beside the plan.
pub(crate) struct Context<'a> {
    pub(crate) sources: &'a Arc<Sources>,
    /// Where operations share calls.
    pub(crate) loader: Option<&'a Arc<Loader>>,
    /// Where what was fetched before is; `None` for mutations too.
    pub(crate) cache: Option<&'a Cache>,
    pub(crate) prepared: &'a Arc<PreparedOperation>,
    pub(crate) variables: &'a Variables,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) timeout: Duration,
    pub(crate) reports: Reports,
    /// Whether to tell what was done.
    pub(crate) trace: Trace,
    /// Errors of one answer.
    pub(crate) error_limit: usize,
}

impl<'a> Context<'a> {
    /// The connector that a fetch is made by; `None` for fetches of services.
    fn connector_fetch(&self, index: FetchId) -> Option<ConnectorFetch<'a>> {
        let fetch = &self.prepared.plan.fetches[index];
        let (connector, ready) = self.sources.connector(fetch.source)?;
        Some(ConnectorFetch {
            index,
            fetch,
            source: fetch.source,
            connector,
            ready,
            program: self.prepared.programs[index].as_ref()?,
        })
    }

    /// Nothing noted yet, where anything is to be.
    fn trace_recorder(&self) -> Option<TraceRecorder> {
        let plan = &self.prepared.plan;
        let sources = plan.fetches.pairs().map(|(id, fetch)| {
            let mut requests = plan.requests.pairs();
            let request = requests.find(|(_, fetches)| fetches.contains(&id));
            let name = &self.sources.graph.source(fetch.source).name;
            (
                request.map_or(0, |(request, _)| request.number()),
                Arc::clone(name),
            )
        });
        let now = self.cache.map_or(Moment(0), Cache::now);
        (self.trace == Trace::Yes).then(|| TraceRecorder::new(sources, now))
    }

    /// What may be kept of a fetch.
    fn cache_plan(&self, index: FetchId) -> Option<&'a FetchCachePlan> {
        self.cache?;
        self.prepared.cache_plan.fetches.get(index)?.as_ref()
    }

    /// How what a connector brings is kept.
    fn cache_rule(&self, index: FetchId) -> Option<&'a CacheRule> {
        self.cache_plan(index)?.rules.first()
    }

    /// Where calls are shared with other operations; a mutation's never are.
    fn shared_loader(&self) -> Option<&'a Arc<Loader>> {
        let kind = self.prepared.operation.kind;
        self.loader.filter(|_| kind == OperationKind::Query)
    }

    /// What failed, for everybody who waited for a fetch.
    fn failure(&self, fetch: FetchId, error: FetchError) -> Arc<FetchFailure> {
        let source = self.prepared.plan.fetches[fetch].source;
        match &self.sources.clients[source.index()] {
            SourceClient::Connector(ready) => source_client::failure(ready, error),
            SourceClient::Subgraph(service) => service.failure(error),
        }
    }
}

/// A fetch that a connector makes, and everything about it that is known before.
#[derive(Clone, Copy, Debug)]
struct ConnectorFetch<'a> {
    index: FetchId,
    fetch: &'a Fetch,
    source: SourceId,
    connector: &'a Connector,
    ready: &'a ConnectorClient,
    program: &'a Program,
}

/// What was fetched, and what failed.
pub(crate) struct ExecutionResult {
    pub(crate) tree: Tree,
    pub(crate) failures: Failures,
    pub(crate) reports: Vec<ConnectorReport>,
    /// For how long all of it may be used again.
    pub(crate) reuse: Option<Reuse>,
    /// What was done for it.
    pub(crate) trace: Vec<FetchTrace>,
}

/// Who waits for a call.
#[derive(Debug)]
enum Waiter {
    Connector(CallId),
    Shared(SharedBatch),
    /// A round of a request of the plan, to a service that speaks GraphQL.
    Subgraph(usize),
    /// A fetch of a connector that looks into the cache.
    Lookup(FetchId),
    /// The objects of a fetch from that number on, which others fetch.
    InFlight(FetchId, usize),
    /// A round that looks into the cache.
    RequestLookup(usize),
    /// A round of a request for what others fetch.
    RequestInFlight(usize),
}

/// Which call of which fetch.
#[derive(Clone, Copy, Debug)]
struct CallId {
    fetch: FetchId,
    /// The entities it is for, as indexes into those of the fetch.
    first: usize,
    end: usize,
}

impl CallId {
    /// The same for the second and for the first half of the entities.
    fn halves(self) -> [Self; 2] {
        let middle = self.first + (self.end - self.first) / 2;
        [
            Self {
                first: middle,
                ..self
            },
            Self {
                end: middle,
                ..self
            },
        ]
    }
}

/// How far a fetch has come.
#[derive(Debug, Default)]
enum FetchState {
    /// Something that it needs is not there yet.
    #[default]
    Waiting,
    /// So many calls are under way.
    Running {
        calls: usize,
        entities: Entities,
    },
    Done,
}

/// Runs the plan of `context` to its end, or to its deadline: what is not there by then failed.
pub(crate) async fn execute(context: &Context<'_>, tree: Tree) -> ExecutionResult {
    let mut execution = Execution::new(context, tree);
    let mut in_flight = InFlightCalls::new(context);
    let deadline = tokio::time::sleep(context.timeout);
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
    /// Takes what came for everybody who waited for it.
    fn deliver(
        &mut self,
        waiters: Vec<Waiter>,
        result: FlightResult,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        let mut lookups = None;
        let (outcome, parts) = match result {
            FlightResult::Call(outcome) => (Some(outcome), None),
            FlightResult::Batch(parts) => (None, Some(parts)),
            FlightResult::Lookups(outcomes) => {
                lookups = Some(outcomes);
                (None, None)
            }
        };
        for waiter in waiters {
            // Each waits for what it asked for.
            match (waiter, &outcome, &parts) {
                (Waiter::Connector(id), Some(outcome), _) => self.finish_call(id, outcome),
                (Waiter::Subgraph(request), Some(outcome), _) => {
                    self.finish_request(request, outcome)
                }
                (Waiter::Shared(shared), _, Some(parts)) => {
                    self.finish_shared_batch(&shared, parts, in_flight);
                }
                (waiter, _, _) => {
                    if let Some(outcomes) = lookups.take() {
                        self.deliver_lookups(&waiter, outcomes, in_flight);
                    }
                }
            }
        }
    }

    fn deliver_lookups(
        &mut self,
        waiter: &Waiter,
        outcomes: Vec<LookupOutcome>,
        in_flight: &mut InFlightCalls<'c>,
    ) {
        match *waiter {
            Waiter::Lookup(fetch) => self.finish_lookup(fetch, outcomes, in_flight),
            Waiter::InFlight(fetch, first) => self.finish_wait((fetch, first), outcomes, in_flight),
            Waiter::RequestLookup(request) => {
                self.finish_request_lookup(request, outcomes, in_flight)
            }
            Waiter::RequestInFlight(request) => {
                self.finish_request_wait(request, outcomes, in_flight)
            }
            Waiter::Connector(_) | Waiter::Shared(_) | Waiter::Subgraph(_) => {}
        }
    }
}
