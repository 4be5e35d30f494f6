//! What the routes share.

use http::HeaderValue;
use resolvers::Engine;
use tokio_util::sync::CancellationToken;

use crate::config::admin::TraceAccess;
use crate::config::limits::Limits;
use crate::config::listen::Listen;

/// What the routes share.
#[derive(Debug)]
pub struct App {
    /// Answers operations.
    pub engine: Engine,
    /// Bounds on requests; the engine has its own on operations.
    pub limits: Limits,
    /// How long a body may take, and whether there is a page.
    pub listen: Listen,
    /// Who may be told what was done for an answer.
    pub trace_access: TraceAccess,
    /// `Vary` of answers that may be reused.
    pub vary: HeaderValue,
    /// Cancelled when the gateway is told to stop: it is not ready from then on.
    pub stop: CancellationToken,
}
