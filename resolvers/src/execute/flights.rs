//! Calls under way. Equal reads of one operation are made once, and answer everybody who asked.
//!
//! Equal means method `GET`, the same URL and the same headers. What one root field of a mutation
//! read is not given to the next, which may have changed it.

use std::fmt::Write;

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt, ready};
use futures_util::stream::FuturesUnordered;
use hashbrown::HashMap;
use http::Method;

use super::Caller;
use crate::error::FetchError;
use crate::fetch::Answer;
use crate::fetch::request::Request;
use crate::prepared::Sharing;

type Outcome = Result<Answer, FetchError>;

/// All calls of one operation.
#[derive(Default)]
pub(super) struct Flights<'c> {
    calls: FuturesUnordered<BoxFuture<'c, (usize, Outcome)>>,
    each: Vec<Flight>,
    /// Reads of this stage, by what makes them equal.
    reads: HashMap<String, usize, foldhash::fast::RandomState>,
}

/// One call and those who wait for it.
struct Flight {
    waiting: Vec<Caller>,
    /// Kept where another may still ask the same.
    outcome: Option<Outcome>,
    is_read: bool,
}

impl<'c> Flights<'c> {
    /// Makes a call for `caller`, or has it wait for an equal one.
    pub(super) fn add(
        &mut self,
        caller: Caller,
        request: Request,
        sharing: Sharing,
        send: impl FnOnce(Request) -> BoxFuture<'c, Outcome>,
    ) {
        if sharing == Sharing::Impossible || request.method != Method::GET {
            self.start(caller, false, send(request));
            return;
        }
        let read = describe(&request);
        let Some(known) = self.reads.get(&read).copied() else {
            self.reads.insert(read, self.each.len());
            self.start(caller, true, send(request));
            return;
        };
        match &self.each[known].outcome {
            Some(outcome) => self.start(caller, false, ready(outcome.clone()).boxed()),
            None => self.each[known].waiting.push(caller),
        }
    }

    /// Makes a call that no other is equal to.
    pub(super) fn add_alone(&mut self, caller: Caller, call: BoxFuture<'c, Outcome>) {
        self.start(caller, false, call);
    }

    fn start(&mut self, caller: Caller, is_read: bool, call: BoxFuture<'c, Outcome>) {
        let index = self.each.len();
        self.each.push(Flight {
            waiting: vec![caller],
            outcome: None,
            is_read,
        });
        self.calls
            .push(call.map(move |outcome| (index, outcome)).boxed());
    }

    /// The next call that ends, with all who waited for it; `None` when none is under way.
    pub(super) async fn next(&mut self) -> Option<(Vec<Caller>, Outcome)> {
        let (index, outcome) = self.calls.next().await?;
        let flight = &mut self.each[index];
        if flight.is_read {
            flight.outcome = Some(outcome.clone());
        }
        Some((std::mem::take(&mut flight.waiting), outcome))
    }

    /// Forgets what was read before: something may have changed it.
    pub(super) fn forget(&mut self) {
        self.reads.clear();
    }
}

/// What makes a read equal to another.
fn describe(request: &Request) -> String {
    let mut text = request.url.as_str().to_owned();
    for (name, value) in &request.headers {
        let _ = write!(text, "\n{name}:{value:?}");
    }
    text
}
