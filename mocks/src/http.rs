//! How the services speak HTTP: routes, queries, bodies, answers and problems.
//!
//! Nothing here knows what is sold, nor how sockets are accepted.

mod answer;
mod body;
mod ids;
mod lifetime;
mod list;
mod page;
mod payload;
mod problem;
mod query;
mod route;

pub(crate) use self::answer::{Answer, created, no_content, read, text, written};
pub(crate) use self::body::{Given, MAX_BODY, Object, json_body};
pub(crate) use self::ids::{Groups, asked_ids, list_of, optional_id};
pub(crate) use self::lifetime::Lifetime;
pub(crate) use self::list::ListBody;
pub(crate) use self::page::{Direction, Page};
pub(crate) use self::payload::Payload;
pub(crate) use self::problem::{Kind as ProblemKind, Problem};
pub(crate) use self::query::Query;
pub(crate) use self::route::{Call, Found, Route, find, unrouted};
