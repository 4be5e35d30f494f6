//! An HTTP/1.1 server with graceful shutdown.
//!
//! Independent of GraphQL and of the routes.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::config::listen::Listen;
use crate::config::shutdown::Shutdown;
use crate::tasks::{Tasks, Unfinished};

/// A router and the limits of its connections.
#[derive(Clone, Debug)]
pub struct HttpService {
    /// Handles requests.
    pub router: Router,
    /// Time from the start of a connection, or the last response on it, to the end of the headers.
    pub header_timeout: Duration,
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
            connections: listen.connections,
        }
    }
}

/// Serves until `stop` is cancelled, then shuts down gracefully.
///
/// Accepts connections for another `shutdown.notice`, during which readiness fails; then requests
/// in flight have `shutdown.grace` to finish.
pub async fn serve(
    sockets: Vec<(TcpListener, HttpService)>,
    stop: CancellationToken,
    shutdown: Shutdown,
) -> Result<(), Unfinished> {
    let tasks = Tasks::default();
    let drain = CancellationToken::new();
    for (listener, service) in sockets {
        tasks.spawn(
            "accept",
            accept(listener, service, drain.clone(), tasks.clone()),
        );
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

/// Accepts connections until `drain` is cancelled, and spawns a task for each.
async fn accept(
    listener: TcpListener,
    service: HttpService,
    drain: CancellationToken,
    tasks: Tasks,
) {
    let permits = Arc::new(Semaphore::new(service.connections.get()));
    let connections = ConnectionServer {
        http: http1_builder(service.header_timeout),
        router: service.router,
        drain: drain.clone(),
    };
    let next = async || {
        let permit = Arc::clone(&permits).acquire_owned().await;
        (permit, listener.accept().await)
    };
    while let Some(accepted) = drain.run_until_cancelled(next()).await {
        match accepted {
            (Ok(permit), Ok((socket, peer))) => {
                tasks.spawn("connection", connections.clone().run(socket, peer, permit));
            }
            (_, Err(error)) => pause_after(&error).await,
            // The semaphore is never closed.
            (Err(_), _) => return,
        }
    }
}

/// Waits after an error of the system, such as too many open files, but not after a disconnect.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};

    if !matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted
    ) {
        tracing::error!(%error, "cannot accept a connection");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[derive(Clone)]
struct ConnectionServer {
    http: http1::Builder,
    router: Router,
    drain: CancellationToken,
}

impl ConnectionServer {
    /// Serves a connection until the client closes it or, once `drain` is cancelled, until the
    /// current response is complete.
    async fn run(self, socket: TcpStream, peer: SocketAddr, _permit: OwnedSemaphorePermit) {
        // Responses are written in one piece, so Nagle's algorithm would only delay them.
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%peer, %error, "the connection is already closed");
            return;
        }
        let router = TowerToHyperService::new(self.router);
        let service = service_fn(move |mut request: http::Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            router.call(request)
        });
        let mut connection =
            std::pin::pin!(self.http.serve_connection(TokioIo::new(socket), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.drain.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, %error, "the connection broke");
        }
    }
}

fn http1_builder(header_timeout: Duration) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_header_size(MAX_HEAD_BYTES);
    http
}

/// Maximum bytes of request headers: large cookies and tokens fit; beyond it the status is 431.
const MAX_HEAD_BYTES: usize = 64 * 1024;
