//! Runs a plan: the only caller of `fetch`, and the only part of this crate that waits.
//!
//! A fetch starts as soon as those that it needs are done; nothing waits for a whole level. The
//! calls of an operation are futures in one set, polled by the task of the request; what comes
//! back is merged into the tree between polls, so the tree has one owner and no lock.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use schema::connector::Connector;
use schema::graph::Graph;
use schema::operation::Variables;
use schema::source::Access;

use self::entities::Entities;
use self::flights::Flights;
use self::run::Run;
use crate::error::{ConnectorReport, Failures, FetchError, FetchFailure};

use crate::fetch::http::Client;
use crate::fetch::ready::Ready;
use crate::fetch::{self, Reach};
use crate::plan::Fetch;
use crate::prepared::{Prepared, Program};
use crate::settings::Reports;
use crate::tree::Tree;

mod connectors;
mod entities;
mod errors;
mod flights;
mod graphql;
mod merge;
mod read;
mod run;
mod variables;

/// What an execution uses beside the plan.
pub(crate) struct Context<'a> {
    pub(crate) graph: &'a Graph,
    /// By source.
    pub(crate) reach: &'a [Reach],
    pub(crate) client: &'a Client,
    pub(crate) prepared: &'a Prepared,
    pub(crate) variables: &'a Variables,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) timeout: Duration,
    pub(crate) reports: Reports,
    /// Bytes of a URL.
    pub(crate) url_limit: usize,
    /// Errors of one answer.
    pub(crate) error_limit: usize,
}

impl<'a> Context<'a> {
    /// The connector that a fetch is made by; `None` for fetches of services.
    fn connector(&self, index: usize) -> Option<ByConnector<'a>> {
        let fetch = &self.prepared.plan.fetches[index];
        let Access::Connector(connector) = &self.graph.source(fetch.source).access else {
            return None;
        };
        let Reach::Connector(ready) = &self.reach[fetch.source.index()] else {
            return None;
        };
        Some(ByConnector {
            index,
            fetch,
            connector,
            ready,
            program: self.prepared.programs[index].as_ref()?,
        })
    }

    /// What failed, for everybody who waited for a fetch.
    fn failure(&self, fetch: usize, error: FetchError) -> Arc<FetchFailure> {
        let source = self.prepared.plan.fetches[fetch].source;
        match &self.reach[source.index()] {
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
    connector: &'a Connector,
    ready: &'a Ready,
    program: &'a Program,
}

/// What was fetched, and what failed.
pub(crate) struct Executed {
    pub(crate) tree: Tree,
    pub(crate) failures: Failures,
    pub(crate) reports: Vec<ConnectorReport>,
}

/// Who waits for a call.
#[derive(Clone, Copy, Debug)]
enum Caller {
    Connector(CallId),
    /// A request of the plan, to a service that speaks GraphQL.
    Service(usize),
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
    let mut flights = Flights::default();
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
        let Some((waiting, outcome)) = next else {
            break;
        };
        for caller in waiting {
            match caller {
                Caller::Connector(id) => run.finish_call(id, &outcome),
                Caller::Service(request) => run.finish_request(request, &outcome),
            }
        }
        run.start_ready(&mut flights);
    }
    run.into_executed()
}
