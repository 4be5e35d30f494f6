//! Accepts the connections of one socket, up to their maximum.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::HttpService;
use super::connection::{ConnectionServer, Demand};
use crate::tasks::Tasks;

/// Accepts the connections of one socket, and spawns a task for each.
pub(super) struct Acceptor {
    listener: TcpListener,
    permits: Arc<Semaphore>,
    demand: watch::Sender<Demand>,
    connections: ConnectionServer,
    tasks: Tasks,
    /// Number of failures since the last line about them.
    failures: u64,
    /// Time of that line.
    logged: Option<Instant>,
}

impl Acceptor {
    /// Accepts connections of `listener` for `service`, and spawns them as `tasks`.
    pub(super) fn new(listener: TcpListener, service: HttpService, tasks: Tasks) -> Self {
        let (demand, receiver) = watch::channel(Demand::default());
        Self {
            listener,
            permits: Arc::new(Semaphore::new(service.connections.get())),
            demand,
            connections: ConnectionServer::new(service, receiver),
            tasks,
            failures: 0,
            logged: None,
        }
    }

    /// Accepts until `drain` is cancelled, then requires the connections to end.
    pub(super) async fn run(mut self, drain: CancellationToken) {
        while matches!(
            drain.run_until_cancelled(self.accept_one()).await,
            Some(Ok(()))
        ) {}
        self.demand.send_modify(|demand| demand.is_draining = true);
    }

    /// Accepts one connection, or waits after a failure. An error: the server has ended.
    async fn accept_one(&mut self) -> Result<(), AcquireError> {
        match self.listener.accept().await {
            Ok((socket, peer)) => {
                let permit = self.permit().await?;
                let connection = self.connections.clone().run(socket, peer, permit);
                self.tasks.spawn("connection", connection);
            }
            Err(error) => self.pause_after(&error).await,
        }
        Ok(())
    }

    /// The right to serve an accepted connection. While there is none, idle connections are closed,
    /// so that they cannot keep others out.
    async fn permit(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        loop {
            self.demand.send_modify(|demand| demand.shortages += 1);
            let permit = Arc::clone(&self.permits).acquire_owned();
            if let Ok(permit) = timeout(IDLE_WHEN_FULL, permit).await {
                return permit;
            }
        }
    }

    /// Waits after an error of the system, such as too many open files, but not after a disconnect.
    async fn pause_after(&mut self, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};

        if matches!(
            error.kind(),
            ConnectionAborted | ConnectionReset | Interrupted
        ) {
            return;
        }
        self.failures += 1;
        if self.logged.is_none_or(|time| time.elapsed() >= LINE_PAUSE) {
            let failures = std::mem::take(&mut self.failures);
            tracing::error!(%error, failures, "cannot accept a connection");
            self.logged = Some(Instant::now());
        }
        tokio::time::sleep(FAILURE_PAUSE).await;
    }
}

/// Time without a request after which a connection is closed when there is no room for others.
const IDLE_WHEN_FULL: Duration = Duration::from_secs(1);

/// Pause after a failure: connections or files may be closed meanwhile.
const FAILURE_PAUSE: Duration = Duration::from_millis(100);

/// Minimum time between two lines of the log about failures.
const LINE_PAUSE: Duration = Duration::from_secs(10);
