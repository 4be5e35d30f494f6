//! `/graphql`: GraphQL over HTTP, with `POST` and `GET`.
//!
//! Follows the draft of the GraphQL-over-HTTP specification; comments cite its section names.
//! Converts a request to a `resolvers::Request`; `respond` builds the response.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::header::HeaderMap;
use http::request::Parts;
use http::{HeaderName, Method};
use resolvers::{Allow, Trace};
use tokio::time::{Instant, timeout_at};

use crate::app::App;
use crate::config::admin::TraceAccess;
use crate::request::accept::{self, MediaType};
use crate::request::id::RequestId;
use crate::request::parameters::Parameters;
use crate::request::{Rejection, body, content_type};
use crate::respond::client_cache::{ClientCache, Validators};
use crate::respond::{self, OperationContext, RequestContext, VisibleErrors};
use crate::secrets;

/// Executes the operation of one request.
pub(crate) async fn serve(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let media_type = accept::negotiate(&parts.headers);
    let context = RequestContext {
        // A client that accepts neither type gets the error as plain JSON.
        media_type: media_type.unwrap_or(MediaType::Json),
        id: parts.extensions.get::<RequestId>().cloned(),
    };
    if media_type.is_none() {
        return respond::rejected(&context, &Rejection::NotAcceptable);
    }
    match read_parameters(&app, &parts, body).await {
        Ok((parameters, allow)) => {
            let validators = Validators::from_request(&parts.method, &parts.headers);
            let mut headers = parts.headers;
            let trace = trace_mode(&app.trace_access, &mut headers);
            let request = parameters.into_request(headers, allow, trace);
            execute(&app, request, validators, context).await
        }
        Err(rejection) => respond::rejected(&context, &rejection),
    }
}

async fn read_parameters(
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

async fn execute(
    app: &App,
    request: resolvers::Request,
    validators: Validators,
    context: RequestContext,
) -> Response {
    let operation = OperationContext {
        operation: request.operation_name.clone(),
        trace: request.trace,
        client_cache: ClientCache {
            max_age: app.client_max_age,
            vary: &app.vary,
            validators,
        },
        log: app.log,
        reports: app.reports,
        warnings: &app.warnings,
        errors: VisibleErrors {
            exposed: &app.errors,
            max_bytes: app.limits.response_size.get(),
        },
    };
    let mut body = respond::begin_body();
    let outcome = timeout_at(deadline(app), app.engine.execute(request, &mut body)).await;
    match outcome {
        Ok(outcome) => respond::executed(&context, operation, outcome, body),
        Err(_) => respond::rejected(&context, &Rejection::Timeout),
    }
}

/// Whether the response has a trace. Removes the header, so that its key is not forwarded.
fn trace_mode(access: &TraceAccess, headers: &mut HeaderMap) -> Trace {
    let Some(value) = headers.remove(EXPLAIN_HEADER) else {
        return Trace::No;
    };
    let is_allowed = match access {
        TraceAccess::Disabled => false,
        TraceAccess::Everyone => value.as_bytes() != b"false",
        // Compares all keys, so that the duration reveals nothing about them.
        TraceAccess::Keys(keys) => keys.iter().fold(false, |is_known, key| {
            is_known | secrets::is_match(key, value.as_bytes())
        }),
    };
    if is_allowed { Trace::Yes } else { Trace::No }
}

const EXPLAIN_HEADER: HeaderName = HeaderName::from_static("weir-explain");

/// A deadline after that of the engine, which returns partial data at its own: this one is only
/// for an engine that does not.
fn deadline(app: &App) -> Instant {
    const SLACK: std::time::Duration = std::time::Duration::from_secs(1);

    Instant::now() + app.limits.operation_timeout + SLACK
}
