//! Equal calls of different operations that are under way at one moment: made once.

use std::sync::Arc;
use std::time::Duration;

use super::shared_call::{CallWaiter, SharedCall};
use super::{Loader, MAX_PER_SHARD, shard, wait};
use crate::error::FetchError;
use crate::source_client::request::Request;
use crate::source_client::shared_response::CallResult;

/// A call that others may join.
#[derive(Debug)]
pub(super) struct CallEntry {
    identity: Box<[u8]>,
    hash: u64,
    id: u64,
    /// How much had been written when it began.
    write_epoch: u64,
    shared_call: Arc<SharedCall<CallResult>>,
}

impl Loader {
    /// The outcome of `request`, whose identity that is: of an equal one that is under way, or of
    /// a call that is made now. Only for requests that change nothing.
    pub(crate) async fn call(
        self: Arc<Self>,
        identity: Vec<u8>,
        request: Request,
        timeout: Duration,
    ) -> CallResult {
        let waiter = self.join_or_start(identity, request);
        wait(waiter, timeout).await.and_then(|outcome| outcome)
    }

    pub(super) fn join_or_start(
        self: &Arc<Self>,
        identity: Vec<u8>,
        request: Request,
    ) -> CallWaiter<CallResult> {
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
                return waiter;
            }
            // Its place is taken by the one that is made now.
            known.remove();
        }
        if calls.len() >= MAX_PER_SHARD {
            return SharedCall::start(
                async move { client.call_without_timeout(request).await },
                panicked,
            );
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
        );
        let call = CallEntry {
            identity: identity.into(),
            hash,
            id,
            write_epoch,
            shared_call: Arc::clone(waiter.shared_call()),
        };
        calls.insert_unique(hash, call, |call| call.hash);
        waiter
    }
}

fn panicked() -> CallResult {
    Err(FetchError::Panicked)
}

/// A call's place among those that can be joined; it goes with the call, however that ends.
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
