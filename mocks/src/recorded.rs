//! A service that answers what was recorded, and nothing else.
//!
//! For the examples: each has a folder of recorded requests and answers. Keeps no state, so asking
//! twice is answered alike; says 404 to what was never recorded.

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

/// A service with recorded answers, listening until it is stopped or dropped.
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
    /// Answers what is recorded in `folder`, on a free port of 127.0.0.1.
    pub async fn start(folder: &Path) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Self::start_on(listener, folder)
    }

    /// Answers what is recorded in `folder`, on `listener`.
    ///
    /// An error when a file cannot be read, or when nothing is recorded at all.
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

    /// Where it listens; no slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What was asked since the start, in alphabetical order: `GET /users?id=1`. At most the first
    /// ten thousand.
    pub fn calls(&self) -> Vec<String> {
        let calls = self.host.calls.lock();
        let mut calls = calls.unwrap_or_else(PoisonError::into_inner).clone();
        calls.sort();
        calls
    }

    /// Closes the listener and every connection.
    pub async fn stop(self) {
        self.tasks.stop().await;
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        self.tasks.abandon();
    }
}

/// Takes connections until it is dropped, and they with it.
async fn accept(listener: TcpListener, host: Arc<Host>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, Arc::clone(&host)));
                }
                // Most likely out of file descriptors, which takes a moment to get better.
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
    // A connection that ends badly is its client's affair.
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

const MAX_CONNECTIONS: usize = 1_024;
const MAX_CALLS: usize = 10_000;
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Recorded bodies are small.
const MAX_BODY: usize = 64 * 1024;

/// For a head, and for a body.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
