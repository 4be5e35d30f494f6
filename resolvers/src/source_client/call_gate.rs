//! The calls to one source at the same time: a maximum in flight, and a queue for the others.
//!
//! The queue is first in, first out. Its length is bounded; the time in it is bounded by the
//! deadlines of the operations that wait, and is no part of the timeout of a call.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use schema::types::Name;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::error::FetchError;
use crate::lock::lock;
use crate::settings::CallLimits;

/// Bounds the calls to one source.
#[derive(Debug)]
pub(crate) struct CallGate {
    /// The name of the source in the configuration.
    source: Name,
    permits: Semaphore,
    concurrent: usize,
    queued: AtomicUsize,
    max_queued: usize,
    refused: AtomicU64,
}

/// The calls to one source at a moment.
#[derive(Clone, Debug)]
pub struct SourceLoad {
    /// The name of the source: `<subgraph>.<source>`, a connector's coordinate, or a subgraph.
    pub source: Name,
    /// Calls in flight.
    pub in_flight: usize,
    /// Calls that wait.
    pub queued: usize,
    /// Calls that were refused because the queue was full, since the start.
    pub refused: u64,
}

impl CallGate {
    pub(crate) fn new(source: Name, limits: CallLimits) -> Self {
        let concurrent = limits.concurrent.get().min(Semaphore::MAX_PERMITS);
        Self {
            source,
            permits: Semaphore::new(concurrent),
            concurrent,
            queued: AtomicUsize::new(0),
            max_queued: limits.queued.get(),
            refused: AtomicU64::new(0),
        }
    }

    pub(crate) fn source(&self) -> &Name {
        &self.source
    }

    /// Waits until a call may be sent; it is in flight until the permit is dropped.
    pub(crate) async fn enter(&self) -> Result<Option<SemaphorePermit<'_>>, FetchError> {
        if let Ok(permit) = self.permits.try_acquire() {
            return Ok(Some(permit));
        }
        let queued = Queued(&self.queued);
        if self.queued.fetch_add(1, Ordering::Relaxed) >= self.max_queued {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(FetchError::Overloaded(self.max_queued));
        }
        let permit = self.permits.acquire().await;
        drop(queued);
        Ok(permit.ok()) // It is never closed.
    }

    pub(crate) fn load(&self) -> SourceLoad {
        let available = self.permits.available_permits();
        SourceLoad {
            source: Name::clone(&self.source),
            in_flight: self.concurrent.saturating_sub(available),
            queued: self.queued.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }
}

/// A place in the queue, also of a call that is dropped while it waits.
struct Queued<'g>(&'g AtomicUsize);

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// When calls were sent that several operations wait for: the timeout of a call begins then.
#[derive(Debug, Default)]
pub(crate) struct SendClock(Mutex<Sends>);

#[derive(Debug, Default)]
struct Sends {
    /// Calls that are not sent yet.
    unsent: usize,
    last: Option<Instant>,
}

impl SendClock {
    /// A clock of `calls` calls that are not sent yet.
    pub(crate) fn new(calls: usize) -> Self {
        Self(Mutex::new(Sends {
            unsent: calls,
            last: None,
        }))
    }

    /// Counts further calls.
    pub(crate) fn add(&self, calls: usize) {
        lock(&self.0).unsent += calls;
    }

    /// Notes that a call was sent, or failed before it was.
    pub(crate) fn mark_sent(&self) {
        let mut sends = lock(&self.0);
        sends.unsent = sends.unsent.saturating_sub(1);
        sends.last = Some(Instant::now());
    }

    /// The latest time at which a call was sent: now, while one is still to be sent. `None` if
    /// none was.
    pub(crate) fn last_sent(&self) -> Option<Instant> {
        let sends = lock(&self.0);
        match sends.unsent {
            0 => sends.last,
            _ => Some(Instant::now()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use futures_util::FutureExt;

    use super::*;

    fn gate(concurrent: usize, queued: usize) -> CallGate {
        let limits = CallLimits {
            concurrent: NonZeroUsize::new(concurrent).unwrap(),
            queued: NonZeroUsize::new(queued).unwrap(),
            ..CallLimits::default()
        };
        CallGate::new("g".into(), limits)
    }

    #[tokio::test]
    async fn calls_wait_in_order_and_a_full_queue_refuses() {
        let gate = gate(1, 2);
        let first = gate.enter().await.unwrap();
        let mut second = Box::pin(gate.enter());
        let mut third = Box::pin(gate.enter());
        assert!(second.as_mut().now_or_never().is_none());
        assert!(third.as_mut().now_or_never().is_none());

        let refused = gate.enter().await;
        assert!(matches!(refused, Err(FetchError::Overloaded(2))));
        let load = gate.load();
        assert_eq!((load.in_flight, load.queued, load.refused), (1, 2, 1));

        drop(first);
        assert!(third.as_mut().now_or_never().is_none());
        assert!(second.as_mut().now_or_never().is_some());
        assert!(third.as_mut().now_or_never().is_some());
        assert_eq!(gate.load().queued, 0);
    }

    #[tokio::test]
    async fn a_call_that_is_dropped_leaves_the_queue() {
        let gate = gate(1, 1);
        let first = gate.enter().await.unwrap();
        assert!(gate.enter().now_or_never().is_none());

        assert_eq!(gate.load().queued, 0);
        drop(first);
        assert_eq!(gate.load().in_flight, 0);
    }
}
