//! `/health/live` and `/health/ready`: what an orchestrator asks.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;

use crate::app::App;

/// The process runs; nothing else is promised, so that a restart is never the wrong answer to it.
pub(crate) async fn live() -> &'static str {
    "live\n"
}

/// New requests are welcome.
pub(crate) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    if app.stop.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else {
        (StatusCode::OK, "ready\n")
    }
}
