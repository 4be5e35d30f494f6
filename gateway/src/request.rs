//! What a GraphQL-over-HTTP request says, and why one cannot be used.
//!
//! Reads headers and bodies; answers nothing.

pub(crate) mod accept;
pub(crate) mod body;
pub(crate) mod content_type;
pub(crate) mod id;
pub(crate) mod invalidation;
pub(crate) mod parameters;

use self::body::BodyError;
use self::parameters::ParametersError;

/// Why a request is answered without asking the engine.
#[derive(Debug)]
pub(crate) enum Rejection {
    /// No media type of ours is acceptable.
    NotAcceptable,
    /// Neither `GET` nor `POST`.
    Method,
    /// A body that is not JSON by its own account.
    ContentType,
    /// The body could not be read.
    Body(BodyError),
    /// The body or the query string is no GraphQL request.
    Parameters(ParametersError),
    /// The engine did not answer in time.
    Timeout,
}
