//! A service's SDL, asked from the service itself: `_service { sdl }` of Apollo Federation.
//!
//! One request, without redirects; how long it may take and how much may come is bounded.

use std::time::Duration;

use http::StatusCode;
use reqwest::redirect::Policy;
use serde::Deserialize;
use url::Url;

/// Why a service did not tell its SDL.
#[derive(Debug, thiserror::Error)]
pub(super) enum Silent {
    /// Nobody answered, or not to the end.
    #[error("the service cannot be asked")]
    Call(#[source] reqwest::Error),
    /// It took too long.
    #[error("the service did not answer within {} seconds", TIMEOUT.as_secs())]
    Timeout,
    /// More than anybody writes.
    #[error("the answer is larger than {} MiB", MAX_ANSWER / 1024 / 1024)]
    TooLarge,
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
pub(super) async fn sdl(url: &Url) -> Result<String, Silent> {
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .redirect(Policy::none())
        .user_agent(concat!("weir/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(Silent::Call)?;
    let asked = client.post(url.clone()).body(QUESTION);
    let asked = asked
        .header(http::header::CONTENT_TYPE, "application/json")
        .header(http::header::ACCEPT, ANSWERS);
    let mut response = asked.send().await.map_err(unreached)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreached)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Silent::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    told(response.status(), &body)
}

fn unreached(error: reqwest::Error) -> Silent {
    if error.is_timeout() {
        return Silent::Timeout;
    }
    // The URL is in the message already.
    Silent::Call(error.without_url())
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

/// Somebody waits for it at a terminal.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The largest published schemas have a tenth of it.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

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
}
