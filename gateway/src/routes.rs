//! The routes of both sockets.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use axum::routing::{any, get, post};
use axum::{Router, middleware};

use crate::app::App;
use crate::config::listen::Playground;
use crate::endpoint::admin::{self, Admin};
use crate::endpoint::{graphql, health, page};
use crate::observe::observe;
use crate::respond;

/// All routes for clients; other paths are 404 with a JSON body.
pub(crate) fn router(app: Arc<App>) -> Router {
    let (playground, log) = (app.listen.playground, app.log);
    let routes = Router::new()
        .route("/graphql", any(graphql::serve))
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
        .layer(middleware::from_fn_with_state(log, observe))
}

/// All routes of the admin socket.
pub(crate) fn admin_router(admin: Admin) -> Router {
    let log = admin.app.log;
    let invalidate = post(admin::invalidate).fallback(post_only);
    Router::new()
        .route("/admin/invalidate", invalidate)
        .route("/metrics", get(admin::metrics))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(admin::ready))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(Arc::new(admin))
        .layer(middleware::from_fn_with_state(log, observe))
}

async fn not_found(request: Request) -> Response {
    respond::not_found(request.uri().path())
}

async fn method_not_allowed() -> Response {
    respond::method_not_allowed("GET, HEAD")
}

async fn post_only() -> Response {
    respond::method_not_allowed("POST")
}
