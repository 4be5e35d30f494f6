//! Equal calls of different operations that are under way at one moment: made once.

use std::sync::Arc;
use std::time::Duration;

use super::flight::{Flight, Waiter};
use super::{Loader, MAX_IN_SHARD, shard, wait};
use crate::error::FetchError;
use crate::fetch::reply::Outcome;
use crate::fetch::request::Request;

/// A call that others may join.
#[derive(Debug)]
pub(super) struct Call {
    identity: Box<[u8]>,
    hash: u64,
    number: u64,
    /// How much had been written when it began.
    writes: u64,
    flight: Arc<Flight<Outcome>>,
}

impl Loader {
    /// The outcome of `request`, whose identity that is: of an equal one that is under way, or of
    /// a call that is made now. Only for requests that change nothing.
    pub(crate) async fn call(
        self: Arc<Self>,
        identity: Vec<u8>,
        request: Request,
        timeout: Duration,
    ) -> Outcome {
        let waiter = self.joined(identity, request);
        wait(waiter, timeout).await.and_then(|outcome| outcome)
    }

    pub(super) fn joined(self: &Arc<Self>, identity: Vec<u8>, request: Request) -> Waiter<Outcome> {
        let hash = self.hash(&identity);
        let writes = self.writes();
        let client = self.sources.client.clone();
        let mut calls = shard(&self.calls, hash);
        let known = calls.find_entry(hash, |call| *call.identity == *identity);
        if let Ok(known) = known {
            let call = known.get();
            if call.writes == writes
                && let Some(waiter) = call.flight.join()
            {
                return waiter;
            }
            // Its place is taken by the one that is made now.
            known.remove();
        }
        if calls.len() >= MAX_IN_SHARD {
            return Flight::launch(async move { client.exchange(request).await }, panicked);
        }
        let listed = Listed {
            loader: Arc::clone(self),
            hash,
            number: self.number(),
        };
        let number = listed.number;
        let waiter = Flight::launch(
            async move {
                let outcome = client.exchange(request).await;
                drop(listed);
                outcome
            },
            panicked,
        );
        let call = Call {
            identity: identity.into(),
            hash,
            number,
            writes,
            flight: Arc::clone(waiter.flight()),
        };
        calls.insert_unique(hash, call, |call| call.hash);
        waiter
    }
}

fn panicked() -> Outcome {
    Err(FetchError::Panicked)
}

/// A call's place among those that can be joined; it goes with the call, however that ends.
struct Listed {
    loader: Arc<Loader>,
    hash: u64,
    number: u64,
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut calls = shard(&self.loader.calls, self.hash);
        if let Ok(own) = calls.find_entry(self.hash, |call| call.number == self.number) {
            own.remove();
        }
    }
}
