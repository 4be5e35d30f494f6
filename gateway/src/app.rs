//! What the routes share.

use resolvers::Engine;
use tokio_util::sync::CancellationToken;

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
    /// Cancelled when the gateway is told to stop: it is not ready from then on.
    pub stop: CancellationToken,
}
