//! The client of a subgraph, over HTTP or in this process.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use ::http::header::{
    ACCEPT, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, PROXY_AUTHORIZATION,
    TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use schema::source::{Source, SubgraphEndpoint};
use schema::types::Name;
use url::Url;

use super::SourceResponse;
use super::call_gate::CallGate;
use super::request::Request;
use super::shared_response::{CallResult, SharedResponse};
use crate::error::{FetchError, FetchFailure};
use crate::local::{LocalRequest, LocalService};
use crate::redacted::RedactedUrl;
use crate::settings::Settings;
use crate::subgraph_request::Document;

/// A subgraph with the operator's settings.
#[derive(Debug)]
pub(crate) struct SubgraphClient {
    name: Name,
    location: Location,
    pub(crate) timeout: Duration,
    /// Bounds the requests of all operations.
    pub(crate) gate: Arc<CallGate>,
    /// Maximum entities of one request.
    pub(crate) max_entities: usize,
    headers: Vec<(HeaderName, HeaderValue)>,
    forwarded_headers: Vec<HeaderName>,
}

#[derive(Debug)]
enum Location {
    Local(Arc<dyn LocalService>),
    Http(Url),
    /// Neither the graph nor the settings have a valid URL; the text says why.
    Unconfigured(String),
}

impl Location {
    /// The location that the graph declares.
    fn from_source(source: &Source, graphql: &SubgraphEndpoint) -> Self {
        let name = &source.subgraph;
        let Some(url) = graphql.url.as_deref() else {
            return Self::Unconfigured(format!("no URL is configured for subgraph `{name}`"));
        };
        match url.parse::<Url>() {
            Ok(url) if url.has_host() => Self::Http(url),
            _ => Self::Unconfigured(format!(
                "the URL of subgraph `{name}` in the graph is invalid"
            )),
        }
    }
}

impl SubgraphClient {
    /// Creates the client of the subgraph of `source`.
    pub(crate) fn new(source: &Source, graphql: &SubgraphEndpoint, settings: &Settings) -> Self {
        let own = settings.subgraphs.get(&*source.subgraph);
        let local = settings.local.get(&*source.subgraph);
        let location = match (local, own.and_then(|own| own.url.clone())) {
            (Some(local), _) => Location::Local(Arc::clone(local)),
            (None, Some(url)) => Location::Http(url),
            (None, None) => Location::from_source(source, graphql),
        };
        let overrides = own.map(|own| own.call_limits).unwrap_or_default();
        let limits = overrides.over(settings.call_limits);
        Self {
            name: Arc::clone(&source.subgraph),
            gate: Arc::new(CallGate::new(Arc::clone(&source.subgraph), limits)),
            max_entities: limits.entities.get(),
            location,
            timeout: own
                .and_then(|own| own.timeout)
                .unwrap_or(settings.source_timeout),
            headers: own.map(|own| own.headers.clone()).unwrap_or_default(),
            forwarded_headers: own
                .map(|own| forwardable_headers(&own.forwarded_headers))
                .unwrap_or_default(),
        }
    }

    /// The location as text for traces.
    pub(crate) fn display_location(&self) -> String {
        match &self.location {
            Location::Local(_) => "in this process".to_owned(),
            Location::Http(url) => format!("POST {}", RedactedUrl(url)),
            Location::Unconfigured(reason) => reason.clone(),
        }
    }

    /// The client headers that are forwarded.
    pub(crate) fn forwarded_headers(&self) -> &[HeaderName] {
        &self.forwarded_headers
    }

    /// The HTTP request for a document; `None` for a subgraph without a URL. `variables` are the
    /// members of the object, separated by commas.
    pub(crate) fn request(
        &self,
        document: &Document,
        variables: &[u8],
        client_headers: &HeaderMap,
    ) -> Option<Request> {
        let Location::Http(url) = &self.location else {
            return None;
        };
        Some(Request {
            method: Method::POST,
            url: url.clone(),
            headers: http_headers(self.headers(client_headers)),
            body: Some([&document.head, variables, b"}}"].concat().into()),
            is_idempotent: document.is_query,
            memory: None,
            gate: Some(Arc::clone(&self.gate)),
            clock: None,
        })
    }

    /// Calls a service in this process.
    pub(crate) fn call_local(
        &self,
        document: &Document,
        variables: &[u8],
        client_headers: &HeaderMap,
    ) -> BoxFuture<'_, CallResult> {
        let reason = match &self.location {
            Location::Local(service) => {
                let request = LocalRequest {
                    query: Arc::clone(&document.text),
                    operation_name: document.name.clone(),
                    variables: [b"{", variables, b"}"].concat().into(),
                    headers: self.headers(client_headers),
                };
                return self.run_local(service, request).boxed();
            }
            Location::Http(_) => format!("subgraph `{}` is not in this process", self.name),
            Location::Unconfigured(reason) => reason.clone(),
        };
        std::future::ready(Err(FetchError::Build(reason))).boxed()
    }

    async fn run_local(
        &self,
        service: &Arc<dyn LocalService>,
        request: LocalRequest,
    ) -> CallResult {
        let _permit = self.gate.enter().await?;
        let call = AssertUnwindSafe(async { service.call(request).await }).catch_unwind();
        match tokio::time::timeout(self.timeout, call).await {
            Ok(Ok(body)) => Ok(Arc::new(SharedResponse::new(ok_response(body)))),
            Ok(Err(_)) => Err(FetchError::Panicked),
            Err(_) => Err(FetchError::Timeout(self.timeout)),
        }
    }

    /// The forwarded client headers and the operator's own.
    fn headers(&self, client_headers: &HeaderMap) -> HeaderMap {
        let mut headers =
            HeaderMap::with_capacity(self.headers.len() + self.forwarded_headers.len() + 2);
        for name in &self.forwarded_headers {
            for value in client_headers.get_all(name) {
                headers.append(name.clone(), value.clone());
            }
        }
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        headers
    }

    /// The failure of a call to this subgraph.
    pub(crate) fn failure(&self, error: FetchError) -> Arc<FetchFailure> {
        Arc::new(FetchFailure {
            subgraph: Arc::clone(&self.name),
            coordinate: Arc::clone(&self.name),
            error,
        })
    }
}

/// Excludes headers of a connection or a body, which must not be forwarded (RFC 9110 §7.6.1).
fn forwardable_headers(names: &[HeaderName]) -> Vec<HeaderName> {
    let names = names.iter();
    names
        .filter(|name| !CONNECTION_HEADERS.contains(name))
        .cloned()
        .collect()
}

fn ok_response(body: Bytes) -> SourceResponse {
    SourceResponse::with_no_delay(StatusCode::OK, HeaderMap::new(), body)
}

/// Adds the headers of the body and of the expected response (GraphQL over HTTP, section 4).
fn http_headers(mut headers: HeaderMap) -> HeaderMap {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED_MEDIA_TYPES));
    headers
}

const CONNECTION_HEADERS: [HeaderName; 12] = [
    CONNECTION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    HOST,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

const ACCEPTED_MEDIA_TYPES: &str = "application/graphql-response+json, application/json;q=0.9";
