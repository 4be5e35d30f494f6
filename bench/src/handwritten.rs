//! A gateway written by hand for these queries: async-graphql with derive macros, axum, reqwest with
//! persistent connections, and async-graphql's `DataLoader`.
//!
//! It has only the types and fields of the queries, which is less work than a whole shop. All
//! requests share its loaders: that is faster here than a loader for each request, whose timer fires
//! while the list is still being resolved.
//!
//! With `--redis` it caches whole responses; see `bench/src/handwritten/responses.rs`.

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

/// Options of the hand-written gateway.
#[derive(Args, Clone, Debug)]
pub(crate) struct HandwrittenOptions {
    #[command(flatten)]
    services: Services,
    /// Cache responses in this Redis
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
}

#[derive(Clone)]
struct Gateway {
    schema: Schema<Query, EmptyMutation, EmptySubscription>,
    /// Caches all responses without errors, because all operations are queries.
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
    action: &str,
) -> impl FnOnce(E) -> Failure {
    let action = format!("cannot {action}");
    move |error| Failure::io(action)(std::io::Error::other(error))
}

const JSON: &str = "application/json";
