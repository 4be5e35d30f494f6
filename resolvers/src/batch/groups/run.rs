//! The run of a batch: gathering, then one call or several to the source.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Notify;

use super::super::keys::BatchKeys;
use super::{BatchCall, BatchCalls, BatchSlot, BatchSpec};
use crate::error::FetchError;
use crate::memory::MemoryMeter;
use crate::source_client::call_gate::SendClock;
use crate::source_client::request::Request;

/// A batch that gathers keys.
pub(super) struct BatchRun {
    pub(super) slot: BatchSlot,
    pub(super) start_signal: Arc<Notify>,
    pub(super) spec: Arc<BatchSpec>,
    /// Shows the waiters when the keys were sent.
    pub(super) clock: Arc<SendClock>,
}

impl BatchRun {
    /// Waits while keys gather, then sends the batch.
    pub(super) async fn finish(self) -> BatchCalls {
        let sources = &self.slot.loader.sources;
        let Some((_, connector_client)) = sources.connector(self.spec.source) else {
            return panicked(); // Only connectors take batches.
        };
        let gather_time = MAX_GATHER_TIME.min(connector_client.timeout / TIMEOUT_PARTS);
        tokio::select! {
            biased;
            () = self.start_signal.notified() => {}
            () = tokio::time::sleep(gather_time) => {}
        }
        let keys = self.slot.mark_in_flight();
        // The timeout of a part is shorter than that of the waiters, so that one stalled part does
        // not fail the others.
        let timeout = connector_client.timeout / TIMEOUT_PARTS * (TIMEOUT_PARTS - 2);
        self.call_source(&keys, timeout).await.into()
    }

    /// Sends all keys in as few calls as the maximum URL length allows.
    async fn call_source(&self, batch: &Arc<BatchKeys>, timeout: Duration) -> Vec<BatchCall> {
        let sources = &self.slot.loader.sources;
        let calls = self.requests(batch);
        let is_single = calls.len() == 1;
        self.clock.add(calls.len().saturating_sub(1));
        let parts = calls.into_iter().map(async |(keys, request)| BatchCall {
            keys,
            batch: Arc::clone(batch),
            outcome: match request {
                Err(error) => {
                    self.clock.mark_sent();
                    Err(error)
                }
                // Waiters have a timeout of their own.
                Ok(request) if is_single => sources.http_client.call_without_timeout(request).await,
                Ok(request) => sources.http_client.call(request, timeout).await,
            },
        });
        join_all(parts).await
    }

    /// The requests for all keys, each with the positions of its keys.
    fn requests(&self, keys: &BatchKeys) -> Vec<(Range<usize>, Result<Request, FetchError>)> {
        let (sources, spec) = (&self.slot.loader.sources, &self.spec);
        let mut calls = Vec::with_capacity(1);
        // The responses belong to several operations; a batch holds no more than one may.
        let memory = MemoryMeter::new(sources.memory_limit);
        let mut waiting: Vec<_> = std::iter::once(0..keys.len()).collect();
        while let Some(range) = waiting.pop() {
            let batch = keys.write_batch(range.clone());
            let mut request = sources.batch_request(spec.source, &spec.headers, batch);
            let is_too_long = match &request {
                Ok(request) => request.url.as_str().len() > sources.url_limit,
                Err(_) => false,
            };
            if is_too_long && range.len() > 1 {
                let middle = range.start + range.len() / 2;
                waiting.extend([middle..range.end, range.start..middle]);
                continue;
            }
            if let Ok(request) = &mut request {
                request.memory = Some(memory.clone());
                request.clock = Some(Arc::clone(&self.clock));
            }
            calls.push((range, request));
        }
        calls
    }
}

pub(super) fn panicked() -> BatchCalls {
    let outcome = Err(FetchError::Panicked);
    Arc::new([BatchCall {
        keys: 0..usize::MAX,
        batch: Arc::default(),
        outcome,
    }])
}

/// Maximum time for which keys gather; longer waits cost more than a separate call.
const MAX_GATHER_TIME: Duration = Duration::from_millis(100);

/// Divisor of a call's timeout: one part of it is the maximum gather time.
const TIMEOUT_PARTS: u32 = 10;
