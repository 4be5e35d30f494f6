//! What a GraphQL-over-HTTP request says, and why one cannot be used.
//!
//! Reads headers and bodies; answers nothing.

pub(crate) mod accept;
pub(crate) mod body;
pub(crate) mod content_type;
pub(crate) mod invalidation;
pub(crate) mod parameters;

use self::body::Unreadable;
use self::parameters::Unusable;

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
    Body(Unreadable),
    /// The body or the query string is no GraphQL request.
    Parameters(Unusable),
    /// The engine did not answer in time.
    Timeout,
}
