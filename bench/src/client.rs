//! A minimal HTTP client for generating load: one connection.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// One persistent connection; closed when dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    /// Runs the connection.
    _driver: JoinSet<()>,
}

/// A digest of a response that does not depend on the order of its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResponseDigest {
    length: usize,
    byte_sum: u64,
}

/// Errors of a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// The connection failed.
    #[error("cannot connect: {0}")]
    Connect(std::io::Error),
    /// The request could not be built.
    #[error("invalid request: {0}")]
    Request(#[from] http::Error),
    /// The connection was lost.
    #[error("the connection was lost: {0}")]
    Broken(#[from] hyper::Error),
    /// The status of the response is not 200.
    #[error("the response has the status {0}")]
    Status(StatusCode),
    /// The response differs from the checked one.
    #[error("the response differs from the checked one; it begins with {0:?}")]
    UnexpectedResponse(String),
    /// The response is not JSON of the expected shape.
    #[error("the response is not JSON of the expected shape: {0}")]
    Json(#[from] serde_json::Error),
}

impl Connection {
    /// Connects to `address`.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, ClientError> {
        let socket = TcpStream::connect(address)
            .await
            .map_err(ClientError::Connect)?;
        socket.set_nodelay(true).map_err(ClientError::Connect)?;
        let (sender, connection) = handshake(TokioIo::new(socket)).await?;
        let mut driver = JoinSet::new();
        driver.spawn(async {
            // The pending request gets the error as well.
            let _ = connection.await;
        });
        Ok(Self {
            sender,
            host: HeaderValue::from_str(&address.to_string()).map_err(http::Error::from)?,
            _driver: driver,
        })
    }

    /// Gets the body at `path`.
    pub(crate) async fn get(&mut self, path: Uri) -> Result<Bytes, ClientError> {
        let response = self.send(Method::GET, path, Bytes::new()).await?;
        Ok(response.into_body().collect().await?.to_bytes())
    }

    /// Sends a GraphQL request and returns the body of the response.
    pub(crate) async fn send_query(&mut self, body: Bytes) -> Result<Bytes, ClientError> {
        let response = self.send(Method::POST, graphql_uri(), body).await?;
        Ok(response.into_body().collect().await?.to_bytes())
    }

    /// Sends a GraphQL request, and fails unless the response has the bytes of `expected`, in any
    /// order: async-graphql writes the fields of an object as they become ready.
    pub(crate) async fn send_expecting(
        &mut self,
        body: Bytes,
        expected: &ResponseDigest,
    ) -> Result<(), ClientError> {
        let response = self.send(Method::POST, graphql_uri(), body).await?;
        let mut body = response.into_body();
        let (mut first, mut length, mut sum) = (Bytes::new(), 0, 0);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            length += data.len();
            sum += byte_sum(&data);
            if first.is_empty() {
                first = data;
            }
        }
        if length == expected.length && sum == expected.byte_sum {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&first);
        Err(ClientError::UnexpectedResponse(
            text.chars().take(MAX_EXCERPT_CHARS).collect(),
        ))
    }

    async fn send(
        &mut self,
        method: Method,
        path: Uri,
        body: Bytes,
    ) -> Result<Response<Incoming>, ClientError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, JSON)
            .header(ACCEPT, JSON)
            .body(Full::new(body))?;
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        match response.status() {
            StatusCode::OK => Ok(response),
            status => Err(ClientError::Status(status)),
        }
    }
}

impl ResponseDigest {
    /// The digest of `body`.
    pub(crate) fn new(body: &[u8]) -> Self {
        Self {
            length: body.len(),
            byte_sum: byte_sum(body),
        }
    }
}

/// The sum of the bytes: independent of their order, and cheap.
fn byte_sum(bytes: &[u8]) -> u64 {
    bytes.iter().copied().map(u64::from).sum()
}

fn graphql_uri() -> Uri {
    Uri::from_static("/graphql")
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Maximum length of a response in a message, in characters.
const MAX_EXCERPT_CHARS: usize = 300;
