//! Listeners and what answers at them become a running server, until it is told to stop.
//!
//! Speaks HTTP/1.1. Knows nothing of GraphQL or of routes.

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

/// What answers, and how patient its connections are.
#[derive(Clone, Debug)]
pub struct HttpService {
    /// Answers requests.
    pub router: Router,
    /// From the first byte of a connection, or the last answer on it, to the end of a head.
    pub header_timeout: Duration,
    /// Connections at a time.
    pub connections: NonZeroUsize,
}

/// The address of the other end, in the extensions of every request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl HttpService {
    /// A service as `listen` wants it.
    pub fn new(router: Router, listen: &Listen) -> Self {
        Self {
            router,
            header_timeout: listen.header_timeout,
            connections: listen.connections,
        }
    }
}

/// Serves until `stop`, then lets work in progress finish.
///
/// Whoever is told to stop says so at `/health/ready` at once; connections are accepted for
/// `shutdown.notice` longer, and requests in flight have `shutdown.grace` after that.
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
    tracing::info!("stopping: not ready any more");
    tokio::time::sleep(shutdown.notice).await;
    drain.cancel();
    let finished = tasks.finish_within(shutdown.grace).await;
    match &finished {
        Ok(()) => tracing::info!("stopped: everything in flight has finished"),
        Err(unfinished) => tracing::warn!(%unfinished, "stopped: time was up"),
    }
    finished
}

/// Accepts connections until `drain`; each becomes a task.
async fn accept(
    listener: TcpListener,
    service: HttpService,
    drain: CancellationToken,
    tasks: Tasks,
) {
    let free = Arc::new(Semaphore::new(service.connections.get()));
    let connections = ConnectionServer {
        http: http1_builder(service.header_timeout),
        router: service.router,
        drain: drain.clone(),
    };
    let next = async || {
        let permit = Arc::clone(&free).acquire_owned().await;
        (permit, listener.accept().await)
    };
    while let Some((permit, accepted)) = drain.run_until_cancelled(next()).await {
        match (permit, accepted) {
            (Ok(permit), Ok((socket, peer))) => {
                tasks.spawn("connection", connections.clone().run(socket, peer, permit));
            }
            (_, Err(error)) => pause_after(&error).await,
            // The semaphore is never closed.
            (Err(_), _) => return,
        }
    }
}

/// A client that went away costs nothing; a lack of files or memory needs time to pass.
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
    /// Answers on `socket` until the client is done; after `drain`, until the current answer is.
    async fn run(self, socket: TcpStream, peer: SocketAddr, _permit: OwnedSemaphorePermit) {
        // Answers are written whole, so waiting for more to send only costs time.
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%peer, %error, "the connection is gone already");
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

/// Heads with large cookies and tokens fit; larger ones are answered with 431.
const MAX_HEAD_BYTES: usize = 64 * 1024;
