//! The routes for people and scripts: health, counters, fault switches, the contract.
//!
//! They are never counted and never broken.

use hyper::body::Incoming;
use hyper::header;
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::board::Board;
use super::fault::{Fault, Written};
use crate::http::{Answer, MAX_BODY, Problem, Query, json_body, no_content, text, written};
use crate::store::render;

/// Whether `path` is one of these routes.
pub(super) fn owns(path: &str) -> bool {
    PATHS.contains(&path)
}

/// Answers one of these routes.
pub(super) async fn answer(
    board: &Board,
    openapi: &'static str,
    parts: &Parts,
    body: Incoming,
) -> Result<Answer, Problem> {
    let path = parts.uri.path();
    let mut query = Query::parse(parts.uri.query())?;
    let method = if parts.method == Method::HEAD {
        &Method::GET
    } else {
        &parts.method
    };
    match (method, path) {
        (&Method::GET, "/health") => Ok(written(render(&json!({ "status": "ok" })))),
        (&Method::GET, "/metrics") => Ok(text("text/plain; version=0.0.4", board.metrics())),
        (&Method::GET, "/openapi.yaml") => Ok(text("application/yaml", openapi)),
        (&Method::GET, "/_calls") => Ok(calls(board)),
        (&Method::GET, "/_faults") => Ok(faults(board)),
        (&Method::PUT, "/_faults") => switch(board, &json_body(parts, body, MAX_BODY).await?),
        (&Method::DELETE, "/_faults") => {
            match query.take("route") {
                Some(route) => board.set_fault(Some(index_of(board, &route)?), None),
                None => board.mend_all(),
            }
            query.finish()?;
            Ok(no_content())
        }
        _ => {
            let allow = if path == "/_faults" {
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
struct Switch {
    /// `null` or absent: every route.
    route: Option<String>,
    /// `null` mends; it has to be said.
    #[serde(deserialize_with = "Option::deserialize")]
    fault: Option<Written>,
}

fn switch(board: &Board, switch: &Switch) -> Result<Answer, Problem> {
    let index = match &switch.route {
        Some(route) => Some(index_of(board, route)?),
        None => None,
    };
    let fault = switch.fault.map(Fault::from_written).transpose();
    board.set_fault(index, fault.map_err(Problem::unprocessable)?);
    Ok(faults(board))
}

fn index_of(board: &Board, route: &str) -> Result<usize, Problem> {
    board.index_of(route).ok_or_else(|| {
        let routes: Vec<_> = board.routes().collect();
        Problem::unprocessable(format!("There is no route `{route}`."))
            .with("routes", json!(routes))
    })
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
    let faults = board.faults();
    let routes: Map<String, Value> = faults
        .on_routes
        .iter()
        .map(|(index, fault)| {
            let name = board.route_name(*index).to_owned();
            (name, json!(fault.to_written()))
        })
        .collect();
    written(render(&json!({
        "fault": faults.everywhere.map(Fault::to_written),
        "routes": routes,
    })))
}

const PATHS: [&str; 5] = [
    "/health",
    "/metrics",
    "/openapi.yaml",
    "/_calls",
    "/_faults",
];
