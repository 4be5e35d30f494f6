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
use super::board::Board;
use super::fault::{Fault, Written};
use super::serve::Host;
use super::switches::Switches;
use crate::http::{
    Answer, Lifetime, MAX_BODY, Problem, Query, json_body, no_content, text, written,
};
use crate::store::render;

/// Whether `path` is one of these routes.
pub(super) fn owns(path: &str) -> bool {
    READ_ONLY.contains(&path) || SWITCHES.contains(&path)
}

/// Answers one of these routes.
pub(super) async fn answer<A: Api>(
    host: &Host<A>,
    parts: &Parts,
    body: Incoming,
) -> Result<Answer, Problem> {
    let board = &*host.board;
    let path = parts.uri.path();
    let query = Query::parse(parts.uri.query())?;
    let method = if parts.method == Method::HEAD {
        &Method::GET
    } else {
        &parts.method
    };
    match (method, path) {
        (&Method::GET, "/health") => Ok(written(render(&json!({ "status": "ok" })))),
        (&Method::GET, "/metrics") => {
            let figures = board.metrics() + &host.api.figures();
            Ok(text("text/plain; version=0.0.4", figures))
        }
        (&Method::GET, "/openapi.yaml") => Ok(text("application/yaml", A::OPENAPI)),
        (&Method::GET, "/_calls") => Ok(calls(board)),
        (&Method::GET, "/_faults") => Ok(faults(board)),
        (&Method::PUT, "/_faults") => set_fault(board, json_body(parts, body, MAX_BODY).await?),
        (&Method::DELETE, "/_faults") => clear(board, &board.faults, query),
        (&Method::GET, "/_cache_control") => Ok(lifetimes(board)),
        (&Method::PUT, "/_cache_control") => {
            set_lifetime(board, json_body(parts, body, MAX_BODY).await?)
        }
        (&Method::DELETE, "/_cache_control") => clear(board, &board.lifetimes, query),
        _ => {
            let allow = if SWITCHES.contains(&path) {
                "GET, HEAD, PUT, DELETE"
            } else {
                "GET, HEAD"
            };
            let detail = format!("`{path}` takes {allow}, not {method}.");
            Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).header(header::ALLOW, allow))
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
    fault: Option<Written>,
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

fn set_fault(board: &Board, set: SetFault) -> Result<Answer, Problem> {
    let index = place_of(board, set.route)?;
    let fault = set.fault.map(Fault::from_written).transpose();
    let fault = fault.map_err(Problem::unprocessable)?;
    board.faults.set(index, fault);
    Ok(faults(board))
}

fn set_lifetime(board: &Board, set: SetLifetime) -> Result<Answer, Problem> {
    let index = place_of(board, set.route)?;
    let lifetime = set.cache_control.as_deref().map(Lifetime::parse);
    let lifetime = lifetime.transpose().map_err(|_| {
        Problem::unprocessable("`cache_control` has characters that no header may have.")
    })?;
    board.lifetimes.set(index, lifetime);
    Ok(lifetimes(board))
}

fn clear<T: Clone>(
    board: &Board,
    switches: &Switches<T>,
    mut query: Query<'_>,
) -> Result<Answer, Problem> {
    let route = query.take("route").map(String::from);
    query.finish()?;
    match place_of(board, route)? {
        Some(index) => switches.set(Some(index), None),
        None => switches.clear(),
    }
    Ok(no_content())
}

fn place_of(board: &Board, route: Option<String>) -> Result<Option<usize>, Problem> {
    let Some(route) = route else {
        return Ok(None);
    };
    let index = board.index_of(&route).ok_or_else(|| {
        let routes: Vec<_> = board.routes().collect();
        Problem::unprocessable(format!("There is no route `{route}`."))
            .with("routes", json!(routes))
    })?;
    Ok(Some(index))
}

fn calls(board: &Board) -> Answer {
    let routes: Map<String, Value> = board
        .calls_by_route()
        .map(|(route, calls)| (route.to_owned(), calls.into()))
        .collect();
    written(render(&json!({
        "service": board.service(),
        "calls": board.calls(),
        "routes": routes,
    })))
}

fn faults(board: &Board) -> Answer {
    let shown = |fault: &Fault| json!(fault.to_written());
    switched(board, &board.faults, "fault", shown)
}

fn lifetimes(board: &Board) -> Answer {
    let shown = |lifetime: &Lifetime| json!(lifetime.text());
    switched(board, &board.lifetimes, "cache_control", shown)
}

fn switched<T: Clone>(
    board: &Board,
    switches: &Switches<T>,
    name: &str,
    shown: impl Fn(&T) -> Value,
) -> Answer {
    let switched = switches.all();
    let routes: Map<String, Value> = switched
        .on_routes
        .iter()
        .map(|(index, setting)| (board.route_name(*index).to_owned(), shown(setting)))
        .collect();
    written(render(&json!({
        name: switched.everywhere.as_ref().map(shown),
        "routes": routes,
    })))
}

const READ_ONLY: [&str; 4] = ["/health", "/metrics", "/openapi.yaml", "/_calls"];
const SWITCHES: [&str; 2] = ["/_faults", "/_cache_control"];
