//! Control routes: health, metrics, counters, overrides, and the OpenAPI document.
//!
//! Their calls are not counted, and faults do not apply to them.

use hyper::body::Incoming;
use hyper::header;
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Api;
use super::fault::{Fault, FaultJson};
use super::route_overrides::RouteOverrides;
use super::serve::Host;
use super::state::ServiceState;
use crate::http::{
    HttpResponse, Lifetime, MAX_BODY, Problem, Query, json_body, json_response, no_content,
    text_response,
};
use crate::store::render;

/// Whether `path` is a control route.
pub(super) fn is_control_route(path: &str) -> bool {
    READ_ONLY_PATHS.contains(&path) || OVERRIDE_PATHS.contains(&path)
}

/// Handles a call of a control route.
pub(super) async fn respond<A: Api>(
    host: &Host<A>,
    parts: &Parts,
    body: Incoming,
) -> Result<HttpResponse, Problem> {
    let state = &*host.state;
    let path = parts.uri.path();
    let query = Query::parse(parts.uri.query())?;
    let method = if parts.method == Method::HEAD {
        &Method::GET
    } else {
        &parts.method
    };
    match (method, path) {
        (&Method::GET, "/health") => Ok(json_response(render(&json!({ "status": "ok" })))),
        (&Method::GET, "/metrics") => {
            let metrics = state.metrics() + &host.api.metrics();
            Ok(text_response("text/plain; version=0.0.4", metrics))
        }
        (&Method::GET, "/openapi.yaml") => Ok(text_response("application/yaml", A::OPENAPI)),
        (&Method::GET, "/_calls") => Ok(calls(state)),
        (&Method::GET, "/_faults") => Ok(faults(state)),
        (&Method::PUT, "/_faults") => put_fault(state, json_body(parts, body, MAX_BODY).await?),
        (&Method::DELETE, "/_faults") => clear(state, &state.faults, query),
        (&Method::GET, "/_cache_control") => Ok(lifetimes(state)),
        (&Method::PUT, "/_cache_control") => {
            put_lifetime(state, json_body(parts, body, MAX_BODY).await?)
        }
        (&Method::DELETE, "/_cache_control") => clear(state, &state.lifetimes, query),
        _ => {
            let allow = if OVERRIDE_PATHS.contains(&path) {
                "GET, HEAD, PUT, DELETE"
            } else {
                "GET, HEAD"
            };
            let detail = format!("`{path}` allows {allow}, not {method}.");
            Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
                .with_header(header::ALLOW, allow))
        }
    }
}

/// The body of `PUT /_faults`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetFault {
    /// `null` or absent: all routes.
    route: Option<String>,
    /// `null` removes the fault; the member is required.
    #[serde(deserialize_with = "Option::deserialize")]
    fault: Option<FaultJson>,
}

/// The body of `PUT /_cache_control`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetLifetime {
    /// `null` or absent: all routes.
    route: Option<String>,
    /// `null` restores the default; the member is required.
    #[serde(deserialize_with = "Option::deserialize")]
    cache_control: Option<String>,
}

fn put_fault(state: &ServiceState, setting: SetFault) -> Result<HttpResponse, Problem> {
    let index = route_index(state, setting.route)?;
    let fault = setting.fault.map(Fault::from_json).transpose();
    let fault = fault.map_err(Problem::unprocessable)?;
    state.faults.set(index, fault);
    Ok(faults(state))
}

fn put_lifetime(state: &ServiceState, setting: SetLifetime) -> Result<HttpResponse, Problem> {
    let index = route_index(state, setting.route)?;
    let lifetime = setting.cache_control.as_deref().map(Lifetime::parse);
    let lifetime = lifetime.transpose().map_err(|_| {
        Problem::unprocessable("`cache_control` has characters that are not allowed in a header.")
    })?;
    state.lifetimes.set(index, lifetime);
    Ok(lifetimes(state))
}

fn clear<T: Clone>(
    state: &ServiceState,
    overrides: &RouteOverrides<T>,
    mut query: Query<'_>,
) -> Result<HttpResponse, Problem> {
    let route = query.take("route").map(String::from);
    query.finish()?;
    match route_index(state, route)? {
        Some(index) => overrides.set(Some(index), None),
        None => overrides.clear(),
    }
    Ok(no_content())
}

fn route_index(state: &ServiceState, route: Option<String>) -> Result<Option<usize>, Problem> {
    let Some(route) = route else {
        return Ok(None);
    };
    let index = state.index_of(&route).ok_or_else(|| {
        let routes: Vec<_> = state.routes().collect();
        Problem::unprocessable(format!("There is no route `{route}`."))
            .with_extension("routes", json!(routes))
    })?;
    Ok(Some(index))
}

fn calls(state: &ServiceState) -> HttpResponse {
    let routes: Map<String, Value> = state
        .calls_by_route()
        .map(|(route, calls)| (route.to_owned(), calls.into()))
        .collect();
    json_response(render(&json!({
        "service": state.service(),
        "calls": state.calls(),
        "routes": routes,
    })))
}

fn faults(state: &ServiceState) -> HttpResponse {
    let to_json = |fault: &Fault| json!(fault.to_json());
    overrides_response(state, &state.faults, "fault", to_json)
}

fn lifetimes(state: &ServiceState) -> HttpResponse {
    let to_json = |lifetime: &Lifetime| json!(lifetime.text());
    overrides_response(state, &state.lifetimes, "cache_control", to_json)
}

fn overrides_response<T: Clone>(
    state: &ServiceState,
    overrides: &RouteOverrides<T>,
    name: &str,
    to_json: impl Fn(&T) -> Value,
) -> HttpResponse {
    let active = overrides.active();
    let routes: Map<String, Value> = active
        .by_route
        .iter()
        .map(|(index, setting)| (state.route_name(*index).to_owned(), to_json(setting)))
        .collect();
    json_response(render(&json!({
        name: active.all_routes.as_ref().map(to_json),
        "routes": routes,
    })))
}

const READ_ONLY_PATHS: [&str; 4] = ["/health", "/metrics", "/openapi.yaml", "/_calls"];
const OVERRIDE_PATHS: [&str; 2] = ["/_faults", "/_cache_control"];
