//! The routes of the operators' socket: what is to be forgotten, and what was counted.

use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use resolvers::cache::{Cache, Propagation, Tag, Target};
use resolvers::invalidation::CurrentNames;

use crate::app::App;
use crate::config::secret::Secret;
use crate::request::{Rejection, body, content_type, invalidation};
use crate::respond::admin as respond;
use crate::{metrics, secrets};

/// What these routes share.
#[derive(Debug)]
pub(crate) struct Admin {
    /// What requests must show that change something.
    pub(crate) key: Secret<String>,
    /// What is kept; `None` when nothing is.
    pub(crate) cache: Option<Cache>,
    /// What can be named.
    pub(crate) names: CurrentNames,
    /// What clients are answered with.
    pub(crate) app: Arc<App>,
}

/// Invalidates what the body names. Those who do not show the key learn nothing of it.
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
        // What nobody keeps, nobody has to forget.
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

/// Everything that was counted, as Prometheus reads it.
pub(crate) async fn metrics(State(admin): State<Arc<Admin>>) -> Response {
    let incomplete_plans = admin.app.engine.incomplete_plans();
    respond::metrics(metrics::prometheus_text(
        admin.cache.as_ref(),
        incomplete_plans,
    ))
}

/// Room for ten thousand elements.
const BODY_SIZE: NonZeroUsize = NonZeroUsize::new(1024 * 1024).unwrap();
