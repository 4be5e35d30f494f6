//! Fetches the SDL of a subgraph from its URL: `_service { sdl }` of Apollo Federation.
//!
//! One request without redirects, with a timeout and a maximum size.

use std::time::Duration;

use http::StatusCode;
use http::header::{ACCEPT, CONTENT_TYPE};
use reqwest::redirect::Policy;
use serde::Deserialize;
use url::Url;

/// Limits of one introspection.
#[derive(Clone, Copy, Debug)]
pub(super) struct IntrospectionLimits {
    time: Duration,
    bytes: usize,
}

/// Default limits: a user waits at a terminal, and the largest published schemas are a tenth of
/// this size.
pub(super) const DEFAULT_LIMITS: IntrospectionLimits = IntrospectionLimits {
    time: Duration::from_secs(10),
    bytes: 16 * 1024 * 1024,
};

/// Why the SDL of a subgraph could not be fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum IntrospectionError {
    /// The connection failed or broke.
    #[error("the subgraph is unreachable")]
    Call(#[source] reqwest::Error),
    /// The response was not complete in time.
    #[error("the subgraph did not respond within {0:?}")]
    Timeout(Duration),
    /// The response has more bytes than allowed.
    #[error("the response is larger than {0} bytes")]
    TooLarge(usize),
    /// The body is not a GraphQL response.
    #[error("the subgraph responded with {0} and a body that is not a GraphQL response")]
    NotGraphql(StatusCode),
    /// The subgraph has no field `_service`, or denies access to it.
    #[error("the subgraph rejected the query for its SDL: {0}")]
    Refused(String),
    /// A GraphQL response without the SDL.
    #[error("the response of the subgraph has no `_service.sdl`")]
    NoSdl,
}

/// Fetches the SDL of the subgraph at `url`.
pub(super) async fn fetch_sdl(
    url: &Url,
    limits: IntrospectionLimits,
) -> Result<String, IntrospectionError> {
    let request = send_query(url, limits.bytes);
    let response = tokio::time::timeout(limits.time, request).await;
    let (status, body) = response.map_err(|_| IntrospectionError::Timeout(limits.time))??;
    parse_sdl(status, &body)
}

async fn send_query(url: &Url, limit: usize) -> Result<(StatusCode, Vec<u8>), IntrospectionError> {
    // The message contains the URL already.
    let call_error = |error: reqwest::Error| IntrospectionError::Call(error.without_url());
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .user_agent(concat!("weir/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(call_error)?;
    let request = client
        .post(url.clone())
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, ACCEPTED_MEDIA_TYPES)
        .body(SDL_QUERY);
    let mut response = request.send().await.map_err(call_error)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(call_error)? {
        if body.len() + chunk.len() > limit {
            return Err(IntrospectionError::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((response.status(), body))
}

fn parse_sdl(status: StatusCode, body: &[u8]) -> Result<String, IntrospectionError> {
    let response: GraphqlResponse =
        serde_json::from_slice(body).map_err(|_| IntrospectionError::NotGraphql(status))?;
    let is_graphql = response.data.is_some();
    let sdl = response.data.and_then(|data| data.service?.sdl);
    if let Some(sdl) = sdl {
        return Ok(sdl);
    }
    match (response.errors.into_iter().next(), is_graphql) {
        (Some(error), _) => Err(IntrospectionError::Refused(error.message)),
        (None, true) => Err(IntrospectionError::NoSdl),
        (None, false) => Err(IntrospectionError::NotGraphql(status)),
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a GraphQL response")]
struct GraphqlResponse {
    data: Option<ResponseData>,
    #[serde(default)]
    errors: Vec<ResponseError>,
}

#[derive(Deserialize)]
struct ResponseData {
    #[serde(rename = "_service")]
    service: Option<Service>,
}

#[derive(Deserialize)]
struct Service {
    sdl: Option<String>,
}

#[derive(Deserialize)]
struct ResponseError {
    message: String,
}

const SDL_QUERY: &str = r#"{"query":"{ _service { sdl } }"}"#;

const ACCEPTED_MEDIA_TYPES: &str = "application/graphql-response+json, application/json;q=0.9";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Result<&str, &str>) {
        let sdl = parse_sdl(StatusCode::OK, body.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(
            sdl.as_deref().map_err(String::as_str),
            expected,
            "of {body}"
        );
    }

    #[test]
    fn a_response_is_an_sdl_or_an_error() {
        check(
            r#"{"data":{"_service":{"sdl":"type Query { a: Int }"}}}"#,
            Ok("type Query { a: Int }"),
        );
        check(
            r#"{"errors":[{"message":"no such field"}],"data":null}"#,
            Err("the subgraph rejected the query for its SDL: no such field"),
        );
        let no_sdl = "the response of the subgraph has no `_service.sdl`";
        check(r#"{"data":{"_service":null}}"#, Err(no_sdl));
        check(r#"{"data":{}}"#, Err(no_sdl));
        for body in ["", "<html>", "[]", "3", "{}", r#"{"data":3}"#] {
            let not_graphql =
                "the subgraph responded with 200 OK and a body that is not a GraphQL response";
            check(body, Err(not_graphql));
        }
    }

    #[tokio::test]
    async fn a_stalled_or_oversized_response_is_an_error() {
        let shop = mocks::Shop::start().await.unwrap();
        let url: Url = format!("{}/graphql", shop.reviews.url()).parse().unwrap();
        let limits = |time, bytes| IntrospectionLimits {
            time: Duration::from_millis(time),
            bytes,
        };

        let large = fetch_sdl(&url, limits(5_000, 100)).await;
        let whole = fetch_sdl(&url, DEFAULT_LIMITS).await;
        shop.reviews.fault(Some(mocks::Fault::Stall));
        let stalled = fetch_sdl(&url, limits(50, 100)).await;

        assert!(
            matches!(large, Err(IntrospectionError::TooLarge(100))),
            "{large:?}"
        );
        assert!(whole.unwrap().contains("type Review "));
        assert!(
            matches!(stalled, Err(IntrospectionError::Timeout(_))),
            "{stalled:?}"
        );
        shop.stop().await;
    }
}
