//! The state that all routes share.

use http::HeaderValue;
use resolvers::Engine;
use tokio_util::sync::CancellationToken;

use crate::config::admin::TraceAccess;
use crate::config::cache::ClientMaxAge;
use crate::config::connectors::Reports;
use crate::config::errors::Errors;
use crate::config::limits::Limits;
use crate::config::listen::Listen;
use crate::config::log::Log;
use crate::respond::warning_log::WarningLog;

/// The state that all routes share.
#[derive(Debug)]
pub struct App {
    /// Executes operations.
    pub engine: Engine,
    /// Limits on requests; the engine has its own on operations.
    pub limits: Limits,
    /// Timeouts of requests, and whether GraphiQL is served.
    pub listen: Listen,
    /// Bounds of the log.
    pub log: Log,
    /// Which clients may request a trace.
    pub trace_access: TraceAccess,
    /// What clients see of errors that sources return.
    pub errors: Errors,
    /// Whether clients see reports of mappings and warnings of responses.
    pub reports: Reports,
    /// The unexpected responses of connectors that were logged.
    pub(crate) warnings: WarningLog,
    /// The lifetime of responses in the caches of clients and proxies.
    pub client_max_age: ClientMaxAge,
    /// `Vary` of cacheable responses.
    pub vary: HeaderValue,
    /// Cancelled at the start of the shutdown; readiness fails from then on.
    pub stop: CancellationToken,
}
