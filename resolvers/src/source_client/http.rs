//! HTTP calls: sends a request and reads the response within its limits.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ::http::header::{ACCEPT_ENCODING, CONTENT_LENGTH};
use ::http::{HeaderMap, HeaderValue, Method, StatusCode};
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, StreamExt};
use tokio::io::AsyncReadExt;
use tokio::time::Instant;

use super::SourceResponse;
use super::content_coding::{self, ContentCoding, TooLong};
use super::request::Request;
use super::shared_response::{CallResult, SharedResponse};
use crate::error::{FetchError, TransportError};
use crate::memory::HeldMemory;
use crate::settings::Limits;

/// The HTTP client of all sources: pools connections, follows no redirects.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient {
    client: reqwest::Client,
    /// Opens a new connection for each request.
    unpooled: reqwest::Client,
    max_url_bytes: usize,
    max_header_bytes: usize,
    max_body_bytes: usize,
}

/// Maximum time that an idle connection is pooled; longer than most services keep one open.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);

/// Timeout of connecting; a reachable service accepts a connection at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

impl HttpClient {
    /// A client with the limits of requests and of response bodies.
    pub(crate) fn new(limits: &Limits) -> Result<Self, reqwest::Error> {
        Ok(Self {
            client: client_builder().pool_idle_timeout(IDLE_TIMEOUT).build()?,
            unpooled: client_builder().pool_max_idle_per_host(0).build()?,
            max_url_bytes: limits.source_url,
            max_header_bytes: limits.source_headers,
            max_body_bytes: limits.source_body,
        })
    }

    /// Sends a request; the response, body included, must arrive within `timeout` of its sending.
    pub(crate) async fn call(&self, request: Request, timeout: Duration) -> CallResult {
        let sent = async |request| match tokio::time::timeout(timeout, self.send(request)).await {
            Ok(result) => result,
            Err(_) => Err(FetchError::Timeout(timeout)),
        };
        let response = self.queue(request, sent).await?;
        Ok(Arc::new(SharedResponse::new(response)))
    }

    /// Sends a request without a timeout; the caller sets one.
    pub(crate) async fn call_without_timeout(&self, request: Request) -> CallResult {
        let response = self.queue(request, async |request| self.send(request).await);
        Ok(Arc::new(SharedResponse::new(response.await?)))
    }

    /// Sends a request with `send` when its source may have one more call.
    async fn queue(
        &self,
        mut request: Request,
        send: impl AsyncFnOnce(Request) -> Result<SourceResponse, FetchError>,
    ) -> Result<SourceResponse, FetchError> {
        let gate = request.gate.take();
        let permit = match &gate {
            Some(gate) => gate.enter().await,
            None => Ok(None),
        };
        if let Some(clock) = request.clock.take() {
            clock.mark_sent();
        }
        let _permit = permit?;
        send(request).await
    }

    async fn send(&self, request: Request) -> Result<SourceResponse, FetchError> {
        self.check_size(&request)?;
        let started = Instant::now();
        let mut held = HeldMemory::new(request.memory);
        held.grow(0)?;
        let mut outgoing = reqwest::Request::new(request.method, request.url);
        *outgoing.headers_mut() = request.headers;
        let body = request.body.filter(|body| !body.is_empty());
        if body.is_none() && [Method::POST, Method::PUT, Method::PATCH].contains(outgoing.method())
        {
            // Without it some services wait for a body, or answer 411 (RFC 9110 §8.6).
            let none = HeaderValue::from_static("0");
            outgoing.headers_mut().insert(CONTENT_LENGTH, none);
        }
        *outgoing.body_mut() = body.map(reqwest::Body::from);
        let again = request
            .is_idempotent
            .then(|| outgoing.try_clone())
            .flatten();
        let response = self.client.execute(outgoing).await;
        let response = match (response, again) {
            // A service may close an idle connection just as the request is sent (RFC 9112 §9.3.1).
            (Err(error), Some(again)) if is_closed_connection(&error) => {
                self.unpooled.execute(again).await
            }
            (response, _) => response,
        };
        let mut response = response.map_err(|error| {
            if error.is_connect() {
                FetchError::Connect(TransportError::new(error))
            } else {
                transport_error(error)
            }
        })?;
        let status = response.status();
        let codings = content_coding::codings(status, response.headers())?;
        let headers = std::mem::take(response.headers_mut());
        let body = self.read_body(response, &codings, &mut held).await?;
        Ok(SourceResponse {
            status,
            headers,
            body,
            received: SystemTime::now(),
            delay: started.elapsed(),
        })
    }

