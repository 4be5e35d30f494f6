//! Which path leads where.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use axum::routing::{any, get};
use axum::{Router, middleware};

use crate::app::App;
use crate::config::listen::Playground;
use crate::endpoint::{graphql, health, page};
use crate::observe::observe;
use crate::respond;

/// Every route of the gateway; what is none of them is not found, in JSON.
pub(crate) fn router(app: App) -> Router {
    let playground = app.listen.playground;
    let app = Arc::new(app);
    let routes = Router::new()
        .route("/graphql", any(graphql::answer))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready));
    let routes = match playground {
        Playground::Serve => routes
            .route("/", get(page::index))
            .route("/assets/{name}", get(page::asset)),
        Playground::Hide => routes,
    };
    routes
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app)
        .layer(middleware::from_fn(observe))
}

async fn not_found(request: Request) -> Response {
    respond::not_found(request.uri().path())
}

async fn method_not_allowed() -> Response {
    respond::method_not_allowed("GET, HEAD")
}
