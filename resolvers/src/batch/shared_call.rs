//! A call that several operations wait for.
//!
//! This single-flight shares one *call*: all waiters poll for its outcome, and nothing is stored
//! after it (`cache::claim` coalesces lookups of a cache key, `execute::in_flight` equal reads of
//! one operation). No task is spawned: the first waiter drives the call, and if it is dropped,
//! another one takes over; dropping the last waiter cancels the call. A panic of the call is an
//! outcome.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use futures_util::future::{BoxFuture, FutureExt};

use tokio::time::Instant;

use crate::lock::lock;
use crate::source_client::call_gate::SendClock;

/// A call that is in flight or completed.
pub(super) struct SharedCall<T> {
    state: Mutex<State<T>>,
    /// When it was sent.
    clock: Arc<SendClock>,
}

struct State<T> {
    /// The call, while no waiter drives it.
    call: Option<BoxFuture<'static, T>>,
    outcome: Option<T>,
    waiters: usize,
    /// Wakers of the waiters that do not drive the call, by their index.
    wakers: Vec<Option<Waker>>,
    /// Whether the call can no longer be joined.
    is_closed: bool,
}

/// A waiter for a shared call, which may be the one that drives it.
pub(crate) struct CallWaiter<T: Clone> {
    shared_call: Arc<SharedCall<T>>,
    waker_index: usize,
    call: Option<BoxFuture<'static, T>>,
}

impl<T: Clone + Send + 'static> SharedCall<T> {
    /// Starts a call that its first waiter drives; `panicked` makes its outcome if it panics.
    /// `clock` shows when it is sent.
    pub(super) fn start(
        call: impl Future<Output = T> + Send + 'static,
        panicked: fn() -> T,
        clock: Arc<SendClock>,
    ) -> CallWaiter<T> {
        // State that calls share is behind locks that are never held across an await.
        let call = AssertUnwindSafe(call).catch_unwind();
        let call = call.map(move |outcome| outcome.unwrap_or_else(|_| panicked()));
        let state = State {
            call: Some(call.boxed()),
            outcome: None,
            waiters: 1,
            wakers: vec![None],
            is_closed: false,
        };
        CallWaiter {
            shared_call: Arc::new(Self {
                state: Mutex::new(state),
                clock,
            }),
            waker_index: 0,
            call: None,
        }
    }

    /// Adds a waiter; `None` if the call can no longer be joined.
    pub(super) fn join(self: &Arc<Self>) -> Option<CallWaiter<T>> {
        let mut state = lock(&self.state);
        if state.is_closed {
            return None;
        }
        state.waiters += 1;
        state.wakers.push(None);
        Some(CallWaiter {
            shared_call: Arc::clone(self),
            waker_index: state.wakers.len() - 1,
            call: None,
        })
    }

    fn complete(&self, outcome: T) {
        let mut state = lock(&self.state);
        state.outcome = Some(outcome);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

impl<T: Clone> CallWaiter<T> {
    pub(super) fn shared_call(&self) -> &Arc<SharedCall<T>> {
        &self.shared_call
    }

    /// The latest time at which a part of the call was sent.
    pub(super) fn last_sent(&self) -> Option<Instant> {
        self.shared_call.clock.last_sent()
    }

    /// Closes the call for further waiters, because it takes too long.
    pub(super) fn close(&self) {
        lock(&self.shared_call.state).is_closed = true;
    }
}

impl<T: Clone + Send + 'static> Future for CallWaiter<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let this = &mut *self;
        if this.call.is_none() {
            let mut state = lock(&this.shared_call.state);
            if let Some(outcome) = &state.outcome {
                return Poll::Ready(outcome.clone());
            }
            this.call = state.call.take();
            if this.call.is_none() {
                if let Some(waker) = state.wakers.get_mut(this.waker_index) {
                    *waker = Some(context.waker().clone());
                }
                return Poll::Pending;
            }
        }
        let Some(call) = &mut this.call else {
            return Poll::Pending; // Set just above.
        };
        let outcome = ready!(call.poll_unpin(context));
        this.call = None;
        this.shared_call.complete(outcome.clone());
        Poll::Ready(outcome)
    }
}

impl<T: Clone> Drop for CallWaiter<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.shared_call.state);
        state.waiters -= 1;
        if state.outcome.is_some() {
            return;
        }
        if let Some(waker) = state.wakers.get_mut(self.waker_index) {
            *waker = None;
        }
        if let Some(call) = self.call.take() {
            state.call = Some(call);
        }
        let mut abandoned = None;
        let mut wakers = Vec::new();
        if state.waiters == 0 {
            state.is_closed = true;
            abandoned = state.call.take();
        } else if state.call.is_some() {
            // Wakes all: a single woken waiter may be dropped before it drives the call.
            wakers.extend(state.wakers.iter_mut().filter_map(Option::take));
        }
        drop(state);
        // Outside of the lock: dropping the call may take other locks.
        drop(abandoned);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl<T> fmt::Debug for SharedCall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedCall")
    }
}

#[cfg(test)]
mod tests;
