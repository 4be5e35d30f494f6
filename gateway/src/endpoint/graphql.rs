//! `/graphql`: GraphQL over HTTP, with `POST` and `GET`.
//!
//! Follows the draft of the GraphQL-over-HTTP specification; section names in comments are its.
//! Turns a request into one `resolvers::Request` and lets `respond` write what comes back.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::Method;
use http::request::Parts;
use resolvers::{Allow, Engine};
use tokio::time::{Instant, timeout_at};

use crate::app::App;
use crate::observe::RequestId;
use crate::request::accept::{self, MediaType};
use crate::request::parameters::Parameters;
use crate::request::{Rejection, body, content_type};
use crate::respond::{self, Reply};

/// Answers one operation.
pub(crate) async fn answer(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let media_type = accept::negotiate(&parts.headers);
    let reply = Reply {
        // Who accepts neither type is told so in the one that everyone can read.
        media_type: media_type.unwrap_or(MediaType::Json),
        id: parts.extensions.get::<RequestId>().cloned(),
    };
    if media_type.is_none() {
        return respond::rejected(&reply, &Rejection::NotAcceptable);
    }
    match parameters(&app, &parts, body).await {
        Ok((parameters, allow)) => {
            execute(&app, parameters.into_request(parts.headers, allow), reply).await
        }
        Err(rejection) => respond::rejected(&reply, &rejection),
    }
}

async fn parameters(
    app: &App,
    parts: &Parts,
    body: axum::body::Body,
) -> Result<(Parameters, Allow), Rejection> {
    match parts.method {
        Method::GET => {
            let query = parts.uri.query().unwrap_or_default();
            let parameters = Parameters::from_query_string(query).map_err(Rejection::Parameters)?;
            Ok((parameters, Allow::Queries))
        }
        Method::POST => {
            if !content_type::is_json(&parts.headers) {
                return Err(Rejection::ContentType);
            }
            let bytes = body::read(body, app.limits.body_size, app.listen.body_timeout).await;
            let bytes = bytes.map_err(Rejection::Body)?;
            let parameters = Parameters::from_json(&bytes).map_err(Rejection::Parameters)?;
            Ok((parameters, Allow::All))
        }
        _ => Err(Rejection::Method),
    }
}

async fn execute(app: &App, request: resolvers::Request, reply: Reply) -> Response {
    let operation = request.operation_name.clone();
    let mut body = respond::begin();
    let outcome = timeout_at(deadline(app), ask(&app.engine, request, &mut body)).await;
    match outcome {
        Ok(outcome) => respond::answered(&reply, operation, outcome, body),
        Err(_) => respond::rejected(&reply, &Rejection::Timeout),
    }
}

async fn ask(
    engine: &Engine,
    request: resolvers::Request,
    out: &mut Vec<u8>,
) -> resolvers::Outcome {
    engine.execute(request, out).await
}

/// The engine ends at its own deadline, with what it has by then. This one is for an engine that
/// does not, so it is a little later.
fn deadline(app: &App) -> Instant {
    const SLACK: std::time::Duration = std::time::Duration::from_secs(1);

    Instant::now() + app.limits.operation_timeout + SLACK
}
