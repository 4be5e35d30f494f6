//! An HTTP/1.1 server with graceful shutdown.
//!
//! Independent of GraphQL and of the routes.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::accept::Acceptor;
use crate::config::listen::Listen;
use crate::config::shutdown::Shutdown;
use crate::tasks::{Tasks, Unfinished};

mod accept;
mod activity;
mod client_stream;
mod connection;

/// A router and the limits of its connections.
#[derive(Clone, Debug)]
pub struct HttpService {
    /// Handles requests.
    pub router: Router,
    /// Time from the start of a connection, or the last response on it, to the end of the headers.
    pub header_timeout: Duration,
    /// Time without progress after which a response that the client does not read is cut off.
    pub write_timeout: Duration,
    /// Maximum concurrent connections.
    pub connections: NonZeroUsize,
}

/// The address of the client or proxy, in the extensions of every request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl HttpService {
    /// A service with the limits of `listen`.
    pub fn new(router: Router, listen: &Listen) -> Self {
        Self {
            router,
            header_timeout: listen.header_timeout,
            write_timeout: listen.write_timeout,
            connections: listen.connections,
        }
    }
}

/// Serves until `stop` is cancelled, then shuts down gracefully.
///
/// Accepts connections for another `shutdown.notice`, during which readiness fails; then requests
/// in flight have `shutdown.grace` to finish. A request is in flight from the end of its headers;
/// connections without one are closed at once.
pub async fn serve(
    sockets: Vec<(TcpListener, HttpService)>,
    stop: CancellationToken,
    shutdown: Shutdown,
) -> Result<(), Unfinished> {
    let tasks = Tasks::default();
    let drain = CancellationToken::new();
    for (listener, service) in sockets {
        let acceptor = Acceptor::new(listener, service, tasks.clone());
        tasks.spawn("accept", acceptor.run(drain.clone()));
    }

    stop.cancelled().await;
    tracing::info!("shutting down: readiness fails from now on");
    tokio::time::sleep(shutdown.notice).await;
    drain.cancel();
    let finished = tasks.finish_within(shutdown.grace).await;
    match &finished {
        Ok(()) => tracing::info!("stopped: all requests in flight have finished"),
        Err(unfinished) => tracing::warn!(%unfinished, "stopped: the grace period is over"),
    }
    finished
}
