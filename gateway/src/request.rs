//! Reads headers and bodies of requests, and classifies invalid ones.
//!
//! Does not build responses.

pub(crate) mod accept;
pub(crate) mod body;
pub(crate) mod content_type;
pub(crate) mod host;
pub(crate) mod id;
pub(crate) mod invalidation;
pub(crate) mod parameters;

use self::body::BodyError;
use self::parameters::ParametersError;

/// Why a request is rejected without a result of the engine.
#[derive(Debug)]
pub(crate) enum Rejection {
    /// The client accepts no media type of Weir.
    NotAcceptable,
    /// The method is neither `GET` nor `POST`.
    Method,
    /// The `Content-Type` is not JSON.
    ContentType,
    /// The body could not be read.
    Body(BodyError),
    /// The body or the query string is not a GraphQL request.
    Parameters(ParametersError),
    /// The engine did not finish in time.
    Timeout,
}
