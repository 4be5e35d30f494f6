//! A service's SDL, asked from the service itself: `_service { sdl }` of Apollo Federation.
//!
//! One request, without redirects; how long it may take and how much may come is bounded.

use std::time::Duration;

use http::StatusCode;
use http::header::{ACCEPT, CONTENT_TYPE};
use reqwest::redirect::Policy;
use serde::Deserialize;
use url::Url;

/// How long a service may take, and how much it may tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    time: Duration,
    bytes: usize,
}

/// Somebody waits for it at a terminal; the largest published schemas have a tenth of the size.
pub(super) const PATIENCE: Patience = Patience {
    time: Duration::from_secs(10),
    bytes: 16 * 1024 * 1024,
};

/// Why a service did not tell its SDL.
#[derive(Debug, thiserror::Error)]
pub(super) enum Silent {
    /// Nobody answered, or not to the end.
    #[error("the service cannot be asked")]
    Call(#[source] reqwest::Error),
    /// It took too long.
    #[error("the service did not answer within {0:?}")]
    Timeout(Duration),
    /// More than anybody writes.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// Something else than GraphQL.
    #[error("the service answered {0} with something that is not GraphQL")]
    NotGraphql(StatusCode),
    /// The service does not know the question, or does not answer it to us.
    #[error("the service refused to tell its schema: {0}")]
    Refused(String),
    /// An answer without what was asked for.
    #[error("the service speaks GraphQL, but does not tell its SDL under `_service`")]
    NoSdl,
}

/// The SDL that the service at `url` tells of itself.
pub(super) async fn sdl(url: &Url, patience: Patience) -> Result<String, Silent> {
    let asked = ask(url, patience.bytes);
    let answered = tokio::time::timeout(patience.time, asked).await;
    let (status, body) = answered.map_err(|_| Silent::Timeout(patience.time))??;
    told(status, &body)
}

async fn ask(url: &Url, limit: usize) -> Result<(StatusCode, Vec<u8>), Silent> {
    // The URL is in the message already.
    let unreached = |error: reqwest::Error| Silent::Call(error.without_url());
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .user_agent(concat!("weir/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(unreached)?;
    let asked = client
        .post(url.clone())
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, ANSWERS)
        .body(QUESTION);
    let mut response = asked.send().await.map_err(unreached)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreached)? {
        if body.len() + chunk.len() > limit {
            return Err(Silent::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((response.status(), body))
}

fn told(status: StatusCode, body: &[u8]) -> Result<String, Silent> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| Silent::NotGraphql(status))?;
    let is_graphql = answer.data.is_some();
    let sdl = answer.data.and_then(|data| data.service?.sdl);
    if let Some(sdl) = sdl {
        return Ok(sdl);
    }
    match (answer.errors.into_iter().next(), is_graphql) {
        (Some(error), _) => Err(Silent::Refused(error.message)),
        (None, true) => Err(Silent::NoSdl),
        (None, false) => Err(Silent::NotGraphql(status)),
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a GraphQL answer")]
struct Answer {
    data: Option<Data>,
    #[serde(default)]
    errors: Vec<ServiceError>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "_service")]
    service: Option<Service>,
}

#[derive(Deserialize)]
struct Service {
    sdl: Option<String>,
}

#[derive(Deserialize)]
struct ServiceError {
    message: String,
}

const QUESTION: &str = r#"{"query":"{ _service { sdl } }"}"#;

const ANSWERS: &str = "application/graphql-response+json, application/json;q=0.9";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Result<&str, &str>) {
        let told = told(StatusCode::OK, body.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(
            told.as_deref().map_err(String::as_str),
            expected,
            "of {body}"
        );
    }

    #[test]
    fn an_answer_is_an_sdl_or_says_why_it_is_none() {
        check(
            r#"{"data":{"_service":{"sdl":"type Query { a: Int }"}}}"#,
            Ok("type Query { a: Int }"),
        );
        check(
            r#"{"errors":[{"message":"no such field"}],"data":null}"#,
            Err("the service refused to tell its schema: no such field"),
        );
        let no_sdl = "the service speaks GraphQL, but does not tell its SDL under `_service`";
        check(r#"{"data":{"_service":null}}"#, Err(no_sdl));
        check(r#"{"data":{}}"#, Err(no_sdl));
        for body in ["", "<html>", "[]", "3", "{}", r#"{"data":3}"#] {
            let not_graphql = "the service answered 200 OK with something that is not GraphQL";
            check(body, Err(not_graphql));
        }
    }

    #[tokio::test]
    async fn a_service_that_stalls_or_never_ends_is_left_alone() {
        let shop = mocks::Shop::start().await.unwrap();
        let url: Url = format!("{}/graphql", shop.reviews.url()).parse().unwrap();
        let patience = |time, bytes| Patience {
            time: Duration::from_millis(time),
            bytes,
        };

        let large = sdl(&url, patience(5_000, 100)).await;
        let whole = sdl(&url, PATIENCE).await;
        shop.reviews.fault(Some(mocks::Fault::Stall));
        let stalled = sdl(&url, patience(50, 100)).await;

        assert!(matches!(large, Err(Silent::TooLarge(100))), "{large:?}");
        assert!(whole.unwrap().contains("type Review "));
        assert!(matches!(stalled, Err(Silent::Timeout(_))), "{stalled:?}");
        shop.stop().await;
    }
}
