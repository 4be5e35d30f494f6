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

use self::account::Accounts;
use self::entities::Entities;
use self::flights::{Flights, Landed};
use self::run::Run;
use self::shared::Shared;
use crate::account::FetchAccount;
use crate::batch::Loader;
use crate::cache::{Cache, Found, Moment, Reuse};
use crate::engine::Explain;
use crate::error::{ConnectorReport, Failures, FetchError, FetchFailure};
use crate::fetch::ready::Ready;
use crate::fetch::{self, Reach, Sources};
use crate::keep::{Keep, KeptFetch};
use crate::plan::Fetch;
use crate::prepared::{Prepared, Program};
use crate::settings::Reports;
use crate::tree::Tree;

mod account;
mod connectors;
mod contexts;
mod entities;
mod errors;
mod flights;
mod graphql;
mod kept;
mod merge;
mod read;
mod renew;
mod run;
mod shared;
mod variables;

/// What an execution uses beside the plan.
pub(crate) struct Context<'a> {
    pub(crate) sources: &'a Arc<Sources>,
    /// Where operations share calls.
    pub(crate) loader: Option<&'a Arc<Loader>>,
    /// Where what was fetched before is; `None` for mutations too.
    pub(crate) cache: Option<&'a Cache>,
    pub(crate) prepared: &'a Arc<Prepared>,
    pub(crate) variables: &'a Variables,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) timeout: Duration,
    pub(crate) reports: Reports,
    /// Whether to tell what was done.
    pub(crate) explain: Explain,
    /// Errors of one answer.
    pub(crate) error_limit: usize,
}

impl<'a> Context<'a> {
    /// The connector that a fetch is made by; `None` for fetches of services.
    fn connector(&self, index: usize) -> Option<ByConnector<'a>> {
        let fetch = &self.prepared.plan.fetches[index];
        let (connector, ready) = self.sources.connector(fetch.source)?;
        Some(ByConnector {
            index,
            fetch,
            source: fetch.source,
            connector,
            ready,
            program: self.prepared.programs[index].as_ref()?,
        })
    }

    /// Nothing noted yet, where anything is to be.
    fn accounts(&self) -> Option<Accounts> {
        let plan = &self.prepared.plan;
        let sources = plan.fetches.iter().enumerate().map(|(index, fetch)| {
            let mut requests = plan.requests.iter();
            let request = requests.position(|fetches| fetches.contains(&index));
            let name = &self.sources.graph.source(fetch.source).name;
            (request.map_or(0, |request| request + 1), Arc::clone(name))
        });
        let now = self.cache.map_or(Moment(0), Cache::now);
        (self.explain == Explain::Yes).then(|| Accounts::of(sources, now))
    }

    /// What may be kept of a fetch.
    fn kept(&self, index: usize) -> Option<&'a KeptFetch> {
        self.cache?;
        self.prepared.kept.fetches.get(index)?.as_ref()
    }

    /// How what a connector brings is kept.
    fn keep(&self, index: usize) -> Option<&'a Keep> {
        self.kept(index)?.kinds.first()
    }

    /// Where calls are shared with other operations; a mutation's never are.
    fn across(&self) -> Option<&'a Arc<Loader>> {
        let kind = self.prepared.operation.kind;
        self.loader.filter(|_| kind == OperationKind::Query)
    }

    /// What failed, for everybody who waited for a fetch.
    fn failure(&self, fetch: usize, error: FetchError) -> Arc<FetchFailure> {
        let source = self.prepared.plan.fetches[fetch].source;
        match &self.sources.reach[source.index()] {
            Reach::Connector(ready) => fetch::failure(ready, error),
            Reach::Service(service) => service.failure(error),
        }
    }
}

/// A fetch that a connector makes, and everything about it that is known before.
#[derive(Clone, Copy, Debug)]
struct ByConnector<'a> {
    index: usize,
    fetch: &'a Fetch,
    source: SourceId,
    connector: &'a Connector,
    ready: &'a Ready,
    program: &'a Program,
}

/// What was fetched, and what failed.
pub(crate) struct Executed {
    pub(crate) tree: Tree,
    pub(crate) failures: Failures,
    pub(crate) reports: Vec<ConnectorReport>,
    /// For how long all of it may be used again.
    pub(crate) reuse: Option<Reuse>,
    /// What was done for it.
    pub(crate) account: Vec<FetchAccount>,
}

/// Who waits for a call.
#[derive(Debug)]
enum Caller {
    Connector(CallId),
    Shared(Shared),
    /// A round of a request of the plan, to a service that speaks GraphQL.
    Service(usize),
    /// A fetch of a connector that looks into the cache.
    Looked(usize),
    /// The objects of a fetch from that number on, which others fetch.
    Waited(usize, usize),
    /// A round that looks into the cache.
    LookedRequest(usize),
    /// A round of a request for what others fetch.
    WaitedRound(usize),
}

/// Which call of which fetch.
#[derive(Clone, Copy, Debug)]
struct CallId {
    fetch: usize,
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
enum State {
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
pub(crate) async fn execute(context: &Context<'_>, tree: Tree) -> Executed {
    let mut run = Run::new(context, tree);
    let mut flights = Flights::new(context);
    let deadline = tokio::time::sleep(context.timeout);
    tokio::pin!(deadline);
    run.start_ready(&mut flights);
    loop {
        let next = tokio::select! {
            biased;
            next = flights.next() => next,
            () = &mut deadline => {
                run.give_up();
                break;
            }
        };
        let Some((waiting, landed)) = next else {
            break;
        };
        run.land(waiting, landed, &mut flights);
        run.start_ready(&mut flights);
    }
    run.into_executed()
}

impl<'c> Run<'c, '_> {
    /// Takes what came for everybody who waited for it.
    fn land(&mut self, waiting: Vec<Caller>, landed: Landed, flights: &mut Flights<'c>) {
        let mut found = None;
        let (outcome, parts) = match landed {
            Landed::Call(outcome) => (Some(outcome), None),
            Landed::Batch(parts) => (None, Some(parts)),
            Landed::Found(all) => {
                found = Some(all);
                (None, None)
            }
        };
        for caller in waiting {
            // Each waits for what it asked for.
            match (caller, &outcome, &parts) {
                (Caller::Connector(id), Some(outcome), _) => self.finish_call(id, outcome),
                (Caller::Service(round), Some(outcome), _) => self.finish_round(round, outcome),
                (Caller::Shared(shared), _, Some(parts)) => {
                    self.finish_shared(&shared, parts, flights);
                }
                (caller, _, _) => {
                    if let Some(found) = found.take() {
                        self.land_found(&caller, found, flights);
                    }
                }
            }
        }
    }

    fn land_found(&mut self, caller: &Caller, found: Vec<Found>, flights: &mut Flights<'c>) {
        match *caller {
            Caller::Looked(fetch) => self.looked(fetch, found, flights),
            Caller::Waited(fetch, first) => self.waited((fetch, first), found, flights),
            Caller::LookedRequest(request) => self.looked_request(request, found, flights),
            Caller::WaitedRound(round) => self.waited_round(round, found, flights),
            Caller::Connector(_) | Caller::Shared(_) | Caller::Service(_) => {}
        }
    }
}
