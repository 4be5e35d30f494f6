//! The routes of the admin socket: cache invalidation, metrics and health.

use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use resolvers::cache::{Cache, Propagation, Tag, Target};
use resolvers::invalidation::CurrentNames;

use super::health;
use crate::app::App;
use crate::config::secret::Secret;
use crate::request::{Rejection, body, content_type, invalidation};
use crate::respond::admin as respond;
use crate::{metrics, secrets};

/// The state of these routes.
#[derive(Debug)]
pub(crate) struct Admin {
    /// The key that an invalidation requires.
    pub(crate) key: Secret<String>,
    /// The entity cache; `None` if caching is disabled.
    pub(crate) cache: Option<Cache>,
    /// The names in the graph that a target may have.
    pub(crate) names: CurrentNames,
    /// The state of the routes for clients.
    pub(crate) app: Arc<App>,
}

/// Invalidates the cache entries named in the body. Checks the key before anything else, so that a
/// request without it reveals nothing.
pub(crate) async fn invalidate(State(admin): State<Arc<Admin>>, request: Request) -> Response {
    if !secrets::is_authorized(request.headers(), &admin.key) {
        return respond::unauthorized();
    }
    if !content_type::is_json(request.headers()) {
        return respond::rejected(&Rejection::ContentType);
    }
    let timeout = admin.app.listen.body_timeout;
    let body = match body::read(request.into_body(), BODY_SIZE, timeout).await {
        Ok(body) => body,
        Err(error) => return respond::rejected(&Rejection::Body(error)),
    };
    let targets = match invalidation::read_targets(&body, &admin.names.load()) {
        Ok(targets) => targets,
        Err(problems) => return respond::invalid_targets(&problems),
    };
    let mut tags: Vec<Tag> = targets.iter().flat_map(Target::tags).collect();
    tags.sort_unstable();
    tags.dedup();
    let reached = match &admin.cache {
        Some(cache) => cache.invalidate(&tags).await,
        // Without a cache every replica is up to date.
        None => Propagation::AllReplicas,
    };
    tracing::info!(
        targets = targets.len(),
        tags = tags.len(),
        ?reached,
        "invalidated"
    );
    respond::invalidated(tags.len(), reached)
}

/// Readiness, as on the socket for clients, whose connections may all be in use.
pub(crate) async fn ready(State(admin): State<Arc<Admin>>) -> (StatusCode, &'static str) {
    health::ready(State(Arc::clone(&admin.app))).await
}

/// All metrics in the text format of Prometheus.
pub(crate) async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    let text = metrics::prometheus_text(&admin.app, admin.cache.as_ref());
    respond::metrics(text)
}

/// Maximum bytes of a body: about ten thousand targets.
const BODY_SIZE: NonZeroUsize = NonZeroUsize::new(1024 * 1024).unwrap();
