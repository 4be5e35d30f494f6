//! Equal calls of different operations that are in flight at the same time: sent once.

use std::sync::Arc;
use std::time::Duration;

use super::shared_call::{CallWaiter, SharedCall};
use super::{Loader, MAX_PER_SHARD, shard, wait};
use crate::error::FetchError;
use crate::source_client::call_gate::SendClock;
use crate::source_client::request::Request;
use crate::source_client::shared_response::CallResult;

/// A call that other operations may join.
#[derive(Debug)]
pub(super) struct CallEntry {
    identity: Box<[u8]>,
    hash: u64,
    id: u64,
    /// The write epoch when the call started.
    write_epoch: u64,
    shared_call: Arc<SharedCall<CallResult>>,
}

impl Loader {
    /// The result of `request`: of an equal call in flight with this identity, or of a new call.
    /// Only for requests without side effects.
    pub(crate) async fn call(
        self: Arc<Self>,
        identity: Vec<u8>,
        request: Request,
        timeout: Duration,
    ) -> CallResult {
        let (waiter, unsent) = self.join_or_start(identity, request);
        let outcome = wait(waiter, timeout).await.and_then(|outcome| outcome);
        match (outcome, unsent) {
            // The operation that sent the call holds too much; this one may hold less.
            (Err(FetchError::MemoryExceeded(_)), Some(request)) => {
                self.sources.http_client.call(request, timeout).await
            }
            (outcome, _) => outcome,
        }
    }

    /// A waiter for an equal call in flight, with the unsent request, or for a new call.
    pub(super) fn join_or_start(
        self: &Arc<Self>,
        identity: Vec<u8>,
        mut request: Request,
    ) -> (CallWaiter<CallResult>, Option<Request>) {
        let hash = self.hash(&identity);
        let write_epoch = self.write_epoch();
        let client = self.sources.http_client.clone();
        let mut calls = shard(&self.calls, hash);
        let existing = calls.find_entry(hash, |call| *call.identity == *identity);
        if let Ok(known) = existing {
            let call = known.get();
            if call.write_epoch == write_epoch
                && let Some(waiter) = call.shared_call.join()
            {
                return (waiter, Some(request));
            }
            // The new call replaces it.
            known.remove();
        }
        let clock = Arc::new(SendClock::new(1));
        request.clock = Some(Arc::clone(&clock));
        if calls.len() >= MAX_PER_SHARD {
            let call = async move { client.call_without_timeout(request).await };
            return (SharedCall::start(call, panicked, clock), None);
        }
        let guard = CallEntryGuard {
            loader: Arc::clone(self),
            hash,
            id: self.next_id(),
        };
        let id = guard.id;
        let waiter = SharedCall::start(
            async move {
                let outcome = client.call_without_timeout(request).await;
                drop(guard);
                outcome
            },
            panicked,
            clock,
        );
        let call = CallEntry {
            identity: identity.into(),
            hash,
            id,
            write_epoch,
            shared_call: Arc::clone(waiter.shared_call()),
        };
        calls.insert_unique(hash, call, |call| call.hash);
        (waiter, None)
    }
}

fn panicked() -> CallResult {
    Err(FetchError::Panicked)
}

/// The entry of a call in the table; dropped when the call ends for any reason, which removes it.
struct CallEntryGuard {
    loader: Arc<Loader>,
    hash: u64,
    id: u64,
}

impl Drop for CallEntryGuard {
    fn drop(&mut self) {
        let mut calls = shard(&self.loader.calls, self.hash);
        if let Ok(own) = calls.find_entry(self.hash, |call| call.id == self.id) {
            own.remove();
        }
    }
}
