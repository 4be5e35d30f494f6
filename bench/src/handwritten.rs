//! A gateway as a good engineer would write it for these queries: async-graphql with derive
//! macros, axum, reqwest with connections kept alive, and async-graphql's `DataLoader`.
//!
//! It has the types and fields that the queries need and no others, which is less work than a
//! whole shop would be. Its loaders are shared by all requests: that variant does better here than
//! a loader for each request, whose timer fires while the list is still being resolved.

mod loaders;
mod model;
mod upstream;

use std::sync::Arc;

use async_graphql::{EmptyMutation, EmptySubscription, Request, Schema};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;

use self::model::Query;
use self::upstream::Upstream;
use crate::failure::Failure;
use crate::served::{self, Services};

type Shop = Schema<Query, EmptyMutation, EmptySubscription>;

/// Serves the gateway on a free port, which it announces.
pub(crate) async fn serve(services: &Services) -> Result<(), Failure> {
    let upstream = Upstream::new(services.clone()).map_err(|error| Failure::Io {
        doing: "cannot make a client".to_owned(),
        error: std::io::Error::other(error),
    })?;
    let upstream = Arc::new(upstream);
    let schema = Schema::build(Query, EmptyMutation, EmptySubscription)
        .data(loaders::users(Arc::clone(&upstream)))
        .data(loaders::products(Arc::clone(&upstream)))
        .data(upstream)
        .finish();
    let router = Router::new().route("/graphql", post(answer));
    served::serve(router.with_state(schema)).await
}

async fn answer(State(schema): State<Shop>, body: Bytes) -> Response {
    let request: Request = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    match serde_json::to_vec(&schema.execute(request).await) {
        Ok(json) => ([(CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
