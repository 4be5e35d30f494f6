//! The calls of one operation that are under way. Equal reads are made once and answer every
//! waiter; a loader extends that to the calls of other operations that are in flight at the same
//! moment.
//!
//! Reads are equal when their method is `GET` and URL and headers are the same. What one root field
//! of a mutation read is not reused for the next, which may have changed it, and is not shared with
//! other operations. Values of single entities are shared by `cache` (claims), batches of keys by
//! `batch`; here whole calls are.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt, ready};
use futures_util::stream::FuturesUnordered;
use hashbrown::HashMap;
use http::Method;

use super::{Context, Waiter};
use crate::batch::groups::{BatchCalls, BatchSlot};
use crate::batch::{Loader, identity};
use crate::cache::LookupOutcome;
use crate::error::FetchError;
use crate::memory::MemoryMeter;
use crate::program::Coalescing;
use crate::source_client::http::HttpClient;
use crate::source_client::request::Request;
use crate::source_client::shared_response::CallResult;

/// The result of a call, a batch or a lookup.
pub(super) enum FlightResult {
    Call(CallResult),
    Batch(Result<BatchCalls, FetchError>),
    /// Values of the cache, or values that were in flight elsewhere.
    Lookups(Vec<LookupOutcome>),
}

/// How a call is coalesced and bounded.
#[derive(Clone, Copy)]
pub(super) struct CallOptions {
    pub(super) coalescing: Coalescing,
    pub(super) timeout: Duration,
}

/// All calls and lookups of one operation.
pub(super) struct InFlightCalls<'c> {
    client: &'c HttpClient,
    /// What the responses that arrive are charged to.
    memory: MemoryMeter,
    /// Shares calls with other operations.
    shared_loader: Option<&'c Arc<Loader>>,
    calls: FuturesUnordered<BoxFuture<'c, (usize, FlightResult)>>,
    flights: Vec<InFlightCall>,
    /// Reads of the current stage by their identity, as indices of `flights`.
    reads: HashMap<Vec<u8>, usize, foldhash::fast::RandomState>,
}

/// One call and what waits for it.
struct InFlightCall {
    waiters: Vec<Waiter>,
    /// The result of a reusable read that is done.
    outcome: Option<CallResult>,
    is_reusable: bool,
}

impl<'c> InFlightCalls<'c> {
    pub(super) fn new(context: &Context<'c>) -> Self {
        Self {
            client: &context.sources.http_client,
            memory: context.memory.clone(),
            shared_loader: context.shared_loader(),
            calls: FuturesUnordered::default(),
            flights: Vec::new(),
            reads: HashMap::default(),
        }
    }

    /// Makes a call, or waits for an equal one that is under way.
    pub(super) fn add(&mut self, waiter: Waiter, mut request: Request, options: CallOptions) {
        request.memory = Some(self.memory.clone());
        let is_coalescing = options.coalescing == Coalescing::Possible;
        if request.method != Method::GET || !(is_coalescing || self.shared_loader.is_some()) {
            self.add_unshared(waiter, self.client.call(request, options.timeout).boxed());
            return;
        }
        let identity = identity::request_identity(&request);
        if !is_coalescing {
            self.add_shareable(waiter, identity, request, options.timeout);
            return;
        }
        let Some(known) = self.reads.get(&identity).copied() else {
            let index = self.flights.len();
            self.reads.insert(identity.clone(), index);
            self.add_shareable(waiter, identity, request, options.timeout);
            self.flights[index].is_reusable = true;
            return;
        };
        match &self.flights[known].outcome {
            Some(outcome) => self.add_unshared(waiter, ready(outcome.clone()).boxed()),
            None => self.flights[known].waiters.push(waiter),
        }
    }

    /// Sends a request to a subgraph.
    pub(super) fn add_subgraph_request(
        &mut self,
        waiter: Waiter,
        mut request: Request,
        timeout: Duration,
    ) {
        request.memory = Some(self.memory.clone());
        if self.shared_loader.is_some() {
            let identity = identity::request_identity(&request);
            self.add_shareable(waiter, identity, request, timeout);
        } else {
            self.add_unshared(waiter, self.client.call(request, timeout).boxed());
        }
    }

    /// Makes a call that is shared with no other.
    pub(super) fn add_unshared(&mut self, waiter: Waiter, call: BoxFuture<'c, CallResult>) {
        self.start(waiter, call.map(FlightResult::Call).boxed());
    }

    /// Makes a call that holds a batch slot until it ends: keys of other operations gather
    /// meanwhile.
    pub(super) fn add_leader(
        &mut self,
        waiter: Waiter,
        mut request: Request,
        timeout: Duration,
        slot: BatchSlot,
    ) {
        request.memory = Some(self.memory.clone());
        let client = self.client;
        let call = async move {
            let outcome = client.call(request, timeout).await;
            drop(slot);
            outcome
        };
        self.add_unshared(waiter, call.boxed());
    }

    /// Waits for a batch.
    pub(super) fn add_batch(
        &mut self,
        waiter: Waiter,
        batch: impl Future<Output = Result<BatchCalls, FetchError>> + Send + 'c,
    ) {
        self.start(waiter, batch.map(FlightResult::Batch).boxed());
    }

    /// Waits for a lookup, or for values in flight elsewhere.
    pub(super) fn add_lookup(&mut self, waiter: Waiter, lookup: BoxFuture<'c, Vec<LookupOutcome>>) {
        self.start(waiter, lookup.map(FlightResult::Lookups).boxed());
    }

    /// Makes a call that other operations may join, where calls are shared.
    fn add_shareable(
        &mut self,
        waiter: Waiter,
        identity: Vec<u8>,
        request: Request,
        timeout: Duration,
    ) {
        let call = match self.shared_loader {
            Some(loader) => Arc::clone(loader).call(identity, request, timeout).boxed(),
            None => self.client.call(request, timeout).boxed(),
        };
        self.add_unshared(waiter, call);
    }

    fn start(&mut self, waiter: Waiter, call: BoxFuture<'c, FlightResult>) {
        let index = self.flights.len();
        self.flights.push(InFlightCall {
            waiters: vec![waiter],
            outcome: None,
            is_reusable: false,
        });
        self.calls
            .push(call.map(move |result| (index, result)).boxed());
    }

    /// The next result, with all that waits for it; `None` when nothing is under way.
    pub(super) async fn next(&mut self) -> Option<(Vec<Waiter>, FlightResult)> {
        let (index, result) = self.calls.next().await?;
        let flight = &mut self.flights[index];
        if let (true, FlightResult::Call(outcome)) = (flight.is_reusable, &result) {
            flight.outcome = Some(outcome.clone());
        }
        Some((std::mem::take(&mut flight.waiters), result))
    }

    /// Forgets the reads of the stage before: a mutation may have changed what they read.
    pub(super) fn clear_reads(&mut self) {
        self.reads.clear();
    }
}
