//! Clients that ask again and again, and how long they waited.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::client::Connection;
use crate::weir;

/// What some clients do while something else happens.
pub(crate) struct Load {
    took: RefCell<Vec<(Instant, Duration)>>,
    is_over: Cell<bool>,
}

impl Load {
    pub(crate) fn new() -> Self {
        Self {
            took: RefCell::default(),
            is_over: Cell::new(false),
        }
    }

    /// Has a client for each of `connections` send what `ask` says, wait for the answer, have
    /// `judge` look at its data, and rest for `pause`; until `script` has ended.
    pub(crate) async fn beside<T>(
        &self,
        (connections, pause): (Vec<Connection>, Duration),
        ask: impl Fn() -> Value,
        judge: impl Fn(&Value, &Value),
        script: impl Future<Output = T>,
    ) -> T {
        let clients = connections.into_iter().map(async |mut connection| {
            while !self.is_over.get() {
                let (body, began) = (ask(), Instant::now());
                weir::post(&mut connection, &body, &[]).await;
                let answer = connection.answer().await.expect("an answer");
                self.took.borrow_mut().push((began, began.elapsed()));
                judge(&body, &weir::data(&answer));
                if !pause.is_zero() {
                    sleep(pause).await;
                }
            }
        });
        let script = async {
            let ended = script.await;
            self.is_over.set(true);
            ended
        };
        tokio::join!(script, join_all(clients)).0
    }

    /// How long those waited who began within a time.
    pub(crate) fn times(&self, from: Instant, to: Instant) -> Times {
        let took = self.took.borrow();
        let within = took.iter().filter(|(began, _)| (from..to).contains(began));
        let mut times: Vec<Duration> = within.map(|(_, took)| *took).collect();
        times.sort_unstable();
        Times(times)
    }
}

/// Times, the shortest first.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// So many of a hundred took no longer.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let at = (self.0.len() * percent / 100).min(self.0.len() - 1);
        self.0[at]
    }

    pub(crate) fn slowest(&self) -> Duration {
        self.percentile(100)
    }
}
