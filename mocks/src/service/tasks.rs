//! The tasks of one service; none outlives it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The background tasks of a service.
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

    /// Runs `work` to its end even if the caller stops waiting, for example because the client
    /// disconnects; `None` if the service stops first.
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

    /// Runs short `work` to its end even if the service stops, for waiters that cannot handle a
    /// cancellation.
    pub(crate) fn complete(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(work);
    }

    /// Cancels all tasks and waits until they have ended.
    pub(crate) async fn stop(&self) {
        self.abandon();
        self.tracker.wait().await;
    }

    /// Cancels all tasks without waiting.
    pub(crate) fn abandon(&self) {
        self.stopped.cancel();
        self.tracker.close();
    }

    /// Waits until all tasks have ended; false if that takes longer than `grace`.
    pub(crate) async fn finish_within(&self, grace: Duration) -> bool {
        self.tracker.close();
        tokio::time::timeout(grace, self.tracker.wait())
            .await
            .is_ok()
    }
}
