//! Calls under way. Equal reads of one operation are made once, and answer everybody who asked;
//! so are those of different operations, as far as they are under way at one moment.
//!
//! Equal means method `GET`, the same URL and the same headers. What one root field of a mutation
//! read is not given to the next, which may have changed it, nor is it shared with others.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt, ready};
use futures_util::stream::FuturesUnordered;
use hashbrown::HashMap;
use http::Method;

use super::{Caller, Context};
use crate::batch::groups::{Landing, Parts};
use crate::batch::{Loader, identity};
use crate::cache::Found;
use crate::error::FetchError;
use crate::fetch::http::Client;
use crate::fetch::reply::Outcome;
use crate::fetch::request::Request;
use crate::prepared::Sharing;

/// What became of a call.
pub(super) enum Landed {
    Call(Outcome),
    Batch(Result<Parts, FetchError>),
    /// What the cache has, or others fetched.
    Found(Vec<Found>),
}

/// How a call is made.
#[derive(Clone, Copy)]
pub(super) struct How {
    pub(super) sharing: Sharing,
    pub(super) timeout: Duration,
}

/// All calls of one operation.
pub(super) struct Flights<'c> {
    client: &'c Client,
    /// Where calls are shared with other operations.
    across: Option<&'c Arc<Loader>>,
    calls: FuturesUnordered<BoxFuture<'c, (usize, Landed)>>,
    each: Vec<Flight>,
    /// Reads of this stage, by what makes them equal.
    reads: HashMap<Vec<u8>, usize, foldhash::fast::RandomState>,
}

/// One call and those who wait for it.
struct Flight {
    waiting: Vec<Caller>,
    /// Kept where another may still ask the same.
    landed: Option<Outcome>,
    is_read: bool,
}

impl<'c> Flights<'c> {
    pub(super) fn new(context: &Context<'c>) -> Self {
        Self {
            client: &context.sources.client,
            across: context.across(),
            calls: FuturesUnordered::default(),
            each: Vec::new(),
            reads: HashMap::default(),
        }
    }

    /// Makes a call for `caller`, or has it wait for an equal one.
    pub(super) fn add(&mut self, caller: Caller, request: Request, how: How) {
        let is_shared = how.sharing == Sharing::Possible;
        if request.method != Method::GET || !(is_shared || self.across.is_some()) {
            self.add_alone(caller, self.client.call(request, how.timeout).boxed());
            return;
        }
        let read = identity::of_request(&request);
        if !is_shared {
            self.send(caller, (read, request), how.timeout);
            return;
        }
        let Some(known) = self.reads.get(&read).copied() else {
            let index = self.each.len();
            self.reads.insert(read.clone(), index);
            self.send(caller, (read, request), how.timeout);
            self.each[index].is_read = true;
            return;
        };
        match &self.each[known].landed {
            Some(landed) => self.add_alone(caller, ready(landed.clone()).boxed()),
            None => self.each[known].waiting.push(caller),
        }
    }

    /// Asks a service that speaks GraphQL.
    pub(super) fn add_question(&mut self, caller: Caller, request: Request, timeout: Duration) {
        if self.across.is_some() {
            let identity = identity::of_request(&request);
            self.send(caller, (identity, request), timeout);
        } else {
            self.add_alone(caller, self.client.call(request, timeout).boxed());
        }
    }

    /// Makes a call that no other is equal to.
    pub(super) fn add_alone(&mut self, caller: Caller, call: BoxFuture<'c, Outcome>) {
        self.start(caller, call.map(Landed::Call).boxed());
    }

    /// Makes a call while others gather, until it ends.
    pub(super) fn add_leading(
        &mut self,
        caller: Caller,
        (request, timeout): (Request, Duration),
        landing: Landing,
    ) {
        let client = self.client;
        let call = async move {
            let outcome = client.call(request, timeout).await;
            drop(landing);
            outcome
        };
        self.add_alone(caller, call.boxed());
    }

    /// Waits for a batch.
    pub(super) fn add_batch(
        &mut self,
        caller: Caller,
        batch: impl Future<Output = Result<Parts, FetchError>> + Send + 'c,
    ) {
        self.start(caller, batch.map(Landed::Batch).boxed());
    }

    /// Looks into the cache, or waits for what others fetch.
    pub(super) fn add_search(&mut self, caller: Caller, search: BoxFuture<'c, Vec<Found>>) {
        self.start(caller, search.map(Landed::Found).boxed());
    }

    /// Makes a call that others may join, if others may.
    fn send(&mut self, caller: Caller, (identity, request): (Vec<u8>, Request), timeout: Duration) {
        let call = match self.across {
            Some(loader) => Arc::clone(loader).call(identity, request, timeout).boxed(),
            None => self.client.call(request, timeout).boxed(),
        };
        self.add_alone(caller, call);
    }

    fn start(&mut self, caller: Caller, call: BoxFuture<'c, Landed>) {
        let index = self.each.len();
        self.each.push(Flight {
            waiting: vec![caller],
            landed: None,
            is_read: false,
        });
        self.calls
            .push(call.map(move |landed| (index, landed)).boxed());
    }

    /// The next call that ends, with all who waited for it; `None` when none is under way.
    pub(super) async fn next(&mut self) -> Option<(Vec<Caller>, Landed)> {
        let (index, landed) = self.calls.next().await?;
        let flight = &mut self.each[index];
        if let (true, Landed::Call(outcome)) = (flight.is_read, &landed) {
            flight.landed = Some(outcome.clone());
        }
        Some((std::mem::take(&mut flight.waiting), landed))
    }

    /// Forgets what was read before: something may have changed it.
    pub(super) fn forget(&mut self) {
        self.reads.clear();
    }
}
