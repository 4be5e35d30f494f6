//! The tasks of one service: each has an owner, and none outlives it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Where a service runs what it does on the side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    stopped: CancellationToken,
}

impl Tasks {
    /// Runs `work` until it ends or the service stops.
    pub(crate) fn start(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopped = self.stopped.clone();
        self.tracker.spawn(async move {
            stopped.run_until_cancelled_owned(work).await;
        });
    }

    /// Runs `work` to its end even when the caller, such as a connection that breaks, does not
    /// wait for it; `None` when the service stopped before.
    pub(crate) async fn run_to_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let stopped = self.stopped.clone();
        let task = self
            .tracker
            .spawn(async move { stopped.run_until_cancelled_owned(work).await });
        task.await.ok().flatten()
    }

    /// Runs `work`, which takes next to no time, to its end even when the service stops: for what
    /// others wait for who cannot be told that it never comes.
    pub(crate) fn complete(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(work);
    }

    /// Ends everything, and returns when it has ended.
    pub(crate) async fn stop(&self) {
        self.abandon();
        self.tracker.wait().await;
    }

    /// Ends everything, without waiting for it.
    pub(crate) fn abandon(&self) {
        self.stopped.cancel();
        self.tracker.close();
    }

    /// Waits until everything has ended by itself; false when it takes longer than `grace`.
    pub(crate) async fn finish_within(&self, grace: Duration) -> bool {
        self.tracker.close();
        tokio::time::timeout(grace, self.tracker.wait())
            .await
            .is_ok()
    }
}
