//! One connection: serves its requests until the client or the server ends it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::activity::{Activity, ResponseBody};
use super::client_stream::ClientStream;
use super::{HttpService, Peer};

/// What a server requires of all its connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Demand {
    /// Whether the server is shutting down: requests in progress are the last ones.
    pub(super) is_draining: bool,
    /// Grows while clients wait for a connection. A connection that has been idle since the last
    /// time that it grew makes room.
    pub(super) shortages: u64,
}

/// Serves connections of one socket.
#[derive(Clone, Debug)]
pub(super) struct ConnectionServer {
    http: http1::Builder,
    router: Router,
    write_timeout: Duration,
    demand: watch::Receiver<Demand>,
}

impl ConnectionServer {
    /// A server of connections that follow `demand`.
    pub(super) fn new(service: HttpService, demand: watch::Receiver<Demand>) -> Self {
        Self {
            http: http1_builder(service.header_timeout),
            router: service.router,
            write_timeout: service.write_timeout,
            demand,
        }
    }

    /// Serves a connection until the client closes it, a timeout ends, or the server demands it.
    pub(super) async fn run(
        self,
        socket: TcpStream,
        peer: SocketAddr,
        _permit: OwnedSemaphorePermit,
    ) {
        let activity = Activity::default();
        match ClientStream::new(socket, self.write_timeout, activity.clone()) {
            Ok(stream) => {
                if let Err(error) = self.serve(stream, peer, &activity).await {
                    let error: &dyn std::error::Error = &error;
                    tracing::debug!(%peer, error, "the connection broke");
                }
            }
            Err(error) => tracing::debug!(%peer, %error, "the connection is already closed"),
        }
    }

    async fn serve(
        mut self,
        stream: ClientStream,
        peer: SocketAddr,
        activity: &Activity,
    ) -> hyper::Result<()> {
        let router = TowerToHyperService::new(self.router);
        let service = service_fn(|mut request: http::Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            let in_progress = activity.begin_request();
            let response = router.call(request);
            async {
                let response = response.await?;
                Ok::<_, Infallible>(response.map(|body| ResponseBody::new(body, in_progress)))
            }
        });
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let mut begun = None;
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => return ended,
                demand = next_demand(&mut self.demand) => {
                    let is_unused = begun == Some(activity.begun()) && activity.is_idle();
                    if demand.is_draining || is_unused {
                        break;
                    }
                    begun = Some(activity.begun());
                }
            }
        }
        connection.as_mut().graceful_shutdown();
        if activity.is_idle() {
            // Nothing is owed to a client that has not sent the headers of a request: the bytes of
            // incomplete ones would keep the connection open until their timeout.
            return connection.now_or_never().unwrap_or(Ok(()));
        }
        connection.await
    }
}

/// Waits for another demand. The server is shutting down when its end of the channel is gone.
async fn next_demand(demand: &mut watch::Receiver<Demand>) -> Demand {
    let changed = demand.changed().await;
    let mut demand = *demand.borrow_and_update();
    demand.is_draining |= changed.is_err();
    demand
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
