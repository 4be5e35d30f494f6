//! A gateway as a good engineer would write it for these queries: async-graphql with derive
//! macros, axum, reqwest with connections kept alive, and async-graphql's `DataLoader`.
//!
//! It has the types and fields that the queries need and no others, which is less work than a
//! whole shop would be. Its loaders are shared by all requests: that variant does better here than
//! a loader for each request, whose timer fires while the list is still being resolved.
//!
//! With `--redis` whole responses are kept; see `bench/src/handwritten/responses.rs`.

mod loaders;
mod model;
mod responses;
mod upstream;

use std::sync::Arc;

use async_graphql::{EmptyMutation, EmptySubscription, Request, Schema};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use bytes::Bytes;
use clap::Args;
use http::StatusCode;
use http::header::CONTENT_TYPE;

use self::model::Query;
use self::responses::{Key, Responses};
use self::upstream::Upstream;
use crate::failure::Failure;
use crate::server::{self, Services};

/// What the gateway is told.
#[derive(Args, Clone, Debug)]
pub(crate) struct HandwrittenOptions {
    #[command(flatten)]
    services: Services,
    /// Keep responses in this Redis
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
}

#[derive(Clone)]
struct Gateway {
    schema: Schema<Query, EmptyMutation, EmptySubscription>,
    /// All operations are queries, so all of them may be kept.
    responses: Option<Responses>,
}

/// Serves the gateway on a free port, which it announces.
pub(crate) async fn serve(options: &HandwrittenOptions) -> Result<(), Failure> {
    let upstream =
        Upstream::new(options.services.clone()).map_err(action_failed("make a client"))?;
    let upstream = Arc::new(upstream);
    let schema = Schema::build(Query, EmptyMutation, EmptySubscription)
        .data(loaders::users(Arc::clone(&upstream)))
        .data(loaders::products(Arc::clone(&upstream)))
        .data(upstream)
        .finish();
    let responses = match &options.redis {
        Some(url) => {
            let responses = Responses::connect(url).await;
            Some(responses.map_err(action_failed("connect to Redis"))?)
        }
        None => None,
    };
    let router = Router::new().route("/graphql", post(respond));
    server::serve(router.with_state(Gateway { schema, responses })).await
}

async fn respond(State(gateway): State<Gateway>, body: Bytes) -> Response {
    let cached = gateway.responses.as_ref().zip(Key::from_body(&body));
    if let Some((responses, key)) = cached
        && let Some(json) = responses.get(key).await
    {
        return ([(CONTENT_TYPE, JSON)], json).into_response();
    }
    let request: Request = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    let response = gateway.schema.execute(request).await;
    let json = match serde_json::to_vec(&response) {
        Ok(json) => json,
        Err(error) => {
            return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response();
        }
    };
    if let Some((responses, key)) = cached
        && response.is_ok()
    {
        responses.set(key, &json).await;
    }
    ([(CONTENT_TYPE, JSON)], json).into_response()
}

fn action_failed<E: std::error::Error + Send + Sync + 'static>(
    what: &str,
) -> impl FnOnce(E) -> Failure {
    let action = format!("cannot {what}");
    move |error| Failure::io(action)(std::io::Error::other(error))
}

const JSON: &str = "application/json";
