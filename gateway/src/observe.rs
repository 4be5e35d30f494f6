//! Middleware around every request: a request id, the check of its `Host`, an access log line, and a
//! response after a panic.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt as _;
use http::header::CONTENT_LENGTH;
use tokio::time::Instant;

use crate::clip::clipped;
use crate::config::log::Log;
use crate::request::host;
use crate::request::id::{REQUEST_ID, RequestId};
use crate::respond::{self, AccessLogEntry};
use crate::server::Peer;

/// Adds a request id, refuses a request without one valid `Host`, responds to a request that panics,
/// and writes the access log line.
pub(crate) async fn observe(State(log): State<Log>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::from_request(&request);
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    request.extensions_mut().insert(id.clone());

    let mut response = match host::check(request.version(), request.headers()) {
        Ok(()) => {
            let result = AssertUnwindSafe(next.run(request)).catch_unwind().await;
            result.unwrap_or_else(|_| respond::panicked(&id))
        }
        Err(reason) => respond::invalid_host(reason),
    };

    let entry = response
        .extensions_mut()
        .remove::<AccessLogEntry>()
        .unwrap_or_default();
    let operation = entry.operation.as_deref();
    tracing::info!(
        request_id = id.as_str(),
        peer = peer.map(tracing::field::display),
        method = &*clipped(method.as_str(), log.field_length),
        path = &*clipped(&path, log.field_length),
        status = response.status().as_u16(),
        ms = millis(started.elapsed()),
        bytes = body_length(&response),
        operation = operation
            .map(|name| clipped(name, log.field_length))
            .as_deref(),
        errors = (entry.errors > 0).then_some(entry.errors),
        code = entry.code,
        "request"
    );
    response.headers_mut().insert(REQUEST_ID, id.into_header());
    response
}

/// Milliseconds, rounded to the microsecond.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
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
    use crate::config::Config;

    #[tokio::test]
    async fn the_response_to_a_panic_does_not_contain_its_message() {
        let broken = async || -> &'static str { panic!("secret") };
        let log = Config::without_file().log;
        let router = Router::new()
            .route("/", get(broken))
            .layer(axum::middleware::from_fn_with_state(log, observe));
        let request = http::Request::get("/")
            .header("host", "weir")
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
}
