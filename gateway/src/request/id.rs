//! `X-Request-Id`: identifies one request in its response and in every log line about it.

use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::Request;
use http::{HeaderName, HeaderValue};

/// Identifies one request, in its response and in every log line about it.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// The id that the client sent, if it is safe to log; otherwise a new one.
    pub(crate) fn from_request(request: &Request) -> Self {
        let sent = request.headers().get(REQUEST_ID);
        let valid = sent.filter(|id| is_valid_id(id.as_bytes()));
        Self(valid.cloned().unwrap_or_else(new_id))
    }

    /// The id as text.
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The value of `X-Request-Id` in the response.
    pub(crate) fn into_header(self) -> HeaderValue {
        self.0
    }
}

/// The header of requests and responses.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Maximum bytes of an id from a client: longer ones only fill the log.
const MAX_ID_BYTES: usize = 128;

fn is_valid_id(id: &[u8]) -> bool {
    !id.is_empty() && id.len() <= MAX_ID_BYTES && id.iter().all(u8::is_ascii_graphic)
}

/// Unique in this process; the random seed makes a collision with another process improbable.
fn new_id() -> HeaderValue {
    static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);

    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut id = String::with_capacity(32);
    let _ = write!(
        id,
        "{:016x}{:016x}",
        SEED.hash_one(count),
        SEED.hash_one(!count)
    );
    HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_are_safe_to_log() {
        let ids = [new_id(), new_id()];

        assert_ne!(ids[0], ids[1]);
        assert!(is_valid_id(ids[0].as_bytes()));
    }

    #[test]
    fn an_id_that_could_forge_a_log_line_is_not_used() {
        assert!(is_valid_id(b"7f-3a"));
        assert!(!is_valid_id(b"a b"));
        assert!(!is_valid_id(b""));
        assert!(!is_valid_id(&[b'a'; 129]));
    }
}
