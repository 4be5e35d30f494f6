//! JSON request bodies, bounded in size and time, with precise problems.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, CONTENT_TYPE};
use hyper::http::request::Parts;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::http::Problem;

/// A member of a `PATCH` body: absent leaves the value unchanged; `null` is rejected by `T`.
#[derive(Debug)]
pub(crate) struct Patch<T>(pub(crate) Option<T>);

/// A JSON object. Derived serde implementations alone also accept an array of the members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Object<T>(pub(crate) T);

impl<T> Patch<T> {
    /// Checks the value, if present.
    pub(crate) fn check_value(
        &self,
        check: impl FnOnce(&T) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        self.0.as_ref().map_or(Ok(()), check)
    }

    /// Assigns the value, if present, to `target`.
    pub(crate) fn apply_to(self, target: &mut T) {
        if let Some(value) = self.0 {
            *target = value;
        }
    }
}

impl<T> Default for Patch<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

/// Deserializes the members of an object into a `T`.
struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Object)
    }
}

/// Reads the whole body, of at most `max_bytes`, as a JSON object.
///
/// Fails with 415 for another media type, 413 if the body is too large, 408 if it does not arrive
/// in time, 400 if it is not JSON, and 422 for JSON of another shape.
pub(crate) async fn json_body<T: DeserializeOwned>(
    parts: &Parts,
    body: Incoming,
    max_bytes: usize,
) -> Result<T, Problem> {
    if !is_json(parts) {
        let detail = "Send the body as `Content-Type: application/json`.";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
            .with_header(ACCEPT, "application/json"));
    }
    let bytes = collect(body, max_bytes).await?;
    let shape_error = match serde_json::from_slice(&bytes) {
        Ok(Object(value)) => return Ok(value),
        Err(error) => error,
    };
    // Deserialization fails at the first wrong member; invalid JSON behind it takes precedence.
    Err(match serde_json::from_slice::<IgnoredAny>(&bytes) {
        Ok(_) => Problem::unprocessable(format!("The body does not fit: {shape_error}.")),
        Err(error) => Problem::new(
            StatusCode::BAD_REQUEST,
            format!("The body is not JSON: {error}."),
        ),
    })
}

async fn collect(body: Incoming, max_bytes: usize) -> Result<Bytes, Problem> {
    let whole = Limited::new(body, max_bytes).collect();
    match tokio::time::timeout(BODY_TIMEOUT, whole).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("A body has at most {max_bytes} bytes."),
        )),
        Ok(Err(error)) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            format!("The body is incomplete: {error}."),
        )),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "The body did not arrive in time.",
        )),
    }
}

fn is_json(parts: &Parts) -> bool {
    let media_type = parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Maximum size of a body, in bytes; fifty order items are 2 KiB.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// Maximum time for a body: long for a local network, short enough that slow senders do not pile up.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
