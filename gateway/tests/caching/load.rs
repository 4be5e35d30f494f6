//! Clients that send operations continuously, and their latencies.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::client::Connection;
use crate::weir;

/// The latencies of clients that run while a script does.
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

    /// Runs a client for each of `connections` until `script` has ended: it sends the operation of
    /// `operation`, passes the data of the answer to `check`, and pauses.
    pub(crate) async fn run_during<T>(
        &self,
        (connections, pause): (Vec<Connection>, Duration),
        operation: impl Fn() -> Value,
        check: impl Fn(&Value, &Value),
        script: impl Future<Output = T>,
    ) -> T {
        let clients = connections.into_iter().map(async |mut connection| {
            while !self.is_over.get() {
                let (body, began) = (operation(), Instant::now());
                weir::post(&mut connection, &body, &[]).await;
                let answer = connection.answer().await.expect("a response");
                self.took.borrow_mut().push((began, began.elapsed()));
                check(&body, &weir::data(&answer));
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

    /// The latencies of operations that began between two instants.
    pub(crate) fn times(&self, from: Instant, to: Instant) -> Times {
        let took = self.took.borrow();
        let within = took.iter().filter(|(began, _)| (from..to).contains(began));
        let mut times: Vec<Duration> = within.map(|(_, took)| *took).collect();
        times.sort_unstable();
        Times(times)
    }
}

/// Latencies, the shortest first.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The latency that `percent` of 100 operations do not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let index = (self.0.len() * percent / 100).min(self.0.len() - 1);
        self.0[index]
    }

    pub(crate) fn slowest(&self) -> Duration {
        self.percentile(100)
    }
}