    /// A service that refuses a large request does so with a status of its choice, or by closing the
    /// connection; this error says what is too large.
    fn check_size(&self, request: &Request) -> Result<(), FetchError> {
        let check = |part: &str, bytes: usize, max: usize| {
            if bytes <= max {
                return Ok(());
            }
            let message = format!("its {part} {bytes} bytes, more than the maximum of {max}");
            Err(FetchError::Build(message))
        };
        check("URL has", request.url.as_str().len(), self.max_url_bytes)?;
        let headers = request.headers.iter();
        let bytes = headers.map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
        check("headers have", bytes.sum(), self.max_header_bytes)
    }

    /// Reads a body, counted as held while it arrives.
    async fn read_body(
        &self,
        mut response: reqwest::Response,
        codings: &[ContentCoding],
        held: &mut HeldMemory,
    ) -> Result<Bytes, FetchError> {
        let expected = response.content_length().unwrap_or(0);
        let expected = usize::try_from(expected).unwrap_or(usize::MAX);
        if expected > self.max_body_bytes {
            return Err(FetchError::TooLarge(self.max_body_bytes));
        }
        let Some(first) = response.chunk().await.map_err(transport_error)? else {
            return Ok(Bytes::new());
        };
        if !codings.is_empty() {
            return self.decode_body(first, response, codings, held).await;
        }
        held.grow(expected.max(first.len()))?;
        let mut announced = expected.saturating_sub(first.len());
        if expected == first.len() {
            return Ok(first); // The body is one chunk: no copy.
        }
        let mut body = BytesMut::with_capacity(expected.max(first.len()));
        body.extend_from_slice(&first);
        while let Some(chunk) = response.chunk().await.map_err(transport_error)? {
            if body.len() + chunk.len() > self.max_body_bytes {
                return Err(FetchError::TooLarge(self.max_body_bytes));
            }
            held.grow(chunk.len().saturating_sub(announced))?;
            announced = announced.saturating_sub(chunk.len());
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    /// Decodes a body whose first bytes have arrived; it is bounded before and after each coding.
    async fn decode_body(
        &self,
        first: Bytes,
        response: reqwest::Response,
        codings: &[ContentCoding],
        held: &mut HeldMemory,
    ) -> Result<Bytes, FetchError> {
        let (status, max) = (response.status(), self.max_body_bytes);
        let rest = stream::try_unfold(response, async |mut response| {
            let chunk = response.chunk().await.map_err(io::Error::other)?;
            Ok(chunk.map(|chunk| (chunk, response)))
        });
        let chunks = stream::once(async { Ok(first) }).chain(rest);
        let mut reader = content_coding::decoded(chunks, codings, max);
        let mut body = BytesMut::new();
        loop {
            let read = reader.read_buf(&mut body).await;
            match read.map_err(|error| decoding_error(status, max, error))? {
                0 => return Ok(body.freeze()),
                read => held.grow(read)?,
            }
        }
    }
}

fn client_builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("weir/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        // Bodies are decoded here: also lists of codings, and names in any letter case.
        .default_headers(HeaderMap::from_iter([(
            ACCEPT_ENCODING,
            content_coding::ACCEPTED,
        )]))
        .no_brotli()
        .no_deflate()
        .no_gzip()
        .no_zstd()
        // A redirect is returned to the caller; following it could leave the service.
        .redirect(reqwest::redirect::Policy::none())
}

fn transport_error(error: reqwest::Error) -> FetchError {
    FetchError::Broken(TransportError::new(error))
}

/// The error of a coded body: it is too long, the connection broke, or it is not in its coding.
fn decoding_error(status: StatusCode, max: usize, error: io::Error) -> FetchError {
    let reason = error.to_string();
    let Some(cause) = error.into_inner() else {
        return FetchError::Undecodable { status, reason };
    };
    if cause.is::<TooLong>() {
        return FetchError::TooLarge(max);
    }
    match cause.downcast::<reqwest::Error>() {
        Ok(error) => transport_error(*error),
        Err(_) => FetchError::Undecodable { status, reason },
    }
}

/// Whether the service closed the connection before it sent anything of a response.
fn is_closed_connection(error: &reqwest::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    if error.is_connect() || error.is_timeout() {
        return false;
    }
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && error.is_incomplete_message()
        {
            return true;
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            let kinds = [
                BrokenPipe,
                ConnectionAborted,
                ConnectionReset,
                UnexpectedEof,
            ];
            return kinds.contains(&error.kind());
        }
        cause = error.source();
    }
    false
}
