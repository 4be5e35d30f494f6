//! A service that replays recorded responses, for the examples.
//!
//! Each example has a folder of recorded requests and responses. The service has no state: equal
//! requests have equal responses, and a request that was not recorded gets a 404.

mod exchange;

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use self::exchange::Exchange;
use crate::service::Tasks;

/// A service with recorded responses, which runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Recorded {
    url: String,
    host: Arc<Host>,
    tasks: Tasks,
}

#[derive(Debug)]
struct Host {
    exchanges: Vec<Exchange>,
    calls: Mutex<Vec<String>>,
}

impl Recorded {
    /// Serves the recordings in `folder` on a free port of 127.0.0.1.
    pub async fn start(folder: &Path) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Self::start_on(listener, folder)
    }

    /// Serves the recordings in `folder` on `listener`.
    ///
    /// Fails if a file cannot be read, or if the folder has no recordings.
    pub fn start_on(listener: TcpListener, folder: &Path) -> io::Result<Self> {
        let exchanges = exchange::read_exchanges(folder)?;
        if exchanges.is_empty() {
            let message = format!("nothing is recorded in {}", folder.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        }
        let url = format!("http://{}", listener.local_addr()?);
        let host = Arc::new(Host {
            exchanges,
            calls: Mutex::default(),
        });
        let tasks = Tasks::default();
        tasks.start(accept(listener, Arc::clone(&host)));
        Ok(Self { url, host, tasks })
    }

    /// The URL of the service, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The requests since the start, such as `GET /users?id=1`, in alphabetical order; at most the
    /// first ten thousand.
    pub fn calls(&self) -> Vec<String> {
        let calls = self.host.calls.lock();
        let mut calls = calls.unwrap_or_else(PoisonError::into_inner).clone();
        calls.sort();
        calls
    }

    /// Closes the listener and all connections.
    pub async fn stop(self) {
        self.tasks.stop().await;
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        self.tasks.abandon();
    }
}

/// Accepts connections until it is dropped, which closes them.
async fn accept(listener: TcpListener, host: Arc<Host>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, Arc::clone(&host)));
                }
                // Most likely out of file descriptors: wait until some are closed.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
}

async fn serve_connection(stream: TcpStream, host: Arc<Host>) {
    let service = service_fn(move |request| {
        let host = Arc::clone(&host);
        async move { host.respond(request).await }
    });
    // Errors of a connection are its client's.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Host {
    async fn respond(&self, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
        let (parts, body) = request.into_parts();
        self.record_call(format!("{} {}", parts.method, parts.uri));
        let body = tokio::time::timeout(IDLE_TIMEOUT, Limited::new(body, MAX_BODY).collect());
        let Ok(Ok(body)) = body.await else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let body = body.to_bytes();
        let mut recorded = self.exchanges.iter();
        let exchange = recorded.find(|exchange| exchange.is_match(&parts, &body));
        let response =
            exchange.map_or_else(|| exchange::not_recorded(&parts), Exchange::to_response);
        Ok(response.map(Full::new))
    }

    fn record_call(&self, call: String) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() < MAX_CALLS {
            calls.push(call);
        }
    }
}

/// Maximum number of connections; further ones wait in the queue of the listener.
const MAX_CONNECTIONS: usize = 1_024;

/// Maximum number of calls in `Recorded::calls`.
const MAX_CALLS: usize = 10_000;

/// Delay after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Maximum size of a body, in bytes; recorded bodies are small.
const MAX_BODY: usize = 64 * 1024;

/// Maximum time for the head of a request, and for its body.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
