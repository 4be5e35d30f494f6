//! What happens around every request: an id, a line in the log, and no way out for a panic.

use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt as _;
use http::header::CONTENT_LENGTH;
use http::{HeaderName, HeaderValue};
use tokio::time::Instant;

use crate::respond;
use crate::server::Peer;

/// Identifies one request, in its answer and in every line of the log about it.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) HeaderValue);

/// What the log should say of an operation; in the extensions of its response.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccessLogEntry {
    pub(crate) operation: Option<String>,
    pub(crate) errors: usize,
    pub(crate) code: Option<&'static str>,
}

/// Gives the request an id, answers for it when it panics, and logs how it went.
pub(crate) async fn observe(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::from_request(&request);
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    request.extensions_mut().insert(id.clone());

    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answer.unwrap_or_else(|_| respond::panicked(&id));

    let entry = response
        .extensions_mut()
        .remove::<AccessLogEntry>()
        .unwrap_or_default();
    tracing::info!(
        request_id = id.as_str(),
        peer = peer.map(tracing::field::display),
        %method,
        path,
        status = response.status().as_u16(),
        ms = millis(started.elapsed()),
        bytes = body_length(&response),
        operation = entry.operation,
        errors = (entry.errors > 0).then_some(entry.errors),
        code = entry.code,
        "request"
    );
    response.headers_mut().insert(REQUEST_ID, id.0);
    response
}

/// Milliseconds, to the microsecond.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

impl RequestId {
    /// The id that the client sent, when it is fit for a log; else a new one.
    fn from_request(request: &Request) -> Self {
        let sent = request.headers().get(REQUEST_ID);
        let valid = sent.filter(|id| is_valid_id(id.as_bytes()));
        Self(valid.cloned().unwrap_or_else(new_id))
    }

    /// The id as text.
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longer ids are attempts to fill the log.
const MAX_ID_BYTES: usize = 128;

fn is_valid_id(id: &[u8]) -> bool {
    !id.is_empty() && id.len() <= MAX_ID_BYTES && id.iter().all(u8::is_ascii_graphic)
}

/// Unlike any other of this process, and, as the seed is random, of any other process.
fn new_id() -> HeaderValue {
    static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);

    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut id = String::with_capacity(32);
    let _ = write!(
        id,
        "{:016x}{:016x}",
        SEED.hash_one(count),
        SEED.hash_one(!count)
    );
    HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}

fn body_length(response: &Response) -> Option<u64> {
    use axum::body::HttpBody as _;

    let exact = response.body().size_hint().exact();
    let declared = || {
        response
            .headers()
            .get(CONTENT_LENGTH)?
            .to_str()
            .ok()?
            .parse()
            .ok()
    };
    exact.or_else(declared)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use http::StatusCode;
    use http_body_util::BodyExt as _;
    use hyper::service::Service as _;
    use hyper_util::service::TowerToHyperService;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered_and_names_nothing_but_the_request() {
        let broken = async || -> &'static str { panic!("secret") };
        let router = Router::new()
            .route("/", get(broken))
            .layer(axum::middleware::from_fn(observe));
        let request = http::Request::get("/")
            .header("x-request-id", "7f")
            .body(Body::empty())
            .unwrap();

        let response = TowerToHyperService::new(router)
            .call(request)
            .await
            .unwrap();

        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()["x-request-id"], "7f");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(
            body.ends_with(b"\"extensions\":{\"code\":\"INTERNAL_SERVER_ERROR\"}}]}"),
            "{body:?}"
        );
        assert!(!body.windows(6).any(|word| word == b"secret"));
    }

    #[test]
    fn ids_differ_and_are_fit_for_a_log() {
        let ids = [new_id(), new_id()];

        assert_ne!(ids[0], ids[1]);
        assert!(is_valid_id(ids[0].as_bytes()));
    }

    #[test]
    fn an_id_that_could_forge_a_line_of_the_log_is_not_used() {
        assert!(is_valid_id(b"7f-3a"));
        assert!(!is_valid_id(b"a b"));
        assert!(!is_valid_id(b""));
        assert!(!is_valid_id(&[b'a'; 129]));
    }
}
