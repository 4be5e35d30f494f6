//! A service that speaks GraphQL, with what the operator decided about it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use ::http::header::{
    ACCEPT, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TE, TRANSFER_ENCODING, UPGRADE,
};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use schema::source::{Graphql, Source};
use schema::types::Name;
use url::Url;

use super::Answer;
use super::reply::{Outcome, Reply};
use super::request::Request;
use crate::document::Document;
use crate::error::{FetchError, FetchFailure};
use crate::local::{LocalRequest, LocalService};
use crate::settings::Settings;

/// Everything about a service that does not change from request to request.
#[derive(Debug)]
pub(crate) struct Service {
    name: Name,
    address: Address,
    pub(crate) timeout: Duration,
    headers: Vec<(HeaderName, HeaderValue)>,
    forward: Vec<HeaderName>,
}

#[derive(Debug)]
enum Address {
    Here(Arc<dyn LocalService>),
    There(Url),
    /// Neither the graph nor the settings say where it is; this is what there is to say.
    Nowhere(String),
}

impl Address {
    /// Where the graph says that a service is.
    fn of(source: &Source, graphql: &Graphql) -> Self {
        let name = &source.service;
        let Some(url) = graphql.url.as_deref() else {
            return Self::Nowhere(format!("nobody says where the service `{name}` is"));
        };
        match url.parse::<Url>() {
            Ok(url) if url.has_host() => Self::There(url),
            _ => Self::Nowhere(format!(
                "the graph's address of the service `{name}` is no URL"
            )),
        }
    }
}

impl Service {
    /// The service of `source` with its settings.
    pub(crate) fn new(source: &Source, graphql: &Graphql, settings: &Settings) -> Self {
        let own = settings.services.get(&*source.service);
        let local = settings.local.get(&*source.service);
        let address = match (local, own.and_then(|own| own.url.clone())) {
            (Some(local), _) => Address::Here(Arc::clone(local)),
            (None, Some(url)) => Address::There(url),
            (None, None) => Address::of(source, graphql),
        };
        Self {
            name: Arc::clone(&source.service),
            address,
            timeout: own
                .and_then(|own| own.timeout)
                .unwrap_or(settings.source_timeout),
            headers: own.map(|own| own.headers.clone()).unwrap_or_default(),
            forward: own.map(|own| sent_on(&own.forward)).unwrap_or_default(),
        }
    }

    /// Where it is, for people.
    pub(crate) fn whereabouts(&self) -> String {
        match &self.address {
            Address::Here(_) => "in this process".to_owned(),
            Address::There(url) => {
                let port = url.port().map(|port| format!(":{port}"));
                let host = url.host_str().unwrap_or_default();
                let port = port.unwrap_or_default();
                format!("POST {}://{host}{port}{}", url.scheme(), url.path())
            }
            Address::Nowhere(reason) => reason.clone(),
        }
    }

    /// The client's headers that are sent on.
    pub(crate) fn forwards(&self) -> &[HeaderName] {
        &self.forward
    }

    /// What it is asked over HTTP; `None` when that is not how it is asked. `variables` are the
    /// members of the object, with commas between them.
    pub(crate) fn request(
        &self,
        document: &Document,
        variables: &[u8],
        from: &HeaderMap,
    ) -> Option<Request> {
        let Address::There(url) = &self.address else {
            return None;
        };
        Some(Request {
            method: Method::POST,
            url: url.clone(),
            headers: http_headers(self.headers(from)),
            body: Some([&document.head, variables, b"}}"].concat().into()),
        })
    }

    /// Asks a service in this process.
    pub(crate) fn ask(
        &self,
        document: &Document,
        variables: &[u8],
        from: &HeaderMap,
    ) -> BoxFuture<'_, Outcome> {
        let reason = match &self.address {
            Address::Here(service) => {
                let request = LocalRequest {
                    query: Arc::clone(&document.text),
                    operation_name: document.name.clone(),
                    variables: [b"{", variables, b"}"].concat().into(),
                    headers: self.headers(from),
                };
                return self.local(service, request).boxed();
            }
            Address::There(_) => format!("the service `{}` is not in this process", self.name),
            Address::Nowhere(reason) => reason.clone(),
        };
        std::future::ready(Err(FetchError::Build(reason))).boxed()
    }

    async fn local(&self, service: &Arc<dyn LocalService>, request: LocalRequest) -> Outcome {
        let call = AssertUnwindSafe(async { service.call(request).await }).catch_unwind();
        match tokio::time::timeout(self.timeout, call).await {
            Ok(Ok(body)) => Ok(Arc::new(Reply::new(answer(body)))),
            Ok(Err(_)) => Err(FetchError::Panicked),
            Err(_) => Err(FetchError::Timeout(self.timeout)),
        }
    }

    /// What is sent on of the client's headers, and what the operator adds.
    fn headers(&self, from: &HeaderMap) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(self.headers.len() + self.forward.len() + 2);
        for name in &self.forward {
            for value in from.get_all(name) {
                headers.append(name.clone(), value.clone());
            }
        }
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        headers
    }

    /// What failed, for everybody who waited for it.
    pub(crate) fn failure(&self, error: FetchError) -> Arc<FetchFailure> {
        Arc::new(FetchFailure {
            service: Arc::clone(&self.name),
            coordinate: Arc::clone(&self.name),
            error,
        })
    }
}

/// Headers that are about one connection or one body are never those of another (RFC 9110 §7.6.1).
fn sent_on(names: &[HeaderName]) -> Vec<HeaderName> {
    let own = [
        CONNECTION,
        CONTENT_LENGTH,
        CONTENT_TYPE,
        HOST,
        TE,
        TRANSFER_ENCODING,
        UPGRADE,
    ];
    let names = names.iter();
    names.filter(|name| !own.contains(name)).cloned().collect()
}

fn answer(body: Bytes) -> Answer {
    Answer::here(StatusCode::OK, HeaderMap::new(), body)
}

/// Those of the body and of its answer are ours to say (GraphQL over HTTP, section 4).
fn http_headers(mut headers: HeaderMap) -> HeaderMap {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static(ANSWERS));
    headers
}

const ANSWERS: &str = "application/graphql-response+json, application/json;q=0.9";
