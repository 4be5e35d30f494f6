//! The order in which responses arrive: services hold them until it is their turn.
//!
//! A response is released when the engine has nothing left to do, so the order does not depend on
//! time.

use std::sync::Mutex;

use tokio::sync::{Notify, oneshot};

/// The order of responses that wait at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Responses are sent at once.
    AtOnce,
    /// By the name of the service, and by the time of the request.
    Ascending,
    Descending,
}

/// The responses that wait.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    is_ordered: bool,
    requests: usize,
    held: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    name: String,
    request: usize,
    release: oneshot::Sender<()>,
}

impl Arrivals {
    /// Waits until the response of a service may be sent.
    pub(crate) async fn turn(&self, name: &str) {
        let released = {
            let mut waiting = self.waiting.lock().unwrap();
            if !waiting.is_ordered {
                return;
            }
            waiting.requests += 1;
            let (release, released) = oneshot::channel();
            let request = waiting.requests;
            waiting.held.push(Held {
                name: name.to_owned(),
                request,
                release,
            });
            released
        };
        self.changed.notify_one();
        // A sender that is gone ends the wait, too.
        let _ = released.await;
    }

    /// Runs `work` while responses arrive in this order.
    pub(crate) async fn during<T>(&self, order: Order, work: impl Future<Output = T>) -> T {
        *self.waiting.lock().unwrap() = Waiting {
            is_ordered: order != Order::AtOnce,
            ..Waiting::default()
        };
        let release = async {
            self.release_all(order).await;
            std::future::pending().await
        };
        tokio::select! {
            biased;
            done = work => done,
            done = release => done,
        }
    }

    fn is_ordered(&self) -> bool {
        self.waiting.lock().unwrap().is_ordered
    }

    /// Releases one response after the other.
    async fn release_all(&self, order: Order) {
        while self.is_ordered() {
            self.quiet().await;
            if let Some(held) = self.next(order) {
                let _ = held.release.send(());
            } else {
                self.changed.notified().await;
            }
        }
    }

    /// Waits until no request has arrived for a while.
    async fn quiet(&self) {
        let count = || self.waiting.lock().unwrap().requests;
        let mut known = count();
        let mut turns = 0;
        while turns < QUIET_TURNS {
            tokio::task::yield_now().await;
            turns += 1;
            if count() != known {
                (known, turns) = (count(), 0);
            }
        }
    }

    fn next(&self, order: Order) -> Option<Held> {
        let held = &mut self.waiting.lock().unwrap().held;
        let indices = 0..held.len();
        let key = |index: &usize| (held[*index].name.clone(), held[*index].request);
        let index = match order {
            Order::Descending => indices.max_by_key(key),
            Order::AtOnce | Order::Ascending => indices.min_by_key(key),
        }?;
        Some(held.remove(index))
    }
}

/// Number of turns of the runtime without a request after which none is on its way.
const QUIET_TURNS: usize = 30;
