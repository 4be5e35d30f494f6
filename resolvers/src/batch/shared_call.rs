//! One call and everybody who waits for it.
//!
//! No task is spawned: who asked first drives the call, the others wait to be told. Who drives it
//! and goes away hands it to those who still wait; the last to go away abandons it. A panic of
//! the call is an outcome.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use futures_util::future::{BoxFuture, FutureExt};

use super::lock;

/// A call that may be under way, and what became of it.
pub(super) struct SharedCall<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    /// While nobody drives it.
    call: Option<BoxFuture<'static, T>>,
    outcome: Option<T>,
    waiters: usize,
    /// Of those who wait to be told, by number.
    wakers: Vec<Option<Waker>>,
    /// Nobody can join any more.
    is_closed: bool,
}

/// Somebody who waits for a call, and may be the one who drives it.
pub(crate) struct CallWaiter<T: Clone> {
    shared_call: Arc<SharedCall<T>>,
    waker_index: usize,
    call: Option<BoxFuture<'static, T>>,
}

impl<T: Clone + Send + 'static> SharedCall<T> {
    /// A call that its one waiter drives; `panicked` is its outcome when it panics.
    pub(super) fn start(
        call: impl Future<Output = T> + Send + 'static,
        panicked: fn() -> T,
    ) -> CallWaiter<T> {
        // What a call shares with others is behind locks that are never held while it waits.
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
            }),
            waker_index: 0,
            call: None,
        }
    }

    /// One more who waits; `None` when it is too late.
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

    /// Lets nobody join any more: the call takes too long.
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
            return Poll::Pending; // It was just put there.
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
            // All of them: one that is woken alone may be gone before it gets to drive.
            wakers.extend(state.wakers.iter_mut().filter_map(Option::take));
        }
        drop(state);
        // Outside of the lock: what is dropped may take others.
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
