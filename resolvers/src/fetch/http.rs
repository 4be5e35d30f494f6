//! Calls over HTTP: sends a request and reads the answer within its bounds.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;

use super::Answer;
use super::reply::{Outcome, Reply};
use super::request::Request;
use crate::error::FetchError;

/// The client of all calls: keeps connections, follows no redirects.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    client: reqwest::Client,
    body_limit: usize,
}

/// Longer than most services keep a connection that nobody uses.
const IDLE: Duration = Duration::from_mins(1);

/// A service that is there answers a connection at once.
const CONNECT: Duration = Duration::from_secs(2);

impl Client {
    /// A client that reads answers of up to `body_limit` bytes.
    pub(crate) fn new(body_limit: usize) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("weir/", env!("CARGO_PKG_VERSION")))
            .pool_idle_timeout(IDLE)
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            // An answer elsewhere is for the caller to see; following it could leave the service.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { client, body_limit })
    }

    /// One call, answered within `timeout`, body included.
    pub(crate) async fn call(&self, request: Request, timeout: Duration) -> Outcome {
        match tokio::time::timeout(timeout, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(FetchError::Timeout(timeout)),
        }
    }

    /// One call, for those who limit the time themselves.
    pub(crate) async fn exchange(&self, request: Request) -> Outcome {
        let answer = self.answer(request).await?;
        Ok(Arc::new(Reply::new(answer)))
    }

    async fn answer(&self, request: Request) -> Result<Answer, FetchError> {
        let began = Instant::now();
        let mut outgoing = reqwest::Request::new(request.method, request.url);
        *outgoing.headers_mut() = request.headers;
        *outgoing.body_mut() = request.body.map(reqwest::Body::from);
        let mut response = self.client.execute(outgoing).await.map_err(|error| {
            if error.is_connect() {
                FetchError::Connect(Arc::new(error))
            } else {
                broken(error)
            }
        })?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let body = self.body(response).await?;
        Ok(Answer {
            status,
            headers,
            body,
            received: SystemTime::now(),
            delay: began.elapsed(),
        })
    }

    async fn body(&self, mut response: reqwest::Response) -> Result<Bytes, FetchError> {
        let expected = response.content_length().unwrap_or(0);
        let expected = usize::try_from(expected).unwrap_or(usize::MAX);
        if expected > self.body_limit {
            return Err(FetchError::TooLarge(self.body_limit));
        }
        let Some(first) = response.chunk().await.map_err(broken)? else {
            return Ok(Bytes::new());
        };
        if expected == first.len() {
            return Ok(first); // The whole body in one piece: nothing to copy.
        }
        let mut body = BytesMut::with_capacity(expected.max(first.len()));
        body.extend_from_slice(&first);
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > self.body_limit {
                return Err(FetchError::TooLarge(self.body_limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

fn broken(error: reqwest::Error) -> FetchError {
    FetchError::Broken(Arc::new(error))
}
