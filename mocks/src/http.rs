//! HTTP for all services: routes, query parameters, bodies, responses and problems.
//!
//! Independent of the endpoints of the services and of the sockets.

mod body;
mod ids;
mod lifetime;
mod list;
mod page;
mod payload;
mod problem;
mod query;
mod response;
mod route;

pub(crate) use self::body::{MAX_BODY, Object, Patch, json_body};
pub(crate) use self::ids::{OwnerGroups, parse_ids, rows_by_ids, take_id};
pub(crate) use self::lifetime::Lifetime;
pub(crate) use self::list::ListBody;
pub(crate) use self::page::{Direction, Page};
pub(crate) use self::payload::Payload;
pub(crate) use self::problem::{Kind as ProblemKind, Problem};
pub(crate) use self::query::Query;
pub(crate) use self::response::{
    HttpResponse, created, json_response, no_content, read_response, text_response,
};
pub(crate) use self::route::{Call, Route, RouteMatch, find_route, route_problem};
