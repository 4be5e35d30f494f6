//! Accepts connections and responds to their requests, with the faults in force.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::fault::Fault;
use super::state::ServiceState;
use super::{Api, control};
use crate::http::{Call, HttpResponse, Payload, Problem, RouteMatch, find_route, route_problem};

/// An api with the counters and overrides of its service.
#[derive(Debug)]
pub(super) struct Host<A> {
    pub(super) api: A,
    pub(super) state: Arc<ServiceState>,
}

/// Accepts connections until `closing`, then waits for the open ones.
///
/// Dropping the future closes the listener and all connections.
pub(super) async fn accept<A: Api>(
    listener: TcpListener,
    host: Arc<Host<A>>,
    closing: CancellationToken,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = closing.cancelled() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, Arc::clone(&host), closing.clone()));
                }
                // Most likely out of file descriptors: wait until some are closed.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Responds to all requests of one connection.
async fn serve_connection<A: Api>(
    stream: TcpStream,
    host: Arc<Host<A>>,
    closing: CancellationToken,
) {
    if stream.set_nodelay(true).is_err() {
        return; // The client has disconnected.
    }
    let reset = Arc::new(AtomicBool::new(false));
    let resets = Arc::clone(&reset);
    let service = service_fn(move |request| {
        let (host, reset) = (Arc::clone(&host), Arc::clone(&resets));
        async move { respond(&host, &reset, request).await }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_header_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    // Errors of a connection are its client's, or an injected fault.
    tokio::select! {
        _ = &mut connection => {}
        () = closing.cancelled() => {
            Pin::new(&mut connection).graceful_shutdown();
            let _ = (&mut connection).await;
        }
    }
    if reset.load(Ordering::Relaxed) {
        let stream = connection.into_parts().io.into_inner();
        // Closing without lingering sends RST instead of FIN.
        let _ = stream.set_zero_linger();
    }
}

async fn respond<A: Api>(
    host: &Host<A>,
    reset: &AtomicBool,
    request: Request<Incoming>,
) -> io::Result<Response<Payload>> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if control::is_control_route(path) {
        let response = control::respond(host, &parts, body).await;
        return Ok(response_or_problem(response, &parts).map(Payload::whole));
    }
    let route_match = find_route(A::ROUTES, &parts.method, path);
    let index = match route_match {
        RouteMatch::Route(index, _) => index,
        RouteMatch::MethodNotAllowed(_) | RouteMatch::NotFound => host.state.unmatched(),
    };
    host.state.count_call(index);
    let fault = host.state.faults.for_route(index);
    let mut response = match apply_before_call(fault, &parts).await {
        Some(response) => response,
        None => match route_match {
            RouteMatch::Route(_, endpoint) => {
                let call = Call {
                    parts: &parts,
                    body,
                };
                response_or_problem(host.api.respond(endpoint, call).await, &parts)
            }
            route_match @ (RouteMatch::MethodNotAllowed(_) | RouteMatch::NotFound) => {
                route_problem(&route_match, &parts).into_response(path)
            }
        },
    };
    if let Some(lifetime) = host.state.lifetimes.for_route(index) {
        lifetime.apply_override(&mut response);
    }
    host.state.count_response(index, response.status());
    apply_to_response(fault, response, &parts, reset)
}

fn response_or_problem(response: Result<HttpResponse, Problem>, parts: &Parts) -> HttpResponse {
    response.unwrap_or_else(|problem| problem.into_response(parts.uri.path()))
}

/// The response of a fault that replaces the call; `None` if the call is still to be handled.
async fn apply_before_call(fault: Option<Fault>, parts: &Parts) -> Option<HttpResponse> {
    match fault? {
        Fault::Delay(pause) => {
            tokio::time::sleep(pause).await;
            None
        }
        Fault::Stall => std::future::pending().await,
        Fault::Status(status) => {
            let status = StatusCode::from_u16(status)
                .ok()
                .filter(|status| status.is_client_error() || status.is_server_error())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let problem = Problem::new(status, "This status is an injected fault.");
            Some(problem.into_response(parts.uri.path()))
        }
        Fault::NotJson => {
            let mut response = Response::new(Bytes::from_static(HTML_PAGE.as_bytes()));
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Some(response)
        }
        Fault::Reset | Fault::Trickle(_) | Fault::CutShort => None,
    }
}

/// Applies a fault to the response; an error closes the connection without a response.
fn apply_to_response(
    fault: Option<Fault>,
    response: HttpResponse,
    parts: &Parts,
    reset: &AtomicBool,
) -> io::Result<Response<Payload>> {
    match fault {
        Some(Fault::Trickle(pause)) => Ok(response.map(|body| Payload::in_chunks(body, pause))),
        Some(fault @ (Fault::Reset | Fault::CutShort)) => {
            reset.store(fault == Fault::Reset, Ordering::Relaxed);
            cut_short(response, parts)
        }
        None | Some(Fault::Delay(_) | Fault::Stall | Fault::Status(_) | Fault::NotJson) => {
            Ok(response.map(Payload::whole))
        }
    }
}

fn cut_short(mut response: HttpResponse, parts: &Parts) -> io::Result<Response<Payload>> {
    if response.body().is_empty() || parts.method == Method::HEAD {
        // Without a body to cut short, the head is not sent.
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    let whole = HeaderValue::from(response.body().len());
    response.headers_mut().insert(CONTENT_LENGTH, whole);
    Ok(response.map(Payload::broken))
}

/// The page of a misconfigured proxy.
const HTML_PAGE: &str = "<!doctype html>\n<title>Welcome</title>\n<h1>It works!</h1>\n";

/// Maximum number of connections, more than any test opens; further ones wait in the queue of the
/// listener.
const MAX_CONNECTIONS: usize = 8_192;

/// Delay after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Maximum time for the head of a request, and maximum idle time of a connection; longer than
/// connection pools keep idle connections.
const IDLE_TIMEOUT: Duration = Duration::from_mins(2);

/// Maximum size of a head, in bytes: room for 500 ids of ten digits, and ordinary headers.
const MAX_HEAD_BYTES: usize = 32 * 1024;
