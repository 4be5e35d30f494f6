//! `/health/live` and `/health/ready`: probes for orchestrators.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;

use crate::app::App;

/// Always succeeds: a failing liveness probe restarts the process, which no other state justifies.
pub(crate) async fn live() -> &'static str {
    "live\n"
}

/// Succeeds until the shutdown starts.
pub(crate) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    if app.stop.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else {
        (StatusCode::OK, "ready\n")
    }
}
