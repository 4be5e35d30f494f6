//! Finds the endpoint of a method and a path.
//!
//! Routes are data, so that counters, faults and the OpenAPI files can name them. A pattern has at
//! most one `{id}`, always the second segment.

use std::borrow::Cow;

use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use crate::http::{MAX_BODY, Problem, Query, json_body};
use crate::model::Id;

/// A method and a path pattern such as `/users/{id}`, with their endpoint.
#[derive(Debug)]
pub(crate) struct Route<E> {
    pub(crate) method: Method,
    pub(crate) pattern: &'static str,
    pub(crate) endpoint: E,
}

/// The result of a lookup of a route.
#[derive(Debug)]
pub(crate) enum RouteMatch<E> {
    /// The index of the route, and its endpoint.
    Route(usize, E),
    /// The path exists for other methods, listed as in `Allow`.
    MethodNotAllowed(String),
    /// No route has this path.
    NotFound,
}

/// One call of an endpoint.
#[derive(Debug)]
pub(crate) struct Call<'r> {
    pub(crate) parts: &'r Parts,
    pub(crate) body: Incoming,
}

impl<E> Route<E> {
    /// A route of a service.
    pub(crate) const fn new(method: Method, pattern: &'static str, endpoint: E) -> Self {
        Self {
            method,
            pattern,
            endpoint,
        }
    }
}

impl Call<'_> {
    /// The `{id}` of the path, decoded.
    pub(crate) fn id_segment(&self) -> Cow<'_, str> {
        let raw = self.parts.uri.path().split('/').nth(2).unwrap_or_default();
        percent_decode_str(raw).decode_utf8_lossy()
    }

    /// The `{id}` of the path; 404 if it cannot be an id.
    pub(crate) fn id(&self) -> Result<Id, Problem> {
        Id::parse(&self.id_segment()).ok_or_else(|| self.not_found())
    }

    /// 404: no entity has the `{id}` of the path.
    pub(crate) fn not_found(&self) -> Problem {
        let segment = self.id_segment();
        Problem::new(
            StatusCode::NOT_FOUND,
            format!("No entity has the id `{segment}`."),
        )
    }

    /// The parameters of the query.
    pub(crate) fn query(&self) -> Result<Query<'_>, Problem> {
        Query::parse(self.parts.uri.query())
    }

    /// Rejects all parameters, for endpoints without any.
    pub(crate) fn reject_query(&self) -> Result<(), Problem> {
        self.query()?.finish()
    }

    /// Deserializes the body; see `json_body`.
    pub(crate) async fn json<T: DeserializeOwned>(self) -> Result<T, Problem> {
        self.json_up_to(MAX_BODY).await
    }

    /// Deserializes a body of at most `max_bytes`.
    pub(crate) async fn json_up_to<T: DeserializeOwned>(
        self,
        max_bytes: usize,
    ) -> Result<T, Problem> {
        json_body(self.parts, self.body, max_bytes).await
    }
}

/// Finds the endpoint: the first route that matches, with `HEAD` treated as `GET`.
pub(crate) fn find_route<E: Copy>(
    routes: &[Route<E>],
    method: &Method,
    path: &str,
) -> RouteMatch<E> {
    let method = if method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    let mut allowed = Vec::new();
    for (index, route) in routes.iter().enumerate() {
        if !is_match(route.pattern, path) {
            continue;
        }
        if route.method == *method {
            return RouteMatch::Route(index, route.endpoint);
        }
        allowed.push(route.method.as_str());
        if route.method == Method::GET {
            allowed.push(Method::HEAD.as_str());
        }
    }
    if allowed.is_empty() {
        RouteMatch::NotFound
    } else {
        RouteMatch::MethodNotAllowed(allowed.join(", "))
    }
}

/// The problem of a path without a route, or without this method.
pub(crate) fn route_problem<E>(route_match: &RouteMatch<E>, parts: &Parts) -> Problem {
    let path = parts.uri.path();
    match route_match {
        RouteMatch::MethodNotAllowed(allow) => Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("`{path}` allows {allow}, not {}.", parts.method),
        )
        .with_header(header::ALLOW, allow),
        RouteMatch::Route(..) | RouteMatch::NotFound => {
            Problem::new(StatusCode::NOT_FOUND, format!("No route matches `{path}`."))
        }
    }
}

fn is_match(pattern: &str, path: &str) -> bool {
    let mut pattern_segments = pattern.split('/');
    let mut path_segments = path.split('/');
    loop {
        match (pattern_segments.next(), path_segments.next()) {
            (None, None) => return true,
            (Some("{id}"), Some(segment)) if !segment.is_empty() => {}
            (Some(expected), Some(segment)) if expected == segment => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Vec<Route<u8>> {
        vec![
            Route::new(Method::GET, "/orders/by-user", 1),
            Route::new(Method::GET, "/orders/{id}", 2),
            Route::new(Method::POST, "/orders/{id}/cancel", 3),
        ]
    }

    #[track_caller]
    fn check(method: &Method, path: &str, expected: &str) {
        let outcome = match find_route(&routes(), method, path) {
            RouteMatch::Route(_, endpoint) => endpoint.to_string(),
            RouteMatch::MethodNotAllowed(allow) => allow,
            RouteMatch::NotFound => "nothing".to_owned(),
        };
        assert_eq!(outcome, expected, "{method} {path}");
    }

    #[test]
    fn the_first_matching_route_wins() {
        check(&Method::GET, "/orders/by-user", "1");
        check(&Method::GET, "/orders/7", "2");
        check(&Method::HEAD, "/orders/7", "2");
        check(&Method::POST, "/orders/7/cancel", "3");
        check(&Method::DELETE, "/orders/7", "GET, HEAD");
        check(&Method::GET, "/orders/7/cancel", "POST");
        check(&Method::GET, "/orders/", "nothing");
        check(&Method::GET, "/orders/7/", "nothing");
        check(&Method::GET, "*", "nothing");
    }
}
