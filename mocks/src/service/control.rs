//! The routes for people and scripts: health, counters, switches, the contract.
//!
//! They are never counted and never broken.

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

/// Whether `path` is one of these routes.
pub(super) fn is_control_route(path: &str) -> bool {
    READ_ONLY_PATHS.contains(&path) || OVERRIDE_PATHS.contains(&path)
}

/// Answers one of these routes.
pub(super) async fn answer<A: Api>(
    host: &Host<A>,
    parts: &Parts,
    body: Incoming,
) -> Result<HttpResponse, Problem> {
    let board = &*host.board;
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
            let figures = board.metrics() + &host.api.metrics();
            Ok(text_response("text/plain; version=0.0.4", figures))
        }
        (&Method::GET, "/openapi.yaml") => Ok(text_response("application/yaml", A::OPENAPI)),
        (&Method::GET, "/_calls") => Ok(calls(board)),
        (&Method::GET, "/_faults") => Ok(faults(board)),
        (&Method::PUT, "/_faults") => put_fault(board, json_body(parts, body, MAX_BODY).await?),
        (&Method::DELETE, "/_faults") => clear(board, &board.faults, query),
        (&Method::GET, "/_cache_control") => Ok(lifetimes(board)),
        (&Method::PUT, "/_cache_control") => {
            put_lifetime(board, json_body(parts, body, MAX_BODY).await?)
        }
        (&Method::DELETE, "/_cache_control") => clear(board, &board.lifetimes, query),
        _ => {
            let allow = if OVERRIDE_PATHS.contains(&path) {
                "GET, HEAD, PUT, DELETE"
            } else {
                "GET, HEAD"
            };
            let detail = format!("`{path}` takes {allow}, not {method}.");
            Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
                .with_header(header::ALLOW, allow))
        }
    }
}

/// The body of `PUT /_faults`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetFault {
    /// `null` or absent: every route.
    route: Option<String>,
    /// `null` mends; it has to be said.
    #[serde(deserialize_with = "Option::deserialize")]
    fault: Option<FaultJson>,
}

/// The body of `PUT /_cache_control`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetLifetime {
    /// `null` or absent: every route.
    route: Option<String>,
    /// `null` lets the service say what it says by itself; it has to be said.
    #[serde(deserialize_with = "Option::deserialize")]
    cache_control: Option<String>,
}

fn put_fault(board: &ServiceState, set: SetFault) -> Result<HttpResponse, Problem> {
    let index = route_index(board, set.route)?;
    let fault = set.fault.map(Fault::from_json).transpose();
    let fault = fault.map_err(Problem::unprocessable)?;
    board.faults.set(index, fault);
    Ok(faults(board))
}

fn put_lifetime(board: &ServiceState, set: SetLifetime) -> Result<HttpResponse, Problem> {
    let index = route_index(board, set.route)?;
    let lifetime = set.cache_control.as_deref().map(Lifetime::parse);
    let lifetime = lifetime.transpose().map_err(|_| {
        Problem::unprocessable("`cache_control` has characters that no header may have.")
    })?;
    board.lifetimes.set(index, lifetime);
    Ok(lifetimes(board))
}

fn clear<T: Clone>(
    board: &ServiceState,
    switches: &RouteOverrides<T>,
    mut query: Query<'_>,
) -> Result<HttpResponse, Problem> {
    let route = query.take("route").map(String::from);
    query.finish()?;
    match route_index(board, route)? {
        Some(index) => switches.set(Some(index), None),
        None => switches.clear(),
    }
    Ok(no_content())
}

fn route_index(board: &ServiceState, route: Option<String>) -> Result<Option<usize>, Problem> {
    let Some(route) = route else {
        return Ok(None);
    };
    let index = board.index_of(&route).ok_or_else(|| {
        let routes: Vec<_> = board.routes().collect();
        Problem::unprocessable(format!("There is no route `{route}`."))
            .with_extension("routes", json!(routes))
    })?;
    Ok(Some(index))
}

fn calls(board: &ServiceState) -> HttpResponse {
    let routes: Map<String, Value> = board
        .calls_by_route()
        .map(|(route, calls)| (route.to_owned(), calls.into()))
        .collect();
    json_response(render(&json!({
        "service": board.service(),
        "calls": board.calls(),
        "routes": routes,
    })))
}

fn faults(board: &ServiceState) -> HttpResponse {
    let to_json = |fault: &Fault| json!(fault.to_json());
    overrides_response(board, &board.faults, "fault", to_json)
}

fn lifetimes(board: &ServiceState) -> HttpResponse {
    let to_json = |lifetime: &Lifetime| json!(lifetime.text());
    overrides_response(board, &board.lifetimes, "cache_control", to_json)
}

fn overrides_response<T: Clone>(
    board: &ServiceState,
    switches: &RouteOverrides<T>,
    name: &str,
    to_json: impl Fn(&T) -> Value,
) -> HttpResponse {
    let active = switches.active();
    let routes: Map<String, Value> = active
        .by_route
        .iter()
        .map(|(index, setting)| (board.route_name(*index).to_owned(), to_json(setting)))
        .collect();
    json_response(render(&json!({
        name: active.all_routes.as_ref().map(to_json),
        "routes": routes,
    })))
}

const READ_ONLY_PATHS: [&str; 4] = ["/health", "/metrics", "/openapi.yaml", "/_calls"];
const OVERRIDE_PATHS: [&str; 2] = ["/_faults", "/_cache_control"];
